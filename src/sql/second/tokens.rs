//! The gate's tokens as `sqlparser` takes them.
//!
//! Names go over in quotes, so that no word of another dialect is read into them; reserved words go over as words. What
//! Druid has and `sqlparser` has not is put into a form that it has and that names the same tables: `TABLE t` becomes
//! `(SELECT * FROM t)`, `(t LIMIT 1)` likewise, CLUSTERED BY an ORDER BY, and the words between the arguments of TRIM,
//! JSON_VALUE and their like become commas.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token as Out, TokenWithSpan, Word};

use super::words;
use crate::sql::Parameter;
use crate::sql::literal;
use crate::sql::token::{Kind, Token};

mod tables;

/// A query as `sqlparser` takes it.
pub(super) struct Converted {
    pub tokens: Vec<TokenWithSpan>,
    /// Which of them are parentheses around a query, in order.
    pub queries: Vec<usize>,
}

/// The query that begins at the token `at`; nothing where one of its tokens cannot be told.
pub(super) fn convert(text: &str, tokens: &[Token], at: usize, parameters: &[Parameter]) -> Option<Converted> {
    let passed = tokens.get(..at)?.iter().filter(|token| token.kind == Kind::Parameter).count();
    let parameters = parameters.get(passed..).unwrap_or_default();
    let out = Vec::with_capacity(tokens.len() + tokens.len() / 4);
    let (groups, queries) = (Vec::new(), Vec::new());
    let mut writer = Writer { text, tokens, at, parameters, out, groups, queries, separated: false };
    writer.query()?;
    writer.queries.sort_unstable();
    Some(Converted { tokens: writer.out, queries: writer.queries })
}

struct Writer<'a> {
    text: &'a str,
    tokens: &'a [Token],
    /// The index of the next token.
    at: usize,
    /// The values of the `?` from the next token on.
    parameters: &'a [Parameter],
    out: Vec<TokenWithSpan>,
    groups: Vec<Group>,
    queries: Vec<usize>,
    /// A comma is due before the next argument, if one follows.
    separated: bool,
}

/// A group that is open.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    /// The place of its parenthesis among the tokens that are written.
    opened: usize,
    /// It holds a query, so that a name before LIMIT is no table in it.
    is_query: bool,
    /// One more parenthesis was opened than the text has.
    is_doubled: bool,
    /// It is that of `TABLE(..)`, after which columns may be defined.
    of_table: bool,
    /// It has words between its arguments.
    is_special: bool,
}

impl<'a> Writer<'a> {
    fn kind(&self) -> Kind {
        self.peek(0)
    }

    fn peek(&self, ahead: usize) -> Kind {
        self.tokens.get(self.at + ahead).map_or(Kind::End, |token| token.kind)
    }

    fn image(&self) -> &'a str {
        self.image_ahead(0)
    }

    fn image_ahead(&self, ahead: usize) -> &'a str {
        self.tokens.get(self.at + ahead).map_or("", |token| self.image_of(*token))
    }

    fn image_of(&self, token: Token) -> &'a str {
        self.text.get(token.start()..token.end()).unwrap_or_default()
    }

    /// The token before the next one.
    fn before(&self) -> Option<Token> {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).copied()
    }

    /// The token before the next one is of this kind.
    fn follows(&self, kind: Kind) -> bool {
        self.before().is_some_and(|before| before.kind == kind)
    }

    fn group(&self) -> Group {
        self.groups.last().copied().unwrap_or_default()
    }

    fn advance(&mut self) {
        if self.kind() == Kind::Parameter {
            self.parameters = self.parameters.get(1..).unwrap_or_default();
        }
        self.at += 1;
    }

    fn put(&mut self, token: Out) {
        let follows =
            |out: &[TokenWithSpan]| out.last().is_some_and(|last| !matches!(last.token, Out::LParen | Out::Comma));
        if std::mem::take(&mut self.separated) && follows(&self.out) {
            self.out.push(TokenWithSpan::wrap(Out::Comma));
        }
        self.out.push(TokenWithSpan::wrap(token));
    }

    fn put_keyword(&mut self, keyword: Keyword, image: &str) {
        self.put(Out::Word(Word { value: image.to_owned(), quote_style: None, keyword }));
    }

    fn put_name(&mut self, name: impl Into<String>) {
        self.put(Out::Word(Word { value: name.into(), quote_style: Some('"'), keyword: Keyword::NoKeyword }));
    }

    /// The query, up to a semicolon or the end. CLUSTERED BY goes where Druid puts it, into an ORDER BY, and around what
    /// has an ORDER BY or a LIMIT already (`IngestHandler`).
    fn query(&mut self) -> Option<()> {
        let around = self.is_clustered_and_ordered();
        if around {
            self.put(Out::LParen);
        }
        loop {
            match self.kind() {
                Kind::End => break,
                Kind::Semicolon | Kind::Partitioned | Kind::Clustered if self.groups.is_empty() => break,
                _ => self.next()?,
            }
        }
        if around {
            self.put(Out::RParen);
        }
        self.skip_partitioning();
        if self.kind() == Kind::Clustered {
            self.put_keyword(Keyword::ORDER, "ORDER");
            self.advance();
        }
        while !matches!(self.kind(), Kind::End | Kind::Semicolon) {
            self.next()?;
        }
        Some(())
    }

    fn is_clustered_and_ordered(&self) -> bool {
        let (mut depth, mut ordered) = (0_usize, false);
        for token in self.tokens.get(self.at..).unwrap_or_default() {
            match token.kind {
                Kind::LeftParen | Kind::LeftBracket | Kind::LeftBrace => depth += 1,
                kind if kind.closes() => depth = depth.saturating_sub(1),
                kind if depth == 0 && (kind == Kind::Order || kind.begins_limit()) => ordered = true,
                Kind::Clustered => return ordered,
                _ => {}
            }
        }
        false
    }

    /// PARTITIONED BY has no place for a query.
    fn skip_partitioning(&mut self) {
        while !matches!(self.kind(), Kind::Clustered | Kind::Semicolon | Kind::End) {
            self.advance();
        }
    }

    /// Writes what stands for the next token, or for the next few.
    fn next(&mut self) -> Option<()> {
        let kind = self.kind();
        match kind {
            Kind::Name | Kind::Quoted | Kind::UnicodeQuoted | Kind::Qualify => return self.name_or_word(kind),
            Kind::Text | Kind::UnicodeText | Kind::EscapedText | Kind::PrefixedText => return self.string(),
            Kind::Parameter => return self.parameter(),
            Kind::LeftParen => return self.open_group(),
            Kind::RightParen => return self.close_group(),
            Kind::LeftBrace => return self.open_brace(),
            Kind::LeftBracket => return self.open_other(Out::LBracket),
            Kind::RightBrace => return self.close_other(Out::RBrace),
            Kind::RightBracket => return self.close_other(Out::RBracket),
            Kind::Table if self.peek(1).is_name() => return self.explicit_table(),
            // Words without which the same tables are read.
            Kind::Lateral | Kind::Stream | Kind::Specific => {}
            Kind::Extend => {
                self.advance();
                return self.skip_group();
            }
            Kind::Multiset => return self.multiset(),
            Kind::Comma | Kind::NamedArgument => {
                self.separated = false;
                self.put_sign(kind)?;
                self.advance();
                return self.implicit_table();
            }
            _ => self.put_word_or_sign(kind)?,
        }
        self.advance();
        Some(())
    }

    fn put_word_or_sign(&mut self, kind: Kind) -> Option<()> {
        let image = self.image();
        if !image.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return self.put_sign(kind);
        }
        let (called, is_special) = (self.peek(1) == Kind::LeftParen, self.group().is_special);
        if is_special && words::is_separator(image) {
            self.separated = true;
        } else if kind == Kind::By && self.follows(Kind::Group) && matches!(self.peek(1), Kind::All | Kind::Distinct) {
            self.put(Out::make_word(image, None));
            self.advance();
        } else if called && words::is_special(image) {
            self.put_name(image);
        } else if kind == Kind::Reserved && words::is_comparison(image) {
            if self.image_ahead(1).eq_ignore_ascii_case("OF") {
                self.advance();
            }
            self.put(Out::Eq);
        } else if kind == Kind::Reserved && words::is_silent(image) || is_type_suffix(image, self.peek(1)) {
        } else {
            // `JSON_VALUE(x, '$.y' NULL ON ERROR)`
            self.separated |= is_special && kind == Kind::Null && !self.follows(Kind::Is) && !self.follows(Kind::Not);
            self.put(Out::make_word(image, None));
        }
        Some(())
    }

    fn put_sign(&mut self, kind: Kind) -> Option<()> {
        let sign = match (kind, self.image()) {
            (Kind::Number, image) => Out::Number(image.to_owned(), false),
            // What it holds names nothing.
            (Kind::Binary, _) => Out::HexStringLiteral(String::new()),
            (_, ",") => Out::Comma,
            (_, ".") => Out::Period,
            (_, "*") => Out::Mul,
            (_, "=") => Out::Eq,
            (_, "+") => Out::Plus,
            (_, "-") => Out::Minus,
            (_, "=>") => Out::RArrow,
            (_, "->") => Out::Arrow,
            (_, "<=") => Out::LtEq,
            (_, ">=") => Out::GtEq,
            (_, "<>" | "!=") => Out::Neq,
            (_, "||") => Out::StringConcat,
            (_, "/") => Out::Div,
            (_, "<") => Out::Lt,
            (_, ">") => Out::Gt,
            (_, "|") => Out::Pipe,
            (_, ":") if self.group().is_special => Out::Comma,
            (_, ":") => Out::Colon,
            (_, "%") => Out::Mod,
            (_, "^") => Out::Caret,
            (_, _) => return None,
        };
        self.put(sign);
        Some(())
    }

    /// A name, or a word that is not reserved.
    fn name_or_word(&mut self, kind: Kind) -> Option<()> {
        let (image, next) = (self.image(), self.peek(1));
        let is_word = matches!(kind, Kind::Name | Kind::Qualify);
        let is = |word: &str| is_word && image.eq_ignore_ascii_case(word);
        if is_word && self.group().is_special && words::is_separator(image) {
            self.separated = true;
        } else if (is("MAP") || is("ARRAY")) && next == Kind::LeftBracket {
            self.put_keyword(Keyword::ARRAY, image);
        } else if self.is_operator(is, next) {
            self.put(Out::make_word(image, None));
        } else if let Some(keyword) = words::soft(image).filter(|_| is_word) {
            self.put_keyword(keyword, image);
        } else {
            return self.name();
        }
        self.advance();
        Some(())
    }

    /// PIVOT and the like, which are names elsewhere. QUALIFY is one up to Druid 27.
    fn is_operator(&self, is: impl Fn(&str) -> bool, next: Kind) -> bool {
        let of_nulls =
            |ahead| ["INCLUDE", "EXCLUDE"].iter().any(|word| self.image_ahead(ahead).eq_ignore_ascii_case(word));
        if is("PIVOT") || is("UNPIVOT") {
            return next == Kind::LeftParen || of_nulls(1);
        }
        let after_unpivot =
            || self.before().is_some_and(|before| self.image_of(before).eq_ignore_ascii_case("UNPIVOT"));
        is("QUALIFY") && begins_condition(next)
            || is("APPLY") && (self.follows(Kind::Cross) || self.follows(Kind::Outer))
            || of_nulls(0) && after_unpivot()
    }

    /// A name, whatever word it is.
    fn name(&mut self) -> Option<()> {
        let (kind, image) = (self.kind(), self.image());
        self.advance();
        let escape = if kind == Kind::UnicodeQuoted { self.escape()? } else { '\\' };
        let name = literal::name(image, kind, escape).ok()?;
        self.put_name(name);
        Some(())
    }

    fn escape(&mut self) -> Option<char> {
        if self.kind() != Kind::Uescape {
            return Some('\\');
        }
        self.advance();
        if self.kind() != Kind::Text {
            return None;
        }
        let escape = literal::escape_character(self.image()).ok();
        self.advance();
        escape
    }

    /// A character literal with those next to it.
    fn string(&mut self) -> Option<()> {
        let unicode = self.kind() == Kind::UnicodeText;
        let mut value = literal::text(self.image()).into_owned();
        self.advance();
        while self.kind() == Kind::Text {
            value.push_str(&literal::text(self.image()));
            self.advance();
        }
        if unicode {
            let escape = self.escape()?;
            value = literal::unescape(&value, escape).ok()?;
        }
        self.put(Out::SingleQuotedString(value));
        Some(())
    }

    /// Druid puts the values of parameters in before it looks at the statement.
    fn parameter(&mut self) -> Option<()> {
        match self.parameters.first() {
            Some(Parameter::Text(text)) => self.put(Out::SingleQuotedString(text.clone())),
            Some(Parameter::Other) | None => self.put(Out::Placeholder("?".to_owned())),
        }
        self.advance();
        Some(())
    }

    fn open_group(&mut self) -> Option<()> {
        let callee = self.before();
        let is_called = |token: Token| matches!(token.kind, Kind::Name | Kind::Reserved);
        // After ANY, `sqlparser` expects an expression within the parentheses, and so it gets one.
        let is_quantified = callee.is_some_and(|token| words::is_quantifier(self.image_of(token)));
        if is_quantified {
            self.put(Out::LParen);
        }
        let group = Group {
            opened: self.out.len(),
            is_doubled: is_quantified,
            is_query: matches!(self.peek(1), Kind::Select | Kind::Values | Kind::With),
            of_table: self.follows(Kind::Table),
            is_special: callee.is_some_and(|token| is_called(token) && words::is_special(self.image_of(token))),
        };
        self.put(Out::LParen);
        if group.is_query {
            self.queries.push(group.opened);
        }
        self.groups.push(group);
        self.advance();
        if matches!(self.kind(), Kind::Distinct | Kind::All) && self.peek(1).is_name() {
            self.put_word_or_sign(Kind::Distinct)?;
            self.advance();
        }
        self.implicit_table()
    }

    fn close_group(&mut self) -> Option<()> {
        let group = self.groups.pop()?;
        self.separated = false;
        self.put(Out::RParen);
        if group.is_doubled {
            self.put(Out::RParen);
        }
        self.advance();
        if group.of_table && self.kind() == Kind::LeftParen {
            self.skip_group()?;
        }
        if group.is_query {
            self.query_ended(group.opened);
        }
        Some(())
    }

    /// A query in parentheses, with which a group begins and which is not all of it or is put in order, makes a query of
    /// that group: `((SELECT 1) UNION ..)`.
    fn query_ended(&mut self, opened: usize) {
        let next = self.kind();
        let goes_on = next.is_set_operator() || next.begins_limit() || matches!(next, Kind::Order | Kind::RightParen);
        if let Some(group) = self.groups.last_mut()
            && goes_on
            && group.opened + 1 == opened
            && !group.is_query
        {
            group.is_query = true;
            self.queries.push(group.opened);
        }
    }

    fn open_other(&mut self, sign: Out) -> Option<()> {
        self.groups.push(Group { opened: self.out.len(), ..Group::default() });
        self.put(sign);
        self.advance();
        self.implicit_table()
    }

    /// `{fn f(x)}`, `{ts '..'}`: for Druid the word is a part of the brace.
    fn open_brace(&mut self) -> Option<()> {
        let word = self.image().trim_start_matches(['{', ' ']).to_ascii_lowercase();
        self.open_other(Out::LBrace)?;
        if !word.is_empty() {
            self.put(Out::make_word(&word, None));
        }
        Some(())
    }

    fn close_other(&mut self, sign: Out) -> Option<()> {
        self.groups.pop()?;
        self.put(sign);
        self.advance();
        Some(())
    }

    /// Columns with their types.
    fn skip_group(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.kind() {
                Kind::LeftParen => depth += 1,
                Kind::RightParen => depth = depth.checked_sub(1)?,
                Kind::End => return None,
                _ if depth == 0 => return None,
                _ => {}
            }
            self.advance();
            if depth == 0 {
                return Some(());
            }
        }
    }

    /// `MULTISET[..]`, `MULTISET(..)`, `a MULTISET UNION ALL b`, or the end of a type.
    fn multiset(&mut self) -> Option<()> {
        self.advance();
        match self.kind() {
            Kind::LeftBracket => self.put_keyword(Keyword::ARRAY, "ARRAY"),
            Kind::LeftParen => self.put_name("MULTISET"),
            kind if kind.is_set_operator() => {
                self.put(Out::Plus);
                self.advance();
                if matches!(self.kind(), Kind::All | Kind::Distinct) {
                    self.advance();
                }
            }
            _ => {}
        }
        Some(())
    }
}

/// `VARCHAR ARRAY`
fn is_type_suffix(image: &str, next: Kind) -> bool {
    image.eq_ignore_ascii_case("ARRAY") && !matches!(next, Kind::LeftBracket | Kind::LeftParen)
}

/// QUALIFY is a word where a condition follows; up to Druid 27 it is a name.
const fn begins_condition(next: Kind) -> bool {
    !matches!(
        next,
        Kind::Comma | Kind::Dot | Kind::LeftParen | Kind::RightParen | Kind::End | Kind::Semicolon | Kind::As
    )
}

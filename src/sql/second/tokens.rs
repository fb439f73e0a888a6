//! The gate's tokens as `sqlparser` takes them.
//!
//! Names go over in quotes, so that no word of another dialect is read into them; reserved words go over as words. What
//! Druid has and `sqlparser` has not is put into a form that it has and that names the same tables: `TABLE t` becomes
//! `(SELECT * FROM t)`, `(t LIMIT 1)` likewise, CLUSTERED BY an ORDER BY, and the words between the arguments of TRIM,
//! JSON_VALUE and their like become commas.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token as Out, TokenWithSpan, Word};

use crate::sql::Parameter;
use crate::sql::token::{Kind, Token};

mod groups;
mod names;
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
        self.text.get(token.start()..token.end(self.text)).unwrap_or_default()
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
}

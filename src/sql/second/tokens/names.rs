//! Words, names and literals.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token as Out;

use super::Writer;
use crate::sql::Parameter;
use crate::sql::literal;
use crate::sql::second::words;
use crate::sql::token::{Kind, Role};

impl Writer<'_> {
    /// A word that is reserved, or a sign.
    pub(super) fn put_word_or_sign(&mut self, kind: Kind) -> Option<()> {
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

    /// A name, or a word that is not reserved.
    pub(super) fn name_or_word(&mut self, kind: Kind) -> Option<()> {
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
        is("QUALIFY") && begins_condition(next) && !self.follows(Kind::As)
            || is("APPLY") && (self.follows(Kind::Cross) || self.follows(Kind::Outer))
            || of_nulls(0) && after_unpivot()
    }

    /// A name, whatever word it is.
    pub(super) fn name(&mut self) -> Option<()> {
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
    pub(super) fn string(&mut self) -> Option<()> {
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
    pub(super) fn parameter(&mut self) -> Option<()> {
        match self.parameters.first() {
            Some(Parameter::Text(text)) => self.put(Out::SingleQuotedString(text.clone())),
            Some(Parameter::Other) | None => self.put(Out::Placeholder("?".to_owned())),
        }
        self.advance();
        Some(())
    }

    /// `MULTISET[..]`, `MULTISET(..)`, `a MULTISET UNION ALL b`, or the end of a type.
    pub(super) fn multiset(&mut self) -> Option<()> {
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
    match next.role() {
        Role::Plain => !matches!(next, Kind::Dot | Kind::As),
        Role::Open => !matches!(next, Kind::LeftParen),
        Role::Name | Role::StopUnlessCalled => true,
        Role::SetOperator | Role::From | Role::Group | Role::With | Role::Stop => false,
    }
}

//! Expressions: runs of tokens, and the groups within them.

use super::{Read, Reader, Shape};
use crate::sql::token::{Kind, Role};

impl Reader<'_> {
    /// Passes an expression, up to a word or sign that cannot be inside one.
    pub(super) fn expression(&mut self) -> Read<()> {
        loop {
            let kind = self.kind();
            match kind.role() {
                Role::Plain => self.advance(),
                Role::Name => self.name_or_call(kind)?,
                Role::Open => drop(self.group()?),
                Role::StopUnlessCalled if self.peek(1) == Kind::LeftParen => self.advance(),
                Role::SetOperator if self.before(1) == Kind::Multiset => self.advance(),
                Role::From if self.is_distinct_from() => self.advance(),
                Role::Group if self.before(1) == Kind::Within => self.advance(),
                Role::With if !self.with_list_begins() => self.advance(),
                Role::StopUnlessCalled | Role::SetOperator | Role::From | Role::Group | Role::With | Role::Stop => {
                    return Ok(());
                }
            }
        }
    }

    /// `a IS [NOT] DISTINCT FROM b`
    fn is_distinct_from(&self) -> bool {
        let is = if self.before(2) == Kind::Not { self.before(3) } else { self.before(2) };
        self.before(1) == Kind::Distinct && is == Kind::Is
    }

    /// `WITH name AS`, `WITH name (`: neither is a part of a type or of `JSON_QUERY(x, '$' WITH WRAPPER)`.
    fn with_list_begins(&self) -> bool {
        self.peek(1) == Kind::Recursive
            || self.peek(1).is_name() && matches!(self.peek(2), Kind::As | Kind::LeftParen | Kind::Uescape)
    }

    fn name_or_call(&mut self, kind: Kind) -> Read<()> {
        if kind == Kind::UnicodeQuoted && self.peek(1) == Kind::Uescape || self.peek(1) == Kind::LeftParen {
            let name = self.name()?;
            return if self.kind() == Kind::LeftParen { self.call(&name) } else { Ok(()) };
        }
        if self.peek(1) == Kind::Dot && self.peek(3) == Kind::Dot && self.before(1) != Kind::Dot {
            self.note_qualifier();
        }
        self.advance();
        Ok(())
    }

    /// Expressions with commas between them.
    pub(super) fn expressions(&mut self) -> Read<()> {
        self.expression()?;
        while self.take(Kind::Comma) {
            self.expression()?;
        }
        Ok(())
    }

    /// `( .. )`, `[ .. ]`, `{ .. }`: elements with commas between them, each of which may be a query.
    pub(super) fn group(&mut self) -> Read<Shape> {
        let open = self.kind();
        let close = match open {
            Kind::LeftBracket => Kind::RightBracket,
            Kind::LeftBrace => Kind::RightBrace,
            _ => Kind::RightParen,
        };
        self.enter()?;
        self.advance();
        let mut shape = if self.kind() == close { Shape::Other } else { self.element()? };
        while self.take(Kind::Comma) {
            self.element()?;
            shape = Shape::Other;
        }
        self.expect(close, "a comma, or what closes the group")?;
        self.leave();
        Ok(if open == Kind::LeftParen { shape } else { Shape::Other })
    }

    /// Passes an element of one token, as most are: a column, a literal, a star.
    fn take_single(&mut self) -> Option<Shape> {
        let after = self.peek(1);
        if after != Kind::Comma && !after.closes() {
            return None;
        }
        let shape = match self.kind().role() {
            Role::Name => Shape::Name(self.at),
            Role::Plain => Shape::Other,
            _ => return None,
        };
        self.advance();
        Some(shape)
    }

    /// A group that must follow.
    pub(super) fn expect_group(&mut self) -> Read<()> {
        if self.kind() != Kind::LeftParen {
            return Err(self.unexpected("("));
        }
        self.group().map(drop)
    }

    /// One element of a group: a query, or an expression with the words that special functions have
    /// (`EXTRACT(x FROM y)`, `LISTAGG(x ORDER BY y)`, `FILTER (WHERE x)`, `JSON_VALUE(x DEFAULT y ON EMPTY)`).
    fn element(&mut self) -> Read<Shape> {
        if let Some(shape) = self.take_single() {
            return Ok(shape);
        }
        if matches!(self.kind(), Kind::All | Kind::Distinct) {
            self.advance();
        }
        if self.kind().is_name() && self.peek(1) == Kind::NamedArgument {
            self.advance();
            self.advance();
        }
        let bare = self.kind().begins_query();
        let mut shape = self.ordered_query()?;
        loop {
            let kind = self.kind();
            if kind == Kind::Comma || kind.closes() {
                return Ok(shape);
            }
            match kind {
                // `f(TABLE t PARTITION BY a ORDER BY b)`
                Kind::Partition | Kind::Order if bare => self.advance(),
                Kind::From | Kind::Where | Kind::Order | Kind::On | Kind::Using | Kind::Group if !bare => {
                    self.advance();
                }
                _ => return Err(self.unexpected("a comma, or what closes the group")),
            }
            self.expression()?;
            shape = Shape::Other;
        }
    }
}

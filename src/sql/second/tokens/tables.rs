//! Tables that stand where `sqlparser` looks for none.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token as Out;

use super::Writer;
use crate::sql::token::Kind;

impl Writer<'_> {
    /// `TABLE t` as `(SELECT * FROM t)`.
    pub(super) fn explicit_table(&mut self) -> Option<()> {
        self.advance();
        let opened = self.out.len();
        self.put_select_from();
        self.path()?;
        self.put(Out::RParen);
        if self.kind() == Kind::Partition && self.peek(1) == Kind::By {
            self.separated = true;
            self.advance();
            self.advance();
        }
        self.query_ended(opened);
        Some(())
    }

    /// `t LIMIT 1`, if that stands at the beginning of an element of a group, as `(SELECT * FROM t LIMIT 1)`.
    pub(super) fn implicit_table(&mut self) -> Option<()> {
        let within = self.groups.last().is_some_and(|group| !group.is_query);
        if !within || !self.kind().is_name() {
            return Some(());
        }
        let length = self.path_length();
        // `OFFSET(1)` is a function.
        if !self.peek(length).begins_limit() || self.peek(length + 1) == Kind::LeftParen {
            return Some(());
        }
        self.put_select_from();
        self.path()?;
        while !matches!(self.kind(), Kind::Comma | Kind::RightParen | Kind::RightBracket | Kind::RightBrace | Kind::End)
        {
            self.next()?;
        }
        self.put(Out::RParen);
        Some(())
    }

    fn put_select_from(&mut self) {
        self.queries.push(self.out.len());
        self.put(Out::LParen);
        self.put_keyword(Keyword::SELECT, "SELECT");
        self.put(Out::Mul);
        self.put_keyword(Keyword::FROM, "FROM");
    }

    fn path(&mut self) -> Option<()> {
        self.name()?;
        while self.kind() == Kind::Dot {
            self.put(Out::Period);
            self.advance();
            if !self.kind().is_name() {
                return None;
            }
            self.name()?;
        }
        Some(())
    }

    /// How many tokens the compound name takes that begins here.
    fn path_length(&self) -> usize {
        let mut ahead = 0;
        loop {
            if !self.peek(ahead).is_name() {
                return ahead;
            }
            ahead += if self.peek(ahead + 1) == Kind::Uescape { 3 } else { 1 };
            if self.peek(ahead) != Kind::Dot {
                return ahead;
            }
            ahead += 1;
        }
    }
}

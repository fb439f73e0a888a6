//! Groups: which of them hold a query, and how they begin and end.

use sqlparser::tokenizer::Token as Out;

use super::{Group, Writer};
use crate::sql::second::words;
use crate::sql::token::{Kind, Token};

impl Writer<'_> {
    pub(super) fn open_group(&mut self) -> Option<()> {
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

    pub(super) fn close_group(&mut self) -> Option<()> {
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
    pub(super) fn query_ended(&mut self, opened: usize) {
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

    pub(super) fn open_other(&mut self, sign: Out) -> Option<()> {
        self.groups.push(Group { opened: self.out.len(), ..Group::default() });
        self.put(sign);
        self.advance();
        self.implicit_table()
    }

    /// `{fn f(x)}`, `{ts '..'}`: for Druid the word is a part of the brace.
    pub(super) fn open_brace(&mut self) -> Option<()> {
        let word = self.image().trim_start_matches(['{', ' ']).to_ascii_lowercase();
        self.groups.push(Group { opened: self.out.len(), ..Group::default() });
        self.put(Out::LBrace);
        if !word.is_empty() {
            self.put(Out::make_word(&word, None));
        }
        self.advance();
        Some(())
    }

    pub(super) fn close_other(&mut self, sign: Out) -> Option<()> {
        self.groups.pop()?;
        self.put(sign);
        self.advance();
        Some(())
    }

    /// Columns with their types.
    pub(super) fn skip_group(&mut self) -> Option<()> {
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
}

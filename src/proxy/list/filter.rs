//! Takes a list in pieces, gives what of it may be seen.

use super::ListFault;
use super::items::{Judge, Passed};
use crate::config::Limits;
use crate::druid::{List, Sums};
use crate::policy::Grants;
use crate::query_id::OwnIds;

/// Where in the list the next byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the `[` or `{`.
    Start,
    /// After it: an item or the end.
    FirstItem,
    /// After a comma: an item.
    NextItem,
    /// After a member's key: a colon.
    Colon,
    /// After the colon: a container.
    Value,
    /// In an item, at this depth, in a string of it or not, after a backslash or not.
    Item { depth: usize, string: bool, escaped: bool },
    /// After an item: a comma or the end.
    AfterItem,
    /// After the `]` or `}`.
    End,
}

/// What of a list the caller may see, item by item.
pub struct ListFilter {
    judge: Judge,
    /// Whether the list is an object: its items are members.
    is_object: bool,
    /// Whether the list is shown; else only what it sums up to.
    is_shown: bool,
    place: Place,
    item: Vec<u8>,
    has_key: bool,
    passed_one: bool,
    read: usize,
    max_item: usize,
    max_all: usize,
}

impl ListFilter {
    /// Lets pass what `grants` allow, within these limits.
    pub const fn new(list: List, grants: Grants, limits: &Limits) -> Self {
        Self {
            judge: Judge::new(list, grants),
            is_object: matches!(list, List::Wrapped(_) | List::Intervals(_) | List::Histories | List::Queries),
            is_shown: !matches!(list, List::Intervals(Sums::OfAll)),
            place: Place::Start,
            item: Vec::new(),
            has_key: false,
            passed_one: false,
            read: 0,
            max_item: limits.list_item_bytes,
            max_all: limits.list_bytes,
        }
    }

    /// The same, where the list is of queries and these are the caller's.
    pub fn telling_own(mut self, own: Option<OwnIds>) -> Self {
        self.judge.own = own;
        self
    }

    /// Whether an item has passed.
    pub const fn passed_one(&self) -> bool {
        self.passed_one
    }

    /// What passes of the next piece.
    ///
    /// # Errors
    /// [`ListFault`], for good.
    pub fn feed(&mut self, data: &[u8]) -> Result<Vec<u8>, ListFault> {
        self.read = self.read.saturating_add(data.len());
        if self.read > self.max_all {
            return Err(ListFault::TooLong(self.max_all));
        }
        let mut out = Vec::new();
        for &byte in data {
            self.step(byte, &mut out)?;
        }
        Ok(out)
    }

    /// What is told at the end.
    ///
    /// # Errors
    /// [`ListFault::CutOff`].
    pub fn finish(&self) -> Result<Vec<u8>, ListFault> {
        if self.place != Place::End {
            return Err(ListFault::CutOff);
        }
        Ok(if self.is_shown { Vec::new() } else { self.judge.total().render().into_bytes() })
    }

    fn step(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<(), ListFault> {
        let is_space = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let (opens, closes) = if self.is_object { (b'{', b'}') } else { (b'[', b']') };
        self.place = match (self.place, byte) {
            (Place::Item { depth, string, escaped }, _) => return self.step_in_item(byte, depth, string, escaped, out),
            (place, _) if is_space => place,
            (Place::Start, byte) if byte == opens => {
                self.show(opens, out);
                Place::FirstItem
            }
            (Place::FirstItem | Place::NextItem, b'{' | b'"') if byte == b'"' || !self.is_object => {
                self.item.push(byte);
                Place::Item { depth: usize::from(byte == b'{'), string: byte == b'"', escaped: false }
            }
            (Place::Colon, b':') => {
                self.item.push(byte);
                Place::Value
            }
            (Place::Value, b'{' | b'[') => {
                self.item.push(byte);
                Place::Item { depth: 1, string: false, escaped: false }
            }
            (Place::FirstItem | Place::AfterItem, byte) if byte == closes => {
                self.show(closes, out);
                Place::End
            }
            (Place::AfterItem, b',') => Place::NextItem,
            (
                Place::Start
                | Place::FirstItem
                | Place::NextItem
                | Place::Colon
                | Place::Value
                | Place::AfterItem
                | Place::End,
                _,
            ) => {
                return Err(ListFault::NotAList);
            }
        };
        Ok(())
    }

    fn step_in_item(
        &mut self,
        byte: u8,
        depth: usize,
        string: bool,
        escaped: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), ListFault> {
        if self.item.len() == self.max_item {
            return Err(ListFault::ItemTooLong(self.max_item));
        }
        self.item.push(byte);
        let depth = match byte {
            b'{' | b'[' if !string => depth + 1,
            b'}' | b']' if !string => depth.saturating_sub(1),
            _ => depth,
        };
        let string = if byte == b'"' && !escaped { !string } else { string };
        if depth > 0 || string {
            self.place = Place::Item { depth, string, escaped: string && byte == b'\\' && !escaped };
            return Ok(());
        }
        if self.is_object && !self.has_key {
            self.has_key = true;
            self.place = Place::Colon;
            return Ok(());
        }
        self.has_key = false;
        self.place = Place::AfterItem;
        self.end_item(out)
    }

    fn end_item(&mut self, out: &mut Vec<u8>) -> Result<(), ListFault> {
        let passed = if self.is_object {
            let member = [b"{", self.item.as_slice(), b"}"].concat();
            self.judge.member(&member)?
        } else {
            self.judge.item(&self.item)?
        };
        match &passed {
            Passed::Nothing => {}
            Passed::AsItIs => self.pass(&self.item, out),
            Passed::Instead(text) => self.pass(text.as_bytes(), out),
        }
        self.passed_one |= !matches!(passed, Passed::Nothing);
        self.item.clear();
        Ok(())
    }

    fn show(&self, byte: u8, out: &mut Vec<u8>) {
        if self.is_shown {
            out.push(byte);
        }
    }

    fn pass(&self, text: &[u8], out: &mut Vec<u8>) {
        if self.is_shown {
            if self.passed_one {
                out.push(b',');
            }
            out.extend_from_slice(text);
        }
    }
}

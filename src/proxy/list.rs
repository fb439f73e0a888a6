//! A list, filtered while it streams. Druid: `AuthorizationUtils.filterAuthorizedResources`.
//!
//! The list is a JSON array of objects, or of names. Each item is read whole, kept or dropped whole, and the order
//! stays. What is not such a list breaks the answer: nothing unfiltered follows.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};

use super::body::BodyError;
use crate::config::Limits;
use crate::druid::List;
use crate::json::{self, Json};
use crate::permission::{Action, ResourceAction, ResourceType};
use crate::policy::Grants;

/// Why a list is broken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListFault {
    /// Not an array of items that name their datasource.
    #[error("Druid's list is not one that the gate can filter")]
    NotAList,
    /// An item over its bound.
    #[error("an item of Druid's list is longer than {0} bytes; see [limits] list_item_bytes")]
    ItemTooLong(usize),
    /// All of it over its bound.
    #[error("Druid's list is longer than {0} bytes; see [limits] list_bytes")]
    TooLong(usize),
    /// It ended within.
    #[error("Druid's list was cut off")]
    CutOff,
}

/// The body of a filtered list.
pub struct ListBody<B> {
    inner: B,
    filter: ListFilter,
    ended: bool,
}

impl<B> ListBody<B> {
    /// Lets pass of `inner` what `grants` allow to read, within these limits.
    pub fn new(inner: B, list: List, grants: Grants, limits: &Limits) -> Self {
        Self { inner, filter: ListFilter::new(list, grants, limits), ended: false }
    }
}

impl<B> Body for ListBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BodyError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            if self.ended {
                return Poll::Ready(None);
            }
            let passed = match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                Some(Ok(frame)) => frame.into_data().map_or_else(|_| Ok(Vec::new()), |data| self.filter.feed(&data)),
                Some(Err(error)) => {
                    self.ended = true;
                    return Poll::Ready(Some(Err(error.into())));
                }
                None => {
                    self.ended = true;
                    match self.filter.finish() {
                        Ok(()) => return Poll::Ready(None),
                        Err(fault) => Err(fault),
                    }
                }
            };
            match passed {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => return Poll::Ready(Some(Ok(Frame::data(bytes.into())))),
                Err(fault) => {
                    self.ended = true;
                    tracing::error!(reason = %fault, "a list was broken off");
                    return Poll::Ready(Some(Err(fault.into())));
                }
            }
        }
    }
}

/// Where in the list the next byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the `[`.
    Start,
    /// After the `[`: an item or `]`.
    FirstItem,
    /// After a comma: an item.
    NextItem,
    /// In an item, at this depth, in a string of it or not, after a backslash or not.
    Item { depth: usize, string: bool, escaped: bool },
    /// After an item: a comma or `]`.
    AfterItem,
    /// After the `]`.
    End,
}

/// Takes a list in pieces, gives the items that may be seen.
struct ListFilter {
    list: List,
    grants: Grants,
    place: Place,
    item: Vec<u8>,
    passed_one: bool,
    read: usize,
    max_item: usize,
    max_all: usize,
}

impl ListFilter {
    const fn new(list: List, grants: Grants, limits: &Limits) -> Self {
        let (max_item, max_all) = (limits.list_item_bytes, limits.list_bytes);
        Self { list, grants, place: Place::Start, item: Vec::new(), passed_one: false, read: 0, max_item, max_all }
    }

    fn feed(&mut self, data: &[u8]) -> Result<Vec<u8>, ListFault> {
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

    fn step(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<(), ListFault> {
        let is_space = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        self.place = match (self.place, byte) {
            (Place::Item { depth, string, escaped }, _) => return self.step_in_item(byte, depth, string, escaped, out),
            (place, _) if is_space => place,
            (Place::Start, b'[') => {
                out.push(b'[');
                Place::FirstItem
            }
            (Place::FirstItem | Place::NextItem, b'{' | b'"') => {
                self.item.push(byte);
                Place::Item { depth: usize::from(byte == b'{'), string: byte == b'"', escaped: false }
            }
            (Place::FirstItem | Place::AfterItem, b']') => {
                out.push(b']');
                Place::End
            }
            (Place::AfterItem, b',') => Place::NextItem,
            (Place::Start | Place::FirstItem | Place::NextItem | Place::AfterItem | Place::End, _) => {
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
        if depth == 0 && !string {
            self.place = Place::AfterItem;
            return self.end_item(out);
        }
        self.place = Place::Item { depth, string, escaped: string && byte == b'\\' && !escaped };
        Ok(())
    }

    fn end_item(&mut self, out: &mut Vec<u8>) -> Result<(), ListFault> {
        let item = json::parse_answer(&self.item).map_err(|_| ListFault::NotAList)?;
        let datasource = match self.list {
            List::Tasks => item.get("dataSource").and_then(Json::as_str),
            List::Datasources => item.as_str().or_else(|| item.get("name").and_then(Json::as_str)),
        };
        let datasource = datasource.ok_or(ListFault::NotAList)?;
        if self.grants.allows(&ResourceAction::new(Action::Read, ResourceType::Datasource, datasource)) {
            if self.passed_one {
                out.push(b',');
            }
            self.passed_one = true;
            out.extend_from_slice(&self.item);
        }
        self.item.clear();
        Ok(())
    }

    fn finish(&self) -> Result<(), ListFault> {
        if self.place == Place::End { Ok(()) } else { Err(ListFault::CutOff) }
    }
}

#[cfg(test)]
mod tests;

//! An answer in which a connection has its client's own name again, while it streams.
//!
//! Druid's name for it is 100 characters that nobody but the gate can make, so wherever it stands in JSON it is the name: in
//! handles, in results, in the texts of errors.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};

use super::body::BodyError;
use crate::json::Json;
use crate::upstream::RouterBody;

/// The body of such an answer.
pub struct Renamed {
    inner: RouterBody,
    renaming: Renaming,
    ended: bool,
}

impl Renamed {
    /// `name` is Druid's, of characters that JSON does not escape; `own` the client's.
    pub fn new(inner: RouterBody, name: &str, own: &str) -> Self {
        Self { inner, renaming: Renaming::new(name, own), ended: false }
    }
}

impl Body for Renamed {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            if self.ended {
                return Poll::Ready(None);
            }
            let out = match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                Some(Ok(frame)) => frame.into_data().map(|data| self.renaming.feed(&data)).unwrap_or_default(),
                Some(Err(broken)) => return Poll::Ready(Some(Err(broken.into()))),
                None => {
                    self.ended = true;
                    self.renaming.rest()
                }
            };
            if !out.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(out))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}

/// Replaces a name in bytes that come in pieces.
struct Renaming {
    name: Vec<u8>,
    /// As it stands in JSON, without its quotes.
    own: Vec<u8>,
    /// The end of what came: it may be the beginning of the name.
    held: BytesMut,
}

impl Renaming {
    fn new(name: &str, own: &str) -> Self {
        let quoted = Json::string(own).render();
        let own = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
        Self { name: name.as_bytes().to_vec(), own: own.as_bytes().to_vec(), held: BytesMut::new() }
    }

    /// What of all that came is sure.
    fn feed(&mut self, piece: &[u8]) -> Bytes {
        self.held.extend_from_slice(piece);
        let mut out = BytesMut::with_capacity(self.held.len());
        while let Some(at) = find(&self.held, &self.name) {
            out.extend_from_slice(&self.held.split_to(at));
            out.extend_from_slice(&self.own);
            drop(self.held.split_to(self.name.len()));
        }
        let kept =
            (1..self.name.len()).rev().find(|length| self.held.ends_with(self.name.get(..*length).unwrap_or(&[])));
        let sure = self.held.len().saturating_sub(kept.unwrap_or(0));
        out.extend_from_slice(&self.held.split_to(sure));
        out.freeze()
    }

    fn rest(&mut self) -> Bytes {
        self.held.split().freeze()
    }
}

fn find(bytes: &[u8], name: &[u8]) -> Option<usize> {
    bytes.windows(name.len()).position(|window| window == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "1.abcabd.abcabc";

    fn in_pieces(text: &str, length: usize, own: &str) -> String {
        let mut renaming = Renaming::new(NAME, own);
        let mut out = Vec::new();
        for piece in text.as_bytes().chunks(length) {
            out.extend_from_slice(&renaming.feed(piece));
        }
        out.extend_from_slice(&renaming.rest());
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn a_name_is_replaced_however_it_comes() {
        let texts = [
            format!(r#"{{"connectionId":"{NAME}","of":["{NAME}{NAME}"],"1.abcabd.1.{NAME}":"1.abcabd.abcab"}}"#),
            format!("{NAME}1.abc"),
            "1.1.1.abcabd.abcabd".to_owned(),
            String::new(),
        ];
        for text in &texts {
            for length in 1..=text.len().max(1) {
                assert_eq!(in_pieces(text, length, "mine"), text.replace(NAME, "mine"), "{length}");
            }
        }
    }

    #[test]
    fn what_stands_in_json_is_escaped() {
        let text = format!(r#"{{"connectionId":"{NAME}"}}"#);
        let own = "a\"b\\\n\u{1}ü";
        let told = crate::json::parse(&in_pieces(&text, 7, own)).expect("JSON");
        assert_eq!(told.get("connectionId").and_then(Json::as_str), Some(own));
    }
}

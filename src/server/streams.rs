//! What a client does with HTTP/2 streams, read off its frames as they come (RFC 9113, section 4.1).
//!
//! The h2 crate resets by itself a stream whose head it cannot accept, and says so to nobody. How many were opened, beside
//! how many became requests, tells that it did. It bounds resets of streams that were not served yet; here all are bounded.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Bytes that every client sends first (section 3.4).
const PREFACE_BYTES: usize = 24;

/// Bytes of a frame's head.
const HEAD_BYTES: usize = 9;

/// Types of frames (section 6).
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;

/// Resets are counted for so long.
const WINDOW: Duration = Duration::from_secs(1);

/// What was seen on one connection.
#[derive(Clone, Default)]
pub struct Streams(Arc<Seen>);

#[derive(Default)]
struct Seen {
    opened: AtomicU64,
    flooded: AtomicBool,
}

impl Streams {
    /// Streams that the client opened.
    pub fn opened(&self) -> u64 {
        self.0.opened.load(Ordering::Relaxed)
    }

    /// Whether it has reset more streams within a second than it may; the connection has then ended.
    pub fn flooded(&self) -> bool {
        self.0.flooded.load(Ordering::Relaxed)
    }

    /// Looks at each piece of what comes; an error where too many streams are reset within a second.
    pub fn look(&self, resets_per_second: usize) -> impl FnMut(&[u8]) -> io::Result<()> + Send + Unpin + use<> {
        let seen = Arc::clone(&self.0);
        let mut frames = Frames::new();
        let mut resets = Resets { since: Instant::now(), count: 0, max: resets_per_second };
        move |bytes| {
            let (opened, reset) = frames.read(bytes);
            seen.opened.fetch_add(opened, Ordering::Relaxed);
            if reset > 0 && resets.are_too_many(reset, Instant::now()) {
                seen.flooded.store(true, Ordering::Relaxed);
                return Err(io::Error::other("streams are reset too fast"));
            }
            Ok(())
        }
    }
}

/// Cuts what comes into frames.
struct Frames {
    /// Bytes to pass over: the preface, then payloads.
    passing: usize,
    head: Vec<u8>,
    last_opened: u32,
}

impl Frames {
    const fn new() -> Self {
        Self { passing: PREFACE_BYTES, head: Vec::new(), last_opened: 0 }
    }

    /// How many streams these bytes open and reset.
    fn read(&mut self, mut bytes: &[u8]) -> (u64, usize) {
        let (mut opened, mut reset) = (0, 0);
        while let Some((first, rest)) = bytes.split_first() {
            if self.passing > 0 {
                let passed = self.passing.min(bytes.len());
                self.passing -= passed;
                bytes = bytes.get(passed..).unwrap_or_default();
                continue;
            }
            self.head.push(*first);
            bytes = rest;
            if self.head.len() < HEAD_BYTES {
                continue;
            }
            if let &[a, b, c, kind, _, s, t, u, v] = self.head.as_slice() {
                self.passing = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                let stream = u32::from_be_bytes([s & 0x7f, t, u, v]);
                // Trailers have a head too, on a stream that is open.
                if kind == HEADERS && stream > self.last_opened {
                    self.last_opened = stream;
                    opened += 1;
                }
                reset += usize::from(kind == RST_STREAM);
            }
            self.head.clear();
        }
        (opened, reset)
    }
}

/// Counts resets within a second.
struct Resets {
    since: Instant,
    count: usize,
    max: usize,
}

impl Resets {
    fn are_too_many(&mut self, more: usize, now: Instant) -> bool {
        if now.duration_since(self.since) >= WINDOW {
            (self.since, self.count) = (now, 0);
        }
        self.count = self.count.saturating_add(more);
        self.count > self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).expect("short");
        [&[0, 0, length, kind, 0, 0x80, 0, 0, stream], payload].concat()
    }

    #[test]
    fn streams_are_counted_in_whatever_pieces_they_come() {
        let bytes = [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            frame(4, 0, &[]),
            frame(HEADERS, 1, b"head"),
            // A payload that looks like frames.
            frame(0, 1, &frame(RST_STREAM, 1, &frame(HEADERS, 9, b""))),
            frame(HEADERS, 1, b"trailers"),
            frame(HEADERS, 3, b""),
            frame(RST_STREAM, 3, b"\0\0\0\x08"),
            frame(RST_STREAM, 1, b"\0\0\0\x08"),
        ]
        .concat();
        for size in 1..=bytes.len() {
            let mut frames = Frames::new();
            let read = bytes.chunks(size).map(|piece| frames.read(piece));
            assert_eq!(read.fold((0, 0), |all, some| (all.0 + some.0, all.1 + some.1)), (2, 2), "{size}");
        }
    }

    #[test]
    fn resets_are_bounded_within_a_second() {
        let now = Instant::now();
        let mut resets = Resets { since: now, count: 0, max: 3 };
        assert!(!resets.are_too_many(2, now) && !resets.are_too_many(1, now + WINDOW / 2));
        assert!(!resets.are_too_many(3, now + WINDOW));
        assert!(resets.are_too_many(1, now + WINDOW + WINDOW / 2));
    }
}

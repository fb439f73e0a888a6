//! How many connections there are, in all and from each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Limits;

/// Counts connections.
#[derive(Clone)]
pub struct Peers {
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
    all: usize,
    per_peer: usize,
}

/// The place of one connection, until it is dropped.
pub struct Place {
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
    peer: IpAddr,
}

/// Why a connection has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There are too many.
    TooMany,
    /// There are too many from this address.
    TooManyOfPeer,
}

impl Peers {
    /// With these bounds.
    pub fn new(limits: &Limits) -> Self {
        Self { counts: Arc::default(), all: limits.connections, per_peer: limits.connections_per_peer }
    }

    /// A place for a connection from this address.
    pub fn enter(&self, peer: IpAddr) -> Result<Place, Refused> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.values().sum::<usize>() >= self.all {
            return Err(Refused::TooMany);
        }
        let count = counts.entry(peer).or_default();
        if *count >= self.per_peer {
            return Err(Refused::TooManyOfPeer);
        }
        *count += 1;
        Ok(Place { counts: Arc::clone(&self.counts), peer })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_given_back() {
        let peers = Peers::new(&Limits { connections: 3, connections_per_peer: 2, ..Limits::default() });
        let [a, b] = ["10.0.0.1", "10.0.0.2"].map(|text| text.parse().expect("an address"));
        let places: Vec<_> = [a, a, b].into_iter().map(|peer| peers.enter(peer).expect("a place")).collect();
        assert_eq!(peers.enter(b).err(), Some(Refused::TooMany));
        drop(places);
        assert!(peers.counts.lock().expect("lock").is_empty());
        let _places = [peers.enter(a), peers.enter(a)];
        assert_eq!(peers.enter(a).err(), Some(Refused::TooManyOfPeer));
        assert!(peers.enter(b).is_ok());
    }
}

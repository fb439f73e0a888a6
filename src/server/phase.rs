//! The three phases of a server's life, as its connections see them.

use std::time::Duration;

use tokio::sync::watch;

/// What the server is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It serves.
    Serving,
    /// It serves, and asks every client to go elsewhere with its next request.
    Draining,
    /// It ends what is under way.
    Stopping,
}

/// The phase, as a connection sees it.
#[derive(Clone)]
pub struct Watch(watch::Receiver<Phase>);

/// How often a connection that has had no request yet is looked at while the server drains.
const LOOK: Duration = Duration::from_millis(20);

impl Watch {
    /// Sees what is sent.
    pub const fn new(receiver: watch::Receiver<Phase>) -> Self {
        Self(receiver)
    }

    /// Whether clients are asked to go elsewhere.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        *self.0.borrow() >= Phase::Draining
    }

    /// Ready once everything under way is to end.
    pub async fn stopping(mut self) {
        let _ = self.0.wait_for(|phase| *phase == Phase::Stopping).await;
    }

    /// Ready once clients are to go elsewhere and this one has been served, which a client that has just come has not.
    pub async fn draining(mut self, is_served: impl Fn() -> bool) {
        let _ = self.0.wait_for(|phase| *phase >= Phase::Draining).await;
        while *self.0.borrow() == Phase::Draining && !is_served() {
            tokio::time::sleep(LOOK).await;
        }
    }
}

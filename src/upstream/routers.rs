//! The Routers: which of them is well, and which has the least to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::uri::Authority;
use http::{HeaderMap, Method, StatusCode};

use super::Upstream;
use super::tally::{SendTally, Sent};

/// How often each Router is asked for its health.
pub const HEALTH_PERIOD: Duration = Duration::from_secs(5);

/// The wait for the answer: it takes a healthy Router milliseconds.
pub const HEALTH_TIMEOUT: Duration = Duration::from_secs(3);

/// One Router.
#[derive(Debug)]
pub struct Router {
    /// Host and port.
    pub authority: Authority,
    healthy: AtomicBool,
    in_flight: AtomicUsize,
    sent: SendTally,
}

/// A request on its way through a Router, until its answer has ended.
#[derive(Debug)]
pub struct OnItsWay(Arc<Router>);

/// All Routers, at least one.
#[derive(Clone, Debug)]
pub struct Routers(Arc<[Arc<Router>]>);

impl Routers {
    /// Thought healthy until one has shown otherwise.
    #[must_use]
    pub fn new(authorities: Vec<Authority>) -> Self {
        let router = |authority| {
            let (healthy, in_flight) = (AtomicBool::new(true), AtomicUsize::new(0));
            Arc::new(Router { authority, healthy, in_flight, sent: SendTally::default() })
        };
        Self(authorities.into_iter().map(router).collect())
    }

    /// The Routers to try, in this order: the healthy ones first, the least loaded of them before the others.
    #[must_use]
    pub fn in_order(&self) -> Vec<Arc<Router>> {
        let mut routers: Vec<Arc<Router>> = self.0.iter().cloned().collect();
        routers.sort_by_key(|router| (!router.is_healthy(), router.in_flight.load(Ordering::Relaxed)));
        routers
    }

    /// All of them, in the order of the configuration.
    pub fn all(&self) -> impl Iterator<Item = &Router> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// Whether any Router is thought to be well.
    #[must_use]
    pub fn any_healthy(&self) -> bool {
        self.0.iter().any(|router| router.is_healthy())
    }

    /// Asks every Router for its health, over and over.
    pub async fn watch(self, upstream: Upstream) {
        let mut tick = tokio::time::interval(HEALTH_PERIOD);
        loop {
            tick.tick().await;
            for router in self.0.iter() {
                let asked = upstream.send_to(router, &Method::GET, "/status/health", HeaderMap::new(), None);
                let answer = tokio::time::timeout(HEALTH_TIMEOUT, asked).await;
                router.is(matches!(answer, Ok(Ok(response)) if response.status() == StatusCode::OK));
            }
        }
    }
}

impl Router {
    /// Whether it is thought to be well.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }

    /// It was seen to be well, or not to be.
    pub fn is(&self, healthy: bool) {
        if self.healthy.swap(healthy, Ordering::Relaxed) != healthy {
            tracing::warn!(router = self.authority.as_str(), healthy, "a Router changed its health");
        }
    }

    /// A request to it ended so.
    pub fn count(&self, sent: Sent) {
        self.sent.count(sent);
    }

    /// How the requests to it ended.
    #[must_use]
    pub const fn sent(&self) -> &SendTally {
        &self.sent
    }

    /// Counts a request until what is given back is dropped.
    #[must_use]
    pub fn enter(self: &Arc<Self>) -> OnItsWay {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        OnItsWay(Arc::clone(self))
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(routers: &Routers) -> Vec<String> {
        routers.in_order().iter().map(|router| router.authority.to_string()).collect()
    }

    #[test]
    fn the_healthy_and_least_loaded_come_first() {
        let routers = Routers::new(["a", "b", "c"].map(Authority::from_static).into());
        let [a, b] =
            ["a", "b"].map(|name| routers.0.iter().find(|router| router.authority == name).cloned().expect("one"));
        let on_its_way = a.enter();
        assert_eq!(order(&routers), ["b", "c", "a"]);
        b.is(false);
        assert_eq!(order(&routers), ["c", "a", "b"]);
        drop(on_its_way);
        b.is(true);
        assert_eq!(order(&routers), ["a", "b", "c"]);
        for router in routers.in_order() {
            router.is(false);
        }
        assert!(!routers.any_healthy());
        assert_eq!(order(&routers).len(), 3, "one that is ill is still tried when no other is there");
    }
}

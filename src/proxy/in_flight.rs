//! How many requests are under way, in all and of each caller.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Rejection;
use crate::auth::Identity;
use crate::config::Limits;

/// Counts requests under way.
pub struct InFlight {
    all: Arc<Semaphore>,
    callers: Arc<Mutex<HashMap<Caller, usize>>>,
    per_caller: usize,
}

/// A caller as its issuer and subject: tokens of one caller may tell other names and groups.
#[derive(Clone)]
struct Caller(Arc<Identity>);

impl Caller {
    fn key(&self) -> (&str, &str) {
        (self.0.issuer(), self.0.subject())
    }
}

impl PartialEq for Caller {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Caller {}

impl Hash for Caller {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

/// The places that a request takes until its answer has ended.
#[derive(Default)]
pub struct Places {
    _of_all: Option<OwnedSemaphorePermit>,
    of_caller: Option<OfCaller>,
}

struct OfCaller {
    callers: Arc<Mutex<HashMap<Caller, usize>>>,
    caller: Caller,
}

impl InFlight {
    /// With these bounds.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            all: Arc::new(Semaphore::new(limits.requests)),
            callers: Arc::default(),
            per_caller: limits.requests_per_caller,
        }
    }

    /// A place among all.
    ///
    /// # Errors
    /// [`Rejection::TooManyRequests`].
    pub fn enter(&self, places: &mut Places) -> Result<(), Rejection> {
        let place = Arc::clone(&self.all).try_acquire_owned().map_err(|_| Rejection::TooManyRequests)?;
        places._of_all = Some(place);
        Ok(())
    }

    /// A place among the caller's.
    ///
    /// # Errors
    /// [`Rejection::TooManyOfCaller`].
    pub fn enter_as(&self, caller: &Arc<Identity>, places: &mut Places) -> Result<(), Rejection> {
        let caller = Caller(Arc::clone(caller));
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let count = callers.entry(caller.clone()).or_default();
        if *count >= self.per_caller {
            return Err(Rejection::TooManyOfCaller);
        }
        *count += 1;
        drop(callers);
        places.of_caller = Some(OfCaller { callers: Arc::clone(&self.callers), caller });
        Ok(())
    }
}

impl Drop for OfCaller {
    fn drop(&mut self) {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = callers.get_mut(&self.caller) {
            *count -= 1;
            // Callers that are gone leave nothing behind.
            if *count == 0 {
                callers.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_given_back() {
        let in_flight = InFlight::new(&Limits { requests: 3, requests_per_caller: 2, ..Limits::default() });
        let [alice, bob] = ["alice", "bob"].map(|name| Arc::new(Identity::for_tests("dev", name, &[])));
        let enter = |caller: &Arc<Identity>| {
            let mut places = Places::default();
            in_flight.enter(&mut places)?;
            in_flight.enter_as(caller, &mut places)?;
            Ok::<_, Rejection>(places)
        };
        let (first, second) = (enter(&alice), enter(&alice));
        assert!(first.is_ok() && second.is_ok());
        assert!(matches!(enter(&alice), Err(Rejection::TooManyOfCaller)));
        let third = enter(&bob);
        assert!(third.is_ok());
        assert!(matches!(enter(&bob), Err(Rejection::TooManyRequests)));
        drop((first, second, third));
        assert!(in_flight.callers.lock().expect("lock").is_empty());
        assert!(enter(&alice).is_ok());
    }
}

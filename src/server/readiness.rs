//! Whether requests should be sent here.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use super::certificate::Certificate;
use crate::auth::{Authenticator, KeyStatus};
use crate::reading_pool::ReadingPool;
use crate::telemetry::AuditLog;
use crate::upstream::Routers;

/// What readiness is made of.
pub struct Readiness {
    stopping: AtomicBool,
    authenticator: Authenticator,
    routers: Routers,
    certificate: Option<Arc<Certificate>>,
    audit: AuditLog,
    second: ReadingPool,
}

/// One thing that is looked at, and whether it is well.
struct Check {
    name: &'static str,
    good: bool,
    /// Requests should go elsewhere if it is not.
    is_vital: bool,
    /// What it means if it is not.
    fault: &'static str,
}

impl Readiness {
    /// Of these parts.
    #[must_use]
    pub const fn new(
        authenticator: Authenticator,
        routers: Routers,
        certificate: Option<Arc<Certificate>>,
        audit: AuditLog,
        second: ReadingPool,
    ) -> Self {
        Self { stopping: AtomicBool::new(false), authenticator, routers, certificate, audit, second }
    }

    /// What is known of the issuers' fetched keys.
    #[must_use]
    pub fn keys(&self, now: SystemTime) -> Vec<KeyStatus> {
        self.authenticator.key_statuses(now)
    }

    /// How many threads of the second reading are stuck.
    #[must_use]
    pub fn stuck_readings(&self) -> usize {
        self.second.stuck()
    }

    /// From now on nothing new should come.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether all that is vital is well, and one line for each thing looked at.
    #[must_use]
    pub fn report(&self, now: SystemTime) -> (bool, String) {
        told(&self.checks(now))
    }

    fn checks(&self, now: SystemTime) -> [Check; 6] {
        let expired = self.certificate.as_ref().is_some_and(|certificate| certificate.is_expired(now));
        let keys = self.keys(now).iter().all(|issuer| issuer.usable);
        let check = |name, good, fault| Check { name, good, is_vital: true, fault };
        [
            check("serving", !self.stopping.load(Ordering::Relaxed), "the gate is stopping"),
            check("keys", keys, "an issuer has no usable keys"),
            check("router", self.routers.any_healthy(), "no Router is healthy"),
            check("certificate", !expired, "the certificate has expired"),
            check("audit", self.audit.serves(), "audit records cannot be written"),
            // Not vital: requests go on by the first reading, and no statement may take the gate out of service.
            Check {
                is_vital: false,
                ..check("second_reading", self.second.stuck() == 0, "a thread does not come to an end of a statement")
            },
        ]
    }
}

fn told(checks: &[Check]) -> (bool, String) {
    let mut text = String::new();
    for check in checks {
        // Writing to a string cannot fail.
        let _ = match check {
            Check { name, good: true, .. } => writeln!(text, "[+] {name}: ok"),
            Check { name, good: false, is_vital: true, fault } => writeln!(text, "[-] {name}: {fault}"),
            Check { name, good: false, is_vital: false, fault } => writeln!(text, "[!] {name}: {fault}"),
        };
    }
    (checks.iter().all(|check| check.good || !check.is_vital), text)
}

#[cfg(test)]
mod tests {
    use super::{Check, told};

    #[test]
    fn what_is_not_vital_is_told_and_takes_nothing_out_of_service() {
        let check = |good, is_vital| Check { name: "x", good, is_vital, fault: "is broken" };
        assert_eq!(told(&[check(true, true), check(true, false)]), (true, "[+] x: ok\n[+] x: ok\n".to_owned()));
        assert_eq!(told(&[check(true, true), check(false, false)]), (true, "[+] x: ok\n[!] x: is broken\n".to_owned()));
        assert_eq!(
            told(&[check(false, true), check(true, false)]),
            (false, "[-] x: is broken\n[+] x: ok\n".to_owned())
        );
    }
}

//! Whether requests should be sent here.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use super::certificate::Certificate;
use crate::telemetry::AuditLog;
use crate::upstream::Routers;

/// What readiness is made of.
pub struct Readiness {
    stopping: AtomicBool,
    routers: Routers,
    certificate: Option<Arc<Certificate>>,
    audit: AuditLog,
}

/// One thing that is looked at, and whether it is well.
struct Check {
    name: &'static str,
    good: bool,
    /// What it means if it is not.
    fault: &'static str,
}

impl Readiness {
    /// Of these parts.
    #[must_use]
    pub const fn new(routers: Routers, certificate: Option<Arc<Certificate>>, audit: AuditLog) -> Self {
        Self { stopping: AtomicBool::new(false), routers, certificate, audit }
    }

    /// From now on nothing new should come.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether all is well, and one line for each thing looked at.
    #[must_use]
    pub fn report(&self, now: SystemTime) -> (bool, String) {
        let checks = self.checks(now);
        let mut text = String::new();
        for check in &checks {
            // Writing to a string cannot fail.
            let _ = match check {
                Check { name, good: true, .. } => writeln!(text, "[+] {name}: ok"),
                Check { name, good: false, fault } => writeln!(text, "[-] {name}: {fault}"),
            };
        }
        (checks.iter().all(|check| check.good), text)
    }

    fn checks(&self, now: SystemTime) -> [Check; 4] {
        let expired = self.certificate.as_ref().is_some_and(|certificate| certificate.is_expired(now));
        let check = |name, good, fault| Check { name, good, fault };
        [
            check("serving", !self.stopping.load(Ordering::Relaxed), "the gate is stopping"),
            check("router", self.routers.any_healthy(), "no Router is healthy"),
            check("certificate", !expired, "the certificate has expired"),
            check("audit", self.audit.serves(), "audit records cannot be written"),
        ]
    }
}

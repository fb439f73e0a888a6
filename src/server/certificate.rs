//! The certificate that is served, which may be replaced at any time.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::config::TlsSettings;

/// The certificate in force. Handshakes from now on use it; connections that are there keep theirs.
#[derive(Debug)]
pub struct Certificate(RwLock<InForce>);

#[derive(Clone, Debug)]
struct InForce {
    key: Arc<CertifiedKey>,
    /// When it ends; nothing if it does not say so in a way that is understood.
    expires: Option<SystemTime>,
}

impl Certificate {
    /// With this one.
    ///
    /// # Errors
    /// A certificate and a key that do not belong together.
    pub fn new(settings: TlsSettings) -> Result<Self, rustls::Error> {
        Ok(Self(RwLock::new(in_force(settings)?)))
    }

    /// Puts another in force.
    ///
    /// # Errors
    /// As [`Certificate::new`]; the old one stays in force.
    pub fn replace(&self, settings: TlsSettings) -> Result<(), rustls::Error> {
        let new = in_force(settings)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// Whether it has ended by now.
    #[must_use]
    pub fn is_expired(&self, now: SystemTime) -> bool {
        self.now().expires.is_some_and(|expires| expires <= now)
    }

    fn now(&self) -> InForce {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn in_force(settings: TlsSettings) -> Result<InForce, rustls::Error> {
    let expires = settings.certificates.first().and_then(|certificate| not_after(certificate));
    let key = CertifiedKey::from_der(settings.certificates, settings.key, &aws_lc_rs::default_provider())?;
    Ok(InForce { key: Arc::new(key), expires })
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.now().key)
    }
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The end of a certificate's validity (RFC 5280 section 4.1): version, serial number, algorithm, issuer, validity.
fn not_after(certificate: &[u8]) -> Option<SystemTime> {
    let (_, body, _) = element(certificate)?;
    let (_, mut fields, _) = element(body)?;
    if let (VERSION, _, rest) = element(fields)? {
        fields = rest;
    }
    for _ in ["serial number", "algorithm", "issuer"] {
        fields = element(fields)?.2;
    }
    let (SEQUENCE, validity, _) = element(fields)? else { return None };
    let (_, _, after_begin) = element(validity)?;
    let (kind, text, _) = element(after_begin)?;
    let text = str::from_utf8(text).ok()?;
    let text = match kind {
        // RFC 5280 section 4.1.2.5.1: from 50 on it is the last century.
        UTC_TIME if text.get(..2)? >= "50" => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let format = format_description!("[year][month][day][hour][minute][second]Z");
    let end = time::PrimitiveDateTime::parse(&text, format).ok()?.assume_utc();
    let seconds = u64::try_from((end - OffsetDateTime::UNIX_EPOCH).whole_seconds()).ok()?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// The first element of DER (X.690 section 8.1): its tag, what is in it, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match usize::from(*first) {
        short @ 0..=0x7f => (short, rest),
        long @ 0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(long - 0x80)?;
            (length.iter().fold(0, |sum, byte| sum * 256 + usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::PrivateKeyDer;

    use super::*;

    fn settings(year: i32) -> TlsSettings {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).expect("names");
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(year, 2, 3);
        let certificate = params.self_signed(&key).expect("signed");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        TlsSettings { certificates: vec![certificate.der().clone()], key }
    }

    #[test]
    fn a_certificate_ends_on_its_day_and_another_takes_its_place() {
        let certificate = Certificate::new(settings(2021)).expect("a certificate");
        let end = SystemTime::from(rcgen::date_time_ymd(2021, 2, 3));
        assert!(!certificate.is_expired(end - Duration::from_secs(1)));
        assert!(certificate.is_expired(end));
        // After 2049 dates are written another way.
        certificate.replace(settings(2055)).expect("replaced");
        assert!(!certificate.is_expired(SystemTime::now()));
        assert!(certificate.is_expired(SystemTime::from(rcgen::date_time_ymd(2055, 2, 3))));
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        for odd in [&b""[..], b"\x30", b"\x30\x84\xff\xff\xff\xff", b"\x30\x03\x30\x01\x02"] {
            assert_eq!(not_after(odd), None);
        }
    }
}

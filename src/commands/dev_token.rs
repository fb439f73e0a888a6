//! `msq-gate dev-token`: a signed token for people without an identity provider.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;

use super::dev_certs::public_jwk;
use super::{fail, say};
use crate::config;

/// Longest life of a development token; past a year one has forgotten who holds it.
const MAX_TTL: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Prints an access token signed with the development key.
#[derive(Debug, clap::Args)]
pub struct DevTokenArgs {
    /// The subject
    #[arg(long, value_name = "NAME")]
    sub: String,
    /// The groups, with commas between them
    #[arg(long, value_delimiter = ',')]
    groups: Vec<String>,
    /// How long it is valid: a number and s, m, h or d
    #[arg(long, default_value = "1h", value_parser = parse_ttl)]
    ttl: Duration,
    /// The signing key, made by dev-certs
    #[arg(long, value_name = "FILE", default_value = "certs/token-key.pem")]
    key: PathBuf,
    /// The issuer, `iss`
    #[arg(long, default_value = "https://issuer.example/dev")]
    issuer: String,
    /// The audience, `aud`
    #[arg(long, default_value = "msq-gate")]
    audience: String,
    /// The name to show; the subject if not given
    #[arg(long)]
    name: Option<String>,
}

/// Runs the command.
#[must_use]
pub fn run(args: &DevTokenArgs) -> ExitCode {
    match token(args, SystemTime::now()) {
        Ok(token) => {
            say(&token);
            ExitCode::SUCCESS
        }
        Err(fault) => fail(&format!("dev-token: {fault}")),
    }
}

pub(super) fn token(args: &DevTokenArgs, now: SystemTime) -> Result<String, String> {
    let pem = config::read_text(&args.key).map_err(|fault| format!("{} {fault}", args.key.display()))?;
    let not_a_key = |_| format!("{} is not an ES256 key in PKCS#8 PEM, as dev-certs makes it", args.key.display());
    let key = EncodingKey::from_ec_pem(pem.as_bytes()).map_err(not_a_key)?;
    let header = Header {
        // RFC 9068 section 2.1
        typ: Some("at+jwt".to_owned()),
        kid: public_jwk(&pem).map_err(not_a_key)?.common.key_id,
        ..Header::new(Algorithm::ES256)
    };
    let now = now.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| "the clock is before 1970".to_owned())?;
    let groups: Vec<_> = args.groups.iter().filter(|group| !group.is_empty()).collect();
    let claims = json!({
        "iss": args.issuer,
        "aud": args.audience,
        "sub": args.sub,
        "name": args.name.as_ref().unwrap_or(&args.sub),
        "groups": groups,
        "iat": now.as_secs(),
        "nbf": now.as_secs(),
        "exp": (now + args.ttl).as_secs(),
    });
    jsonwebtoken::encode(&header, &claims, &key).map_err(|error| format!("cannot sign: {error}"))
}

/// `90s`, `15m`, `1h`, `7d`
fn parse_ttl(text: &str) -> Result<Duration, String> {
    let expected = || "expected a number and s, m, h or d, such as 90s, 15m, 1h or 7d, at most 366d".to_owned();
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 60 * 60,
        Some('d') => 24 * 60 * 60,
        Some(_) | None => return Err(expected()),
    };
    let digits = text.trim_end_matches(['s', 'm', 'h', 'd']);
    let is_plain = digits.len() + 1 == text.len() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = if is_plain { digits.parse::<u64>().ok() } else { None };
    number
        .and_then(|number| number.checked_mul(unit))
        .map(Duration::from_secs)
        .filter(|ttl| !ttl.is_zero() && *ttl <= MAX_TTL)
        .ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::parse_ttl;

    #[test]
    fn a_life_is_a_number_and_a_unit() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("1h", 3_600), ("7d", 604_800), ("366d", 31_622_400)] {
            assert_eq!(parse_ttl(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in
            ["", "s", "1", "1w", "1hh", "1h1m", "-1h", "+1h", "1.5h", "0s", "367d", "99999999999999999999d", "1 h"]
        {
            assert!(parse_ttl(text).is_err(), "{text}");
        }
    }
}

//! How the gate says to Druid who it is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

use crate::config::{Account, Secret};
use crate::druid::avatica::Login;

/// The `Authorization` of every request to Druid: RFC 7617 or RFC 6750; none where the certificate says who the gate is.
pub fn authorization(account: &Account) -> Option<HeaderValue> {
    let text = match account {
        Account::Basic { username, password } => {
            format!("Basic {}", STANDARD.encode(format!("{username}:{}", password.expose())))
        }
        Account::Bearer { token } => format!("Bearer {}", token.expose()),
        Account::Certificate => return None,
    };
    // Base64 is always a valid header value, and the configuration has looked at the token.
    let mut value = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"));
    value.set_sensitive(true);
    Some(value)
}

/// What Druid asks for who opens a JDBC connection: a user and a password, and nothing else.
pub struct OwnLogin(String, Secret);

impl OwnLogin {
    /// That of this account, if it has one.
    pub fn new(account: &Account) -> Option<Self> {
        match account {
            Account::Basic { username, password } => Some(Self(username.clone(), password.clone())),
            Account::Bearer { .. } | Account::Certificate => None,
        }
    }

    /// To be sent.
    pub fn expose(&self) -> Login<'_> {
        Login { user: &self.0, password: self.1.expose() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_sent_and_never_shown() {
        let secret = || Secret::new("pass word".to_owned());
        let basic =
            authorization(&Account::Basic { username: "msq_gate".to_owned(), password: secret() }).expect("one");
        assert_eq!(basic, format!("Basic {}", STANDARD.encode("msq_gate:pass word")));
        let bearer = authorization(&Account::Bearer { token: secret() }).expect("one");
        assert_eq!(bearer, "Bearer pass word");
        assert_eq!(authorization(&Account::Certificate), None);
        assert_eq!(format!("{basic:?} {bearer:?}"), "Sensitive Sensitive");
    }
}

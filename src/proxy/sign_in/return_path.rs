//! Where to come back to after signing in: never another site.

use super::{LOGIN_PATH, ME_PATH};
use crate::druid::path_segment;

/// Bytes of a path with its query string; what the console's pages have is far shorter.
const MAX_RETURN_PATH: usize = 2048;

/// A path of the gate's own, with its query string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnPath(String);

impl ReturnPath {
    /// `/`, unless the text is a path by every reading: begins with one `/` and not with `//` or `/\`, which browsers take
    /// for another host, and holds nothing that they drop before they read it (control characters) or do not send.
    /// Going back to the gate's own pages would lead nowhere, but for the one that says who one is.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut bytes = text.bytes();
        let local = bytes.next() == Some(b'/') && !matches!(bytes.next(), Some(b'/' | b'\\'));
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic()) && text.len() <= MAX_RETURN_PATH;
        let own_page = text.starts_with("/gate/") && text != ME_PATH;
        Self(if local && plain && !own_page { text.to_owned() } else { "/".to_owned() })
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The login page that leads back to it.
    #[must_use]
    pub fn login_target(&self) -> String {
        if self.0 == "/" { LOGIN_PATH.to_owned() } else { format!("{LOGIN_PATH}?to={}", path_segment(&self.0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::form::return_path;
    use super::*;

    #[test]
    fn paths_of_the_gate_are_kept() {
        for path in [
            "/",
            "/unified-console.html",
            "/unified-console.html?x=1&y=a%20b",
            "/druid/indexer/v1/task/query-1/log",
            "/a//b",
            "/a?u=https://druid.example/",
            "/a\\b",
            "/gate",
            "/gateway",
            "/gate/me",
            "/%2f%2fdruid.example",
            "/@druid.example",
            "/.druid.example",
        ] {
            let kept = ReturnPath::parse(path);
            assert_eq!(kept.as_str(), path);
            let target = kept.login_target();
            let query = target.split_once('?').map(|(_, query)| query);
            assert_eq!(return_path(query), kept, "{target}");
            assert!(target.bytes().all(|byte| byte.is_ascii_graphic()), "{target}");
        }
    }

    /// The tricks of oauth2-proxy's advisories (GHSA-5m6c, GHSA-j7px, GHSA-qqxw, GHSA-4mf2), and others.
    #[test]
    fn ways_to_another_site_are_not_taken() {
        let long = format!("/{}", "a".repeat(MAX_RETURN_PATH));
        for trick in [
            "",
            "//evil.example",
            "///evil.example",
            "////evil.example",
            "/\\evil.example",
            "/\\/evil.example",
            "//\\evil.example",
            "\\/evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r/evil.example",
            "/\t\\evil.example",
            "/\u{0}/evil.example",
            "/\u{b}/evil.example",
            "/\u{7f}/evil.example",
            "\t//evil.example",
            " //evil.example",
            " /evil",
            "/ /evil.example",
            "/\u{a0}/evil.example",
            "/\u{2028}/evil.example",
            "/\u{ff0f}evil.example",
            "/\u{ff3c}evil.example",
            "/é",
            "/a\r\nSet-Cookie: x=y",
            "/a\nLocation: https://evil.example",
            "https://evil.example",
            "https:evil.example",
            "https:/evil.example",
            "HTTPS://evil.example/",
            "http://evil.example",
            "javascript:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,x",
            "evil.example",
            ".evil.example",
            "@evil.example",
            ":80",
            "?x",
            "#x",
            "..//evil.example",
            "./evil",
            "/gate/login",
            "/gate/login?to=/gate/login",
            "/gate/logout",
            long.as_str(),
        ] {
            assert_eq!(ReturnPath::parse(trick).as_str(), "/", "{trick:?}");
        }
        for query in ["to=%2F%2Fevil.example", "to=/%09/evil.example", "to=%2Fa&to=%2Fb", "to=%", "TO=/a", "x=1"] {
            assert_eq!(return_path(Some(query)).as_str(), "/", "{query}");
        }
        assert_eq!(return_path(None).as_str(), "/");
    }
}

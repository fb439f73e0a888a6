//! Where a claim stands among the claims: a JSON pointer.

use std::fmt;

use crate::json::Json;

/// A JSON pointer to a claim (RFC 6901), through objects only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPointer(Vec<String>);

/// What a pointer finds.
pub(in crate::auth) enum Found<'j> {
    /// Nothing there.
    Absent,
    /// A step of the way is not an object.
    Blocked,
    /// A value, `null` included.
    Value(&'j Json),
}

impl ClaimPointer {
    /// Reads `/name` or `/realm_access/roles`; in a key, `~1` is `/` and `~0` is `~`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix('/')?.split('/').map(unescape).collect::<Option<Vec<_>>>().map(Self)
    }

    pub(in crate::auth) fn find<'j>(&self, claims: &'j Json) -> Found<'j> {
        let mut value = claims;
        for step in &self.0 {
            let Json::Object(_) = value else { return Found::Blocked };
            match value.get(step) {
                None => return Found::Absent,
                Some(below) => value = below,
            }
        }
        Found::Value(value)
    }
}

/// As it is written in the configuration.
impl fmt::Display for ClaimPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| write!(f, "/{}", step.replace('~', "~0").replace('/', "~1")))
    }
}

/// RFC 6901 section 4: a tilde is only ever followed by 0 or 1; `~01` is `~1`.
fn unescape(step: &str) -> Option<String> {
    let mut parts = step.split('~');
    let mut whole = parts.next()?.to_owned();
    for part in parts {
        let (replaced, rest) = match part.as_bytes().first() {
            Some(b'0') => ('~', part.strip_prefix('0')?),
            Some(b'1') => ('/', part.strip_prefix('1')?),
            Some(_) | None => return None,
        };
        whole.push(replaced);
        whole.push_str(rest);
    }
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::{ClaimPointer, Found};
    use crate::json;

    #[test]
    fn steps_are_unescaped_once() {
        for (text, steps) in [
            ("/a", Some(vec!["a"])),
            ("/a/b", Some(vec!["a", "b"])),
            ("/https:~1~1x~1groups", Some(vec!["https://x/groups"])),
            ("/~01", Some(vec!["~1"])),
            ("/", Some(vec![""])),
            ("", None),
            ("a", None),
            ("/~", None),
            ("/~2", None),
        ] {
            let expected = steps.map(|steps| ClaimPointer(steps.into_iter().map(str::to_owned).collect()));
            let found = ClaimPointer::parse(text);
            assert!(found.as_ref().is_none_or(|pointer| pointer.to_string() == text), "{text}");
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn only_objects_are_walked() {
        let claims = json::parse(r#"{"a":{"b":1},"c":[{"d":1}],"e":null}"#).unwrap();
        let find = |pointer: &str| match ClaimPointer::parse(pointer).unwrap().find(&claims) {
            Found::Absent => "absent".to_owned(),
            Found::Blocked => "blocked".to_owned(),
            Found::Value(value) => value.render(),
        };
        assert_eq!(find("/a/b"), "1");
        assert_eq!(find("/a/x"), "absent");
        assert_eq!(find("/x/y"), "absent");
        assert_eq!(find("/e"), "null");
        assert_eq!(find("/e/f"), "blocked");
        assert_eq!(find("/c/0"), "blocked");
        assert_eq!(find("/a/b/c"), "blocked");
    }
}

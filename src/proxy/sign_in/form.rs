//! What comes with the login page: its query string, and the form that it sends.

use super::{Rejection, ReturnPath};
use crate::druid::form_decode;

/// The form of the login page, filled in.
pub struct LoginForm {
    /// The token, without what copying adds to one.
    pub token: String,
    /// Where to go then.
    pub to: ReturnPath,
}

impl LoginForm {
    /// Reads `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// A field that is not encoded UTF-8, or comes twice.
    pub fn parse(body: &[u8]) -> Result<Self, Rejection> {
        let odd = || Rejection::BadRequest {
            code: "odd_form",
            message: "the form cannot be read; send each field once, percent-encoded".to_owned(),
            at: None,
        };
        let text = std::str::from_utf8(body).map_err(|_| odd())?;
        let token = field(text, "token").map_err(|()| odd())?.unwrap_or_default();
        let to = field(text, "to").map_err(|()| odd())?.unwrap_or_default();
        Ok(Self { token: tidy(&token), to: ReturnPath::parse(&to) })
    }
}

/// The path to come back to, of the login page's query string.
pub fn return_path(query: Option<&str>) -> ReturnPath {
    let to = field(query.unwrap_or_default(), "to").ok().flatten();
    ReturnPath::parse(to.as_deref().unwrap_or_default())
}

/// A value by its name; an error if there are two, or it cannot be read.
fn field(text: &str, name: &str) -> Result<Option<String>, ()> {
    let mut found = None;
    for pair in text.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if form_decode(key).map_err(|_| ())? != name {
            continue;
        }
        if found.replace(form_decode(value).map_err(|_| ())?).is_some() {
            return Err(());
        }
    }
    Ok(found)
}

/// A token has no white space of its own: what there is came with it from a terminal, or with the word before it.
fn tidy(pasted: &str) -> String {
    let pasted = pasted.trim();
    let token = match pasted.get(..7) {
        Some(word) if word.eq_ignore_ascii_case("bearer ") => pasted.get(7..).unwrap_or_default(),
        Some(_) | None => pasted,
    };
    token.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Option<(String, String)> {
        LoginForm::parse(body.as_bytes()).ok().map(|form| (form.token, form.to.as_str().to_owned()))
    }

    #[test]
    fn a_form_is_read_whole_or_not_at_all() {
        for (body, token, to) in [
            ("token=a.b.c&to=%2Fx%3Fa%3Db%26c", "a.b.c", "/x?a=b&c"),
            ("to=%2F&token=a.b.c&more=1", "a.b.c", "/"),
            ("t%6Fken=+Bearer+a.b.%0D%0A+c+", "a.b.c", "/"),
            ("token=bearer%20a.b.c&to=https%3A%2F%2Fevil.example", "a.b.c", "/"),
            ("token=&to=", "", "/"),
            ("", "", "/"),
        ] {
            assert_eq!(parse(body), Some((token.to_owned(), to.to_owned())), "{body}");
        }
        for odd in ["token=a&token=b", "token=a&t%6fken=a", "to=%2Fa&to=%2Fb", "token=%zz", "token=%ff", "%f"] {
            assert!(parse(odd).is_none(), "{odd}");
        }
        assert!(LoginForm::parse(b"token=\xff").is_err());
    }
}

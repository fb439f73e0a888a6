//! What is asked of `explain`: a caller, and a request.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Uri};

use crate::auth::Supposed;
use crate::config::Secret;
use crate::json::{self, Json};

/// Where a statement would be submitted of which nothing else is said: to the multi-stage engine. What it needs is the same
/// everywhere.
const SQL_PATH: &str = "/druid/v2/sql/task";

const JSON: &str = "application/json";

/// The keys of a question in JSON.
const KEYS: [&str; 9] = ["user", "issuer", "groups", "token", "sql", "method", "path", "body", "contentType"];

/// A request about which somebody asks, and whose it would be.
#[derive(Debug)]
pub struct Question {
    /// The caller.
    pub who: Who,
    pub(super) head: Parts,
    pub(super) body: Bytes,
}

/// Who would send it.
#[derive(Debug)]
pub enum Who {
    /// Somebody who is described.
    Supposed(Supposed),
    /// Whoever this token proves.
    Token(Secret),
}

/// Why there is no question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OddQuestion {
    /// Not JSON with one reading.
    #[error("the question is not JSON that can be read in one way only: {0}")]
    Json(#[from] json::Fault),
    /// Not an object.
    #[error("the question is no JSON object; send {{\"user\": \"ann\", \"sql\": \"SELECT ..\"}}")]
    NotAnObject,
    /// A key that means nothing.
    #[error("a question has no key [{0}]; it has: {keys}", keys = KEYS.join(", "))]
    UnknownKey(String),
    /// A value of the wrong type.
    #[error("[{0}] must be {1}")]
    Type(&'static str, &'static str),
    /// Neither or both of two keys.
    #[error("send one of {0}")]
    OneOf(&'static str),
    /// What goes with another key only.
    #[error("[{0}] goes with [{1}] only")]
    GoesWith(&'static str, &'static str),
    /// Not a method.
    #[error("this is no method; send GET, POST, PUT or DELETE")]
    Method,
    /// No client can send this as a request's target.
    #[error("this cannot be sent as the target of a request; send a path that begins with /, percent-encoded")]
    Target,
    /// Not a media type.
    #[error("this cannot be sent as a Content-Type; send one such as application/json")]
    ContentType,
}

impl Question {
    /// A request as HTTP/1.1 sends it. Without a body nothing is said of its type.
    ///
    /// # Errors
    /// [`OddQuestion`], where no client could send it.
    pub fn new(
        who: Who,
        method: &str,
        target: &str,
        content: Option<(Option<&str>, Bytes)>,
    ) -> Result<Self, OddQuestion> {
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| OddQuestion::Method)?;
        let uri = target.parse::<Uri>().ok().filter(|_| target.starts_with('/')).ok_or(OddQuestion::Target)?;
        let (mut head, ()) = Request::new(()).into_parts();
        (head.method, head.uri) = (method, uri);
        head.headers.insert(HOST, HeaderValue::from_static("gate"));
        let (content_type, body) =
            content.map_or((None, Bytes::new()), |(said, body)| (Some(said.unwrap_or(JSON)), body));
        if let Some(said) = content_type {
            let value = HeaderValue::try_from(said).map_err(|_| OddQuestion::ContentType)?;
            head.headers.insert(CONTENT_TYPE, value);
        }
        Ok(Self { who, head, body })
    }

    /// The request that submits this statement.
    ///
    /// # Errors
    /// None that a text could have.
    pub fn sql(who: Who, statement: &str) -> Result<Self, OddQuestion> {
        let envelope = Json::object([("query", Json::string(statement))]).render();
        Self::new(who, "POST", SQL_PATH, Some((None, envelope.into())))
    }

    /// The question that this JSON asks: `user` (with `issuer` and `groups`) or `token`; `sql`, or `method` and `path`
    /// (with `body`, a string as it is sent or JSON, and `contentType`).
    ///
    /// # Errors
    /// [`OddQuestion`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, OddQuestion> {
        let question = json::parse_bytes(bytes)?;
        let Json::Object(members) = &question else { return Err(OddQuestion::NotAnObject) };
        if let Some((key, _)) = members.iter().find(|(key, _)| !KEYS.contains(&key.as_str())) {
            return Err(OddQuestion::UnknownKey(key.clone()));
        }
        let who = who(&question)?;
        match (text(&question, "sql")?, text(&question, "path")?) {
            (Some(statement), None) => {
                for key in ["method", "body", "contentType"] {
                    goes_with(&question, key, "path")?;
                }
                Self::sql(who, statement)
            }
            (None, Some(path)) => {
                let method = text(&question, "method")?.ok_or(OddQuestion::GoesWith("path", "method"))?;
                let said = text(&question, "contentType")?;
                if question.get("body").is_none() && said.is_some() {
                    return Err(OddQuestion::GoesWith("contentType", "body"));
                }
                Self::new(who, method, path, body(&question).map(|body| (said, body)))
            }
            (Some(_), Some(_)) | (None, None) => Err(OddQuestion::OneOf("sql, or method and path")),
        }
    }
}

fn who(question: &Json) -> Result<Who, OddQuestion> {
    match (text(question, "user")?, text(question, "token")?) {
        (Some(user), None) => {
            let (subject, issuer) = (user.to_owned(), text(question, "issuer")?.map(str::to_owned));
            Ok(Who::Supposed(Supposed { subject, issuer, groups: groups(question)? }))
        }
        (None, Some(token)) => {
            for key in ["issuer", "groups"] {
                goes_with(question, key, "user")?;
            }
            Ok(Who::Token(Secret::new(token.to_owned())))
        }
        (Some(_), Some(_)) | (None, None) => Err(OddQuestion::OneOf("user, or token")),
    }
}

/// A string as it is sent, or the text of other JSON.
fn body(question: &Json) -> Option<Bytes> {
    let body = question.get("body")?;
    Some(Bytes::from(body.as_str().map_or_else(|| body.render(), str::to_owned)))
}

fn groups(question: &Json) -> Result<Vec<String>, OddQuestion> {
    let Some(groups) = question.get("groups") else { return Ok(Vec::new()) };
    let strings =
        groups.as_array().and_then(|items| items.iter().map(|item| item.as_str().map(str::to_owned)).collect());
    strings.ok_or(OddQuestion::Type("groups", "an array of strings"))
}

fn text<'j>(question: &'j Json, key: &'static str) -> Result<Option<&'j str>, OddQuestion> {
    let value = question.get(key);
    value.map(|value| value.as_str().ok_or(OddQuestion::Type(key, "a string"))).transpose()
}

fn goes_with(question: &Json, key: &'static str, other: &'static str) -> Result<(), OddQuestion> {
    if question.get(key).is_some() { Err(OddQuestion::GoesWith(key, other)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(question: &str) -> Result<Question, OddQuestion> {
        Question::from_json(question.as_bytes())
    }

    fn told(question: &str) -> String {
        read(question).expect_err("a fault").to_string()
    }

    #[test]
    fn a_question_is_a_caller_and_a_request() {
        let sql = read(r#"{"user":"ann","groups":["a"],"issuer":"dev","sql":"SELECT 1"}"#).expect("a question");
        assert_eq!((&sql.head.method, sql.head.uri.path()), (&Method::POST, SQL_PATH));
        assert_eq!(&*sql.body, br#"{"query":"SELECT 1"}"#);
        assert_eq!(sql.head.headers[CONTENT_TYPE], "application/json");
        let supposed =
            Supposed { subject: "ann".to_owned(), issuer: Some("dev".to_owned()), groups: vec!["a".to_owned()] };
        assert!(matches!(sql.who, Who::Supposed(found) if found == supposed));

        let bare = read(r#"{"token":"t","method":"DELETE","path":"/a?b=c"}"#).expect("a question");
        assert!(bare.body.is_empty() && !bare.head.headers.contains_key(CONTENT_TYPE));
        assert_eq!(bare.head.uri, "/a?b=c");
        let text = read(r#"{"token":"t","method":"POST","path":"/a","body":"{x","contentType":"text/plain"}"#);
        let text = text.expect("a question");
        assert_eq!(&*text.body, b"{x");
        assert_eq!(text.head.headers[CONTENT_TYPE], "text/plain");
        let json = read(r#"{"token":"t","method":"POST","path":"/a","body":{"a": 1.0}}"#).expect("a question");
        assert_eq!(&*json.body, br#"{"a":1.0}"#);
    }

    #[test]
    fn what_is_odd_is_told() {
        for (question, what) in [
            ("", "the question is not JSON"),
            ("[]", "no JSON object"),
            (r#"{"user":"a","sql":"x","sql":"y"}"#, "not JSON that can be read in one way"),
            (r#"{"user":"a","sql":"x","usr":"b"}"#, "no key [usr]; it has: user, issuer, groups, token, sql"),
            (r#"{"sql":"x"}"#, "send one of user, or token"),
            (r#"{"user":"a","token":"t","sql":"x"}"#, "send one of user, or token"),
            (r#"{"token":"t","groups":[],"sql":"x"}"#, "[groups] goes with [user] only"),
            (r#"{"user":"a"}"#, "send one of sql, or method and path"),
            (r#"{"user":"a","sql":"x","path":"/"}"#, "send one of sql, or method and path"),
            (r#"{"user":"a","sql":"x","body":"b"}"#, "[body] goes with [path] only"),
            (r#"{"user":"a","path":"/"}"#, "[path] goes with [method] only"),
            (r#"{"user":"a","method":"GET","path":"/","contentType":"x"}"#, "[contentType] goes with [body] only"),
            (r#"{"user":1,"sql":"x"}"#, "[user] must be a string"),
            (r#"{"user":"a","groups":"g","sql":"x"}"#, "[groups] must be an array of strings"),
            (r#"{"user":"a","method":"G T","path":"/"}"#, "no method"),
            (r#"{"user":"a","method":"GET","path":"x"}"#, "cannot be sent as the target"),
            (r#"{"user":"a","method":"GET","path":"/a b"}"#, "cannot be sent as the target"),
            (r#"{"user":"a","method":"GET","path":"http://h/"}"#, "cannot be sent as the target"),
            (r#"{"user":"a","method":"POST","path":"/","body":"","contentType":"a\nb"}"#, "as a Content-Type"),
        ] {
            assert!(told(question).contains(what), "{question}: {}", told(question));
        }
    }

    #[test]
    fn a_token_is_not_shown() {
        let question = read(r#"{"token":"canary","sql":"SELECT 1"}"#).expect("a question");
        assert!(!format!("{:?}", question.who).contains("canary"));
        for odd in [r#"{"token":"canary"}"#, r#"{"token":["canary"],"sql":"x"}"#, r#"{"token":"canary","sql":"x"#] {
            assert!(!told(odd).contains("canary"), "{}", told(odd));
        }
    }
}

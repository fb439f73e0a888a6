//! The gate's own pages: one column, no script, nothing from elsewhere.

use std::sync::LazyLock;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use http::{HeaderValue, Response, StatusCode};

use super::{GateBody, LOGIN_PATH, LOGOUT_PATH, ReturnPath};
use crate::proxy::caller::Caller;
use crate::proxy::me;

const CSS: &str = include_str!("page.css");

/// Nothing is loaded, nothing frames the page, and its form goes nowhere else; the style is known by its hash.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, CSS.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// What a page shows.
pub enum Shown<'a> {
    /// The form that asks for a token, and what was wrong with the last one.
    Form {
        /// Where to go then.
        to: ReturnPath,
        /// A sentence.
        fault: Option<String>,
    },
    /// Who is signed in, and the way out.
    SignedIn {
        /// The name of the identity.
        name: String,
        /// Where to go on.
        to: ReturnPath,
    },
    /// The page was opened, or its form sent, from another origin than this one.
    OtherOrigin(&'a str),
    /// Nobody signs in here.
    Off,
    /// Who one is, at this time.
    Me(&'a Caller, SystemTime),
}

impl Shown<'_> {
    /// The page.
    #[must_use]
    pub fn render(&self, status: StatusCode) -> Response<GateBody> {
        let mut response = Response::new(GateBody::whole(self.html()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // Not `no-referrer`: a browser would then send the form with `Origin: null` (Fetch, section 3.2.5).
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        response
    }

    fn html(&self) -> String {
        let (title, main) = match self {
            Self::Form { to, fault } => {
                (if fault.is_some() { "Not signed in" } else { "Sign in" }, form(to, fault.as_deref()))
            }
            Self::SignedIn { name, to } => ("Signed in", signed_in(name, to)),
            Self::OtherOrigin(origin) => ("Not accepted", other_origin(origin)),
            Self::Off => ("No sign-in", off()),
            Self::Me(caller, now) => ("You", me::html(caller, *now)),
        };
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"robots\" content=\"noindex\">\n<title>{title} - Apache Druid</title>\n<style>{CSS}</style>\n\
             </head>\n<body>\n<main>\n<p class=\"product\">Apache Druid</p>\n{main}</main>\n</body>\n</html>\n"
        )
    }
}

fn form(to: &ReturnPath, fault: Option<&str>) -> String {
    let (alert, invalid) = match fault {
        Some(fault) => (
            format!("<p class=\"fault\" id=\"fault\" role=\"alert\">{}</p>\n", escape(fault)),
            " aria-invalid=\"true\" aria-describedby=\"fault hint\"",
        ),
        None => (String::new(), " aria-describedby=\"hint\""),
    };
    format!(
        "<h1>Sign in</h1>\n{alert}<form method=\"post\" action=\"{LOGIN_PATH}\">\n\
         <label for=\"token\">Access token</label>\n\
         <input id=\"token\" name=\"token\" type=\"password\" required autofocus autocomplete=\"off\" \
         autocapitalize=\"none\" spellcheck=\"false\"{invalid}>\n\
         <p class=\"hint\" id=\"hint\">Paste the token that your identity provider gave you. You stay signed in until it \
         expires.</p>\n\
         <input type=\"hidden\" name=\"to\" value=\"{}\">\n<button type=\"submit\">Sign in</button>\n</form>\n",
        escape(to.as_str())
    )
}

fn signed_in(name: &str, to: &ReturnPath) -> String {
    format!(
        "<h1>Signed in</h1>\n<p>You are signed in as <strong>{}</strong>.</p>\n<p><a href=\"{}\">Go on to Druid</a></p>\n\
         <form method=\"post\" action=\"{LOGOUT_PATH}\">\n<button type=\"submit\">Sign out</button>\n</form>\n",
        escape(name),
        escape(to.as_str())
    )
}

fn other_origin(origin: &str) -> String {
    let origin = escape(origin);
    format!(
        "<h1>Not accepted</h1>\n<p class=\"fault\" role=\"alert\">This form did not come from the sign-in page of \
         {origin}.</p>\n<p><a href=\"{origin}{LOGIN_PATH}\">Sign in there</a></p>\n"
    )
}

fn off() -> String {
    "<h1>No sign-in</h1>\n<p>Nobody signs in with a browser here: the configuration names no <code>[server] origin</code>. \
     Programs send their token as <code>Authorization: Bearer</code>.</p>\n"
        .to_owned()
}

/// Text, for an element or an attribute in double quotes.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_shown_is_escaped() {
        let to = ReturnPath::parse("/a?\"><script>alert('x')</script>&y");
        let nasty = "<b>\"'&</b>".to_owned();
        for shown in [
            Shown::Form { to: to.clone(), fault: Some(nasty.clone()) },
            Shown::SignedIn { name: nasty.clone(), to },
            Shown::OtherOrigin("https://\"><b>"),
        ] {
            let html = shown.html();
            assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
        }
        assert_eq!(escape(&nasty), "&lt;b&gt;&quot;&#39;&amp;&lt;/b&gt;");
    }

    #[test]
    fn pages_are_closed_to_everything_else() {
        for shown in [Shown::Form { to: ReturnPath::parse("/"), fault: None }, Shown::Off] {
            let response = shown.render(StatusCode::OK);
            let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().expect("text");
            for word in ["default-src 'none'; style-src 'sha256-", "form-action 'self'", "frame-ancestors 'none'"] {
                assert!(policy.contains(word), "{policy}");
            }
            assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
            assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
            let html = shown.html();
            assert!(!html.contains("<script") && !html.contains("style=") && !html.contains("src="), "{html}");
        }
    }
}

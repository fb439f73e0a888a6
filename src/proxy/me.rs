//! `/gate/me`: who one is to the gate, what one may do there, and for how long.

use std::time::{Duration, SystemTime};

use http::header::CACHE_CONTROL;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};

use super::caller::{By, Caller, Role};
use super::sign_in::page::{Shown, escape};
use super::sign_in::{LOGOUT_PATH, prefers_html};
use super::{GateBody, rejection};
use crate::telemetry::timestamp;

/// A page for who prefers one, JSON for all others (RFC 9110, section 12.5.1).
pub fn answer(head: &Parts, caller: &Caller, now: SystemTime) -> Response<GateBody> {
    if prefers_html(head) {
        return Shown::Me(caller, now).render(StatusCode::OK);
    }
    let mut response = rejection::json(StatusCode::OK, caller.json(now).render());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What stands on the page.
pub fn html(caller: &Caller, now: SystemTime) -> String {
    let (name, subject, issuer) = (escape(&caller.name), escape(&caller.subject), escape(&caller.issuer));
    let roles: String = caller.roles.iter().map(role).collect();
    let groups: Vec<String> = caller.groups.iter().map(|group| code(group)).collect();
    format!(
        "<h1>{name}</h1>\n<p>You are the subject <code>{subject}</code> of the issuer <code>{issuer}</code>{}.</p>\n{}\
         <h2>Roles</h2>\n{}\
         <form method=\"post\" action=\"{LOGOUT_PATH}\">\n<button type=\"submit\">Sign out</button>\n</form>\n\
         <p class=\"hint\"><a href=\"/\">Go on to Druid</a></p>\n",
        if groups.is_empty() { ", in no group".to_owned() } else { format!(", in {}", groups.join(", ")) },
        life(caller, now),
        if roles.is_empty() {
            "<p>The policy gives you none: you may do what takes an identity and no permission.</p>\n".to_owned()
        } else {
            roles
        },
    )
}

fn life(caller: &Caller, now: SystemTime) -> String {
    let (Some(expires), Some(left)) = (caller.expires, caller.left(now)) else { return String::new() };
    format!("<p>Your token expires {}, at {}.</p>\n", in_words(left), timestamp(expires))
}

/// To the minute: nobody reads a page more closely.
fn in_words(left: Duration) -> String {
    let minutes = left.as_secs() / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0) => "within a minute".to_owned(),
        (0, minutes) => format!("in {minutes} min"),
        (hours, minutes) => format!("in {hours} h {minutes} min"),
    }
}

fn role(role: &Role) -> String {
    let by: Vec<String> = role.by.iter().map(given_by).collect();
    let grants: String = role.grants.iter().map(|grant| format!("<li>{}</li>\n", code(&grant.to_string()))).collect();
    format!("<h3>{}</h3>\n<p class=\"by\">by {}</p>\n<ul>\n{grants}</ul>\n", escape(&role.name), by.join(", "))
}

fn given_by(by: &By) -> String {
    let (kind, name) = by.words();
    let claim = by.claim.as_ref().map(|claim| format!(" (claim {})", code(claim)));
    format!("{kind} {}{}", code(name), claim.unwrap_or_default())
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Holder;

    #[test]
    fn the_page_says_who_which_roles_and_for_how_long_and_escapes_all() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let mut caller = Caller {
            issuer: "dev".to_owned(),
            subject: "<b>".to_owned(),
            name: "Ann & \"Co\"".to_owned(),
            groups: vec!["<i>".to_owned()],
            expires: Some(now + Duration::from_secs(3_720)),
            roles: Vec::new(),
        };
        let page = html(&caller, now);
        assert!(page.starts_with("<h1>Ann &amp; &quot;Co&quot;</h1>\n<p>You are the subject <code>&lt;b&gt;</code> of the issuer <code>dev</code>, in <code>&lt;i&gt;</code>.</p>\n<p>Your token expires in 1 h 2 min, at 2001-09-09T02:48:40.000Z.</p>"), "{page}");
        assert!(page.contains("The policy gives you none"), "{page}");
        caller.roles = vec![Role {
            name: "<r>".to_owned(),
            by: vec![By { holder: Holder::Group("<i>".to_owned()), claim: Some("/groups".to_owned()) }],
            grants: Vec::new(),
        }];
        let page = html(&caller, now);
        let role =
            "<h3>&lt;r&gt;</h3>\n<p class=\"by\">by group <code>&lt;i&gt;</code> (claim <code>/groups</code>)</p>\n";
        assert!(page.contains(role) && !page.contains("<i>") && !page.contains("<b>"), "{page}");
    }

    #[test]
    fn times_are_told_to_the_minute() {
        for (seconds, words) in
            [(59, "within a minute"), (60, "in 1 min"), (3_599, "in 59 min"), (86_400, "in 24 h 0 min")]
        {
            assert_eq!(in_words(Duration::from_secs(seconds)), words);
        }
    }
}

//! Whether a person waits before the answer, or a program: only the former is shown the way to the login page.

use http::Method;
use http::header::{ACCEPT, AUTHORIZATION};
use http::request::Parts;

/// A page that a browser loads into a tab. Who sends an `Authorization` header is a program, whatever else it says.
pub fn is_one(head: &Parts) -> bool {
    let word = |name: &str| head.headers.get(name).map(http::HeaderValue::as_bytes);
    if head.method != Method::GET || head.headers.contains_key(AUTHORIZATION) {
        return false;
    }
    match (word("sec-fetch-mode"), word("sec-fetch-dest")) {
        (None, None) => prefers_html(head),
        (mode, dest) => mode.is_none_or(|mode| mode == b"navigate") && dest.is_none_or(|dest| dest == b"document"),
    }
}

/// Whether HTML is the first of what `Accept` names with the greatest weight (RFC 9110, section 12.5.1).
pub fn prefers_html(head: &Parts) -> bool {
    let mut best: Option<(u16, bool)> = None;
    for value in head.headers.get_all(ACCEPT) {
        for range in value.to_str().unwrap_or_default().split(',') {
            let mut words = range.split(';').map(str::trim);
            let name = words.next().unwrap_or_default().to_ascii_lowercase();
            let weight = words.find_map(|word| word.strip_prefix("q=")).map_or(Some(1000), thousandths);
            let (Some(weight), false) = (weight, name.is_empty()) else { continue };
            if best.is_none_or(|(greatest, _)| weight > greatest) {
                best = Some((weight, name == "text/html" || name == "application/xhtml+xml"));
            }
        }
    }
    best.is_some_and(|(weight, html)| html && weight > 0)
}

/// `0`, `0.5`, `0.123`, `1`, `1.000`
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let fraction = format!("{fraction:0<3}");
    let read = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u16>().ok());
    if fraction.len() > 3 || whole.len() != 1 {
        return None;
    }
    Some(read(whole).flatten()? * 1000 + read(&fraction).flatten()?).filter(|weight| *weight <= 1000)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn load(method: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().method(method).uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        is_one(&request.body(()).expect("a request").into_parts().0)
    }

    /// What Chromium and Firefox say when a page is loaded.
    const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

    #[test]
    fn browsers_say_what_they_load() {
        let (page, xhr) = (("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Mode", "cors"));
        let (document, empty) = (("Sec-Fetch-Dest", "document"), ("Sec-Fetch-Dest", "empty"));
        assert!(load("GET", &[page, document]));
        assert!(load("GET", &[page]));
        assert!(load("GET", &[document]));
        assert!(load("GET", &[page, document, ("Accept", "*/*")]));
        for headers in [
            &[xhr, empty][..],
            &[xhr, empty, ("Accept", BROWSER)],
            &[empty, ("Accept", "text/html")],
            &[page, ("Sec-Fetch-Dest", "iframe")],
            &[("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")],
            &[page, document, ("Authorization", "Bearer x")],
            &[page, document, ("Authorization", "")],
        ] {
            assert!(!load("GET", headers), "{headers:?}");
        }
        for method in ["POST", "HEAD", "PUT", "DELETE", "OPTIONS"] {
            assert!(!load(method, &[page, document]), "{method}");
        }
    }

    #[test]
    fn others_are_known_by_what_they_accept() {
        for accept in
            [BROWSER, "text/html", "TEXT/HTML;charset=utf-8", "application/json;q=0.9, text/html", "text/html;q=0.1"]
        {
            assert!(load("GET", &[("Accept", accept)]), "{accept}");
        }
        for accept in [
            "*/*",
            "",
            "application/json, text/plain, */*",
            "application/json, text/html",
            "text/html;q=0.5, application/json",
            "text/html;q=0",
            "text/html;q=2",
            "text/*",
            "text/htmlx",
        ] {
            assert!(!load("GET", &[("Accept", accept)]), "{accept}");
        }
        assert!(!load("GET", &[]));
        assert!(!load("GET", &[("Accept", BROWSER), ("Authorization", "Basic eA==")]));
    }
}

//! A method, a path and a query that are recognized have one target, which is the same row with the same values.
#![no_main]

use http::Method;
use libfuzzer_sys::fuzz_target;
use msq_gate::druid::{self, ParameterKind, Recognized};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some((method, target)) = text.split_once(' ') else { return };
    let Ok(method) = Method::from_bytes(method.as_bytes()) else { return };
    let Some(found) = recognize(&method, target) else { return };
    let sent = found.target();
    assert_eq!(recognize(&method, &sent).as_ref(), Some(&found), "{sent}");
    assert_eq!(found.row.method, method);
    check_sent(&found, &sent);
});

fn recognize(method: &Method, target: &str) -> Option<Recognized> {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    druid::recognize(method, path, query).ok()
}

/// Whatever reads it finds these segments and these values in it, and nothing to decode twice or to clean up.
fn check_sent(found: &Recognized, sent: &str) {
    let (path, query) = sent.split_once('?').unwrap_or((sent, ""));
    let plain =
        |text: &str, signs: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || signs.contains(char::from(b)));
    assert!(plain(path, "-._~%/") && plain(query, "-._~%&="), "{sent}");
    for odd in ["//", "/./", "/../", "%2F", "%5C", "%00", "%3B"] {
        assert!(!path.contains(odd), "{sent} holds {odd}");
    }
    assert!(!path.ends_with("/.") && !path.ends_with("/.."), "{sent}");
    let fixed = found.row.path.split('{').next().unwrap_or_default();
    assert!(path.starts_with(fixed), "{sent} is not {fixed}");
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').expect("a name and a value");
        let listed = found.row.query.iter().find(|listed| listed.name == name).expect("listed");
        let read = druid::form_decode(value).ok();
        assert!(
            read.is_some() && (listed.kind == ParameterKind::Texts || read.as_deref() == found.parameter(name)),
            "{name}"
        );
    }
}

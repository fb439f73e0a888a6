//! The house keeps its order: which room may use what, read off the sources.

use std::path::{Path, PathBuf};

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Each source file below `src` by its path from there, without its inline tests and comments.
fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(&root).expect("below src").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).expect("UTF-8");
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        (name, code)
    };
    let is_test = |name: &str| name.ends_with("tests.rs") || name.contains("/tests/");
    found.iter().map(read).filter(|(name, _)| !is_test(name)).collect()
}

/// The files that use one of these words and stand in none of these places.
fn outside(words: &[&str], places: &[&str]) -> Vec<String> {
    let uses = |code: &str| words.iter().any(|word| code.contains(word));
    let stands = |name: &str| places.iter().any(|place| name.starts_with(place));
    files().into_iter().filter(|(name, code)| uses(code) && !stands(name)).map(|(name, _)| name).collect()
}

/// The files in these places that use one of these words.
fn inside(words: &[&str], places: &[&str]) -> Vec<String> {
    let uses = |code: &str| words.iter().any(|word| code.contains(word));
    let stands = |name: &str| places.iter().any(|place| name.starts_with(place));
    files().into_iter().filter(|(name, code)| uses(code) && stands(name)).map(|(name, _)| name).collect()
}

const NONE: [String; 0] = [];

/// The rooms that know no time, no network and no log: what they say depends on what they are given alone.
const PURE: [&str; 6] = ["permission.rs", "json.rs", "query_id.rs", "druid/", "sql/", "policy/"];

#[test]
fn the_pure_rooms_are_pure() {
    let impure =
        ["async ", "tokio", "tracing", "SystemTime::now", "Instant::now", "std::fs", "std::env", "std::net", "hyper"];
    assert_eq!(inside(&impure, &PURE), NONE);
    assert!(!files().is_empty() && !inside(&["BTreeSet"], &PURE).is_empty(), "the search finds what is there");
}

#[test]
fn rooms_use_only_what_stands_below_them() {
    let above =
        ["crate::inspect", "crate::upstream", "crate::proxy", "crate::server", "crate::commands", "crate::telemetry"];
    assert_eq!(inside(&above, &PURE), NONE);
    let above = ["crate::upstream", "crate::proxy", "crate::server", "crate::commands", "crate::telemetry"];
    assert_eq!(inside(&above, &["inspect.rs", "reading_pool", "auth/", "config/"]), NONE);
    assert_eq!(inside(&["crate::proxy", "crate::server", "crate::commands"], &["upstream/", "telemetry/"]), NONE);
    assert_eq!(inside(&["crate::server", "crate::commands"], &["proxy/"]), NONE);
}

#[test]
fn doors_to_the_outside_are_in_their_rooms() {
    assert_eq!(outside(&["TcpListener"], &["server/"]), NONE, "listeners");
    assert_eq!(outside(&["HttpConnector", "TcpStream::connect"], &["upstream/", "auth/"]), NONE, "connections");
    assert_eq!(outside(&["std::env"], &["config/", "commands/"]), NONE, "the environment");
    // An answer of Druid's is opened where it is filtered, and nowhere else.
    assert_eq!(outside(&[".open()"], &["proxy/filter.rs"]), NONE, "answers");
}

/// An identity that nothing proves is made where requests are explained, and nothing that explains can send one.
#[test]
fn who_is_only_supposed_has_nothing_sent() {
    let explaining = ["proxy/explain", "commands/explain"];
    assert_eq!(
        outside(&[".suppose(", ".among(", "Supposed {"], &[&explaining[..], &["auth/supposed.rs"]].concat()),
        NONE
    );
    assert_eq!(inside(&["forward(", "Upstream"], &["proxy/explain"]), NONE);
    assert_eq!(inside(&["forward("], &["commands/"]), NONE);
    assert!(!inside(&["Supposed {"], &explaining).is_empty(), "the search finds what is there");
}

/// What `sqlparser` learns to read breaks the build of the walk, which looks into all that it knows.
#[test]
fn the_walk_of_the_second_reading_leaves_nothing_out() {
    let walk = ["sql/second/walk/"];
    assert_eq!(inside(&["_ =>", ".. }", "..)", "{ .. ", "wildcard_enum_match_arm, reason"], &walk), NONE);
    assert_eq!(inside(&["deny(clippy::wildcard_enum_match_arm)"], &walk).len(), 1);
    assert_eq!(outside(&["sqlparser"], &["sql/second/"]), NONE, "one room knows the other parser");
}

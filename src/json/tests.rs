use super::*;

fn refused(text: &str) -> &'static str {
    parse(text).expect_err(text).what
}

#[test]
fn what_is_read_is_what_is_rendered() {
    for text in [
        r#"{"b":1,"a":[true,false,null,-0,1.50,1e400,-12E-3],"":{}}"#,
        r#""é\u0001\n\"\\""#,
        "12345678901234567890123456789",
        "[]",
    ] {
        assert_eq!(parse(text).expect(text).render(), text);
    }
}

#[test]
fn escapes_are_resolved() {
    assert_eq!(parse(r#""\u0041\ud83d\ude00\/\b\f""#), Ok(Json::string("A\u{1f600}/\u{8}\u{c}")));
}

#[test]
fn texts_with_two_readings_are_refused() {
    assert_eq!(refused(r#"{"a":1,"a":2}"#), "a key stands twice in one JSON object");
    assert_eq!(refused(r#"{"x":{"a":1,"\u0061":2}}"#), "a key stands twice in one JSON object");
    assert_eq!(refused(r#"{"a":1}{"a":2}"#), "more than one JSON value");
    assert_eq!(refused("{} x"), "more than one JSON value");
    assert_eq!(refused("\u{feff}{}"), "not the start of a JSON value");
    assert_eq!(refused(r#""\ud800""#), "half a surrogate pair in a JSON string");
    assert_eq!(refused(r#""\ud800\u0041""#), "half a surrogate pair in a JSON string");
    assert_eq!(refused(r#""\udc00""#), "half a surrogate pair in a JSON string");
    assert_eq!(parse_bytes(b"\"\xc1\x81\"").expect_err("overlong").what, "bytes that are not UTF-8");
}

#[test]
fn in_answers_a_type_may_stand_twice() {
    let text = br#"{"type":"NoopSupervisorSpec","type":"noop"}"#;
    assert!(parse_bytes(text).is_err());
    let read = parse_answer(text).expect("as Druid writes it");
    assert_eq!(read.get("type").and_then(Json::as_str), Some("NoopSupervisorSpec"));
    assert!(parse_answer(br#"{"id":"a","id":"b"}"#).is_err());
}

#[test]
fn the_first_value_of_several_is_read_alone() {
    for text in [r#"{"a":1}{"a":2}"#, r#" {"a":1} x"#, r#"{"a":1}"]}"#] {
        assert_eq!(parse_first(text), parse(r#"{"a":1}"#), "{text}");
    }
    assert!(parse_first(r#"{"a":1,"a":2} {}"#).is_err());
    assert!(parse_first("x {}").is_err());
}

#[test]
fn halves_of_pairs_in_answers_are_replaced() {
    for (text, read) in [
        (r#""\ud83d""#, "\u{fffd}"),
        (r#""a\ud83d...""#, "a\u{fffd}..."),
        (r#""\udc00x""#, "\u{fffd}x"),
        (r#""\ud83d\u0041""#, "\u{fffd}A"),
        (r#""\ud83d\n""#, "\u{fffd}\n"),
        (r#""\ud83d\ud83d\ude00""#, "\u{fffd}\u{1f600}"),
        (r#""\ud83d\ude00""#, "\u{1f600}"),
    ] {
        assert_eq!(parse_answer(text.as_bytes()), Ok(Json::string(read)), "{text}");
    }
    // All else is as strict as in requests.
    for text in [r#"{"a":1,"a":2}"#, r#"{"\ud83d":1,"\ud83e":2}"#, "{} x", r#""\ud83d\u12g4""#] {
        assert!(parse_answer(text.as_bytes()).is_err(), "{text}");
    }
    assert!(parse_answer(b"\"\xed\xa0\xbd\"").is_err());
}

#[test]
fn what_is_not_json_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "-",
        "NaN",
        "tru",
        "\"a",
        "\"\n\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "// c\n1",
        "[1 2]",
        "{\"a\" 1}",
        "\"\\u123",
        "1_0",
    ] {
        assert!(parse(text).is_err(), "{text}");
        assert!(serde_json::from_str::<serde_json::Value>(text).is_err(), "{text}");
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(refused(&nested(MAX_DEPTH + 1)), "JSON nested too deeply");
    assert!(parse(&"[".repeat(1_000_000)).is_err());
}

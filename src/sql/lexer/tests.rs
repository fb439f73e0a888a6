//! Tokens, each where both versions of Druid see it.

use super::lex;
use crate::sql::refusal::RefusalCode;

/// The images of the tokens, a bar between them.
fn tokens(text: &str) -> String {
    let tokens = lex(text).unwrap();
    tokens.iter().map(|token| text.get(token.start()..token.end(text)).unwrap()).collect::<Vec<_>>().join("|")
}

#[test]
fn the_longest_match_wins() {
    for (text, expected) in [
        ("1.FROM t", "1.|FROM|t"),
        (".5FROM 1e5 1e 1.e+3x", ".5|FROM|1e5|1|e|1.e+3|x"),
        ("a.5 a. 5 1..2", "a|.5|a|.|5|1.|.2"),
        ("a<=b<>c!=d||e=>f->g", "a|<=|b|<>|c|!=|d||||e|=>|f|->|g"),
        ("a$b $$ $a", "a$b|$$|$a"),
        ("N'a' _utf8'b' U&'c' X'0' E'\\'' n", "N'a'|_utf8'b'|U&'c'|X'0'|E'\\''|n"),
        ("_a-b:c.d'x--' _a 'y'", "_a-b:c.d'x--'|_a|'y'"),
        ("E'a\\' b", "E|'a\\'|b"),
        ("'a''b' 'c'", "'a''b'|'c'"),
        ("\"a\"\"b\" U&\"c\"", "\"a\"\"b\"|U&\"c\""),
        ("{ fn x} {ts'a'} {d} {x", "{ fn|x|}|{ts|'a'|}|{d|}|{|x"),
        ("été日本٣ ", "été日本٣"),
    ] {
        assert_eq!(tokens(text), expected, "{text}");
    }
}

#[test]
fn comments_end_where_druid_ends_them() {
    for (text, expected) in [
        ("a -- b\n c", "a|c"),
        ("a // b\r c", "a|c"),
        ("a--b\u{85}\u{2028} c\r\nd", "a|d"),
        ("a /* b */ c /**/ d /****/ e", "a|c|d|e"),
        ("a /***/ b */ c", "a|c"),
        ("a /* /* */ b */ c", "a|b|*|/|c"),
        ("a*/*c*/b*//c", "a|*|b|*"),
        ("a /*+ b(c, 'd') */ e", "a|e"),
        ("a /*+*/ b /*! c */", "a|b"),
    ] {
        assert_eq!(tokens(text), expected, "{text}");
    }
}

#[test]
fn a_hint_ends_at_one_place_or_is_refused() {
    for text in
        ["/*+ '*/ '", "/*+ -- */ \n*/", "/*+ // */", "/*+ \"*/\"", "/*+ /* */ */", "/*+ ` */", "/*+ E'\\' */ ' */"]
    {
        assert_eq!(lex(text).unwrap_err().code, RefusalCode::AmbiguousHint, "{text}");
    }
}

#[test]
fn what_is_no_token_is_refused_where_it_stands() {
    for (text, at) in [
        ("a `b`", 2),
        ("a\u{a0}b", 1),
        ("a\u{b}", 1),
        ("\u{feff}a", 0),
        ("a 'b", 2),
        ("a \"b\nc\"", 2),
        ("\"\"", 0),
        ("a /* b *", 2),
        ("a & b", 2),
        ("a !", 2),
        ("x a.b$c", 2),
        ("1-a$b", 0),
        ("😀", 0),
    ] {
        let fault = lex(text).unwrap_err();
        assert_eq!((fault.code, fault.at), (RefusalCode::Lexical, at), "{text}");
    }
}

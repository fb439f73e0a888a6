//! The tokens of any text cover it in order: between them are only white space and comments, and each is one by itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use msq_gate::sql;
use msq_gate_fuzz::{check_refusal, images, is_gap, tokens};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match sql::tokens(text) {
        Ok(found) => check(text, &found),
        Err(refusal) => check_refusal(text, &refusal),
    }
});

fn check(text: &str, found: &[std::ops::Range<usize>]) {
    let mut end = 0;
    for token in found {
        assert!(end <= token.start && token.start < token.end, "{token:?} after {end}");
        assert!(is_gap(&text[end..token.start]), "{:?} is passed by", &text[end..token.start]);
        end = token.end;
    }
    assert!(is_gap(&text[end..]), "{:?} is passed by", &text[end..]);
    // What stands around a token does not change it, as far as it is apart.
    let images = images(text, found);
    let apart = images.join("\n");
    assert_eq!(images, msq_gate_fuzz::images(&apart, &tokens(&apart)));
    for image in images {
        assert_eq!(tokens(image), [0..image.len()], "{image:?}");
    }
}

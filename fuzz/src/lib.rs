//! What the fuzz targets share: tokens as texts, and what every refusal must be.

use std::ops::Range;

use msq_gate::sql::{self, Refusal};

/// The texts of these tokens.
pub fn images<'a>(text: &'a str, tokens: &[Range<usize>]) -> Vec<&'a str> {
    tokens.iter().map(|token| &text[token.clone()]).collect()
}

/// The tokens of a text that has them.
pub fn tokens(text: &str) -> Vec<Range<usize>> {
    sql::tokens(text).unwrap_or_else(|refusal| panic!("{text:?}: {refusal}"))
}

/// A refusal stands within its text, at a character, and says something.
pub fn check_refusal(text: &str, refusal: &Refusal) {
    assert!(text.is_char_boundary(refusal.at), "{refusal:?}");
    let before = &text[..refusal.at];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    assert_eq!(refusal.line, before.matches('\n').count() + 1);
    assert_eq!(refusal.column, before[line_start..].chars().count() + 1);
    assert!(!refusal.message.is_empty());
}

/// The length of the white space, comments and hints that the whole of `gap` must be: Druid's rules, told once more.
pub fn is_gap(gap: &str) -> bool {
    let mut rest = gap;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            ' ' | '\t' | '\n' | '\r' | '\x0c' => Some(1),
            '-' | '/' if rest.starts_with("--") || rest.starts_with("//") => {
                Some(rest.find(['\n', '\r']).unwrap_or(rest.len()))
            }
            '/' if rest.starts_with("/*+") => after(rest, 3),
            '/' if rest.starts_with("/**") && !rest.starts_with("/**/") => {
                after(rest, 3 + rest[3..].chars().next().map_or(0, char::len_utf8))
            }
            '/' if rest.starts_with("/*") => after(rest, 2),
            _ => None,
        };
        match end {
            Some(end) => rest = &rest[end..],
            None => return false,
        }
    }
    true
}

fn after(rest: &str, body: usize) -> Option<usize> {
    rest[body..].find("*/").map(|at| body + at + 2)
}

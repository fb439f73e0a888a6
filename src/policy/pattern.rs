//! Names with stars.

use std::collections::BTreeSet;

use crate::permission::ResourceName;

/// A pattern over resource names: `*` is any run of characters, none too; all else is literal, case-sensitive, the whole
/// name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamePattern(String);

impl NamePattern {
    /// The pattern that `text` writes; runs of stars mean one.
    pub(super) fn new(text: &str) -> Self {
        let mut pattern = String::with_capacity(text.len());
        for c in text.chars() {
            if c != '*' || !pattern.ends_with('*') {
                pattern.push(c);
            }
        }
        Self(pattern)
    }

    /// The pattern, without repeated stars.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it covers these resources. [`ResourceName::Every`] is covered by `*` alone: any other pattern leaves a name
    /// out.
    #[must_use]
    pub fn covers(&self, name: &ResourceName) -> bool {
        match name {
            ResourceName::Every => self.0 == "*",
            ResourceName::Exactly(name) => self.matches(name),
        }
    }

    /// The text before the first star begins the name, the text after the last ends it, and those between are found from
    /// left to right in what remains. Each is sought once, so the cost is that of a few searches.
    fn matches(&self, name: &str) -> bool {
        let Some((head, pattern)) = self.0.split_once('*') else { return self.0 == name };
        let (middle, tail) = pattern.rsplit_once('*').unwrap_or(("", pattern));
        let Some(mut rest) = name.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail)) else { return false };
        for part in middle.split('*') {
            match rest.split_once(part) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        true
    }
}

/// The patterns without those that another of them covers; no more than `limit` and one.
///
/// One pattern covers another if it covers its text, whose stars only its own stars can meet. It has no more letters
/// then, and of as many letters more stars: so whatever covers a pattern comes before it.
pub(super) fn merged(patterns: BTreeSet<&NamePattern>, limit: usize) -> Vec<&NamePattern> {
    let mut patterns: Vec<&NamePattern> = patterns.into_iter().collect();
    patterns.sort_by_key(|pattern| {
        let stars = pattern.0.bytes().filter(|byte| *byte == b'*').count();
        (pattern.0.len() - stars, std::cmp::Reverse(stars))
    });
    let mut merged: Vec<&NamePattern> = Vec::new();
    for pattern in patterns {
        if merged.len() > limit {
            break;
        }
        if !merged.iter().any(|other| other.0.contains('*') && other.matches(&pattern.0)) {
            merged.push(pattern);
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::NamePattern;
    use crate::permission::ResourceName;

    fn matches(pattern: &str, name: &str) -> bool {
        NamePattern::new(pattern).covers(&ResourceName::Exactly(name.to_owned()))
    }

    #[test]
    fn stars_are_runs_and_all_else_is_literal() {
        for (pattern, yes, no) in [
            ("wiki", &["wiki"][..], &["Wiki", "wiki2", "wik", "", "wiki ", "*"][..]),
            ("wiki_*", &["wiki_", "wiki_a", "wiki_a_b", "wiki_*"], &["wiki", "wik_a", "a_wiki_"]),
            ("*_raw", &["_raw", "a_raw", "_raw_raw"], &["raw", "a_raw2"]),
            ("*", &["", "a", "*", "__query_select", "ä ö"], &[]),
            ("**", &["", "a"], &[]),
            ("a*b", &["ab", "aXb", "abb", "a*b", "aab"], &["a", "b", "ba", "abX"]),
            ("ab*ba", &["abba", "ab-ba"], &["aba", "ab", "ba"]),
            ("a*b*c", &["abc", "aXbYc", "abbc", "acbc"], &["ac", "acb", "abcX"]),
            ("*a*", &["a", "xax"], &["", "x"]),
            ("*aa*aa*", &["aaaa", "aaXaa"], &["aaa", "aa"]),
            ("a.c", &["a.c"], &["abc"]),
            ("a+|(b)[c]\\d?", &["a+|(b)[c]\\d?"], &["aab", "a"]),
            ("ä*ß", &["äß", "ä.ß"], &["aß"]),
            ("a b*", &["a b", "a bc"], &["ab"]),
        ] {
            for name in yes {
                assert!(matches(pattern, name), "{pattern} should cover {name:?}");
            }
            for name in no {
                assert!(!matches(pattern, name), "{pattern} should not cover {name:?}");
            }
        }
    }

    #[test]
    fn every_name_needs_the_star_alone() {
        for (pattern, covers) in [("*", true), ("***", true), ("a*", false), ("*a", false), ("a", false), ("*?", false)]
        {
            assert_eq!(NamePattern::new(pattern).covers(&ResourceName::Every), covers, "{pattern}");
        }
    }

    /// Against a plain recursive definition, over all short patterns and names of two letters.
    #[test]
    fn agrees_with_the_definition() {
        fn defined(pattern: &[char], name: &[char]) -> bool {
            match pattern.split_first() {
                None => name.is_empty(),
                Some(('*', rest)) => (0..=name.len()).any(|skip| defined(rest, &name[skip..])),
                Some((first, rest)) => name.first() == Some(first) && defined(rest, &name[1..]),
            }
        }
        let words = |letters: &[char], longest: usize| {
            let mut all = vec![Vec::new()];
            let mut last = all.clone();
            for _ in 0..longest {
                last = last
                    .iter()
                    .flat_map(|word: &Vec<char>| letters.iter().map(move |c| [word.clone(), vec![*c]].concat()))
                    .collect();
                all.extend(last.clone());
            }
            all
        };
        let names = words(&['a', 'b'], 6);
        for pattern in words(&['a', 'b', '*'], 5) {
            let ready = NamePattern::new(&pattern.iter().collect::<String>());
            for name in &names {
                let text = ResourceName::Exactly(name.iter().collect());
                assert_eq!(ready.covers(&text), defined(&pattern, name), "{ready:?} on {text:?}");
            }
        }
    }

    #[test]
    fn what_another_covers_is_merged() {
        for (patterns, expected) in [
            (&["b", "a"][..], &["a", "b"][..]),
            (&["wiki", "wiki_a", "wiki_*", "wiki_*_x", "taxi"], &["taxi", "wiki", "wiki_*"]),
            (&["a*b", "ab", "a*", "*a*", "*"], &["*"]),
            (&["*a*", "a*", "*a", "a", "bab", "b"], &["*a*", "b"]),
            (&["a*b*c", "a*bc", "ab*c", "abc", "a*c"], &["a*c"]),
            (&["a*b", "b*a"], &["a*b", "b*a"]),
            (&["a*a", "a"], &["a", "a*a"]),
        ] {
            let ready: Vec<NamePattern> = patterns.iter().map(|text| NamePattern::new(text)).collect();
            let mut merged: Vec<&str> =
                super::merged(ready.iter().collect(), 10).into_iter().map(NamePattern::as_str).collect();
            merged.sort_unstable();
            assert_eq!(merged, expected, "{patterns:?}");
        }
    }

    #[test]
    fn merging_ends_past_its_limit() {
        let ready: Vec<NamePattern> = (0..2000).map(|n| NamePattern::new(&format!("t{n}_*"))).collect();
        assert_eq!(super::merged(ready.iter().collect(), 500).len(), 501);
    }

    #[test]
    fn a_hostile_pattern_costs_little() {
        let started = Instant::now();
        let pattern = "a*".repeat(500) + "b";
        assert!(!matches(&pattern, &"a".repeat(100_000)));
        assert!(started.elapsed().as_secs() < 2);
    }
}

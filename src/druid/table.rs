//! The rows by their paths: a tree of segments, so that the time to find one does not grow with their number.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::path::{self, Segments};
use super::row::Row;
use super::rows::ROWS;

/// Where the segments up to here lead.
#[derive(Default)]
struct Node {
    literals: HashMap<&'static str, Node>,
    parameter: Option<Box<Node>>,
    /// Rows whose path ends here.
    ends: Vec<&'static Row>,
    /// Rows of which one or more segments may follow.
    rests: Vec<&'static Row>,
}

static TREE: LazyLock<Node> = LazyLock::new(|| {
    let mut tree = Node::default();
    for row in ROWS.iter().copied() {
        for prefix in row.alias.prefixes() {
            let mut node = &mut tree;
            for literal in *prefix {
                node = node.literals.entry(literal).or_default();
            }
            node.insert(row);
        }
    }
    tree
});

/// The rows that have this path, whatever their method, and the raw values of their path's parameters.
///
/// Where a literal of the catalogue stands, it is never the value of a parameter, encoded neither: the paths of
/// `supervisor/history` and of a supervisor that is named `history` cannot be told apart once they are rendered.
/// Druid: Jersey takes the literal too, and answers 405 where it lacks the method.
pub fn rows_with<'a>(segments: &Segments<'a>) -> Vec<(&'static Row, Vec<&'a str>)> {
    let mut found = Vec::new();
    TREE.find(&segments.raw, &mut Vec::new(), &mut found);
    // Of API rows one trailing slash is the same row (Jersey takes both); of files it is another path.
    found.retain(|(row, _)| !segments.trailing_slash || path::is_api(row));
    found
}

impl Node {
    fn insert(&mut self, row: &'static Row) {
        let mut node = self;
        for part in path::pattern(row) {
            if path::is_rest(part) {
                return node.rests.push(row);
            }
            node = if path::is_parameter(part) {
                node.parameter.get_or_insert_default()
            } else {
                node.literals.entry(part).or_default()
            };
        }
        node.ends.push(row);
    }

    fn find<'a>(&self, rest: &[&'a str], values: &mut Vec<&'a str>, found: &mut Vec<(&'static Row, Vec<&'a str>)>) {
        let Some((first, after)) = rest.split_first() else {
            return found.extend(self.ends.iter().map(|row| (*row, values.clone())));
        };
        let with_rest = || values.iter().chain(rest).copied().collect();
        found.extend(self.rests.iter().map(|row| (*row, with_rest())));
        if let Some(node) = self.literals.get(first) {
            return node.find(after, values, found);
        }
        let is_literal = path::percent_decode(first).is_none_or(|decoded| self.literals.contains_key(decoded.as_str()));
        if let Some(node) = self.parameter.as_ref().filter(|_| !is_literal) {
            values.push(first);
            node.find(after, values, found);
            values.pop();
        }
    }
}

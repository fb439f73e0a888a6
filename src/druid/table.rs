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
    /// Rows whose path ends here, by their places in [`ROWS`].
    ends: Vec<usize>,
    /// Rows of which one or more segments may follow.
    rests: Vec<usize>,
}

static TREE: LazyLock<Node> = LazyLock::new(|| {
    let mut tree = Node::default();
    for (place, row) in ROWS.iter().enumerate() {
        for prefix in row.alias.prefixes() {
            let mut node = &mut tree;
            for literal in *prefix {
                node = node.literals.entry(literal).or_default();
            }
            node.insert(row, place);
        }
    }
    tree
});

/// The rows that have this path, whatever their method, and the raw values of their path's parameters. They come in the
/// order of the catalogue, which is that of their precedence: a literal before the parameter that could take its place.
pub fn rows_with<'a>(segments: &Segments<'a>) -> Vec<(&'static Row, Vec<&'a str>)> {
    let mut places = Vec::new();
    TREE.find(&segments.raw, &mut Vec::new(), &mut places);
    places.sort_by_key(|(place, _)| *place);
    let rows = places.into_iter().filter_map(|(place, values)| Some((ROWS.get(place)?, values)));
    // Of API rows one trailing slash is the same row (Jersey takes both); of files it is another path.
    rows.filter(|(row, _)| !segments.trailing_slash || path::is_api(row)).collect()
}

impl Node {
    fn insert(&mut self, row: &Row, place: usize) {
        let mut node = self;
        for part in path::pattern(row) {
            if path::is_rest(part) {
                return node.rests.push(place);
            }
            node = if path::is_parameter(part) {
                node.parameter.get_or_insert_default()
            } else {
                node.literals.entry(part).or_default()
            };
        }
        node.ends.push(place);
    }

    fn find<'a>(&self, rest: &[&'a str], values: &mut Vec<&'a str>, found: &mut Vec<(usize, Vec<&'a str>)>) {
        let Some((first, after)) = rest.split_first() else {
            return found.extend(self.ends.iter().map(|place| (*place, values.clone())));
        };
        let with_rest = || values.iter().chain(rest).copied().collect();
        found.extend(self.rests.iter().map(|place| (*place, with_rest())));
        if let Some(node) = self.literals.get(first) {
            node.find(after, values, found);
        }
        if let Some(node) = &self.parameter {
            values.push(first);
            node.find(after, values, found);
            values.pop();
        }
    }
}

//! Statements made from `tests/corpus/templates.txt`: every template with every filler of its hole.

use std::fs;

use super::corpus;

pub fn expand() -> Vec<String> {
    let text = fs::read_to_string(corpus::directory().join("templates.txt")).unwrap();
    let lines = || text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '));
    let templates = lines().filter(|(hole, _)| hole.starts_with('{'));
    let mut statements = Vec::new();
    for (hole, template) in templates {
        let name = hole.trim_matches(['{', '}']);
        for (_, filler) in lines().filter(|(of, _)| *of == name) {
            statements.push(template.replace(hole, filler));
        }
    }
    statements
}

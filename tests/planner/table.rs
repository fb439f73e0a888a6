//! The table of figures, as ARCHITECTURE.md shows it.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::figures::Figures;
use super::tally::Tally;

const HEAD: [&str; 8] = [
    "set",
    "planner",
    "reading",
    "asked",
    "accepted",
    "missing a resource",
    "exactly equal",
    "refused, or asks for more",
];
/// The sets, in the order of the table.
const SETS: [&str; 6] = ["hand-written", "templates", "the reading's own", "generated", "mutations", "existing tables"];
/// Where the table is.
const PAGE: &str = "ARCHITECTURE.md";

type Row = [String; HEAD.len()];

/// Those that have been measured in this run.
static MEASURED: Mutex<Vec<(usize, Vec<Row>)>> = Mutex::new(Vec::new());

/// Shows the figures of one set. Once all sets have been measured the whole table is shown, and written to its page where
/// that is asked for.
pub fn show(figures: &Figures) {
    let place = SETS.iter().position(|set| *set == figures.set).unwrap();
    let rows: Vec<Row> = figures.tallies.iter().map(|tally| row(figures.set, tally)).collect();
    println!("{}", render(&rows));
    for tally in &figures.tallies {
        if std::env::var_os("PLANNER_ERRORS").is_some() {
            println!("{}", tally.errors());
        }
        tally.differences().for_each(|difference| println!("{difference}"));
    }
    let mut measured = MEASURED.lock().unwrap_or_else(PoisonError::into_inner);
    measured.push((place, rows));
    measured.sort();
    if measured.len() == SETS.len() {
        let table = render(&measured.iter().flat_map(|(_, rows)| rows.clone()).collect::<Vec<_>>());
        println!("{table}");
        if super::recording() {
            write(&table);
        }
    }
}

fn row(set: &str, tally: &Tally) -> Row {
    let share = tally.share();
    let exact = format!("{} ({}.{:03} %)", grouped(tally.exact), share / 1000, share % 1000);
    let refused = tally.refused.iter().map(|(code, count)| format!("{} `{code}`", grouped(*count)));
    let more = (tally.more > 0).then(|| format!("{} more", grouped(tally.more)));
    let last: Vec<String> = refused.chain(more).collect();
    let numbers = [tally.asked, tally.accepted, tally.missing].map(grouped);
    let [asked, accepted, missing] = numbers;
    let last = if last.is_empty() { "0".to_owned() } else { last.join(", ") };
    [set.to_owned(), tally.planner.to_owned(), tally.reader.to_owned(), asked, accepted, missing, exact, last]
}

/// Commas between thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let comma = |place: usize| place > 0 && (digits.len() - place).is_multiple_of(3);
    digits
        .chars()
        .enumerate()
        .flat_map(|(place, digit)| comma(place).then_some(',').into_iter().chain([digit]))
        .collect()
}

/// A table whose columns are aligned.
fn render(rows: &[Row]) -> String {
    let head = HEAD.map(str::to_owned);
    let width = |column: usize| rows.iter().chain([&head]).map(|row| row[column].chars().count()).max().unwrap();
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let line = |row: &Row| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!(" {cell:<width$} |"));
        format!("|{}\n", cells.collect::<String>())
    };
    let rule: String = widths.iter().map(|width| format!(" {} |", "-".repeat(*width))).collect();
    format!("{}|{rule}\n{}", line(&head), rows.iter().map(line).collect::<String>())
}

/// Puts the table in the place of the one that the page has.
fn write(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = fs::read_to_string(&path).unwrap();
    let [first, second, ..] = HEAD;
    let is_head = |line: &str| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        (cells.next(), cells.next()) == (Some(first), Some(second))
    };
    let before = page.lines().take_while(|line| !is_head(line));
    let after = page.lines().skip_while(|line| !is_head(line)).skip_while(|line| line.starts_with('|'));
    let lines: Vec<&str> = before.chain(table.lines()).chain(after).collect();
    fs::write(&path, lines.join("\n") + "\n").unwrap();
}

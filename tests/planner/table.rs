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
/// The place of the reader's name in a row.
const READER: usize = 2;
/// The sets, in the order of the table.
const SETS: [&str; 6] = ["hand-written", "templates", "the reading's own", "generated", "mutations", "existing tables"];
/// Where the table is.
const PAGE: &str = "ARCHITECTURE.md";

type Row = [String; HEAD.len()];

/// One set at a time is written.
static PAGE_LOCK: Mutex<()> = Mutex::new(());

/// Shows the figures of one set, and writes them into the table where that is asked for.
pub fn show(figures: &Figures) {
    let mut rows: Vec<Row> = Vec::new();
    for tally in &figures.tallies {
        let row = row(figures.set, tally);
        // Readers that make the same of a planner's statements have one row.
        if let Some(same) = rows.iter_mut().find(|other| is_same_but_for_reader(other, &row)) {
            same[READER] += &format!(", {}", row[READER]);
            continue;
        }
        rows.push(row);
        if std::env::var_os("PLANNER_ERRORS").is_some() {
            println!("{}", tally.errors());
        }
        tally.differences().for_each(|difference| println!("{difference}"));
    }
    println!("{}", render(&rows));
    if super::recording() {
        write(figures.set, rows);
    }
}

fn is_same_but_for_reader(one: &Row, other: &Row) -> bool {
    (0..HEAD.len()).all(|cell| cell == READER || one[cell] == other[cell])
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

/// Puts these rows in the place of those that the page's table has of this set.
fn write(set: &str, rows: Vec<Row>) {
    let _lock = PAGE_LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = fs::read_to_string(&path).unwrap();
    let is_head = |line: &&str| cells(line).is_some_and(|cells| cells == HEAD);
    let before: Vec<&str> = page.lines().take_while(|line| !is_head(line)).collect();
    let table: Vec<&str> = page.lines().skip(before.len()).take_while(|line| line.starts_with('|')).collect();
    let after = page.lines().skip(before.len() + table.len());
    // The first two lines are the head and the rule below it.
    let kept = table.iter().skip(2).map(|line| cells(line).unwrap().map(str::to_owned)).filter(|row| row[0] != set);
    let mut rows: Vec<Row> = kept.chain(rows).collect();
    rows.sort_by_key(|row| SETS.iter().position(|set| *set == row[0]));
    let table = render(&rows);
    let lines: Vec<&str> = before.into_iter().chain(table.lines()).chain(after).collect();
    fs::write(&path, lines.join("\n") + "\n").unwrap();
}

/// The cells of a line of the table; none if it has another number of them.
fn cells(line: &str) -> Option<[&str; HEAD.len()]> {
    let inner = line.strip_prefix('|')?.strip_suffix('|')?;
    inner.split('|').map(str::trim).collect::<Vec<_>>().try_into().ok()
}

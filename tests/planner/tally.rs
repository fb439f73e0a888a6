//! Counts of what one reader reads beside what one planner answers, and where they differ.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use msq_gate_bed::planner::Answer;

use super::reading::{Reading, Statement};

/// As many examples are kept of each kind of difference: the shortest ones.
const EXAMPLES: usize = 60;
/// As much of an error tells its kind, if its place in the statement does not begin earlier.
const ERROR_CHARS: usize = 50;
const PLACE: &str = " (line [";
/// So many kinds of errors are counted: some name what is in the statement, and there is no end of those.
const ERRORS: usize = 2_000;
/// Refusals that are meant: the construct means two things, or more than the gate follows, or a table whose whole name is a
/// star, for which versions of Druid ask by two names.
const MEANT: [&str; 3] = ["ambiguous_hint", "recursive", "star_table"];

/// What Druid would authorize, in the gate's words. A defect of Druid's own is not shared: 30 to 36 ask for APPEND's names
/// with their quotes on, 37 for the names themselves, as the gate does.
pub fn plain(resources: &BTreeSet<String>) -> BTreeSet<String> {
    let name_of = |word: &String| text_of(word.strip_prefix("DATASOURCE|")?.strip_suffix("|READ")?);
    let plain = |word: &String| name_of(word).map_or_else(|| word.clone(), |name| format!("DATASOURCE|{name}|READ"));
    resources.iter().map(plain).collect()
}

/// The text of an argument as Calcite writes it: perhaps a name for it, perhaps a character set, one literal or several.
fn text_of(argument: &str) -> Option<String> {
    let body = argument.strip_suffix('\'')?;
    let (_, body) = body.split_once('\'')?;
    let parts: Vec<&str> = body.split("'\n'").collect();
    Some(parts.concat().replace("''", "'"))
}

/// One statement on which a reader and a planner differ.
#[derive(Clone, Debug)]
pub struct Difference {
    pub kind: Kind,
    sql: String,
    druid: BTreeSet<String>,
    gate: Reading,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Druid runs it and the gate does not know all that it reads.
    Missing,
    /// Druid had found something in it, before it failed, that the gate did not.
    MissingInFailed,
    /// The gate asks for more than Druid.
    More,
    /// Druid runs it, the gate refuses.
    Refused,
}

impl Kind {
    pub const fn is_missing(self) -> bool {
        matches!(self, Self::Missing | Self::MissingInFailed)
    }
}

/// Counts of one set of statements.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Whose answers these are.
    pub planner: &'static str,
    /// Whose readings.
    pub reader: &'static str,
    pub asked: usize,
    pub accepted: usize,
    pub exact: usize,
    pub more: usize,
    /// Of those that Druid accepts, and of those that it fails late.
    pub missing: usize,
    pub refused: BTreeMap<&'static str, usize>,
    /// Why Druid does not accept the others.
    errors: BTreeMap<String, (usize, String)>,
    pub differences: Vec<Difference>,
}

impl Tally {
    pub fn new(planner: &'static str, reader: &'static str) -> Self {
        Self {
            planner,
            reader,
            asked: 0,
            accepted: 0,
            exact: 0,
            more: 0,
            missing: 0,
            refused: BTreeMap::new(),
            errors: BTreeMap::new(),
            differences: Vec::new(),
        }
    }

    pub fn add(&mut self, statement: &Statement, answer: &Answer, reading: &Reading) {
        self.asked += 1;
        let found = if answer.accepted { Some(&answer.resources) } else { answer.registered.as_ref() };
        let druid = found.map(plain).unwrap_or_default();
        let covered = reading.as_ref().map(|read| read.is_superset(&druid));
        let kind = match (answer.accepted, covered) {
            (true, Ok(true)) if reading.as_ref() == Ok(&druid) => None,
            (true, Ok(true)) => Some(Kind::More),
            (true, Ok(false)) => Some(Kind::Missing),
            (true, Err(_)) => Some(Kind::Refused),
            (false, Ok(false)) => Some(Kind::MissingInFailed),
            (false, _) => None,
        };
        if answer.accepted {
            self.accepted += 1;
            self.exact += usize::from(kind.is_none());
        } else {
            self.add_error(statement, &answer.error);
        }
        let Some(kind) = kind else { return };
        self.more += usize::from(kind == Kind::More);
        self.missing += usize::from(kind.is_missing());
        if let (Kind::Refused, Err(code)) = (kind, reading) {
            *self.refused.entry(code).or_default() += 1;
        }
        self.keep(Difference { kind, sql: statement.sql.clone(), druid, gate: reading.clone() });
    }

    fn add_error(&mut self, statement: &Statement, error: &str) {
        let kind = error.split(PLACE).next().unwrap_or_default();
        let error: String = kind.chars().take(ERROR_CHARS).collect();
        if self.errors.len() >= ERRORS && !self.errors.contains_key(&error) {
            return;
        }
        let (count, shortest) = self.errors.entry(error).or_insert_with(|| (0, statement.sql.clone()));
        *count += 1;
        if statement.sql.len() < shortest.len() {
            shortest.clone_from(&statement.sql);
        }
    }

    fn keep(&mut self, difference: Difference) {
        self.differences.push(difference);
        self.differences.sort_by_key(|difference| (difference.kind, difference.sql.len()));
        let mut kept = BTreeMap::<Kind, usize>::new();
        self.differences.retain(|difference| {
            let count = kept.entry(difference.kind).or_default();
            *count += 1;
            *count <= EXAMPLES
        });
    }

    /// Of a hundred thousand statements that Druid accepts, refusals that are meant aside, so many are read exactly.
    pub fn share(&self) -> usize {
        let meant: usize = MEANT.iter().filter_map(|code| self.refused.get(code)).sum();
        let counted = self.accepted - meant;
        (self.exact * 100_000).checked_div(counted).unwrap_or(100_000)
    }

    /// The most frequent errors of Druid, to see whether a generator makes what Druid runs.
    pub fn errors(&self) -> String {
        let mut errors: Vec<(&String, &(usize, String))> = self.errors.iter().collect();
        errors.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        let mut text = String::new();
        for (error, (count, shortest)) in errors.iter().take(EXAMPLES) {
            writeln!(text, "{} {count:>6} {error}\n          {shortest:?}", self.planner).unwrap();
        }
        text
    }

    /// All that is kept, in words.
    pub fn differences(&self) -> impl Iterator<Item = String> {
        self.differences.iter().map(|difference| difference.told(self.planner))
    }
}

impl Difference {
    fn told(&self, planner: &str) -> String {
        let words = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
        let gate = match &self.gate {
            Ok(read) => words(read),
            Err(code) => format!("refused: {code}"),
        };
        format!("{:?} on {planner}\n  {:?}\n  druid {}\n  gate  {gate}\n", self.kind, self.sql, words(&self.druid))
    }
}

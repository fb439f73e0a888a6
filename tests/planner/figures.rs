//! What the gate reads beside what Druid's planners answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::thread;

use msq_gate::sql::{self, Parameter};
use msq_gate_bed::Progress;
use msq_gate_bed::planner::{self, Answer, Question, Version};

/// As many statements are asked of one process; it bounds what is held at once.
const BATCH: usize = 20_000;
/// As many examples are kept of each kind of difference: the shortest ones.
const EXAMPLES: usize = 60;
/// As much of an error tells its kind.
const ERROR_CHARS: usize = 50;

/// A statement with the values of its parameters.
#[derive(Clone, Debug)]
pub struct Statement {
    pub sql: String,
    pub parameters: Vec<String>,
}

impl From<String> for Statement {
    fn from(sql: String) -> Self {
        Self { sql, parameters: Vec::new() }
    }
}

/// Two planners at a time are enough for a small machine, however many tests run.
static TURN: Mutex<()> = Mutex::new(());

/// Asks both planners, each in a process of its own, at the same time.
pub fn ask_both(statements: &[Statement]) -> [Vec<Answer>; 2] {
    ask_both_where(statements, false)
}

/// The same where each type of input source may need its own permission.
pub fn ask_both_where(statements: &[Statement], by_type: bool) -> [Vec<Answer>; 2] {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let questions: Vec<Question<'_>> = statements
        .iter()
        .enumerate()
        .map(|(id, statement)| Question { id, sql: &statement.sql, parameters: &statement.parameters, by_type })
        .collect();
    let progress = Progress::start();
    let ask = |version| planner::ask(&progress, version, &questions).unwrap_or_else(|error| panic!("{error}"));
    thread::scope(|scope| {
        let old = scope.spawn(|| ask(Version::V27));
        let new = ask(Version::V33);
        [old.join().unwrap(), new]
    })
}

/// What Druid would authorize, in the gate's words. Two of Druid's own defects are not shared: 30 to 36 ask for APPEND's
/// names with their quotes on, 37 for the names themselves, as the gate does; and Calcite 1.21 leaves the quotes on a
/// table whose whole name is a star.
pub fn plain(resources: &BTreeSet<String>) -> BTreeSet<String> {
    let name_of = |word: &String| {
        let name = word.strip_prefix("DATASOURCE|")?.strip_suffix("|READ")?;
        if name == "\"*\"" { Some("*".to_owned()) } else { text_of(name) }
    };
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

/// What the gate reads, or the word of its refusal.
pub fn gate(statement: &Statement) -> Result<BTreeSet<String>, &'static str> {
    let parameters: Vec<Parameter> = statement.parameters.iter().cloned().map(Parameter::Text).collect();
    let reading = sql::read(&statement.sql, &parameters).map_err(|refusal| refusal.code.as_str())?;
    Ok(reading.resources.iter().map(msq_gate::permission::ResourceAction::to_line).collect())
}

/// One statement on which the gate and a planner differ.
#[derive(Clone, Debug)]
pub struct Difference {
    pub version: Version,
    pub kind: Kind,
    pub sql: String,
    pub druid: BTreeSet<String>,
    pub gate: Result<BTreeSet<String>, &'static str>,
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

/// Counts of one planner.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub asked: usize,
    pub accepted: usize,
    pub exact: usize,
    pub more: usize,
    pub missing: usize,
    /// Of those that Druid does not accept: those in which tables were looked for.
    pub failed_late: usize,
    pub missing_in_failed: usize,
    pub refused: BTreeMap<&'static str, usize>,
    /// Why Druid does not accept the others.
    pub errors: BTreeMap<String, (usize, String)>,
    pub differences: Vec<Difference>,
}

impl Tally {
    fn add(&mut self, version: Version, statement: &Statement, answer: &Answer) {
        let read = gate(statement);
        self.asked += 1;
        let (druid, kind) = if answer.accepted {
            self.accepted += 1;
            let druid = plain(&answer.resources);
            let kind = match &read {
                Err(code) => {
                    *self.refused.entry(code).or_default() += 1;
                    Kind::Refused
                }
                Ok(read) if *read == druid => {
                    self.exact += 1;
                    return;
                }
                Ok(read) if read.is_superset(&druid) => {
                    self.more += 1;
                    Kind::More
                }
                Ok(_) => {
                    self.missing += 1;
                    Kind::Missing
                }
            };
            (druid, kind)
        } else {
            let error: String = answer.error.chars().take(ERROR_CHARS).collect();
            let (count, shortest) = self.errors.entry(error).or_insert_with(|| (0, statement.sql.clone()));
            *count += 1;
            if statement.sql.len() < shortest.len() {
                shortest.clone_from(&statement.sql);
            }
            let Some(registered) = &answer.registered else { return };
            self.failed_late += 1;
            let druid = plain(registered);
            if read.as_ref().is_ok_and(|read| !read.is_superset(&druid)) {
                self.missing_in_failed += 1;
                (druid, Kind::MissingInFailed)
            } else {
                return;
            }
        };
        self.differences.push(Difference { version, kind, sql: statement.sql.clone(), druid, gate: read });
        self.differences.sort_by_key(|difference| (difference.kind, difference.sql.len()));
        let mut kept = BTreeMap::<Kind, usize>::new();
        self.differences.retain(|difference| {
            let count = kept.entry(difference.kind).or_default();
            *count += 1;
            *count <= EXAMPLES
        });
    }

    fn refusals(&self) -> usize {
        self.refused.values().sum()
    }
}

/// Both planners' counts of one set.
pub struct Figures {
    pub set: String,
    pub tallies: [Tally; 2],
}

/// Asks about every statement that `make` gives, batch by batch.
pub fn measure(set: &str, statements: impl Iterator<Item = Statement>) -> Figures {
    let mut tallies = [Tally::default(), Tally::default()];
    let mut statements = statements.peekable();
    while statements.peek().is_some() {
        let batch: Vec<Statement> = statements.by_ref().take(BATCH).collect();
        for ((version, tally), answers) in Version::ALL.into_iter().zip(&mut tallies).zip(ask_both(&batch)) {
            for (statement, answer) in batch.iter().zip(&answers) {
                tally.add(version, statement, answer);
            }
        }
    }
    Figures { set: set.to_owned(), tallies }
}

/// The same, where the answers are there already; every difference is kept.
pub fn judge(set: &str, statements: &[Statement], answers: &[Vec<Answer>; 2]) -> Figures {
    let mut tallies = [Tally::default(), Tally::default()];
    for ((version, tally), answers) in Version::ALL.into_iter().zip(&mut tallies).zip(answers) {
        for (statement, answer) in statements.iter().zip(answers) {
            tally.add(version, statement, answer);
        }
    }
    Figures { set: set.to_owned(), tallies }
}

impl Figures {
    /// Rows of a table for people, without its head.
    pub fn rows(&self) -> String {
        let mut rows = String::new();
        for (version, tally) in Version::ALL.iter().zip(&self.tallies) {
            let refused = tally.refusals();
            let share = |count: usize| {
                let thousandths = count * 100_000 / tally.accepted.max(1);
                format!("{}.{:03} %", thousandths / 1000, thousandths % 1000)
            };
            let codes: Vec<String> = tally.refused.iter().map(|(code, count)| format!("{code} {count}")).collect();
            writeln!(
                rows,
                "| {} | {} | {} | {} | {} | {} | {} ({}) | {} | {} ({}) | {} |",
                self.set,
                version.as_str(),
                tally.asked,
                tally.accepted,
                tally.missing,
                tally.missing_in_failed,
                tally.exact,
                share(tally.exact),
                tally.more,
                refused,
                share(refused),
                codes.join(", "),
            )
            .unwrap();
        }
        rows
    }

    /// The most frequent errors of Druid, to see whether a generator makes what Druid runs.
    pub fn errors(&self) -> String {
        let mut text = String::new();
        for (version, tally) in Version::ALL.iter().zip(&self.tallies) {
            let mut errors: Vec<(&String, &(usize, String))> = tally.errors.iter().collect();
            errors.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
            for (error, (count, shortest)) in errors.iter().take(EXAMPLES) {
                writeln!(text, "{} {count:>6} {error}\n          {shortest:?}", version.as_str()).unwrap();
            }
        }
        text
    }

    pub fn differences(&self) -> impl Iterator<Item = &Difference> {
        self.tallies.iter().flat_map(|tally| &tally.differences)
    }

    /// What no statement may show, in words; empty if none does.
    pub fn missing(&self) -> String {
        let missing = |kind| kind == Kind::Missing || kind == Kind::MissingInFailed;
        let faults = self.differences().filter(|difference| missing(difference.kind));
        faults.map(ToString::to_string).collect()
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
        let gate = match &self.gate {
            Ok(read) => words(read),
            Err(code) => format!("refused: {code}"),
        };
        let version = self.version.as_str();
        writeln!(f, "{:?} on {version}\n  {:?}\n  druid {}\n  gate  {gate}", self.kind, self.sql, words(&self.druid))
    }
}

/// The head of the table of which [`Figures::rows`] are rows.
pub const HEAD: &str = "| set | planner | asked | accepted | missing a resource | missing, of those that failed late | exactly equal | more | refused | by code |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
";

//! What the gate reads beside what Druid's planners answer.

use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use msq_gate_bed::Progress;
use msq_gate_bed::planner::{Answer, Planner, Question, Version};

use super::reading::{self, READERS, Reading, Statement};
use super::tally::Tally;

/// As many statements are asked at once.
const BATCH: usize = 500;
/// As many batches wait for a planner that is slower than the other: enough that neither often waits.
const AHEAD: usize = 8;
/// Every so many statements a line says how far it is.
const SHOWN: usize = 10_000;

static PROGRESS: LazyLock<Progress> = LazyLock::new(Progress::start);

/// One process for each version, for all tests: a planner is slow until it is warm. They end when their input does.
static PLANNERS: LazyLock<[Mutex<Planner>; 2]> = LazyLock::new(|| {
    let start = |version| Planner::start(&PROGRESS, version).unwrap_or_else(|error| panic!("{error}"));
    Version::ALL.map(|version| Mutex::new(start(version)))
});

/// What each reader, and each planner after the other, make of one set of statements.
pub struct Figures {
    pub set: &'static str,
    pub tallies: Vec<Tally>,
}

impl Figures {
    /// What no statement may show, in words; empty if none does.
    pub fn missing(&self) -> String {
        let missing = |tally: &Tally| {
            tally
                .differences()
                .zip(&tally.differences)
                .filter(|(_, of)| of.kind.is_missing())
                .map(|(told, _)| told)
                .collect::<String>()
        };
        self.tallies.iter().map(missing).collect()
    }

    /// Of a hundred thousand statements that a planner accepts, at least so many are read exactly, and none misses a
    /// resource.
    #[track_caller]
    pub fn must_be_exact(&self, least: usize) {
        assert!(self.missing().is_empty(), "{}", self.missing());
        for tally in &self.tallies {
            let (share, planner, reader) = (tally.share(), tally.planner, tally.reader);
            assert!(share >= least, "{}, {planner}, {reader}: {share} of 100,000 are exact", self.set);
        }
    }
}

fn ask(version: Version, statements: &[Statement], by_type: bool) -> Vec<Answer> {
    let [old, new] = &*PLANNERS;
    let planner = match version {
        Version::V27 => old,
        Version::V33 => new,
    };
    let questions: Vec<Question<'_>> = statements
        .iter()
        .enumerate()
        .map(|(id, statement)| Question { id, sql: &statement.sql, parameters: &statement.parameters, by_type })
        .collect();
    let mut planner = planner.lock().unwrap_or_else(PoisonError::into_inner);
    planner.ask(&questions).unwrap_or_else(|error| panic!("{error}"))
}

/// The answers of both planners, which work at the same time.
pub fn ask_both(statements: &[Statement]) -> [Vec<Answer>; 2] {
    ask_both_where(statements, false)
}

/// The same where each type of input source may need its own permission.
pub fn ask_both_where(statements: &[Statement], by_type: bool) -> [Vec<Answer>; 2] {
    thread::scope(|scope| {
        let old = scope.spawn(|| ask(Version::V27, statements, by_type));
        let new = ask(Version::V33, statements, by_type);
        [old.join().unwrap(), new]
    })
}

/// The figures of statements whose answers are there already.
pub fn judge(set: &'static str, statements: &[Statement], answers: &[Vec<Answer>; 2]) -> Figures {
    let readings = reading::read(statements);
    let mut tallies = Vec::new();
    for (version, answers) in Version::ALL.into_iter().zip(answers) {
        let mut of_version = tallies_of(version);
        for ((statement, answer), readings) in statements.iter().zip(answers).zip(&readings) {
            add(&mut of_version, statement, answer, readings);
        }
        tallies.append(&mut of_version);
    }
    Figures { set, tallies }
}

fn tallies_of(version: Version) -> Vec<Tally> {
    READERS.iter().map(|reader| Tally::new(version.as_str(), reader.name)).collect()
}

fn add(tallies: &mut [Tally], statement: &Statement, answer: &Answer, readings: &[Reading]) {
    tallies.iter_mut().zip(readings).for_each(|(tally, reading)| tally.add(statement, answer, reading));
}

/// Statements with what each reader reads in them.
struct Batch {
    statements: Vec<Statement>,
    readings: Vec<[Reading; READERS.len()]>,
}

/// Makes statements, reads them, and asks both planners for them, all at the same time.
pub fn measure(set: &'static str, mut statements: impl ExactSizeIterator<Item = Statement>) -> Figures {
    let count = statements.len();
    let tallies = thread::scope(|scope| {
        let (senders, workers): (Vec<_>, Vec<_>) = Version::ALL
            .map(|version| {
                let (sender, receiver) = sync_channel(AHEAD);
                (sender, scope.spawn(move || answered(set, count, version, &receiver)))
            })
            .into_iter()
            .unzip();
        while statements.len() > 0 {
            let statements: Vec<Statement> = statements.by_ref().take(BATCH).collect();
            let readings = reading::read(&statements);
            let batch = Arc::new(Batch { statements, readings });
            // A worker that has ended tells why when it is joined.
            senders.iter().for_each(|sender| drop(sender.send(Arc::clone(&batch))));
        }
        drop(senders);
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    Figures { set, tallies }
}

fn answered(set: &str, count: usize, version: Version, batches: &Receiver<Arc<Batch>>) -> Vec<Tally> {
    let (mut tallies, mut asked, started) = (tallies_of(version), 0, Instant::now());
    for batch in batches {
        let answers = ask(version, &batch.statements, false);
        for ((statement, answer), readings) in batch.statements.iter().zip(&answers).zip(&batch.readings) {
            add(&mut tallies, statement, answer, readings);
        }
        asked += answers.len();
        if asked % SHOWN < answers.len() {
            let second = asked as f32 / started.elapsed().as_secs_f32();
            let version = version.as_str();
            PROGRESS
                .step(format!("{set}: the planner of {version} has answered {asked} of {count}, {second:.0} a second"));
        }
    }
    tallies
}

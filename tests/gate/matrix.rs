//! The equality matrix: what a real Druid decides for a user whom it knows, beside what the gate decides for the same user.
//!
//! `matrix.txt` is what came out, for people to read as a diff. Where the two ends differ, the file says why, by a list here,
//! and nothing else may differ. To accept what has changed: `MATRIX=accept cargo test --test gate matrix::`. This is about
//! Druid 27; what 33 has is in `matrix33.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use msq_gate::druid::{Answer, ROWS, Row, Rule};
use msq_gate_bed::Version;
use msq_gate_bed::http::{self, Agent};
use serde_json::Value;

use crate::examples::{self, Example, KNOWN_SUPERVISORS, SUPERVISORS, TASKS, THROWN_AWAY};
use crate::support::BED;

/// Who asks, with what is granted to each at both ends.
const USERS: [(&str, &[&str]); 34] = [
    ("none", &[]),
    ("r-wiki", &["READ DATASOURCE wiki"]),
    ("w-wiki", &["WRITE DATASOURCE wiki"]),
    ("rw-wiki", &["READ DATASOURCE wiki", "WRITE DATASOURCE wiki"]),
    ("r-taxi", &["READ DATASOURCE taxi"]),
    ("w-taxi", &["WRITE DATASOURCE taxi"]),
    ("rw-taxi", &["READ DATASOURCE taxi", "WRITE DATASOURCE taxi"]),
    ("r-wiki-w-taxi", &["READ DATASOURCE wiki", "WRITE DATASOURCE taxi"]),
    ("w-both", &["WRITE DATASOURCE wiki", "WRITE DATASOURCE taxi"]),
    ("rw-both", &["READ DATASOURCE wiki", "READ DATASOURCE taxi", "WRITE DATASOURCE wiki", "WRITE DATASOURCE taxi"]),
    ("r-any", &["READ DATASOURCE *"]),
    ("w-any", &["WRITE DATASOURCE *"]),
    ("rw-any", &["READ DATASOURCE *", "WRITE DATASOURCE *"]),
    ("r-w-star", &["READ DATASOURCE w*"]),
    ("w-star-axi", &["WRITE DATASOURCE *axi"]),
    ("rw-inner-star", &["READ DATASOURCE w*i", "WRITE DATASOURCE t*x*"]),
    ("rw-scratch", &["READ DATASOURCE scratch*", "WRITE DATASOURCE scratch*"]),
    ("rw-select", &["READ DATASOURCE __query_select", "WRITE DATASOURCE __query_select"]),
    ("rw-other-case", &["READ DATASOURCE WIKI", "WRITE DATASOURCE WIKI"]),
    ("r-state", &["READ STATE STATE"]),
    ("w-state", &["WRITE STATE STATE"]),
    ("rw-state", &["READ STATE *", "WRITE STATE *"]),
    ("rw-state-wiki", &["READ STATE wiki", "WRITE STATE wiki"]),
    ("r-config", &["READ CONFIG CONFIG"]),
    ("w-config", &["WRITE CONFIG CONFIG"]),
    ("rw-config", &["READ CONFIG *", "WRITE CONFIG *"]),
    ("rw-security", &["READ CONFIG security", "WRITE CONFIG security"]),
    ("rw-view", &["READ VIEW *", "WRITE VIEW *"]),
    ("rw-system-table", &["READ SYSTEM_TABLE *", "WRITE SYSTEM_TABLE *"]),
    ("rw-query-context", &["READ QUERY_CONTEXT *", "WRITE QUERY_CONTEXT *"]),
    ("rw-external", &["READ EXTERNAL *", "WRITE EXTERNAL *"]),
    ("r-all", &["READ DATASOURCE *", "READ STATE *", "READ CONFIG *", "READ VIEW *", "READ EXTERNAL *"]),
    ("w-all", &["WRITE DATASOURCE *", "WRITE STATE *", "WRITE CONFIG *", "WRITE VIEW *", "WRITE EXTERNAL *"]),
    (
        "all",
        &[
            "READ DATASOURCE *",
            "WRITE DATASOURCE *",
            "READ STATE *",
            "WRITE STATE *",
            "READ CONFIG *",
            "WRITE CONFIG *",
            "READ EXTERNAL *",
        ],
    ),
];

/// The matrix of one version.
pub struct Matrix {
    pub version: Version,
    /// Its text, beside this file.
    pub file: &'static str,
    /// Rows that are not asked, and why.
    pub left_out: &'static [(&'static str, &'static str)],
    pub intended: &'static [Intended],
}

/// An intended difference: in this row, where its body is about this, for reasons of the gate's own.
pub struct Intended {
    pub row: &'static str,
    pub about: &'static str,
    pub druid: u16,
    pub gate: u16,
    pub reason: &'static str,
}

pub const AVATICA: (&str, &str) = ("avatica", "who asks is in the body, and errors are 500: avatica.rs");
pub const CATALOG: (&str, &str) = ("catalog_", "the bed's Druid has no such extension: asked of a stand-in");

const BY_READ: &str = "a query's task is cancelled by READ on its datasource";
pub const OF_READERS: &str = "where segments are is told to who may read them";
pub const FROM_WIKI: Intended = Intended {
    row: "task_submit",
    about: "into taxi from wiki",
    druid: 400,
    gate: 403,
    reason: "a task takes READ on what it reads",
};
pub const FROM_OUTSIDE: Intended = Intended {
    row: "task_submit",
    about: "into taxi from outside",
    druid: 400,
    gate: 403,
    reason: "a task takes READ on EXTERNAL where it reads what is outside",
};
pub const SAMPLE_OF_WIKI: Intended = Intended {
    row: "sampler",
    about: "of wiki",
    druid: 200,
    gate: 403,
    reason: "a sampler shows what it reads, so it takes READ on that",
};

const DRUID_27: Matrix = Matrix {
    version: Version::V27,
    file: "matrix.txt",
    left_out: &[
        AVATICA,
        CATALOG,
        ("supervisor_submit", "of the types that clients may submit the bed's Druid has none: bodies.rs"),
        ("statement_", "one's own alone: lifecycle.rs; who may submit them: submissions.rs"),
    ],
    intended: &[
        Intended { row: "task_cancel", about: "", druid: 403, gate: 200, reason: BY_READ },
        Intended { row: "task_cancel", about: "", druid: 200, gate: 403, reason: BY_READ },
        Intended { row: "query_candidates", about: "of wiki", druid: 200, gate: 403, reason: OF_READERS },
        Intended { row: "query_candidates", about: "of wiki and taxi", druid: 500, gate: 403, reason: OF_READERS },
        FROM_WIKI,
        FROM_OUTSIDE,
        SAMPLE_OF_WIKI,
    ],
};

/// The asking threads: most of the time is spent in Druid.
const THREADS: usize = 6;

/// How long two answers may differ because something changed between them.
const SETTLE: Duration = Duration::from_secs(10);

/// What one end says to one user: the status, and what of the known names is seen.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Outcome {
    status: u16,
    seen: String,
}

impl Outcome {
    fn allowed(&self) -> bool {
        self.status != 401 && self.status != 403
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.status.to_string())?;
        if self.seen.is_empty() { Ok(()) } else { write!(f, " {}", self.seen) }
    }
}

/// A request for which every user is asked at both ends.
struct Case {
    row: &'static Row,
    example: Example,
    /// Which of the row's examples it is.
    place: usize,
}

/// What both ends say to one user.
struct Decision {
    druid: Outcome,
    gate: Outcome,
}

/// One of the two ends, with the credentials that each user has there.
struct End<'a> {
    url: &'a str,
    credentials: Vec<String>,
}

/// Both ends.
struct Ends<'a> {
    druid: End<'a>,
    gate: End<'a>,
}

impl Ends<'_> {
    fn with_users() -> Self {
        let users = BED.add_users(&USERS).unwrap_or_else(|error| panic!("{error}"));
        let druid = USERS.iter().map(|(name, _)| http::basic(name, &users[*name].password)).collect();
        let gate = USERS.iter().map(|(name, _)| format!("Bearer {}", users[*name].token)).collect();
        Self { druid: End { url: &BED.router, credentials: druid }, gate: End { url: &BED.gate, credentials: gate } }
    }
}

#[test]
fn the_gate_decides_as_druid_decides() {
    compare(&DRUID_27);
}

/// Asks for all of it, and fails where it is not as it should be.
pub fn compare(matrix: &Matrix) {
    assert_eq!(Version::of_bed(), matrix.version, "see MSQ_GATE_BED_DRUID");
    let _supervisors = SUPERVISORS.lock();
    let ends = Ends::with_users();
    examples::make_known_supervisors();
    let (reads, changes): (Vec<Case>, Vec<Case>) = cases(matrix).into_iter().partition(|case| case.row.method == "GET");
    // A supervisor is not there for a moment while Druid changes it, so each is changed by one at a time.
    let (one_by_one, changes): (Vec<Case>, Vec<Case>) =
        changes.into_iter().partition(|case| matches!(case.row.rule, Rule::Supervisor(_)));
    let mut decisions = decide_all(&ends, &reads, THREADS);
    decisions.extend(decide_all(&ends, &changes, THREADS));
    decisions.extend(decide_all(&ends, &one_by_one, 1));
    examples::remove_thrown_away();
    let cases: Vec<Case> = reads.into_iter().chain(changes).chain(one_by_one).collect();
    let each = rows(matrix).filter(|row| matches!(row.rule, Rule::EachSupervisor(_)));
    let each: Vec<(&Row, Vec<Decision>)> = each.map(|row| (row, decide_each(&ends, row))).collect();
    let sections = cases.iter().zip(&decisions).map(|(case, decisions)| (case.row, label(&case.example), decisions));
    let sections: Vec<_> = sections.chain(each.iter().map(|(row, all)| (*row, row.path.to_owned(), all))).collect();
    let (text, faults) = tell(matrix, &sections);
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gate").join(matrix.file);
    if std::env::var("MATRIX").is_ok_and(|value| value == "accept") {
        std::fs::write(&path, &text).expect("written");
    }
    assert!(faults.is_empty(), "{} unintended differences:\n{}", faults.len(), faults.join("\n"));
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    if text != committed {
        let found = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(matrix.file);
        std::fs::write(&found, &text).expect("written");
        panic!("not as committed; see the head of this file, and compare {}", found.display());
    }
}

/// The rows that this version has.
fn rows(matrix: &Matrix) -> impl Iterator<Item = &'static Row> {
    let version: u32 = matrix.version.as_str().parse().expect("a number");
    let there = move |row: &&Row| row.since <= version && row.until.is_none_or(|until| until >= version);
    ROWS.iter().copied().filter(there)
}

/// The requests of all rows that are asked.
fn cases(matrix: &Matrix) -> Vec<Case> {
    let mut cases = Vec::new();
    for row in rows(matrix) {
        let left_out = matrix.left_out.iter().any(|(name, _)| row.name.starts_with(name));
        if left_out || matches!(row.rule, Rule::EachSupervisor(_)) {
            continue;
        }
        let examples = examples::examples(row).into_iter().enumerate();
        cases.extend(examples.map(|(place, example)| Case { row, example, place }));
    }
    cases
}

/// Asks every user's question at both ends, many at a time; the decisions on each case, in the order of users.
fn decide_all(ends: &Ends<'_>, cases: &[Case], threads: usize) -> Vec<Vec<Decision>> {
    let next = AtomicUsize::new(0);
    let total = cases.len() * USERS.len();
    let work = || {
        let agents = (http::plain(), BED.client().expect("a client"));
        let mut found = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            if place >= total {
                return found;
            }
            let (case, user) = (&cases[place / USERS.len()], place % USERS.len());
            let druid = |example: &Example| ask(&agents.0, &ends.druid, user, case.row, example);
            let gate = |example: &Example| ask(&agents.1, &ends.gate, user, case.row, example);
            found.push((place, decide(case, druid, gate)));
        }
    };
    let mut all: Vec<(usize, Decision)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    all.sort_by_key(|(place, _)| *place);
    let mut all = all.into_iter().map(|(_, decision)| decision);
    cases.iter().map(|_| all.by_ref().take(USERS.len()).collect()).collect()
}

type Asked = (Outcome, Value);

/// What both ends say, a list asked for anew until it does not change between the two.
fn decide(case: &Case, druid: impl Fn(&Example) -> Asked, gate: impl Fn(&Example) -> Asked) -> Decision {
    let example = || {
        let anew = examples::consumes(case.row).then(|| examples::examples(case.row).swap_remove(case.place));
        anew.unwrap_or_else(|| case.example.clone())
    };
    let start = Instant::now();
    loop {
        let ((druid, listed), (mut gate, seen)) = (druid(&example()), gate(&example()));
        if listed == seen || start.elapsed() > SETTLE {
            if listed != seen && druid == gate {
                gate.seen.push_str(" in other words");
            }
            return Decision { druid, gate };
        }
    }
}

fn ask(agent: &Agent, end: &End<'_>, user: usize, row: &Row, example: &Example) -> Asked {
    let url = format!("{}{}", end.url, example.target);
    let body = example.body.as_ref().map(Value::to_string).or_else(|| (row.method == "POST").then(String::new));
    let answer = http::send(agent, row.method.as_str(), &url, Some(&end.credentials[user]), body.as_deref());
    let answer = answer.unwrap_or_else(|error| panic!("{url}: {error}"));
    let is_list = matches!(row.answer, Answer::List(_)) && row.method == "GET" && answer.status == 200;
    let listed = if is_list { known_of(answer.json()) } else { Value::Null };
    let seen = if is_list { names_in(&listed) } else { String::new() };
    (Outcome { status: answer.status, seen }, listed)
}

/// Of a list, what is always there: other tests make tasks and datasources of their own.
fn known_of(list: Value) -> Value {
    match list {
        Value::Array(items) => {
            let is_known = |item: &Value| {
                let id = item.as_str().or_else(|| item["id"].as_str()).or_else(|| item["name"].as_str());
                id.or_else(|| item["dataSource"].as_str()).is_some_and(|id| alias(id).is_some())
            };
            Value::Array(items.into_iter().filter(is_known).collect())
        }
        Value::Object(members) if members.keys().any(|key| alias(key).is_some()) => {
            Value::Object(members.into_iter().filter(|(key, _)| alias(key).is_some()).collect())
        }
        other => other,
    }
}

/// A name that is always there, as the matrix calls it.
fn alias(name: &str) -> Option<&str> {
    match name {
        "wiki" | "taxi" => Some(name),
        _ if name == TASKS.wiki => Some("task-of-wiki"),
        _ if name == TASKS.taxi => Some("task-of-taxi"),
        _ if Some(name) == TASKS.query.as_deref() => Some("query-of-wiki"),
        _ => KNOWN_SUPERVISORS.iter().map(|(id, _)| *id).find(|id| *id == name),
    }
}

/// The known names in a list, and what it counts.
fn names_in(list: &Value) -> String {
    let text = list.to_string();
    let known = ["wiki", "taxi"].into_iter().chain(TASKS.ids()).chain(KNOWN_SUPERVISORS.map(|(id, _)| id));
    let mut names: Vec<String> = known
        .filter(|name| text.contains(&format!("\"{name}\"")))
        .filter_map(|name| alias(name).map(str::to_owned))
        .collect();
    names.extend(list["count"].as_i64().map(|count| format!("{count} segments")));
    format!("[{}]", names.join(" "))
}

/// The target, with the names of tasks that are this run's alone replaced, and what is sent to it.
fn label(example: &Example) -> String {
    let parts = example.target.split('/').map(|part| match part {
        _ if part.starts_with(THROWN_AWAY) => "{thrown-away}".to_owned(),
        _ => alias(part).filter(|alias| *alias != part).map_or_else(|| part.to_owned(), |alias| format!("{{{alias}}}")),
    });
    let target = parts.collect::<Vec<_>>().join("/");
    if example.about.is_empty() { target } else { format!("{target} ({})", example.about) }
}

/// What each user's request does to each known supervisor, which are there before each.
fn decide_each(ends: &Ends<'_>, row: &Row) -> Vec<Decision> {
    let agents = (http::plain(), BED.client().expect("a client"));
    let versions = |id: &str| {
        let url = format!("{}/druid/indexer/v1/supervisor/{id}/history", BED.router);
        let admin = BED.basic("admin").expect("admin");
        http::send(&agents.0, "GET", &url, Some(&admin), None).expect("an answer").json().as_array().map_or(0, Vec::len)
    };
    let example = Example { target: row.path.to_owned(), body: None, about: "" };
    let one = |agent: &Agent, end: &End<'_>, user: usize| {
        examples::make_known_supervisors();
        let before = KNOWN_SUPERVISORS.map(|(id, _)| versions(id));
        let (outcome, _) = ask(agent, end, user, row, &example);
        let done = KNOWN_SUPERVISORS.iter().zip(before).filter(|((id, _), before)| versions(id) > *before);
        let seen = format!("[{}]", done.map(|((id, _), _)| *id).collect::<Vec<_>>().join(" "));
        Outcome { seen, ..outcome }
    };
    let users = 0..USERS.len();
    users
        .map(|user| Decision { druid: one(&agents.0, &ends.druid, user), gate: one(&agents.1, &ends.gate, user) })
        .collect()
}

/// The matrix as text, and what of it is not as it should be.
fn tell(matrix: &Matrix, sections: &[(&Row, String, &Vec<Decision>)]) -> (String, Vec<String>) {
    let mut faults = Vec::new();
    let mut met = BTreeSet::new();
    let mut body = String::new();
    for (row, label, decisions) in sections {
        let _ = writeln!(body, "\n{} {label}", row.method);
        let mut groups = BTreeMap::<(Outcome, Outcome), Vec<&str>>::new();
        for (decision, (user, _)) in decisions.iter().zip(USERS) {
            groups.entry((decision.druid.clone(), decision.gate.clone())).or_default().push(user);
        }
        let most = groups.values().map(Vec::len).max().unwrap_or(0);
        for ((druid, gate), users) in groups {
            let users = match users.len() {
                count if count == USERS.len() => "everyone".to_owned(),
                count if count == most && most > USERS.len() / 2 => "the others".to_owned(),
                _ => users.join(" "),
            };
            if druid == gate {
                let _ = writeln!(body, "    {druid}: {users}");
                continue;
            }
            let known = matrix.intended.iter().position(|known| {
                let about = known.about.is_empty() || label.ends_with(&format!(" ({})", known.about));
                about && known.row == row.name && known.druid == druid.status && known.gate == gate.status
            });
            let reason = known.and_then(|place| matrix.intended.get(place)).map_or("UNINTENDED", |known| known.reason);
            let line = format!("    Druid {druid}, the gate {gate}: {users} ({reason})");
            let _ = writeln!(body, "{line}");
            match known {
                Some(place) => drop(met.insert(place)),
                None => faults.push(format!("{} {label}\n{line}", row.method)),
            }
        }
    }
    let all = 0..matrix.intended.len();
    faults.extend(all.filter(|place| !met.contains(place)).map(|place| format!("not met: {place}")));
    (head(matrix, sections) + &body, faults)
}

/// What the matrix is about, and how much it holds.
fn head(matrix: &Matrix, sections: &[(&Row, String, &Vec<Decision>)]) -> String {
    let count = |wanted: &dyn Fn(&Row, &Decision) -> bool| {
        sections.iter().map(|(row, _, all)| all.iter().filter(|one| wanted(row, one)).count()).sum::<usize>()
    };
    let is_change = |row: &Row| row.method != "GET";
    let (all, changes) = (count(&|_, _| true), count(&|row, _| is_change(row)));
    let allowed = count(&|row, one| is_change(row) && one.gate.allowed());
    let differ = count(&|_, one| one.druid != one.gate);
    assert!(
        all >= 5_000 && changes >= 1_000 && allowed >= 500,
        "{all} decisions, {changes} on changes, {allowed} allowed"
    );
    let mut text = format!(
        "What Druid {} answers each of {} users, and the gate answers the same user: the status, and of lists what is seen.\n\
         {all} decisions; {changes} of them on requests that change something, of which {allowed} are allowed. \
         Different: {differ}.\n\nLeft out: rows of other versions, and\n",
        matrix.version.as_str(),
        USERS.len()
    );
    for (row, reason) in matrix.left_out {
        let _ = writeln!(text, "    {row}: {reason}");
    }
    text.push_str("\nThe users:\n");
    for (name, grants) in USERS {
        let _ =
            writeln!(text, "    {name}: {}", if grants.is_empty() { "nothing".to_owned() } else { grants.join(", ") });
    }
    text
}

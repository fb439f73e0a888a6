//! The real curl: the requests of Druid's documentation (`tests/clients/curl.txt`), and the lines of README.md and the demo.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use msq_gate_bed::{BedFile, demo};
use serde_json::Value;

use crate::packages::{root, run};
use crate::support::{BED, token, unique};

/// For a task to end, and for a Historical to have its segments.
const AWAIT_BOUND: Duration = Duration::from_secs(120);

/// The `curl` of the cases. The status is on a line of its own after the answer.
const CURL: &str = r#"curl() {
    command curl --silent --show-error --cacert "$CA" -H "Authorization: Bearer $TOKEN" --write-out '\n%{http_code}' "$@"
}
"#;

/// What one user is to be told.
struct Expected<'a> {
    user: &'a str,
    /// `None`: asked until it is as it should be.
    status: Option<&'a str>,
    text: &'a str,
}

struct Case<'a> {
    expected: Vec<Expected<'a>>,
    /// What is kept of the last answer: a name, a key.
    kept: Option<(&'a str, &'a str)>,
    command: &'a str,
}

fn read(paragraph: &str) -> Option<Case<'_>> {
    let begin = paragraph.find("\ncurl ").or_else(|| paragraph.starts_with("curl ").then_some(0))?;
    let (head, command) = paragraph.split_at(begin);
    let (mut expected, mut kept) = (Vec::new(), None);
    for line in head.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (first, rest) = line.split_once(' ').unwrap_or_else(|| panic!("not read: {line}"));
        let (second, text) = rest.split_once(' ').unwrap_or((rest, ""));
        match second {
            "=" => kept = Some((first, text)),
            "await" => expected.push(Expected { user: first, status: None, text }),
            status => expected.push(Expected { user: first, status: Some(status), text }),
        }
    }
    Some(Case { expected, kept, command: command.trim() })
}

/// The status and the body that curl gets.
fn ask(command: &str, user: &str, variables: &BTreeMap<String, String>) -> (String, String) {
    let mut bash = Command::new("bash");
    bash.args(["-c", &format!("{CURL}{command}")]).envs(variables).env("TOKEN", token(user));
    let output = String::from_utf8_lossy(&run(&mut bash).stdout).into_owned();
    let (body, status) = output.rsplit_once('\n').expect("a status");
    (status.to_owned(), body.to_owned())
}

fn with_values(text: &str, variables: &BTreeMap<String, String>) -> String {
    variables.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${name}"), value))
}

#[test]
fn the_requests_of_druids_documentation_are_answered() {
    let corpus = fs::read_to_string(root().join("tests/clients/curl.txt")).expect("the cases");
    let cases: Vec<Case<'_>> = corpus.split("\n\n").filter_map(read).collect();
    assert!(cases.len() > 40, "{}", cases.len());
    let mut variables: BTreeMap<String, String> = [
        ("GATE".to_owned(), BED.gate.clone()),
        ("CA".to_owned(), BED.ca.display().to_string()),
        ("NEW".to_owned(), unique("curl")),
    ]
    .into();
    let mut faults = Vec::new();
    for case in &cases {
        let mut last = String::new();
        for expected in &case.expected {
            let wanted = with_values(expected.text, &variables);
            let start = Instant::now();
            let (status, body) = loop {
                let (status, body) = ask(case.command, expected.user, &variables);
                let is_there = status == "200" && body.contains(&wanted);
                if expected.status.is_some() || is_there || start.elapsed() > AWAIT_BOUND {
                    break (status, body);
                }
                std::thread::sleep(Duration::from_millis(300));
            };
            if status != expected.status.unwrap_or("200") || !body.contains(&wanted) {
                faults.push(format!("{}: {}\n{status} {body}\nnot {wanted}\n", expected.user, case.command));
            }
            last = body;
        }
        if let Some((name, key)) = case.kept {
            let answer: Value = serde_json::from_str(&last).unwrap_or_else(|error| panic!("{error}: {last}"));
            let value = answer[key].as_str().unwrap_or_else(|| panic!("no {key}: {last}; {}", faults.join("\n")));
            variables.insert(name.to_owned(), value.to_owned());
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The block as it stands, in the root of the repository, where a person is.
#[test]
fn the_lines_of_readme_do_what_they_say() {
    LazyLock::force(&BED);
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let blocks: Vec<&str> = readme.split("```").skip(1).step_by(2).collect();
    let of_curl: Vec<&str> = blocks.iter().filter_map(|block| block.strip_prefix("bash\n")).collect();
    assert_eq!(of_curl.len(), blocks.iter().filter(|block| block.contains("curl ")).count(), "a block that is not run");
    let said = of_curl.iter().map(|block| run(Command::new("bash").args(["-euo", "pipefail", "-c", block])).stdout);
    let said: String = said.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect();
    for wanted in [
        r#""errorMessage":"Missing permissions: WRITE DATASOURCE wiki""#,
        r#""page":"#,
        r#""status":"RUNNING""#,
        r#"{"task":"query-"#,
        // The last audit record is of one of these requests.
        r#""decision""#,
    ] {
        assert!(said.contains(wanted), "{wanted} is not in\n{said}");
    }
}

/// What `cargo demo` prints to be pasted: an allow and a 403.
#[test]
fn the_lines_of_the_demo_do_what_they_say() {
    LazyLock::force(&BED);
    let bed = BedFile::load().ok().flatten().expect("a bed");
    let instructions = demo::instructions(&bed);
    let (_, lines) = instructions.split_once("\n# allowed: ").expect("the lines");
    let script = format!("set -euo pipefail\n# allowed: {lines}");
    let said = run(Command::new("bash").args(["-c", &script])).stdout;
    let said = String::from_utf8_lossy(&said);
    let (allowed, refused) = said.split_once("}{").expect("two answers");
    assert!(allowed.contains(r#""state":"RUNNING""#), "{said}");
    assert!(refused.contains("Missing permissions: WRITE DATASOURCE wiki"), "{said}");
}

//! Druid's own planners, without a cluster: a Java program over the jars of one version, asked by lines of JSON.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, BufWriter, Lines, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use serde::{Deserialize, Serialize};

use crate::error::{BedError, Result};
use crate::progress::Progress;
pub use crate::version::Version;
use crate::{classes, maven, places, tools};

/// What is asked.
#[derive(Clone, Debug, Serialize)]
pub struct Question<'a> {
    /// Given back with the answer.
    pub id: usize,
    /// The statement.
    pub sql: &'a str,
    /// The values of its `?`, if there are any.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub parameters: &'a [String],
    /// Whether each type of input source needs its own permission.
    pub by_type: bool,
}

/// What Druid says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Answer {
    /// That of the question.
    pub id: usize,
    /// It passes Druid's validation, for tables with some columns or others.
    pub accepted: bool,
    /// What Druid would authorize, if it is accepted.
    #[serde(default)]
    pub resources: BTreeSet<String>,
    /// The resources that were found before it failed, if it failed that late.
    pub registered: Option<BTreeSet<String>>,
    /// The first words of why it is not accepted.
    #[serde(default)]
    pub error: String,
}

/// One planner, in a process of its own that runs until this is dropped.
#[derive(Debug)]
pub struct Planner {
    version: Version,
    child: Child,
    /// None once there is nothing more to ask.
    input: Option<BufWriter<ChildStdin>>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Planner {
    /// Compiles the program against the jars of `version`, which are fetched first where there are none, and starts it.
    ///
    /// # Errors
    /// Without Java, Maven or jars.
    pub fn start(progress: &Progress, version: Version) -> Result<Self> {
        let mut child = Program::prepare(progress, version)?.start()?;
        let lacks = || BedError::new("the planner has no pipes", "see tests/bed/src/planner.rs");
        let input = child.stdin.take().map(BufWriter::new).ok_or_else(lacks)?;
        let output = child.stdout.take().map(|output| BufReader::new(output).lines()).ok_or_else(lacks)?;
        Ok(Self { version, child, input: Some(input), output })
    }

    /// The answers, in the order of the questions.
    ///
    /// # Errors
    /// If the program does not answer each question.
    pub fn ask(&mut self, questions: &[Question<'_>]) -> Result<Vec<Answer>> {
        let (input, output) = (&mut self.input, &mut self.output);
        let answers: Vec<Answer> = thread::scope(|scope| {
            // Writes and reads at once: either pipe may be full.
            scope.spawn(move || write(input.as_mut(), questions));
            output.by_ref().take(questions.len()).map(parse).collect::<Result<_>>()
        })?;
        let in_order = answers.iter().zip(questions).all(|(answer, question)| answer.id == question.id);
        if answers.len() == questions.len() && in_order {
            return Ok(answers);
        }
        let next = "run it by hand with the question after the last answer";
        let (version, asked) = (self.version.as_str(), questions.len());
        Err(BedError::new(format!("the planner of {version} gave {} answers to {asked}", answers.len()), next))
    }
}

impl Drop for Planner {
    fn drop(&mut self) {
        // It ends where its input ends.
        self.input = None;
        let _ = self.child.wait();
    }
}

/// A program that ends early is seen by its missing answers.
fn write(input: Option<&mut BufWriter<ChildStdin>>, questions: &[Question<'_>]) {
    let Some(input) = input else { return };
    for question in questions {
        let line = serde_json::to_string(question).unwrap_or_default();
        if writeln!(input, "{line}").is_err() {
            return;
        }
    }
    let _ = input.flush();
}

fn parse(line: std::io::Result<String>) -> Result<Answer> {
    let line = line.map_err(BedError::io("read the planner's answers"))?;
    serde_json::from_str(&line)
        .map_err(|error| BedError::new(format!("an answer of the planner: {error}"), "see tests/planner"))
}

struct Program {
    java: PathBuf,
    classes: PathBuf,
    jars: PathBuf,
}

impl Program {
    fn prepare(progress: &Progress, version: Version) -> Result<Self> {
        let (java, javac) = tools::compiler(progress)?;
        let pom = sources().join(format!("pom-{}.xml", version.as_str()));
        let jars = maven::jars_of(progress, &pom, &format!("planner-{}.0.0", version.as_str()))?;
        let classes = classes::compiled(&javac, &jars, &sources().join("src"))?;
        Ok(Self { java, classes, jars })
    }

    fn start(&self) -> Result<Child> {
        Command::new(&self.java)
            // One thread does all the work. Both compilers are on: the second is worth what it costs from some 40,000
            // statements on.
            .args(["-XX:+UseSerialGC", "-Xmx1g", "-cp"])
            .arg(format!("{}:{}/*", self.classes.display(), self.jars.display()))
            .arg("Planner")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(BedError::io("run java"))
    }
}

fn sources() -> PathBuf {
    places::workspace().join("tests/planner")
}

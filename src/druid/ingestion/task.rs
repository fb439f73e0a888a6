//! Tasks that clients submit. Druid: `Task` and its sub-types, `OverlordResource.taskPost`.

use super::Ingestion;
use crate::druid::naming::{self, OddBody};
use crate::druid::task::{QUERY_CONTROLLER, TaskId};
use crate::json::Json;

/// What kinds of tasks there are.
#[derive(Clone, Copy)]
enum Form {
    /// Batch ingestion: all is in `spec`.
    Batch,
    /// A task of a stream, of this type; its parts stand in it.
    Stream(&'static str),
    /// A task about the segments of one datasource, that it names.
    Segments,
    /// The same, rewriting them.
    Compaction,
    /// Nothing; in a datasource named `none` if it names no other.
    Noop,
    /// What only MSQ makes.
    Controller,
    /// What only other tasks, or Druid's services, make.
    Internal,
    /// What was only ever fed by firehoses.
    Realtime,
}

/// Every type of task that Druid 24 to 37 and its extensions have.
const TYPES: [(&str, Form); 23] = [
    ("index_parallel", Form::Batch),
    ("index", Form::Batch),
    ("index_hadoop", Form::Batch),
    ("index_kafka", Form::Stream("kafka")),
    ("index_kinesis", Form::Stream("kinesis")),
    ("index_rabbit", Form::Stream("rabbit")),
    ("compact", Form::Compaction),
    ("kill", Form::Segments),
    ("move", Form::Segments),
    ("archive", Form::Segments),
    ("restore", Form::Segments),
    ("noop", Form::Noop),
    (QUERY_CONTROLLER, Form::Controller),
    ("query_worker", Form::Internal),
    ("single_phase_sub_task", Form::Internal),
    ("index_sub", Form::Internal),
    ("partial_index_generate", Form::Internal),
    ("partial_dimension_cardinality", Form::Internal),
    ("partial_range_index_generate", Form::Internal),
    ("partial_dimension_distribution", Form::Internal),
    ("partial_index_generic_merge", Form::Internal),
    ("index_realtime", Form::Realtime),
    ("index_realtime_appenderator", Form::Realtime),
];

/// The ids of tasks that run queries. Who takes one of a query's worker stops the query.
const OF_QUERIES: &str = "query-";

/// Where a `noop` is that says nothing. Druid: `NoopTask`.
const NOWHERE: &str = "none";

/// Reads a task.
///
/// # Errors
/// [`OddBody`], where the gate cannot say what it does, or clients may not submit it.
pub fn read(task: &Json) -> Result<Ingestion<'_>, OddBody> {
    let (kind, form) = naming::type_of(task, "type", "a task", &TYPES)?;
    refuse_internal(form)?;
    let mut found = Ingestion::of_kind(kind);
    for (key, value) in naming::members(task, "the task")? {
        match (form, key.as_str(), value) {
            (_, "type", _) | (_, "dataSource", Json::Null) => {}
            (_, "id", value) => check_id(value)?,
            (_, "dataSource", value) => found.write(value)?,
            (Form::Batch, "spec", spec) => found.batch_spec(spec)?,
            (Form::Stream(_), "dataSchema", schema) => found.data_schema(schema)?,
            (Form::Stream(_), "ioConfig", config) => found.io_config(config)?,
            // It would be taken for a task of that supervisor, with the supervisor's offsets.
            (Form::Stream(_), "supervisorId", value) if *value != Json::Null => {
                return Err(OddBody::NotForClients("only a supervisor says [supervisorId]; leave it out"));
            }
            // Classes in the place of Druid's own. Druid: `HadoopIndexTask`, `ForkingTaskRunner`.
            (Form::Batch, "classpathPrefix", value) if *value != Json::Null => {
                return Err(OddBody::NotForClients("[classpathPrefix] is not for clients to say; leave it out"));
            }
            (Form::Compaction, "segments", segments) => found.segments(segments)?,
            (Form::Compaction, "ioConfig", config) => found.compaction_config(config)?,
            (_, other, value) => naming::unread(other, value, "the task")?,
        }
    }
    if let Form::Stream(source) = form {
        found.sources.insert(source);
    }
    if matches!(form, Form::Compaction) {
        // What it reads of its own it writes there again.
        found.reads.retain(|name| !found.writes.contains(name));
    }
    if matches!(form, Form::Noop) && found.writes.is_empty() {
        found.writes.insert(NOWHERE.to_owned());
    }
    if found.writes.is_empty() {
        return Err(OddBody::Type("dataSource", "a string that is not empty"));
    }
    found.check()
}

impl Ingestion<'_> {
    /// Segments that a task names one by one, each with its datasource or without.
    fn segments(&mut self, segments: &Json) -> Result<(), OddBody> {
        naming::reads_each_named(segments, "segments", &mut self.reads)
    }

    /// Druid: `CompactionIOConfig`.
    fn compaction_config(&mut self, config: &Json) -> Result<(), OddBody> {
        if *config == Json::Null {
            return Ok(());
        }
        for (key, value) in naming::members(config, "ioConfig")? {
            match key.as_str() {
                "inputSpec" => self.segments(value)?,
                other => naming::unread(other, value, "ioConfig")?,
            }
        }
        Ok(())
    }
}

fn refuse_internal(form: Form) -> Result<(), OddBody> {
    let message = match form {
        Form::Batch | Form::Stream(_) | Form::Segments | Form::Compaction | Form::Noop => return Ok(()),
        Form::Controller => {
            "a query_controller reads whatever its spec says; submit SQL to /druid/v2/sql/task or /druid/v2/sql/statements"
        }
        Form::Internal => "a task of this type is only for Druid's own tasks; submit index_parallel, or SQL",
        Form::Realtime => "a task of this type reads a firehose; submit a supervisor of type kafka or kinesis",
    };
    Err(OddBody::NotForClients(message))
}

fn check_id(id: &Json) -> Result<(), OddBody> {
    match id {
        Json::Null => Ok(()),
        Json::String(text) if text.starts_with(OF_QUERIES) => {
            Err(OddBody::NotForClients("ids that begin with query- are those of queries; choose another"))
        }
        Json::String(text) if TaskId::new(text).is_some() => Ok(()),
        Json::String(_) | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
            Err(OddBody::Type("id", "the id of a task"))
        }
    }
}

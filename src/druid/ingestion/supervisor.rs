//! Supervisors that clients submit. Druid: `SupervisorSpec` and its sub-types, `SupervisorResource.specPost`.
//!
//! A supervisor takes the place of the one that has its id, whatever that one is about: those ids are among what is found.

use super::Ingestion;
use crate::druid::naming::{self, OddBody};
use crate::druid::sql_query::{OddQuery, SqlQuery};
use crate::druid::stored_supervisor::SupervisorId;
use crate::json::Json;

/// What kinds of supervisors there are.
#[derive(Clone, Copy)]
enum Form {
    /// Reads a stream of this type.
    Stream(&'static str),
    /// Compacts a datasource.
    Compaction,
    /// Runs SQL.
    Batch,
    /// Stands in for one that was ended.
    Noop,
}

/// `derivativeDataSource`, of an extension that Druid does not ship, is not among them.
const TYPES: [(&str, Form); 6] = [
    ("kafka", Form::Stream("kafka")),
    ("kinesis", Form::Stream("kinesis")),
    ("rabbit", Form::Stream("rabbit")),
    ("autocompact", Form::Compaction),
    ("scheduled_batch", Form::Batch),
    ("NoopSupervisorSpec", Form::Noop),
];

/// What stands before the datasource in the id of a compaction. Druid: `CompactionSupervisorSpec.ID_PREFIX`.
const COMPACTION_ID: &str = "autocompact__";

/// Reads a supervisor's spec.
///
/// # Errors
/// [`OddBody`], where the gate cannot say what it does, or clients may not submit it.
pub fn read(supervisor: &Json) -> Result<Ingestion<'_>, OddBody> {
    let (kind, form) = naming::type_of(supervisor, "type", "a supervisor", &TYPES)?;
    if matches!(form, Form::Noop) {
        let message = "this type would stop the supervisor that has its id; use /suspend or /terminate on that";
        return Err(OddBody::NotForClients(message));
    }
    let mut found = Ingestion::of_kind(kind);
    for (key, value) in naming::members(supervisor, "the supervisor")? {
        match (form, key.as_str(), value) {
            (_, "type", _) | (_, "dataSource" | "spec" | "dataSchema" | "ioConfig" | "id", Json::Null) => {}
            (_, "id", id) => {
                found.replaces.insert(naming::text(id, "id")?.to_owned());
            }
            (_, "dataSource", value) => found.write(value)?,
            (Form::Stream(_), "spec", spec) => found.batch_spec(spec)?,
            // What the Overlord answers has these beside the spec, and older specs have them alone.
            (Form::Stream(_), "dataSchema", schema) => found.data_schema(schema)?,
            (Form::Stream(_), "ioConfig", config) => found.io_config(config)?,
            (Form::Compaction, "spec", spec) => found.compaction(spec)?,
            (Form::Batch, "spec", spec) => found.statement = Some(statement(spec)?),
            (_, other, value) => naming::unread(other, value, "the supervisor")?,
        }
    }
    match form {
        Form::Stream(source) => {
            found.sources.insert(source);
            found.replaces.extend(found.writes.iter().cloned());
        }
        Form::Compaction => found.replaces.extend(found.writes.iter().map(|name| format!("{COMPACTION_ID}{name}"))),
        Form::Batch | Form::Noop => {}
    }
    match (form, &found.statement) {
        (Form::Batch, None) => return Err(OddBody::Type("spec", "a query as /druid/v2/sql takes it")),
        (Form::Stream(_) | Form::Compaction, _) if found.writes.is_empty() => {
            return Err(OddBody::Type("dataSource", "a string that is not empty"));
        }
        (Form::Stream(_) | Form::Compaction | Form::Batch | Form::Noop, _) => {}
    }
    if found.replaces.iter().any(|id| SupervisorId::new(id).is_none()) {
        return Err(OddBody::Type("id", "the id of a supervisor"));
    }
    found.check()
}

/// Reads the configuration of a datasource's compaction.
///
/// # Errors
/// [`OddBody`], where it holds what names another, or clients may not set it.
pub fn read_compaction(config: &Json) -> Result<Ingestion<'_>, OddBody> {
    let mut found = Ingestion::of_kind("compaction");
    found.compaction(config)?;
    Ok(found)
}

impl<'j> Ingestion<'j> {
    /// Druid: `DataSourceCompactionConfig`.
    fn compaction(&mut self, config: &'j Json) -> Result<(), OddBody> {
        for (key, value) in naming::members(config, "spec")? {
            match key.as_str() {
                "dataSource" => self.write(value)?,
                other => naming::unread(other, value, "spec")?,
            }
        }
        Ok(())
    }
}

/// The SQL that is run again and again. Druid: `ScheduledBatchSupervisorSpec`, whose `spec` is a `SqlQuery`.
fn statement(spec: &Json) -> Result<SqlQuery, OddBody> {
    naming::names_nothing(spec, "spec")?;
    let query = SqlQuery::from_json(spec.clone()).map_err(|odd| match odd {
        OddQuery::ReservedKey(key) => OddBody::ReservedKey(key),
        OddQuery::Json(_)
        | OddQuery::Encoding
        | OddQuery::JsonInForm(_)
        | OddQuery::Empty
        | OddQuery::Type(..)
        | OddQuery::ManyKeys => OddBody::Type("spec", "a query as /druid/v2/sql takes it"),
    })?;
    if query.client_id().is_some() {
        // Each run would have the same id.
        return Err(OddBody::ReservedKey("sqlQueryId".to_owned()));
    }
    Ok(query)
}

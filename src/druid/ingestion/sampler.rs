//! Samplers: the Overlord itself reads some rows and shows them. Druid: `SamplerSpec` and its sub-types.

use super::Ingestion;
use crate::druid::naming::{self, OddBody};
use crate::json::Json;

/// The types of samplers, and the streams that they read.
const TYPES: [(&str, Option<&str>); 4] =
    [("index", None), ("kafka", Some("kafka")), ("kinesis", Some("kinesis")), ("rabbit", Some("rabbit"))];

/// Reads a sampler's spec.
///
/// # Errors
/// [`OddBody`], where the gate cannot say what it reads.
pub fn read(sampler: &Json) -> Result<Ingestion<'_>, OddBody> {
    let (kind, stream) = naming::type_of(sampler, "type", "a sampler", &TYPES)?;
    let mut found = Ingestion::of_kind(kind);
    found.sources.extend(stream);
    for (key, value) in naming::members(sampler, "the sampler")? {
        match key.as_str() {
            "type" => {}
            "spec" => found.sampled(value)?,
            other => naming::unread(other, value, "the sampler")?,
        }
    }
    // Nothing is written, whatever the rows are to be called.
    found.writes.clear();
    found.check()
}

impl<'j> Ingestion<'j> {
    /// A spec, or a supervisor that holds one.
    fn sampled(&mut self, spec: &'j Json) -> Result<(), OddBody> {
        for (key, value) in naming::members(spec, "spec")? {
            match (key.as_str(), value) {
                ("dataSchema" | "ioConfig" | "spec", Json::Null) => {}
                ("spec", spec) => self.sampled(spec)?,
                ("dataSchema", schema) => self.data_schema(schema)?,
                ("ioConfig", config) => self.io_config(config)?,
                (other, value) => naming::unread(other, value, "spec")?,
            }
        }
        Ok(())
    }
}

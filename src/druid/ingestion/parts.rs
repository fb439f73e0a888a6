//! Parts that several kinds of specs have.

use super::Ingestion;
use crate::druid::naming::{self, OddBody};
use crate::json::Json;

impl<'j> Ingestion<'j> {
    /// `spec` of batch ingestion. Druid: `IndexIngestionSpec`, `ParallelIndexIngestionSpec`, `HadoopIngestionSpec`.
    pub(super) fn batch_spec(&mut self, spec: &'j Json) -> Result<(), OddBody> {
        for (key, value) in naming::members(spec, "spec")? {
            match key.as_str() {
                "dataSchema" => self.data_schema(value)?,
                "ioConfig" => self.io_config(value)?,
                other => naming::unread(other, value, "spec")?,
            }
        }
        Ok(())
    }

    /// Where rows go. Druid: `DataSchema`.
    pub(super) fn data_schema(&mut self, schema: &'j Json) -> Result<(), OddBody> {
        for (key, value) in naming::members(schema, "dataSchema")? {
            match key.as_str() {
                "dataSource" => self.write(value)?,
                // What older specs have in the place of an input format.
                "parser" => {
                    naming::names_nothing(value, "dataSchema")?;
                    self.input_formats.push(value);
                }
                other => naming::unread(other, value, "dataSchema")?,
            }
        }
        Ok(())
    }

    /// The datasource that `value` names is written to.
    pub(super) fn write(&mut self, value: &Json) -> Result<(), OddBody> {
        self.writes.insert(naming::text(value, "dataSource")?.to_owned());
        Ok(())
    }

    /// Where rows come from. What is null is not there.
    pub(super) fn io_config(&mut self, config: &'j Json) -> Result<(), OddBody> {
        for (key, value) in naming::members(config, "ioConfig")? {
            match (key.as_str(), value) {
                ("inputSource" | "firehose" | "inputSpec" | "inputFormat", Json::Null) => {}
                ("inputSource", source) => {
                    check_source(source)?;
                    self.input_sources.push(source);
                }
                ("inputFormat", format) => self.input_format(format)?,
                ("firehose", firehose) => self.firehose(firehose)?,
                ("inputSpec", spec) => self.path_spec(spec)?,
                (other, value) => naming::unread(other, value, "ioConfig")?,
            }
        }
        Ok(())
    }

    fn input_format(&mut self, format: &'j Json) -> Result<(), OddBody> {
        naming::names_nothing(format, "inputFormat")?;
        self.input_formats.push(format);
        Ok(())
    }

    /// What Druid 24 and 25 have beside input sources. Druid: `FirehoseFactory`.
    fn firehose(&mut self, firehose: &Json) -> Result<(), OddBody> {
        let named = firehose.get("type").and_then(Json::as_str);
        match named {
            Some("ingestSegment") => {
                for (key, value) in naming::members(firehose, "firehose")? {
                    match key.as_str() {
                        "type" | "dataSource" => {}
                        other => naming::unread(other, value, "firehose")?,
                    }
                }
                let named = firehose.get("dataSource").unwrap_or(&Json::Null);
                self.reads.insert(naming::text(named, "dataSource")?.to_owned());
                Ok(())
            }
            Some("inline") => naming::names_nothing(firehose, "firehose"),
            Some("combining") => {
                for (key, value) in naming::members(firehose, "firehose")? {
                    match key.as_str() {
                        "type" => {}
                        "delegates" => {
                            naming::items(value, "delegates")?.iter().try_for_each(|one| self.firehose(one))?;
                        }
                        _ => return Err(OddBody::UnknownKey("a firehose")),
                    }
                }
                Ok(())
            }
            Some(_) | None => Err(OddBody::NotForClients(
                "of firehoses only ingestSegment, inline and combining are served; write an inputSource instead",
            )),
        }
    }

    /// Druid: `PathSpec` and its sub-types, `DatasourceIngestionSpec`.
    fn path_spec(&mut self, spec: &Json) -> Result<(), OddBody> {
        let known = [
            ("dataSource", PathSpec::Datasource),
            ("multi", PathSpec::Multi),
            ("static", PathSpec::Files),
            ("granularity", PathSpec::Files),
            ("granular_unprocessed", PathSpec::Files),
        ];
        let (_, kind) = naming::type_of(spec, "type", "an inputSpec", &known)?;
        match kind {
            PathSpec::Files => {
                self.sources.insert("hadoop");
                naming::names_nothing(spec, "inputSpec")
            }
            PathSpec::Multi => {
                for (key, value) in naming::members(spec, "inputSpec")? {
                    match key.as_str() {
                        "type" => {}
                        "children" => {
                            naming::items(value, "children")?.iter().try_for_each(|child| self.path_spec(child))?;
                        }
                        _ => return Err(OddBody::UnknownKey("an inputSpec")),
                    }
                }
                Ok(())
            }
            PathSpec::Datasource => {
                for (key, value) in naming::members(spec, "inputSpec")? {
                    match key.as_str() {
                        "ingestionSpec" | "segments" => {
                            naming::reads_each_named(value, "inputSpec", &mut self.reads)?;
                        }
                        other => naming::unread(other, value, "inputSpec")?,
                    }
                }
                let named = spec.get("ingestionSpec").and_then(|ingestion| ingestion.get("dataSource"));
                naming::text(named.unwrap_or(&Json::Null), "dataSource").map(drop)
            }
        }
    }
}

/// What an input source reads is judged later; here its other parts are held to naming nothing.
fn check_source(source: &Json) -> Result<(), OddBody> {
    const WITHIN: &str = "inputSource";
    for (key, value) in naming::members(source, WITHIN)? {
        match key.as_str() {
            "type" | "dataSource" => {}
            "delegates" => naming::items(value, "delegates")?.iter().try_for_each(check_source)?,
            other => naming::unread(other, value, WITHIN)?,
        }
    }
    Ok(())
}

/// The kinds of what `index_hadoop` reads.
#[derive(Clone, Copy)]
enum PathSpec {
    Files,
    Multi,
    Datasource,
}

//! The JSON of an input source: what each key of each type means.
//!
//! Druid: `InputSource` and its sub-types, found by Jackson through the property `type`. A key that is not known may be
//! one that Jackson fills though no documentation names it (CVE-2021-25646), so it is refused.

use super::destination::Reach;
use super::place::{Spot, file_system, server};
use super::uri::Uri;
use super::{DruidSource, ExternalRules, Judged, Objection, Sources};
use crate::json::{self, Json};
use crate::sql::refusal::RefusalCode;

/// The types of input sources. `combining` holds others.
const TYPES: [&str; 13] = [
    "azure",
    "azureStorage",
    "combining",
    "delta",
    "druid",
    "generator",
    "google",
    "hdfs",
    "http",
    "iceberg",
    "inline",
    "local",
    "s3",
];

/// The types that parts of an input source may have: where passwords come from, catalogs and filters of iceberg and
/// delta. None of them reads a datasource.
const PART_TYPES: [&str; 23] = [
    "<",
    "<=",
    "=",
    ">",
    ">=",
    "and",
    "default",
    "environment",
    "equals",
    "glue",
    "hive",
    "interval",
    "local",
    "not",
    "or",
    "range",
    "rest",
    "s3",
    "hdfs",
    "google",
    "azure",
    "timeWindow",
    "timeRange",
];

impl ExternalRules {
    /// What the input source reads that `text` describes.
    pub(in crate::sql) fn input_source(&self, text: &str) -> Judged<Sources> {
        let source =
            json::parse_first(text).map_err(|_| Objection::json("an input source as one object with each key once"))?;
        self.parsed_source(&source)
    }

    /// The same, of JSON that is read.
    pub(in crate::sql) fn parsed_source(&self, source: &Json) -> Judged<Sources> {
        let mut sources = Sources::default();
        self.source(source, &mut sources)?;
        Ok(sources)
    }

    fn source(&self, source: &Json, sources: &mut Sources) -> Judged {
        let Json::Object(members) = source else {
            return Err(Objection::json("an input source as an object with a type"));
        };
        let named = source.get("type").and_then(Json::as_str);
        let source_type =
            known(named.ok_or_else(|| Objection::json("the type of each input source as a string"))?, &TYPES)?;
        match source_type {
            "combining" => return self.combining(members, sources),
            "druid" => self.druid(source, sources)?,
            "delta" | "iceberg" => self.tables(source_type)?,
            _ => {}
        }
        sources.types.insert(source_type);
        self.parts(source_type, members)
    }

    /// What is null is not there.
    fn parts(&self, source_type: &'static str, members: &[(String, Json)]) -> Judged {
        let mut parts = members.iter().filter(|(key, value)| key != "type" && *value != Json::Null);
        parts.try_for_each(|(key, value)| self.part(source_type, key, value))
    }

    fn combining(&self, members: &[(String, Json)], sources: &mut Sources) -> Judged {
        let mut delegates: &[Json] = &[];
        for (key, value) in members {
            match (key.as_str(), value) {
                ("type", _) => {}
                ("delegates", Json::Array(items)) => delegates = items,
                ("delegates", _) => return Err(Objection::json("[delegates] as an array of input sources")),
                (_, _) => return Err(unknown_key()),
            }
        }
        if delegates.is_empty() {
            return Err(Objection::json("at least one of [delegates]"));
        }
        delegates.iter().try_for_each(|delegate| self.source(delegate, sources))
    }

    /// Druid asks no permission for the datasource. What is left of such a source chooses among its rows and columns.
    fn druid(&self, source: &Json, sources: &mut Sources) -> Judged {
        match self.druid {
            DruidSource::Refuse => {
                let message =
                    "EXTERN may not read datasources unless external_druid of [sql] says so; name them in FROM";
                Err(Objection::new(RefusalCode::ExternalDruid, message))
            }
            DruidSource::RequireRead => {
                let datasource = source.get("dataSource").and_then(Json::as_str).filter(|name| !name.is_empty());
                let datasource = datasource.ok_or_else(|| Objection::json("[dataSource] as a name"))?;
                sources.datasources.insert(datasource.to_owned());
                Ok(())
            }
        }
    }

    fn part(&self, source_type: &'static str, key: &str, value: &Json) -> Judged {
        match (source_type, key) {
            ("http", "uris") => texts("uris", value, |text, spot| self.web(text, Reach::Object, spot)),
            ("http", "httpAuthenticationUsername" | "httpAuthenticationPassword" | "requestHeaders")
            | ("inline", "data")
            | ("local", "filter")
            | ("s3" | "google" | "azure" | "azureStorage", "objectGlob" | "filter")
            | ("s3", "clientConfig")
            | ("s3" | "azureStorage", "properties")
            | ("http" | "local" | "s3" | "google" | "azure" | "azureStorage" | "hdfs", "systemFields")
            | ("delta", "filter" | "snapshotVersion")
            | ("iceberg", "tableName" | "namespace" | "icebergFilter" | "snapshotTime" | "residualFilterMode")
            | ("generator", "schemaName" | "schema" | "numRows" | "numSplits" | "seed" | "startTime")
            | ("generator", "numConsecutiveTimestamps" | "timestampIncrement") => plain(value),
            ("druid", "dataSource" | "interval" | "filter" | "dimensions" | "metrics") => Ok(()),
            ("local", "baseDir") => self.local(text("baseDir", value)?, Spot("baseDir", None)),
            ("local", "files") => texts("files", value, |text, spot| self.local(text, spot)),
            ("s3" | "google" | "azure" | "azureStorage", "uris") => {
                texts("uris", value, |text, spot| self.bucket_uri(scheme_of(source_type), text, Reach::Object, spot))
            }
            ("s3" | "google" | "azure" | "azureStorage", "prefixes") => texts("prefixes", value, |text, spot| {
                self.bucket_uri(scheme_of(source_type), text, Reach::Prefix, spot)
            }),
            ("s3" | "google" | "azure" | "azureStorage", "objects") => self.objects(scheme_of(source_type), value),
            ("s3", "endpointConfig") => self.endpoint_config(value),
            ("s3", "proxyConfig") => self.proxy_config(value),
            ("hdfs", "paths") => match value {
                Json::String(path) => self.hdfs(path, Spot("paths", None)),
                several => texts("paths", several, |text, spot| self.hdfs(text, spot)),
            },
            ("delta", "tablePath") => file_system(text("tablePath", value)?, Spot("tablePath", None)),
            ("iceberg", "icebergCatalog") => catalog(value),
            ("iceberg", "warehouseSource") => self.warehouse(value),
            (_, _) => Err(unknown_key()),
        }
    }

    fn objects(&self, scheme: &str, value: &Json) -> Judged {
        let items = value.as_array().ok_or_else(|| Objection::json("[objects] as an array"))?;
        for (index, object) in items.iter().enumerate() {
            only(object, &["bucket", "path"])?;
            let member = |key| object.get(key).and_then(Json::as_str);
            let odd = || Objection::json("each of [objects] with a bucket and a path");
            let (bucket, path) = member("bucket").zip(member("path")).ok_or_else(odd)?;
            self.object(scheme, bucket, path, Spot("objects", Some(index + 1)))?;
        }
        Ok(())
    }

    /// Druid: `AWSEndpointConfig`. Without a URL the region is a part of the host's name.
    fn endpoint_config(&self, value: &Json) -> Judged {
        only(value, &["url", "signingRegion"])?;
        let is_region = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !present(value, "signingRegion")
            .map(|region| text("signingRegion", region))
            .transpose()?
            .is_none_or(is_region)
        {
            return Err(Spot("signingRegion", None).odd("an odd region"));
        }
        present(value, "url").map_or(Ok(()), |url| self.endpoint(text("url", url)?, Spot("url", None)))
    }

    /// Druid: `AWSProxyConfig`.
    fn proxy_config(&self, value: &Json) -> Judged {
        only(value, &["host", "port", "username", "password"])?;
        let Some(host) = present(value, "host") else { return Ok(()) };
        let port = match present(value, "port") {
            Some(Json::Number(port)) => port,
            _ => return Err(Objection::json("[port] as a number beside [host]")),
        };
        self.proxy(text("host", host)?, port, Spot("host", None))
    }

    /// What reads the files that a table names. Druid: `InputSourceFactory`.
    fn warehouse(&self, value: &Json) -> Judged {
        let Json::Object(members) = value else { return Err(Objection::json("[warehouseSource] as an object")) };
        let named = value.get("type").and_then(Json::as_str).unwrap_or_default();
        let source_type = known(named, &["azure", "google", "hdfs", "local", "s3"])?;
        self.parts(source_type, members)
    }
}

/// Druid: `HiveIcebergCatalog`, `RestIcebergCatalog`, `GlueIcebergCatalog`, `LocalCatalog`.
fn catalog(value: &Json) -> Judged {
    only(value, &["type", "warehousePath", "catalogUri", "catalogProperties", "caseSensitive"])?;
    known(value.get("type").and_then(Json::as_str).unwrap_or_default(), &["glue", "hive", "local", "rest"])?;
    if let Some(path) = present(value, "warehousePath") {
        file_system(text("warehousePath", path)?, Spot("warehousePath", None))?;
    }
    if let Some(uris) = present(value, "catalogUri") {
        text("catalogUri", uris)?.split(',').try_for_each(|uri| any_server(uri, Spot("catalogUri", None)))?;
    }
    present(value, "catalogProperties").map_or(Ok(()), properties)
}

/// What clients of other systems are told, by names of their own.
pub(super) fn properties(value: &Json) -> Judged {
    let spot = Spot("properties", None);
    let Json::Object(members) = value else { return Err(Objection::json("properties as an object")) };
    for (key, value) in members {
        let key = key.to_ascii_lowercase();
        let is_address = ["address", "endpoint", "host", "proxy", "uri", "url"].iter().any(|word| key.contains(word));
        match value {
            Json::String(text) if is_address && !key.ends_with("port") && !text.is_empty() => {
                text.split(',').try_for_each(|part| any_server(part, spot))?;
            }
            Json::String(text) if text.contains("://") => {
                text.split(',').try_for_each(|part| any_server(part, spot))?
            }
            other => plain(other)?,
        }
    }
    Ok(())
}

/// `scheme://server/path`, or the server alone.
fn any_server(text: &str, spot: Spot) -> Judged {
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("any://{text}") };
    server(Uri::parse(&with_scheme).map_err(|what| spot.odd(what))?.authority, spot)
}

/// Druid: the constants `SCHEME` of the sources' modules.
fn scheme_of(source_type: &'static str) -> &'static str {
    if source_type == "google" { "gs" } else { source_type }
}

/// Parts of a source are no sources, but one that says a type that is not known may be anything.
pub(super) fn plain(part: &Json) -> Judged {
    match part {
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Ok(()),
        Json::Array(items) => items.iter().try_for_each(plain),
        Json::Object(members) => members.iter().try_for_each(|(key, value)| match key.as_str() {
            "type" => known(value.as_str().unwrap_or_default(), &PART_TYPES).map(|_| ()),
            _ => plain(value),
        }),
    }
}

fn known(named: &str, list: &[&'static str]) -> Judged<&'static str> {
    if let Some(listed) = list.iter().find(|listed| **listed == named) {
        return Ok(listed);
    }
    let (code, message) = match named {
        "druid" => (RefusalCode::ExternalDruid, "EXTERN may not read datasources here; name them in FROM"),
        "sql" => (
            RefusalCode::ExternalSql,
            "EXTERN may not read databases; write what is read there into files, and read those",
        ),
        _ => {
            let message = "EXTERN's input source, or a part of it, is of a type that the gate does not know; use a type of Druid's own";
            (RefusalCode::ExternalUnknownType, message)
        }
    };
    Err(Objection::new(code, message))
}

pub(super) fn unknown_key() -> Objection {
    let message = "EXTERN's JSON has a key that the gate does not know for this type; leave it out";
    Objection::new(RefusalCode::ExternalUnknownKey, message)
}

/// Refuses what is no object, and every key that is not one of these.
pub(super) fn only(value: &Json, keys: &[&str]) -> Judged {
    match value {
        Json::Object(members) if members.iter().all(|(key, _)| keys.contains(&key.as_str())) => Ok(()),
        Json::Object(_) => Err(unknown_key()),
        _ => Err(Objection::json("each part of it as an object")),
    }
}

/// The value under `key`, unless it is null.
pub(super) fn present<'j>(value: &'j Json, key: &str) -> Option<&'j Json> {
    value.get(key).filter(|value| **value != Json::Null)
}

pub(super) fn text<'j>(key: &str, value: &'j Json) -> Judged<&'j str> {
    value.as_str().ok_or_else(|| Objection::json(format_args!("[{key}] as a string")))
}

/// Judges each string of an array.
pub(super) fn texts(key: &'static str, value: &Json, judge: impl Fn(&str, Spot) -> Judged) -> Judged {
    let items = value.as_array().ok_or_else(|| Objection::json(format_args!("[{key}] as an array of strings")))?;
    items.iter().enumerate().try_for_each(|(index, item)| judge(text(key, item)?, Spot(key, Some(index + 1))))
}

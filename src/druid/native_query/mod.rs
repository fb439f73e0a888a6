//! A native query: which datasources it reads. Druid: `Query`, `QueryLifecycle.authorize`.
//!
//! Every place of Druid's in which a query can name a datasource is read here; lookups and inline rows need nothing, as in
//! Druid. The tree that was read is what is rendered, with the gate's id in the place of the client's own.

mod datasource;

use std::collections::BTreeSet;

use super::context;
use super::naming::{self, MAX_DATASOURCES, OddBody};
use crate::json::{self, Json};

/// The types of queries. `union` came with Druid 33, `windowOperator` with 26; `select` is known to Druid as what was removed.
const TYPES: [(&str, ()); 10] = [
    ("timeseries", ()),
    ("topN", ()),
    ("groupBy", ()),
    ("scan", ()),
    ("search", ()),
    ("timeBoundary", ()),
    ("segmentMetadata", ()),
    ("dataSourceMetadata", ()),
    ("windowOperator", ()),
    ("union", ()),
];

/// The only context key that names a native query; `sqlQueryId` says that it came from SQL.
const QUERY_ID: &str = "queryId";

/// A query that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeQuery {
    /// Its type.
    pub query_type: &'static str,
    /// The datasources that it reads.
    pub datasources: BTreeSet<String>,
    members: Vec<(String, Json)>,
    context: Vec<(String, Json)>,
}

impl NativeQuery {
    /// Reads the JSON of a query.
    ///
    /// # Errors
    /// [`OddBody`], where the gate cannot say what the query reads.
    pub fn read(body: &[u8]) -> Result<Self, OddBody> {
        let query = json::parse_bytes(body)?;
        let mut datasources = BTreeSet::new();
        let query_type = read(&query, Place::Outermost, &mut datasources)?;
        if datasources.len() > MAX_DATASOURCES {
            return Err(OddBody::TooManyDatasources);
        }
        let (mut members, mut own_context) = (Vec::new(), Vec::new());
        if let Json::Object(all) = query {
            for (key, value) in all {
                match (key.as_str(), value) {
                    ("context", Json::Object(found)) => own_context = found,
                    ("context", _) => {}
                    (_, value) => members.push((key, value)),
                }
            }
        }
        Ok(Self { query_type, datasources, members, context: own_context })
    }

    /// The id that the client chose for its query.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        let named = |name| self.context.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.as_str());
        named(QUERY_ID).or_else(|| named("sqlQueryId"))
    }

    /// The keys of its context.
    pub fn context_keys(&self) -> impl Iterator<Item = &str> {
        self.context.iter().map(|(key, _)| key.as_str())
    }

    /// The body to send, with this id in the place of the client's own.
    #[must_use]
    pub fn render_with_id(&self, id: &str) -> String {
        let mut own_context = self.context.clone();
        own_context.retain(|(key, _)| !context::is_gate_owned(key));
        own_context.push((QUERY_ID.to_owned(), Json::string(id)));
        let mut members = self.members.clone();
        members.push(("context".to_owned(), Json::Object(own_context)));
        Json::Object(members).render()
    }
}

/// Where a query stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It is the body.
    Outermost,
    /// It is part of another.
    Within,
}

/// The type of the query; what it reads is added to `reads`.
fn read(query: &Json, place: Place, reads: &mut BTreeSet<String>) -> Result<&'static str, OddBody> {
    let members = naming::members(query, "the query")?;
    let (query_type, ()) = naming::type_of(query, "queryType", "a query", &TYPES)?;
    let source = if query_type == "union" { "queries" } else { "dataSource" };
    if !members.iter().any(|(key, _)| key == source) {
        return Err(OddBody::Type(source, "there"));
    }
    for (key, value) in members {
        match key.as_str() {
            "queryType" => {}
            "dataSource" => datasource::read(value, reads)?,
            "queries" if query_type == "union" => {
                for query in naming::items(value, "queries")? {
                    read(query, Place::Within, reads)?;
                }
            }
            "context" => check_context(value, place)?,
            other => naming::unread(other, value, "the query")?,
        }
    }
    Ok(query_type)
}

fn check_context(value: &Json, place: Place) -> Result<(), OddBody> {
    if *value == Json::Null {
        return Ok(());
    }
    naming::names_nothing(value, "context")?;
    for (key, value) in naming::members(value, "context")? {
        let owned = context::is_gate_owned(key);
        // Of a query within another the id is the outer one's.
        if context::is_reserved(key) || (owned && place == Place::Within) {
            return Err(OddBody::ReservedKey(key.clone()));
        }
        if owned && !matches!(value, Json::String(_) | Json::Null) {
            return Err(OddBody::Type("the query id in the context", "a string"));
        }
    }
    Ok(())
}

//! What the Broker knows of datasources and lookups. Druid: `ClientInfoResource`, `LookupIntrospectionResource`.

use super::{READ, READ_CONFIG, get, integer, text};
use crate::druid::row::{List, Row, Rule};
use crate::permission::ResourceType;

pub static ROWS: &[Row] = &[
    get("datasource_list", "/druid/v2/datasources", Rule::FilteredList).list(List::Named(ResourceType::Datasource)),
    get("datasource_columns", "/druid/v2/datasources/{datasource}", Rule::Datasource(READ))
        .query(&[text("interval"), text("full")]),
    get("datasource_dimensions", "/druid/v2/datasources/{datasource}/dimensions", Rule::Datasource(READ))
        .query(&[text("interval")]),
    get("datasource_metrics", "/druid/v2/datasources/{datasource}/metrics", Rule::Datasource(READ))
        .query(&[text("interval")]),
    get("datasource_candidates", "/druid/v2/datasources/{datasource}/candidates", Rule::Datasource(READ))
        .query(&[text("intervals"), integer("numCandidates")]),
    get("lookup_introspect", "/druid/v1/lookups/introspect/{lookup}", READ_CONFIG),
    get("lookup_keys", "/druid/v1/lookups/introspect/{lookup}/keys", READ_CONFIG),
    get("lookup_values", "/druid/v1/lookups/introspect/{lookup}/values", READ_CONFIG),
    get("lookup_version", "/druid/v1/lookups/introspect/{lookup}/version", READ_CONFIG),
];

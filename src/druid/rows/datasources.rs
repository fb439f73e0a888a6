//! Datasources and their segments at the Coordinator. Druid: `DataSourcesResource`, `MetadataResource`, `IntervalsResource`.

use http::Method;

use super::{READ, WRITE, flag, get, integer, post, row, text, texts};
use crate::druid::row::{List, QueryParameter, Row, Rule, Sums};
use crate::permission::ResourceType;

const SHAPES: &[QueryParameter] = &[text("simple"), text("full")];

const fn read(name: &'static str, path: &'static str, query: &'static [QueryParameter]) -> Row {
    get(name, path, Rule::Datasource(READ)).query(query).of_coordinator()
}

const fn write(name: &'static str, method: Method, path: &'static str) -> Row {
    row(name, method, path, Rule::Datasource(WRITE)).of_coordinator()
}

const fn filtered(name: &'static str, path: &'static str, query: &'static [QueryParameter], list: List) -> Row {
    get(name, path, Rule::FilteredList).query(query).list(list).of_coordinator()
}

pub static ROWS: &[Row] = &[
    filtered(
        "datasource_list_loaded",
        "/druid/coordinator/v1/datasources",
        SHAPES,
        List::Named(ResourceType::Datasource),
    ),
    read("datasource", "/druid/coordinator/v1/datasources/{datasource}", &[text("full")]),
    write("datasource_mark_all_used", Method::POST, "/druid/coordinator/v1/datasources/{datasource}"),
    write("datasource_mark_all_unused", Method::DELETE, "/druid/coordinator/v1/datasources/{datasource}")
        .query(&[flag("kill"), text("interval")]),
    write("datasource_mark_used", Method::POST, "/druid/coordinator/v1/datasources/{datasource}/markUsed").json(),
    write("datasource_mark_unused", Method::POST, "/druid/coordinator/v1/datasources/{datasource}/markUnused").json(),
    read("datasource_intervals", "/druid/coordinator/v1/datasources/{datasource}/intervals", SHAPES),
    read("datasource_interval", "/druid/coordinator/v1/datasources/{datasource}/intervals/{interval}", SHAPES),
    write("datasource_kill", Method::DELETE, "/druid/coordinator/v1/datasources/{datasource}/intervals/{interval}"),
    read(
        "datasource_server_view",
        "/druid/coordinator/v1/datasources/{datasource}/intervals/{interval}/serverview",
        &[flag("partial")],
    ),
    read(
        "datasource_load_status",
        "/druid/coordinator/v1/datasources/{datasource}/loadstatus",
        &[
            flag("forceMetadataRefresh"),
            text("interval"),
            text("simple"),
            text("full"),
            text("computeUsingClusterView"),
        ],
    ),
    read("datasource_segments", "/druid/coordinator/v1/datasources/{datasource}/segments", &[text("full")]),
    read("datasource_segment", "/druid/coordinator/v1/datasources/{datasource}/segments/{segment}", &[]),
    write("segment_mark_used", Method::POST, "/druid/coordinator/v1/datasources/{datasource}/segments/{segment}"),
    write("segment_mark_unused", Method::DELETE, "/druid/coordinator/v1/datasources/{datasource}/segments/{segment}"),
    read("datasource_tiers", "/druid/coordinator/v1/datasources/{datasource}/tiers", &[]),
    read(
        "datasource_handoff",
        "/druid/coordinator/v1/datasources/{datasource}/handoffComplete",
        &[text("interval"), integer("partitionNumber"), text("version")],
    ),
    filtered(
        "datasource_list_used",
        "/druid/coordinator/v1/metadata/datasources",
        &[text("full"), text("includeUnused")],
        List::Named(ResourceType::Datasource),
    ),
    read("datasource_metadata", "/druid/coordinator/v1/metadata/datasources/{datasource}", &[]),
    read(
        "datasource_used_segments",
        "/druid/coordinator/v1/metadata/datasources/{datasource}/segments",
        &[text("full")],
    ),
    // A question, but Druid asks WRITE of whatever is not a GET.
    write(
        "datasource_used_segments_of",
        Method::POST,
        "/druid/coordinator/v1/metadata/datasources/{datasource}/segments",
    )
    .query(&[text("full")])
    .json(),
    read(
        "datasource_unused_segments",
        "/druid/coordinator/v1/metadata/datasources/{datasource}/unusedSegments",
        &[text("interval"), integer("limit"), text("lastSegmentId"), text("sortOrder")],
    )
    .since(29),
    read(
        "datasource_used_segment",
        "/druid/coordinator/v1/metadata/datasources/{datasource}/segments/{segment}",
        &[flag("includeUnused")],
    ),
    filtered(
        "segment_list",
        "/druid/coordinator/v1/metadata/segments",
        &[texts("datasources"), text("includeOvershadowedStatus"), text("includeRealtimeSegments")],
        List::Items,
    ),
    post("datasource_information", "/druid/coordinator/v1/metadata/dataSourceInformation", Rule::FilteredList)
        .json()
        .list(List::Items)
        .since(29)
        .of_coordinator(),
    filtered("interval_list", "/druid/coordinator/v1/intervals", &[], List::Intervals(Sums::None)),
    filtered("interval", "/druid/coordinator/v1/intervals/{interval}", SHAPES, List::Intervals(Sums::OfAll)),
];

//! The catalog of tables, where the extension `druid-catalog` is loaded. Druid: `CatalogResource`.

use http::Method;

use super::{flag, get, integer, row, text};
use crate::druid::row::{List, QueryParameter, Row, Rule};
use crate::permission::Action;

const fn table(name: &'static str, method: Method, path: &'static str, action: Action) -> Row {
    row(name, method, path, Rule::CatalogTable(action)).since(25).of_coordinator()
}

const fn filtered(name: &'static str, path: &'static str, query: &'static [QueryParameter]) -> Row {
    get(name, path, Rule::FilteredList).query(query).list(List::CatalogTables).since(25).of_coordinator()
}

pub static ROWS: &[Row] = &[
    filtered("catalog_schemas", "/druid/coordinator/v1/catalog/schemas", &[text("format")]),
    filtered("catalog_tables", "/druid/coordinator/v1/catalog/schemas/{schema}/tables", &[text("format")]),
    table("catalog_table", Method::GET, "/druid/coordinator/v1/catalog/schemas/{schema}/tables/{table}", Action::Read),
    table(
        "catalog_table_set",
        Method::POST,
        "/druid/coordinator/v1/catalog/schemas/{schema}/tables/{table}",
        Action::Write,
    )
    .query(&[integer("version"), flag("overwrite")])
    .json(),
    table(
        "catalog_table_delete",
        Method::DELETE,
        "/druid/coordinator/v1/catalog/schemas/{schema}/tables/{table}",
        Action::Write,
    ),
    table(
        "catalog_table_edit",
        Method::POST,
        "/druid/coordinator/v1/catalog/schemas/{schema}/tables/{table}/edit",
        Action::Write,
    )
    .json(),
];

//! The schemas of the catalog. Druid: `TableDefnRegistry`, `CatalogStorage`, of the extension `druid-catalog`.

use crate::permission::ResourceType;

/// Of which type the tables of a schema are; nothing if the catalog has no such schema. Druid: `TableId`, `SchemaRegistry`.
#[must_use]
pub fn type_of_schema(name: &str) -> Option<ResourceType> {
    match name {
        "druid" => Some(ResourceType::Datasource),
        "ext" => Some(ResourceType::External),
        "view" => Some(ResourceType::View),
        "lookup" => Some(ResourceType::Config),
        "sys" | "INFORMATION_SCHEMA" | "catalog" => Some(ResourceType::SystemTable),
        _ => None,
    }
}

//! What a name in a table's place reads.

use sqlparser::ast::{Ident, ObjectName, ObjectNamePart, ObjectNamePartFunction, Table};

use super::Walk;
use crate::permission::{Action, ResourceAction, ResourceType};
use crate::sql::{SystemSchema, SystemTable};

impl<'a> Walk<'a> {
    pub(super) fn read_table(&mut self, name: &'a ObjectName) {
        let mut parts = Vec::with_capacity(name.0.len());
        for part in &name.0 {
            match part {
                ObjectNamePart::Identifier(identifier) => parts.push(identifier),
                ObjectNamePart::Function(ObjectNamePartFunction { name, args }) => {
                    parts.push(name);
                    self.arguments(args);
                }
            }
        }
        self.read_name(&parts);
    }

    pub(super) fn explicit_table(&mut self, Table { table_name, schema_name }: &'a Table) {
        let parts: Vec<&Ident> = schema_name.iter().chain(table_name).collect();
        self.read_name(&parts);
    }

    /// Druid: `DruidSchemaCatalog`; names and schemas are compared exactly. What stands in no schema of Druid's is taken
    /// for a datasource of the whole name, which no first reading finds.
    pub(super) fn read_name(&mut self, parts: &[&Ident]) {
        match parts {
            [name] if self.scope.contains(&name.value) => {}
            [name] => self.read(ResourceType::Datasource, name.value.clone()),
            [schema, name] => self.read_in_schema(&schema.value, &name.value),
            longer => {
                let name: Vec<&str> = longer.iter().map(|part| part.value.as_str()).collect();
                self.read(ResourceType::Datasource, name.join("."));
            }
        }
    }

    fn read_in_schema(&mut self, schema: &str, name: &str) {
        match schema {
            "sys" => self.read_system(SystemSchema::Sys, name),
            "INFORMATION_SCHEMA" => self.read_system(SystemSchema::InformationSchema, name),
            "druid" => self.read(ResourceType::Datasource, name.to_owned()),
            "view" => self.read(ResourceType::View, name.to_owned()),
            // Druid authorizes no lookup.
            "lookup" => {}
            other => self.read(ResourceType::Datasource, format!("{other}.{name}")),
        }
    }

    fn read_system(&mut self, schema: SystemSchema, name: &str) {
        self.found.system_tables.insert(SystemTable { schema, name: name.to_owned() });
    }

    /// Whatever it is called, all that is read through an input source needs the same.
    pub(super) fn read_external(&mut self) {
        self.read(ResourceType::External, "EXTERNAL".to_owned());
    }

    pub(super) fn read_datasource(&mut self, name: &str) {
        self.read(ResourceType::Datasource, name.to_owned());
    }

    fn read(&mut self, kind: ResourceType, name: String) {
        self.found.resources.insert(ResourceAction::new(Action::Read, kind, name));
    }
}

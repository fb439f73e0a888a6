//! The tables that Druid itself fills: which of their rows depend on who asks.

/// A table that Druid itself fills.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SystemTable {
    /// Its schema.
    pub schema: SystemSchema,
    /// Its name, as written.
    pub name: String,
}

/// The schemas whose rows depend on who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SystemSchema {
    /// `sys`
    Sys,
    /// `INFORMATION_SCHEMA`
    InformationSchema,
}

impl SystemSchema {
    /// The schema of this name; case-sensitive.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "sys" => Some(Self::Sys),
            "INFORMATION_SCHEMA" => Some(Self::InformationSchema),
            _ => None,
        }
    }
}

/// Which rows of a system table somebody may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Everybody sees all.
    All,
    /// Those that name, in this column, a datasource that one may READ.
    OfDatasources(&'static str),
    /// Those of tables that one may READ: DATASOURCE in the schema `druid`, VIEW in `view`, all in Druid's own.
    OfTables,
    /// All for who may READ STATE, else none.
    OfState,
    /// For who may READ STATE, those of segments that one may see.
    OfSegments,
    /// The gate does not know.
    Unknown,
}

impl SystemTable {
    /// Which rows somebody may see. Druid: `SystemSchema`, `InformationSchema`.
    ///
    /// Druid itself shows a supervisor to who may READ a datasource of the name of what it reads from, a topic. Its
    /// datasource is its id, for whatever version of Druid.
    #[must_use]
    pub fn rows(&self) -> Rows {
        match (self.schema, self.name.as_str()) {
            (SystemSchema::Sys, "segments" | "tasks") => Rows::OfDatasources("datasource"),
            (SystemSchema::Sys, "supervisors") => Rows::OfDatasources("supervisor_id"),
            (SystemSchema::Sys, "servers") => Rows::OfState,
            (SystemSchema::Sys, "server_segments") => Rows::OfSegments,
            (SystemSchema::InformationSchema, "TABLES" | "COLUMNS") => Rows::OfTables,
            (SystemSchema::InformationSchema, "SCHEMATA" | "ROUTINES") => Rows::All,
            (SystemSchema::Sys | SystemSchema::InformationSchema, _) => Rows::Unknown,
        }
    }
}

/// A place of a text where a system table stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub table: SystemTable,
    pub form: Form,
    /// Byte offset of its name's first byte.
    pub start: usize,
    /// Byte offset after its name's last byte.
    pub end: usize,
}

/// As what a table stands in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// In FROM, and an alias follows or another word that takes a place before an alias.
    Aliased,
    /// In FROM, where its name is its alias.
    Plain,
    /// `TABLE sys.tasks`, where TABLE stands between these byte offsets.
    Explicit(usize, usize),
    /// `( sys.tasks LIMIT 1 )`
    Implicit,
}

/// The name of a schema that stands before a table's and a column's, `sys.tasks.datasource`, with the dot after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Qualifier {
    pub table: SystemTable,
    /// The byte offsets of the two tokens.
    pub tokens: [(usize, usize); 2],
}

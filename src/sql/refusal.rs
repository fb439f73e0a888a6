//! Why a text is not read.

use std::fmt;

/// What was not understood, where, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reason, as a word for machines.
    pub code: RefusalCode,
    /// Byte offset in the text.
    pub at: usize,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// One sentence. It may hold names, and never a literal.
    pub message: String,
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Byte offset.
    pub offset: usize,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Position {
    /// The place of the byte at `offset` of `text`.
    #[must_use]
    pub fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { offset, line, column }
    }
}

impl Refusal {
    /// Where it is.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position { offset: self.at, line: self.line, column: self.column }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

/// The reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalCode {
    /// A comment beginning with `/*+` that one version of Druid ends where another does not.
    AmbiguousHint,
    /// An EXTERN that reads Druid's own datasources.
    ExternalDruid,
    /// An EXTERN that reads what an address, or a name for one, says to be an inner place.
    ExternalInnerAddress,
    /// An EXTERN whose input source is not one JSON object that says its type.
    ExternalJson,
    /// An EXTERN that reads what the list of destinations does not have.
    ExternalNotListed,
    /// An EXTERN that names a place in a way that the gate does not understand.
    ExternalOddPlace,
    /// An EXTERN that reads a database.
    ExternalSql,
    /// A key in an input source that the gate does not know.
    ExternalUnknownKey,
    /// An input source, or a part of one, of a type that the gate does not know.
    ExternalUnknownType,
    /// Characters that are no token.
    Lexical,
    /// System tables that, narrowed to the caller's rows, would not be what was judged.
    NotNarrowed,
    /// A `?` where a name or an input source stands, and no text is known for it.
    ParameterAsName,
    /// The second reading finds what the first does not.
    ReadingsDisagree,
    /// WITH RECURSIVE.
    Recursive,
    /// SET of anything but a literal.
    SetValue,
    /// A table named `*`.
    StarTable,
    /// Words in an order that the gate does not know.
    Syntax,
    /// A table function's argument that is not a literal.
    TableFunctionArgument,
    /// INSERT or REPLACE into what is not a datasource.
    TargetSchema,
    /// Groups within groups beyond the bound.
    TooDeep,
    /// Longer than the bound.
    TooLong,
    /// More than [`MAX_TERMS`](super::MAX_TERMS) conditions say which rows of system tables the caller may see.
    TooManyGrants,
    /// More than [`MAX_RESOURCES`](super::MAX_RESOURCES) resources.
    TooManyResources,
    /// More tokens than the bound.
    TooManyTokens,
    /// A table in a schema that Druid does not have.
    UnknownSchema,
    /// A table function that the gate does not know.
    UnknownTableFunction,
    /// A statement that Druid does not run, or several.
    UnsupportedStatement,
}

impl RefusalCode {
    /// All reasons.
    pub const ALL: [Self; 27] = [
        Self::AmbiguousHint,
        Self::ExternalDruid,
        Self::ExternalInnerAddress,
        Self::ExternalJson,
        Self::ExternalNotListed,
        Self::ExternalOddPlace,
        Self::ExternalSql,
        Self::ExternalUnknownKey,
        Self::ExternalUnknownType,
        Self::Lexical,
        Self::NotNarrowed,
        Self::ParameterAsName,
        Self::ReadingsDisagree,
        Self::Recursive,
        Self::SetValue,
        Self::StarTable,
        Self::Syntax,
        Self::TableFunctionArgument,
        Self::TargetSchema,
        Self::TooDeep,
        Self::TooLong,
        Self::TooManyGrants,
        Self::TooManyResources,
        Self::TooManyTokens,
        Self::UnknownSchema,
        Self::UnknownTableFunction,
        Self::UnsupportedStatement,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AmbiguousHint => "ambiguous_hint",
            Self::ExternalDruid => "external_druid",
            Self::ExternalInnerAddress => "external_inner_address",
            Self::ExternalJson => "external_json",
            Self::ExternalNotListed => "external_not_listed",
            Self::ExternalOddPlace => "external_odd_place",
            Self::ExternalSql => "external_sql",
            Self::ExternalUnknownKey => "external_unknown_key",
            Self::ExternalUnknownType => "external_unknown_type",
            Self::Lexical => "lexical",
            Self::NotNarrowed => "not_narrowed",
            Self::ParameterAsName => "parameter_as_name",
            Self::ReadingsDisagree => "readings_disagree",
            Self::Recursive => "recursive",
            Self::SetValue => "set_value",
            Self::StarTable => "star_table",
            Self::Syntax => "syntax",
            Self::TableFunctionArgument => "table_function_argument",
            Self::TargetSchema => "target_schema",
            Self::TooDeep => "too_deep",
            Self::TooLong => "too_long",
            Self::TooManyGrants => "too_many_grants",
            Self::TooManyResources => "too_many_resources",
            Self::TooManyTokens => "too_many_tokens",
            Self::UnknownSchema => "unknown_schema",
            Self::UnknownTableFunction => "unknown_table_function",
            Self::UnsupportedStatement => "unsupported_statement",
        }
    }
}

/// A refusal whose line and column are not counted yet: they are only once it leaves the room.
#[derive(Debug)]
pub(super) struct Fault {
    pub code: RefusalCode,
    pub at: usize,
    pub message: String,
}

impl Fault {
    pub(super) fn new(code: RefusalCode, at: usize, message: impl Into<String>) -> Box<Self> {
        Box::new(Self { code, at, message: message.into() })
    }

    /// The refusal of `text` for this.
    pub(super) fn in_text(self, text: &str) -> Refusal {
        let Position { offset, line, column } = Position::of(text, self.at);
        Refusal { code: self.code, at: offset, line, column, message: self.message }
    }
}

//! stub
#![allow(missing_docs)]
use crate::permission::ResourceAction;
use std::collections::BTreeSet;
pub enum Parameter {
    Text(String),
    Other,
}
pub enum StatementKind {
    Select,
    Insert,
    Replace,
}
pub struct Reading {
    pub kind: StatementKind,
    pub explain: bool,
    pub resources: BTreeSet<ResourceAction>,
    pub system_tables: BTreeSet<String>,
    pub set_options: Vec<SetOption>,
}
pub struct SetOption {
    pub name: String,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: RefusalCode,
    pub at: usize,
    pub line: usize,
    pub column: usize,
    pub message: String,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusalCode {
    Syntax,
}
impl RefusalCode {
    pub fn as_str(&self) -> &'static str {
        "syntax"
    }
}
pub fn read(_: &str, _: &[Parameter]) -> Result<Reading, Refusal> {
    Err(Refusal { code: RefusalCode::Syntax, at: 0, line: 1, column: 1, message: "stub".into() })
}

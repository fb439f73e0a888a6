//! A recognized request and its body -> what it needs, and what would be sent for it.
//!
//! Nothing here sends anything for the caller; a task is looked up through [`TaskDirectory`], which is asked with an id
//! and nothing else.

#![deny(clippy::wildcard_enum_match_arm)]

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::auth::Identity;
use crate::druid::media_type::{NoForm, SqlForm};
use crate::druid::sql_query::{OddQuery, ParameterValue, SqlQuery};
use crate::druid::task::{QUERY_CONTROLLER, QUERY_SELECT, TaskFacts, TaskId};
use crate::druid::{Body, Recognized, Row, Rule, context};
use crate::json::{self, Json};
use crate::permission::{Action, Need, Permissions, ResourceAction, ResourceType};
use crate::policy::{Grants, NamePattern, Subject};
use crate::query_id::{QueryId, QueryIds, TASK_PREFIX, Whose};
use crate::sql;

/// Where the gate learns of a task what decides who may touch it.
pub trait TaskDirectory: Sync {
    /// What is stored with the task; nothing if no task has this id.
    fn task(&self, id: &TaskId) -> impl Future<Output = Result<Option<TaskFacts>, LookupFault>> + Send;
}

/// Why a task could not be looked up: never a reason to let a request pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupFault {
    /// Druid did not answer in time, or not at all.
    #[error("Druid could not be asked for the datasource of this task")]
    Unreachable,
    /// Druid answered what the gate cannot read.
    #[error("Druid's answer does not tell the datasource of this task")]
    Unreadable,
}

/// What inspection goes by, besides the request.
pub struct Inspector<D> {
    /// Writes and reads the ids of queries.
    pub ids: QueryIds,
    /// What cancelling a query's task takes on its datasource: READ, or WRITE as in Druid.
    pub task_cancel: Action,
    /// Where tasks are looked up.
    pub directory: D,
}

/// A request of which the need is known, and what would be sent for it.
#[derive(Debug)]
pub struct Inspected {
    /// Its row.
    pub row: &'static Row,
    /// The request target for the Router.
    pub target: String,
    /// The body for the Router; it is JSON. One with SQL that names system tables is there once that is narrowed.
    pub body: Option<Bytes>,
    /// The query that it submits or cancels, if it does.
    pub query: Option<Submitted>,
    /// What the audit record says of it.
    pub facts: Facts,
    need: Need,
    hidden: Option<String>,
    unnarrowed: Option<Box<Unnarrowed>>,
}

/// SQL that names system tables, before it is known what its caller may see of them.
#[derive(Debug)]
struct Unnarrowed {
    query: SqlQuery,
    parameters: Vec<sql::Parameter>,
    reading: sql::Reading,
    id: QueryId,
}

/// A query under the gate's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The id that Druid sees.
    pub id: QueryId,
    /// The id that the client gave, if it gave one.
    pub client_id: Option<String>,
}

/// What the audit record says of a request beyond its row and needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// `select`, `insert`, `replace` or `explain`.
    pub statement: Option<&'static str>,
    /// The id of the task, statement or query.
    pub id: Option<String>,
    /// Whether the statement names a system table that the gate cannot narrow.
    pub unknown_system_table: bool,
    /// Whether system tables in the statement were narrowed to what the caller may see.
    pub narrowed: bool,
}

impl Subject for Inspected {
    type Refusal = Refusal;

    fn need(&self) -> &Need {
        &self.need
    }

    fn narrow(&mut self, grants: &Grants) -> Result<(), Refusal> {
        let Some(unnarrowed) = self.unnarrowed.take() else { return Ok(()) };
        let Unnarrowed { mut query, parameters, reading, id } = *unnarrowed;
        let visible = sql::Visible {
            datasources: readable(grants, ResourceType::Datasource),
            views: readable(grants, ResourceType::View),
        };
        let narrowed = sql::narrow(&query.sql, &parameters, &reading, &visible)
            .map_err(|refusal| Refusal::Sql(Box::new(refusal)))?;
        if let Some(narrowed) = narrowed {
            query.sql = narrowed;
            self.facts.narrowed = true;
        }
        self.body = Some(Bytes::from(query.render_with_id(id.as_str())));
        Ok(())
    }
}

fn readable(grants: &Grants, resource_type: ResourceType) -> Vec<&str> {
    grants.patterns(Action::Read, resource_type, sql::MAX_TERMS).into_iter().map(NamePattern::as_str).collect()
}

impl Inspected {
    /// The datasource that a refusal must not name, unless `grants` let the caller know of it already.
    #[must_use]
    pub fn hidden_from(&self, grants: &Grants) -> bool {
        self.hidden.as_ref().is_some_and(|datasource| {
            let may =
                |action| grants.allows(&ResourceAction::new(action, ResourceType::Datasource, datasource.as_str()));
            datasource != QUERY_SELECT && !may(Action::Read) && !may(Action::Write)
        })
    }

    fn new(recognized: &Recognized, need: Need) -> Self {
        Self {
            row: recognized.row,
            target: recognized.target(),
            body: None,
            query: None,
            facts: Facts::default(),
            need,
            hidden: None,
            unnarrowed: None,
        }
    }
}

/// Why a request is refused before it is judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its Content-Type.
    #[error(transparent)]
    Form(#[from] NoForm),
    /// Its envelope.
    #[error(transparent)]
    Envelope(#[from] OddQuery),
    /// Its SQL.
    #[error("{}", .0.message)]
    Sql(Box<sql::Refusal>),
    /// A SET statement in its SQL.
    #[error("SET [{0}] is not allowed: the gate or Druid decides this key")]
    SetOption(String),
    /// No task can have this id.
    #[error("not the id of a task")]
    OddTaskId,
    /// No task has this id.
    #[error("Cannot find any task with id: [{0}]")]
    UnknownTask(String),
    /// No statement has this id.
    #[error(
        "Query [{0}] was not found. The query details are no longer present or might not be of the type [{QUERY_CONTROLLER}]. Verify that the id is correct."
    )]
    UnknownStatement(String),
    /// No running query has this id.
    #[error("no running query has this id")]
    UnknownQuery,
    /// The statement, or query, was submitted by somebody else.
    #[error("only who submitted a query may do this with it")]
    NotTheOwner,
    /// The task could not be looked up.
    #[error(transparent)]
    Lookup(#[from] LookupFault),
}

/// The body of a request whose row is judged by it.
#[derive(Clone, Copy, Debug)]
pub struct RequestBody<'a> {
    /// What it is by its Content-Type.
    pub form: SqlForm,
    /// The bytes.
    pub bytes: &'a [u8],
}

impl<D: TaskDirectory> Inspector<D> {
    /// Finds what the request needs.
    ///
    /// # Errors
    /// [`Refusal`], where that cannot be told, or the request could not be served to anyone.
    pub async fn inspect(
        &self,
        recognized: &Recognized,
        body: Option<RequestBody<'_>>,
        caller: &Identity,
    ) -> Result<Inspected, Refusal> {
        match recognized.row.rule {
            Rule::Open | Rule::AnyIdentity => Ok(Inspected::new(recognized, Need::AnyIdentity)),
            Rule::Holds(action, resource_type, name) => {
                let permission = ResourceAction::new(action, resource_type, name);
                let mut inspected = Inspected::new(recognized, Need::AllOf(Permissions::one(permission)));
                if recognized.row.body == Body::TaskIds {
                    inspected.body = Some(task_ids(body.ok_or(NoForm::Missing)?)?);
                }
                Ok(inspected)
            }
            Rule::SubmitSql(_) => self.submit(recognized, body.ok_or(NoForm::Missing)?, caller),
            Rule::OwnSqlQuery => self.own_query(recognized, caller),
            Rule::OwnStatement => self.own_statement(recognized, caller),
            Rule::ReadTask => self.task(recognized, |_| Action::Read).await,
            Rule::CancelTask => self.task(recognized, |facts| self.cancel_action(facts)).await,
            Rule::FilteredList => Ok(filtered_list(recognized)),
        }
    }

    fn submit(&self, recognized: &Recognized, body: RequestBody<'_>, caller: &Identity) -> Result<Inspected, Refusal> {
        let query = SqlQuery::read(body.form, body.bytes)?;
        let parameters: Vec<sql::Parameter> = query.parameter_values().into_iter().map(sql_parameter).collect();
        let reading = sql::read(&query.sql, &parameters).map_err(|refusal| Refusal::Sql(Box::new(refusal)))?;
        for option in &reading.set_options {
            if context::is_reserved(&option.name) || context::is_gate_owned(&option.name) {
                return Err(Refusal::SetOption(option.name.clone()));
            }
        }
        let client_id = query.client_id().map(str::to_owned);
        let id = self.ids.mint(caller, client_id.as_deref(), &nonce());
        let mut inspected = Inspected::new(recognized, need_of(&reading));
        inspected.facts = Facts {
            statement: Some(statement_word(&reading)),
            id: Some(id.task_id()),
            unknown_system_table: reading.system_tables.iter().any(|table| table.rows() == sql::Rows::Unknown),
            narrowed: false,
        };
        inspected.query = Some(Submitted { id: id.clone(), client_id });
        if reading.system_tables.is_empty() {
            inspected.body = Some(Bytes::from(query.render_with_id(id.as_str())));
        } else {
            inspected.unnarrowed = Some(Box::new(Unnarrowed { query, parameters, reading, id }));
        }
        Ok(inspected)
    }

    /// `DELETE /druid/v2/sql/{id}`: the gate's id, or the client's own, which names a query of this caller only.
    fn own_query(&self, recognized: &Recognized, caller: &Identity) -> Result<Inspected, Refusal> {
        let text = recognized.id();
        let bare = text.strip_prefix(TASK_PREFIX).unwrap_or(text);
        let (id, client_id) = match self.ids.whose(bare, caller) {
            Whose::Callers(id) => (id, None),
            Whose::Anothers => return Err(Refusal::NotTheOwner),
            Whose::Forged => return Err(Refusal::UnknownQuery),
            Whose::NotAnId => (self.ids.mint(caller, Some(text), &[]), Some(text.to_owned())),
        };
        let mut inspected = Inspected::new(recognized, Need::AnyIdentity);
        inspected.target = recognized.target_for(id.as_str());
        inspected.facts.id = Some(id.task_id());
        inspected.query = Some(Submitted { id, client_id });
        Ok(inspected)
    }

    fn own_statement(&self, recognized: &Recognized, caller: &Identity) -> Result<Inspected, Refusal> {
        let text = recognized.id();
        let unknown = || Refusal::UnknownStatement(text.to_owned());
        match self.ids.whose(text.strip_prefix(TASK_PREFIX).ok_or_else(unknown)?, caller) {
            Whose::Callers(id) => {
                let mut inspected = Inspected::new(recognized, Need::AnyIdentity);
                inspected.target = recognized.target_for(&id.task_id());
                inspected.facts.id = Some(id.task_id());
                Ok(inspected)
            }
            Whose::Anothers => Err(Refusal::NotTheOwner),
            Whose::Forged | Whose::NotAnId => Err(unknown()),
        }
    }

    async fn task(
        &self,
        recognized: &Recognized,
        action: impl FnOnce(&TaskFacts) -> Action + Send,
    ) -> Result<Inspected, Refusal> {
        let id = TaskId::new(recognized.id()).ok_or(Refusal::OddTaskId)?;
        let unknown = || Refusal::UnknownTask(id.as_str().to_owned());
        let facts = self.directory.task(&id).await?.ok_or_else(unknown)?;
        let permission = ResourceAction::new(action(&facts), ResourceType::Datasource, facts.datasource.as_str());
        let mut inspected = Inspected::new(recognized, Need::AllOf(Permissions::one(permission)));
        inspected.target = recognized.target_for(id.as_str());
        inspected.facts.id = Some(id.as_str().to_owned());
        inspected.hidden = Some(facts.datasource);
        Ok(inspected)
    }

    /// The milder rule is for queries alone: any client can give its own task a query's name, but not its type.
    fn cancel_action(&self, facts: &TaskFacts) -> Action {
        if facts.task_type == QUERY_CONTROLLER { self.task_cancel } else { Action::Write }
    }
}

/// A list that is asked for one datasource needs READ on it, as in Druid; any other is only filtered.
fn filtered_list(recognized: &Recognized) -> Inspected {
    let need = recognized.parameter("datasource").map_or(Need::AnyIdentity, |datasource| {
        Need::AllOf(Permissions::one(ResourceAction::new(Action::Read, ResourceType::Datasource, datasource)))
    });
    Inspected::new(recognized, need)
}

/// A JSON array of task ids, rendered anew.
fn task_ids(body: RequestBody<'_>) -> Result<Bytes, Refusal> {
    if body.form != SqlForm::Json {
        return Err(NoForm::Unsupported.into());
    }
    let ids = json::parse_bytes(body.bytes).map_err(OddQuery::from)?;
    let is_id = |item: &Json| item.as_str().and_then(TaskId::new).is_some();
    if !ids.as_array().is_some_and(|items| items.iter().all(is_id)) {
        return Err(OddQuery::Type("the body", "a JSON array of task ids").into());
    }
    Ok(Bytes::from(ids.render()))
}

fn sql_parameter(value: ParameterValue) -> sql::Parameter {
    match value {
        ParameterValue::Text(text) => sql::Parameter::Text(text),
        ParameterValue::Other => sql::Parameter::Other,
    }
}

fn need_of(reading: &sql::Reading) -> Need {
    let mut set: BTreeSet<ResourceAction> = reading.resources.clone();
    let state = ResourceAction::new(Action::Read, ResourceType::State, "STATE");
    for table in &reading.system_tables {
        match table.rows() {
            sql::Rows::All | sql::Rows::OfDatasources(_) | sql::Rows::OfTables => {}
            // Druid: `SystemSchema.checkStateReadAccessForServers`.
            sql::Rows::OfState | sql::Rows::OfSegments => drop(set.insert(state.clone())),
            // It answers the gate's own account for everything; only who may see everything may ask it.
            sql::Rows::Unknown => {
                set.insert(ResourceAction::every(Action::Read, ResourceType::Datasource));
                set.insert(ResourceAction::every(Action::Read, ResourceType::View));
                set.insert(state.clone());
            }
        }
    }
    Need::from_set(set)
}

const fn statement_word(reading: &sql::Reading) -> &'static str {
    if reading.explain {
        return "explain";
    }
    match reading.kind {
        sql::StatementKind::Select => "select",
        sql::StatementKind::Insert => "insert",
        sql::StatementKind::Replace => "replace",
    }
}

/// 128 random bits; the operating system's generator does not fail once the process runs.
fn nonce() -> [u8; 16] {
    let mut bytes = [0; 16];
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    bytes
}

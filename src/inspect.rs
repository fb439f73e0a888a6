//! A recognized request and its body -> what it needs, and what would be sent for it.
//!
//! Nothing here sends anything for the caller; a task or supervisor is looked up through [`TaskDirectory`], which is asked
//! with an id and nothing else.

#![deny(clippy::wildcard_enum_match_arm)]

mod avatica;
mod by_body;
mod by_path;
mod directory;
mod why;

pub use directory::{LookupFault, TaskDirectory};
pub use why::{Place, Reason};

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use http::Method;

use crate::auth::Identity;
use crate::druid::avatica::AvaticaRequest;
use crate::druid::context::ContextKeys;
use crate::druid::media_type::{NoForm, SqlForm};
use crate::druid::naming::OddBody;
use crate::druid::sql_query::{OddQuery, ParameterValue, SqlQuery};
use crate::druid::task::{QUERY_CONTROLLER, QUERY_SELECT, TaskId};
use crate::druid::{Answer, Body, Recognized, Row, Rule, context};
use crate::json::{self, Json};
use crate::permission::{Action, Need, Permissions, ResourceAction, ResourceType};
use crate::policy::{Grants, NamePattern, Subject};
use crate::query_id::{OwnIds, QueryId, QueryIds, TASK_PREFIX, Whose};
use crate::reading_pool::{ReadingPool, Verdict};
use crate::sql;

/// What inspection goes by, besides the request.
pub struct Inspector<D> {
    /// Writes and reads the ids of queries.
    pub ids: QueryIds,
    /// What cancelling a query's task takes on its datasource: READ, or WRITE as in Druid.
    pub task_cancel: Action,
    /// Whether the state's permission does for another's statement, as in Druid since 28.
    pub statements_by_state: bool,
    /// What EXTERN may read, and what it takes.
    pub external: Arc<sql::ExternalRules>,
    /// What setting a query context key takes.
    pub context_keys: ContextKeys,
    /// Where tasks are looked up.
    pub directory: D,
    /// Where statements are read a second time.
    pub second: ReadingPool,
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
    /// In the place of a body, and like it: a request that is rendered with the gate's own login, and the name of its connection.
    pub avatica: Option<(AvaticaRequest, QueryId)>,
    /// What becomes of Druid's answer.
    pub answer: Answer,
    /// The query that it submits or cancels, or the connection that it is about, if there is one.
    pub query: Option<Submitted>,
    /// What tells the caller's own queries in a list of them.
    pub own: Option<OwnIds>,
    /// What the audit record says of it.
    pub facts: Facts,
    need: Need,
    hidden: Option<Hidden>,
    unnarrowed: Option<Box<Unnarrowed>>,
}

/// What inspection makes of a request.
#[derive(Debug)]
pub enum Inspection {
    /// A request that is decided, and sent, as a whole.
    Whole(Box<Inspected>),
    /// Requests that are decided, and sent, each by itself; those that are denied are left out.
    Parts(Vec<Inspected>),
}

/// Names that a caller need not know of, though its request is about them.
#[derive(Debug)]
struct Hidden {
    /// How a refusal calls them.
    of: &'static str,
    names: Vec<String>,
}

/// SQL that names system tables, before it is known what its caller may see of them.
#[derive(Debug)]
struct Unnarrowed {
    query: SqlQuery,
    rules: Arc<sql::ExternalRules>,
    reading: sql::Reading,
    sent: Sent,
}

/// In what it is sent once it is narrowed.
#[derive(Debug)]
enum Sent {
    /// As a query of this id.
    Query(QueryId),
    /// As the statement of this request, on the connection of this name.
    Avatica(AvaticaRequest, QueryId),
}

/// A query, or a connection, under the gate's id.
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
    /// `select`, `insert`, `replace` or `explain`; of a native query, a task, a supervisor or a sampler its type; of JDBC what
    /// is asked, where it is no statement.
    pub statement: Option<&'static str>,
    /// The id of the task, statement or query.
    pub id: Option<String>,
    /// Whether the statement names a system table that the gate cannot narrow.
    pub unknown_system_table: bool,
    /// Whether system tables in the statement were narrowed to what the caller may see.
    pub narrowed: bool,
    /// How long reading the statement took.
    pub reading_took: Option<Duration>,
    /// What the second reading says of the first.
    pub second_reading: Option<&'static str>,
    /// The SHA-256 of a statement on which the readings disagree, in hexadecimal digits.
    pub sql_sha256: Option<String>,
}

impl Subject for Inspected {
    type Refusal = Refusal;

    fn need(&self) -> &Need {
        &self.need
    }

    fn narrow(&mut self, grants: &Grants) -> Result<(), Refusal> {
        let Some(unnarrowed) = self.unnarrowed.take() else { return Ok(()) };
        let Unnarrowed { mut query, rules, reading, sent } = *unnarrowed;
        let visible = sql::Visible {
            datasources: readable(grants, ResourceType::Datasource),
            views: readable(grants, ResourceType::View),
        };
        let narrowed = sql::narrow(&rules, &query.sql, &sql_parameters(&query), &reading, &visible)
            .map_err(|refusal| Refusal::Sql(Box::new(refusal)))?;
        if let Some(narrowed) = narrowed {
            query.sql = narrowed;
            self.facts.narrowed = true;
        }
        self.seal(&query, sent);
        Ok(())
    }
}

fn readable(grants: &Grants, resource_type: ResourceType) -> Vec<&str> {
    grants.patterns(Action::Read, resource_type, sql::MAX_TERMS).into_iter().map(NamePattern::as_str).collect()
}

impl Inspected {
    /// What a refusal says in the place of names that `grants` do not let the caller know of; nothing if it may tell them.
    #[must_use]
    pub fn hidden_from(&self, grants: &Grants) -> Option<&'static str> {
        let hidden = self.hidden.as_ref()?;
        let known = |datasource: &String| {
            let may =
                |action| grants.allows(&ResourceAction::new(action, ResourceType::Datasource, datasource.as_str()));
            datasource == QUERY_SELECT || may(Action::Read) || may(Action::Write)
        };
        (!hidden.names.iter().all(known)).then_some(hidden.of)
    }

    /// SQL is sent so, if it names system tables once it is narrowed.
    fn send(&mut self, query: SqlQuery, rules: &Arc<sql::ExternalRules>, reading: sql::Reading, sent: Sent) {
        if reading.system_tables.is_empty() {
            self.seal(&query, sent);
        } else {
            let rules = Arc::clone(rules);
            self.unnarrowed = Some(Box::new(Unnarrowed { query, rules, reading, sent }));
        }
    }

    fn seal(&mut self, query: &SqlQuery, sent: Sent) {
        match sent {
            Sent::Query(id) => self.body = Some(Bytes::from(query.render_with_id(id.as_str()))),
            Sent::Avatica(request, id) => self.avatica = Some((request.with_statement(&query.sql), id)),
        }
    }

    fn new(recognized: &Recognized, need: Need) -> Self {
        Self {
            row: recognized.row,
            target: recognized.target(),
            body: None,
            avatica: None,
            answer: recognized.row.answer,
            query: None,
            own: None,
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
    /// Its SQL, of which the second reading finds more than the first.
    #[error("{}", .0.refusal.message)]
    ReadingsDisagree(Box<Disagreement>),
    /// A SET statement in its SQL.
    #[error("SET [{0}] sets a key that the gate or Druid decides; leave it out")]
    SetOption(String, sql::Position),
    /// Its body, where that says what it is about.
    #[error(transparent)]
    Body(#[from] OddBody),
    /// An input source of its spec.
    #[error(transparent)]
    Source(#[from] sql::Objection),
    /// No task can have this id.
    #[error("this is not the id of a task; send one as Druid gave it")]
    OddTaskId,
    /// No task has this id.
    #[error("Cannot find any task with id: [{0}]")]
    UnknownTask(String),
    /// No supervisor has this id.
    #[error("Cannot find any supervisor with id: [{0}]")]
    UnknownSupervisor(String),
    /// The catalog has no such schema.
    #[error("the catalog has no schema [{0}]")]
    UnknownSchema(String),
    /// No statement has this id.
    #[error(
        "Query [{0}] was not found. The query details are no longer present or might not be of the type [{QUERY_CONTROLLER}]. Verify that the id is correct."
    )]
    UnknownStatement(String),
    /// No running query has this id.
    #[error("no running query has this id; send that of one of your own that runs")]
    UnknownQuery,
    /// The statement, or query, was submitted by somebody else.
    #[error("only who submitted a query may do this with it")]
    NotTheOwner,
    /// The task or supervisor could not be looked up.
    #[error(transparent)]
    Lookup(#[from] LookupFault),
}

/// What is known of a statement on which the readings disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// What the caller is told.
    pub refusal: sql::Refusal,
    /// For the record.
    pub facts: Facts,
    /// What both readings find together, for the record.
    pub found: Need,
}

/// The word for what the second reading says of the first, or the refusal of the statement.
///
/// # Errors
/// [`Refusal::ReadingsDisagree`].
pub(crate) fn heed(verdict: Verdict, statement: &str, first: &sql::Reading) -> Result<&'static str, Refusal> {
    let second_reading = verdict.as_str();
    let Verdict::Disagreed(found) = verdict else { return Ok(second_reading) };
    let mut both = first.clone();
    both.resources.extend(found.resources);
    both.system_tables.extend(found.system_tables);
    let facts = Facts {
        statement: Some(first.word()),
        id: None,
        unknown_system_table: has_unknown(&both),
        narrowed: false,
        reading_took: None,
        second_reading: Some(second_reading),
        sql_sha256: Some(hexadecimal(digest(&SHA256, statement.as_bytes()).as_ref())),
    };
    let disagreement =
        Disagreement { refusal: sql::readings_disagree(), facts, found: need_of(&both, BTreeSet::new()) };
    Err(Refusal::ReadingsDisagree(Box::new(disagreement)))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A statement that was read.
struct ReadStatement {
    reading: sql::Reading,
    /// What setting its context keys takes.
    context_keys: BTreeSet<ResourceAction>,
    facts: Facts,
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
    /// Finds what the request needs; `caller` is who asks, and what it holds.
    ///
    /// # Errors
    /// [`Refusal`], where that cannot be told, or the request could not be served to anyone.
    pub async fn inspect(
        &self,
        recognized: &Recognized,
        body: Option<RequestBody<'_>>,
        (caller, grants): (&Identity, &Grants),
    ) -> Result<Inspection, Refusal> {
        let sent = match recognized.row.body {
            Body::None | Body::Sql | Body::Judged | Body::Avatica => None,
            Body::TaskIds => Some(task_ids(body.ok_or(NoForm::Missing)?)?),
            Body::Json => Some(by_body::any_json(body)?),
            Body::JsonOfDatasource => Some(by_body::json_of(recognized.value("datasource"), body)?),
        };
        let mut inspected = match recognized.row.rule {
            Rule::Open | Rule::AnyIdentity => Inspected::new(recognized, Need::AnyIdentity),
            Rule::Holds(action, resource_type, name) => {
                let permission = ResourceAction::new(action, resource_type, name);
                Inspected::new(recognized, Need::AllOf(Permissions::one(permission)))
            }
            Rule::Datasource(actions) => by_path::datasource(recognized, actions),
            Rule::CatalogTable(action) => by_path::catalog_table(recognized, action)?,
            Rule::Supervisor(action) => self.supervisor(recognized, action).await?,
            Rule::EachSupervisor(row) => return Ok(Inspection::Parts(self.each_supervisor(row).await?)),
            Rule::SubmitSql(_) => self.submit(recognized, body.ok_or(NoForm::Missing)?, caller).await?,
            Rule::Avatica => self.avatica(recognized, body, (caller, grants)).await?,
            Rule::SubmitQuery => self.native_query(recognized, body, caller)?,
            Rule::QueryCandidates => by_body::and_write_state(self.native_query(recognized, body, caller)?),
            Rule::SubmitTask => self.submit_task(recognized, body).await?,
            Rule::SubmitSupervisor => self.submit_supervisor(recognized, body).await?,
            Rule::Sample => by_body::and_write_state(self.sample(recognized, body).await?),
            Rule::OwnQuery => self.own_query(recognized, caller)?,
            Rule::OwnStatement => self.own_statement(recognized, (caller, grants))?,
            Rule::OwnQueries => self.own_queries(recognized, (caller, grants)),
            Rule::ReadTask => self.task(recognized, |_| Action::Read).await?,
            Rule::CancelTask => self.task(recognized, |facts| self.cancel_action(facts)).await?,
            Rule::FilteredList => by_path::filtered_list(recognized)?,
        };
        inspected.body = inspected.body.or(sent);
        Ok(Inspection::Whole(Box::new(inspected)))
    }

    async fn submit(
        &self,
        recognized: &Recognized,
        body: RequestBody<'_>,
        caller: &Identity,
    ) -> Result<Inspected, Refusal> {
        let query = SqlQuery::read(body.form, body.bytes)?;
        let statement = self.read_statement(&query).await?;
        let client_id = query.client_id().map(str::to_owned);
        let id = self.ids.mint(caller, client_id.as_deref(), &nonce());
        let ReadStatement { reading, context_keys, facts } = statement;
        let mut inspected = Inspected::new(recognized, need_of(&reading, context_keys));
        inspected.facts = Facts { id: Some(id.task_id()), ..facts };
        inspected.query = Some(Submitted { id: id.clone(), client_id });
        inspected.send(query, &self.external, reading, Sent::Query(id));
        Ok(inspected)
    }

    /// Reads the statement, twice where that is configured.
    async fn read_statement(&self, query: &SqlQuery) -> Result<ReadStatement, Refusal> {
        let began = Instant::now();
        let (reading, kept) = read_sql(query, &self.external)?;
        let reading_took = Some(began.elapsed());
        let context_keys = context_keys(query, &reading, &self.context_keys)?;
        let verdict = self.second.compare(&query.sql, sql_parameters(query), kept, &reading).await;
        let second_reading = heed(verdict, &query.sql, &reading)?;
        let facts = Facts {
            statement: Some(reading.word()),
            id: None,
            unknown_system_table: has_unknown(&reading),
            narrowed: false,
            reading_took,
            second_reading: Some(second_reading),
            sql_sha256: None,
        };
        Ok(ReadStatement { reading, context_keys, facts })
    }

    /// `DELETE /druid/v2/sql/{id}`, `DELETE /druid/v2/{id}`: the gate's id, or the client's own, which names a query of this
    /// caller only. Another's query is for who may write the state.
    fn own_query(&self, recognized: &Recognized, caller: &Identity) -> Result<Inspected, Refusal> {
        let text = recognized.id();
        let bare = text.strip_prefix(TASK_PREFIX).unwrap_or(text);
        let (id, client_id) = match self.ids.whose(bare, caller) {
            Whose::Callers(id) => (id, None),
            Whose::Anothers => {
                let mut inspected = by_body::and_write_state(Inspected::new(recognized, Need::AnyIdentity));
                inspected.target = recognized.target_for(bare);
                inspected.facts.id = Some(format!("{TASK_PREFIX}{bare}"));
                return Ok(inspected);
            }
            Whose::Forged => return Err(Refusal::UnknownQuery),
            Whose::NotAnId => (self.ids.mint(caller, Some(text), &[]), Some(text.to_owned())),
        };
        let mut inspected = Inspected::new(recognized, Need::AnyIdentity);
        inspected.target = recognized.target_for(id.as_str());
        inspected.facts.id = Some(id.task_id());
        inspected.query = Some(Submitted { id, client_id });
        Ok(inspected)
    }

    /// One's own statement, or anybody's for who may read the state, or write it to cancel: those from before the gate, or
    /// signed by a key that is no more, too. Druid: `SqlStatementResource.getTaskIdAndAuthorize`.
    fn own_statement(
        &self,
        recognized: &Recognized,
        (caller, grants): (&Identity, &Grants),
    ) -> Result<Inspected, Refusal> {
        let text = recognized.id();
        let unknown = || Refusal::UnknownStatement(text.to_owned());
        let whose = text.strip_prefix(TASK_PREFIX).map_or(Whose::NotAnId, |bare| self.ids.whose(bare, caller));
        let action = if recognized.row.method == Method::GET { Action::Read } else { Action::Write };
        let state = ResourceAction::new(action, ResourceType::State, "STATE");
        let need = match whose {
            Whose::Callers(_) => Need::AnyIdentity,
            Whose::Anothers if !self.statements_by_state => return Err(Refusal::NotTheOwner),
            Whose::Anothers => Need::AllOf(Permissions::one(state)),
            // Who may not see all statements is not told whether there is this one.
            Whose::Forged | Whose::NotAnId if self.statements_by_state && grants.allows(&state) => {
                Need::AllOf(Permissions::one(state))
            }
            Whose::Forged | Whose::NotAnId => return Err(unknown()),
        };
        // Some databases take a name with a blank after it for the name.
        let id = TaskId::new(text).filter(|id| id.as_str().trim() == text).ok_or_else(unknown)?;
        let mut inspected = Inspected::new(recognized, need);
        inspected.target = recognized.target_for(id.as_str());
        inspected.facts.id = Some(id.as_str().to_owned());
        Ok(inspected)
    }

    /// The queries that run: all for who may read the state, else the caller's own, with nothing of whose Druid thinks they
    /// are. Druid: `SqlResource.getRunningQueries`.
    fn own_queries(&self, recognized: &Recognized, (caller, grants): (&Identity, &Grants)) -> Inspected {
        let state = ResourceAction::new(Action::Read, ResourceType::State, "STATE");
        if grants.allows(&state) {
            let mut inspected = Inspected::new(recognized, Need::AllOf(Permissions::one(state)));
            inspected.answer = Answer::Pass;
            return inspected;
        }
        let mut inspected = Inspected::new(recognized, Need::AnyIdentity);
        inspected.own = Some(self.ids.of(caller));
        inspected
    }
}

/// A JSON array of task ids, rendered anew.
fn task_ids(body: RequestBody<'_>) -> Result<Bytes, Refusal> {
    if body.form != SqlForm::Json {
        return Err(NoForm::NotJson.into());
    }
    let ids = json::parse_bytes(body.bytes).map_err(OddQuery::from)?;
    let is_id = |item: &Json| item.as_str().and_then(TaskId::new).is_some();
    if !ids.as_array().is_some_and(|items| items.iter().all(is_id)) {
        return Err(OddQuery::Type("the body", "a JSON array of task ids").into());
    }
    Ok(Bytes::from(ids.render()))
}

/// The first reading of a request's SQL, and what the second one takes of it, whoever asks. Its SET statements say to Druid
/// what the envelope's context says, and are held to the same list.
///
/// # Errors
/// [`Refusal::Sql`], [`Refusal::SetOption`].
pub(crate) fn read_sql(query: &SqlQuery, rules: &sql::ExternalRules) -> Result<(sql::Reading, sql::Query), Refusal> {
    let read = sql::read_and_keep(rules, &query.sql, &sql_parameters(query));
    let (reading, kept) = read.map_err(|refusal| Refusal::Sql(Box::new(refusal)))?;
    for option in &reading.set_options {
        if context::is_reserved(&option.name) || context::is_gate_owned(&option.name) {
            return Err(Refusal::SetOption(option.name.clone(), sql::Position::of(&query.sql, option.at)));
        }
    }
    Ok((reading, kept))
}

/// What the keys of a request's context and of its SET statements need.
///
/// # Errors
/// [`OddQuery::ManyKeys`].
pub(crate) fn context_keys(
    query: &SqlQuery,
    reading: &sql::Reading,
    rules: &ContextKeys,
) -> Result<BTreeSet<ResourceAction>, Refusal> {
    let keys = query.context_keys().chain(reading.set_options.iter().map(|option| option.name.as_str()));
    let permissions = rules.permissions(keys);
    if permissions.len() > context::MAX_KEYS {
        return Err(OddQuery::ManyKeys.into());
    }
    Ok(permissions)
}

/// The values of a request's `?`, as its SQL takes them.
pub(crate) fn sql_parameters(query: &SqlQuery) -> Vec<sql::Parameter> {
    query.parameter_values().into_iter().map(sql_parameter).collect()
}

fn sql_parameter(value: ParameterValue) -> sql::Parameter {
    match value {
        ParameterValue::Text(text) => sql::Parameter::Text(text),
        ParameterValue::Other => sql::Parameter::Other,
    }
}

fn has_unknown(reading: &sql::Reading) -> bool {
    reading.system_tables.iter().any(|table| table.rows() == sql::Rows::Unknown)
}

fn need_of(reading: &sql::Reading, context_keys: BTreeSet<ResourceAction>) -> Need {
    let mut set: BTreeSet<ResourceAction> = reading.resources.clone();
    set.extend(context_keys);
    set.extend(reading.system_tables.iter().flat_map(system_table_needs));
    Need::from_set(set)
}

/// What asking a system table takes.
fn system_table_needs(table: &sql::SystemTable) -> Vec<ResourceAction> {
    let state = ResourceAction::new(Action::Read, ResourceType::State, "STATE");
    match table.rows() {
        sql::Rows::All | sql::Rows::OfDatasources(_) | sql::Rows::OfTables => Vec::new(),
        // Druid: `SystemSchema.checkStateReadAccessForServers`.
        sql::Rows::OfState | sql::Rows::OfSegments => vec![state],
        // It answers the gate's own account for everything; only who may see everything may ask it.
        sql::Rows::Unknown => {
            let every = |kind| ResourceAction::every(Action::Read, kind);
            vec![every(ResourceType::Datasource), every(ResourceType::View), state]
        }
    }
}

/// 128 random bits; the operating system's generator does not fail once the process runs.
fn nonce() -> [u8; 16] {
    let mut bytes = [0; 16];
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests;

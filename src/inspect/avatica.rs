//! What a request of JDBC needs, and under which name its connection is sent.
//!
//! A connection is named by its client. At Druid it has a name that is made of the client's, of who the caller is and of what
//! it holds, so that nobody can name another's, and a connection ends where its owner's grants change: what was prepared and
//! opened on it is judged anew.

use std::collections::BTreeSet;

use super::{Inspected, Inspector, ReadStatement, Refusal, RequestBody, Sent, Submitted, TaskDirectory, need_of};
use crate::auth::Identity;
use crate::druid::avatica::{Asks, AvaticaRequest};
use crate::druid::media_type::NoForm;
use crate::druid::naming::OddBody;
use crate::druid::sql_query::{OddQuery, SqlQuery};
use crate::druid::{Recognized, context};
use crate::permission::{Action, Need, ResourceAction, ResourceType};
use crate::policy::Grants;
use crate::query_id::QueryId;

impl<D: TaskDirectory> Inspector<D> {
    pub(super) async fn avatica(
        &self,
        recognized: &Recognized,
        body: Option<RequestBody<'_>>,
        (caller, grants): (&Identity, &Grants),
    ) -> Result<Inspected, Refusal> {
        let bytes = body.ok_or(NoForm::NotAvatica)?.bytes;
        // What comes from a driver that speaks protobuf begins otherwise.
        if bytes.trim_ascii_start().first().is_some_and(|byte| *byte != b'{') {
            return Err(NoForm::NotAvatica.into());
        }
        let request = AvaticaRequest::read(bytes)?;
        let id = self.ids.connection(caller, grants, &request.connection_id);
        let connection = Submitted { id: id.clone(), client_id: Some(request.connection_id.clone()) };
        let mut inspected = self.judged(recognized, request, id).await?;
        inspected.facts.id = Some(connection.id.as_str().to_owned());
        inspected.query = Some(connection);
        Ok(inspected)
    }

    async fn judged(
        &self,
        recognized: &Recognized,
        request: AvaticaRequest,
        id: QueryId,
    ) -> Result<Inspected, Refusal> {
        let need = match &request.asks {
            Asks::Statement(sql) => {
                let query = SqlQuery::from_text(sql.clone())?;
                return self.statement(recognized, query, Sent::Avatica(request, id)).await;
            }
            Asks::Open(_) => self.need_of_properties(&request)?,
            Asks::Tables => need_of_tables(),
            Asks::Own => Need::AnyIdentity,
        };
        let mut inspected = Inspected::new(recognized, need);
        inspected.facts.statement = Some(request.name());
        inspected.avatica = Some((request, id));
        Ok(inspected)
    }

    /// Where a value of a `?` could say what is read there is none yet, and the statement is refused.
    async fn statement(&self, recognized: &Recognized, query: SqlQuery, sent: Sent) -> Result<Inspected, Refusal> {
        let ReadStatement { reading, facts, .. } = self.read_statement(&query).await?;
        if !reading.set_options.is_empty() {
            return Err(OddBody::NotForClients(SET).into());
        }
        let mut inspected = Inspected::new(recognized, need_of(&reading, BTreeSet::new()));
        inspected.facts = facts;
        inspected.send(query, &self.external, reading, sent);
        Ok(inspected)
    }

    fn need_of_properties(&self, request: &AvaticaRequest) -> Result<Need, Refusal> {
        let permissions = self.context_keys.permissions(request.context_keys());
        if permissions.len() > context::MAX_KEYS {
            return Err(OddQuery::ManyKeys.into());
        }
        Ok(Need::from_set(permissions))
    }
}

/// The statement that Druid makes of it cannot be narrowed, and its answer cannot be filtered: while it runs, its rows could be
/// fetched by the number of the statement.
fn need_of_tables() -> Need {
    let every = [ResourceType::Datasource, ResourceType::View].map(|every| ResourceAction::every(Action::Read, every));
    Need::from_set(every.into())
}

/// Druid: `SqlStatementFactory`, `DruidSqlParser` without SET.
const SET: &str = "JDBC takes no SET; put the key among the properties of the connection";

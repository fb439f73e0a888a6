//! What a request of JDBC needs, and under which name its connection is sent.
//!
//! A connection is named by its client. At Druid it has a name that is made of the client's, of who the caller is and of what
//! it holds, so that nobody can name another's, and a connection ends where its owner's grants change: what was prepared and
//! opened on it is judged anew.

use super::{Facts, Inspected, Inspector, ReadStatement, Refusal, RequestBody, Submitted, TaskDirectory};
use crate::auth::Identity;
use crate::druid::avatica::{Asks, AvaticaRequest};
use crate::druid::media_type::NoForm;
use crate::druid::naming::OddBody;
use crate::druid::sql_query::{OddQuery, SqlQuery};
use crate::druid::{Recognized, context};
use crate::permission::Need;
use crate::policy::Grants;

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
        let (need, facts) = self.need_of_avatica(&request).await?;
        let mut inspected = Inspected::new(recognized, need);
        inspected.facts = Facts { id: Some(id.as_str().to_owned()), ..facts };
        inspected.query = Some(Submitted { id: id.clone(), client_id: Some(request.connection_id.clone()) });
        inspected.avatica = Some((request, id));
        Ok(inspected)
    }

    async fn need_of_avatica(&self, request: &AvaticaRequest) -> Result<(Need, Facts), Refusal> {
        let named = Facts { statement: Some(request.name()), ..Facts::default() };
        match &request.asks {
            Asks::Statement(sql) => {
                // Where a value could say what is read there is none yet, and the statement is refused.
                let ReadStatement { reading, mut facts, .. } =
                    self.read_statement(&SqlQuery::from_text(sql.clone())?).await?;
                if !reading.set_options.is_empty() {
                    return Err(OddBody::NotForClients(SET).into());
                }
                let mut needs = reading.resources;
                if !reading.system_tables.is_empty() {
                    // Nothing is narrowed here.
                    needs.extend(super::of_system_tables());
                    facts.unknown_system_table = true;
                }
                Ok((Need::from_set(needs), facts))
            }
            Asks::Open(_) => {
                let permissions = self.context_keys.permissions(request.context_keys());
                if permissions.len() > context::MAX_KEYS {
                    return Err(OddQuery::ManyKeys.into());
                }
                Ok((Need::from_set(permissions), named))
            }
            Asks::Metadata => {
                Ok((Need::from_set(super::of_system_tables().into()), Facts { unknown_system_table: true, ..named }))
            }
            Asks::Own => Ok((Need::AnyIdentity, named)),
        }
    }
}

/// Druid: `SqlStatementFactory`, `DruidSqlParser` without SET.
const SET: &str = "JDBC takes no SET; put the key among the properties of the connection";

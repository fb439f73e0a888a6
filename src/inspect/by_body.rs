//! Requests that are judged by a JSON body: native queries, tasks, supervisors, samplers.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::{
    Facts, Hidden, Inspected, Inspector, ReadStatement, Refusal, RequestBody, Submitted, TaskDirectory, nonce,
};
use crate::auth::Identity;
use crate::druid::ingestion::{Ingestion, sampler, supervisor, task};
use crate::druid::media_type::{NoForm, SqlForm};
use crate::druid::naming::{MAX_DATASOURCES, OddBody};
use crate::druid::native_query::NativeQuery;
use crate::druid::sql_query::OddQuery;
use crate::druid::stored_supervisor::SupervisorId;
use crate::druid::task::TaskId;
use crate::druid::{Recognized, context};
use crate::json::{self, Json};
use crate::permission::{Action, Need, ResourceAction, ResourceType};
use crate::sql::StatementKind;

impl<D: TaskDirectory> Inspector<D> {
    pub(super) fn native_query(
        &self,
        recognized: &Recognized,
        body: Option<RequestBody<'_>>,
        caller: &Identity,
    ) -> Result<Inspected, Refusal> {
        let query = NativeQuery::read(json_bytes(body)?)?;
        let mut needs = self.context_keys.permissions(query.context_keys());
        if needs.len() > context::MAX_KEYS {
            return Err(OddQuery::ManyKeys.into());
        }
        needs.extend(on_datasources(Action::Read, &query.datasources));
        let client_id = query.client_id().map(str::to_owned);
        let id = self.ids.mint(caller, client_id.as_deref(), &nonce());
        let mut inspected = Inspected::new(recognized, Need::from_set(needs));
        inspected.body = Some(Bytes::from(query.render_with_id(id.as_str())));
        inspected.facts.statement = Some(query.query_type);
        inspected.facts.id = Some(id.task_id());
        inspected.query = Some(Submitted { id, client_id });
        Ok(inspected)
    }

    pub(super) async fn submit_task(
        &self,
        recognized: &Recognized,
        body: Option<RequestBody<'_>>,
    ) -> Result<Inspected, Refusal> {
        let tree = parsed(body)?;
        let spec = task::read(&tree)?;
        let (needs, facts) = self.needs_of(&spec).await?;
        Ok(of_spec(recognized, &tree, &spec, needs, facts))
    }

    pub(super) async fn sample(
        &self,
        recognized: &Recognized,
        body: Option<RequestBody<'_>>,
    ) -> Result<Inspected, Refusal> {
        let tree = parsed(body)?;
        let spec = sampler::read(&tree)?;
        let (needs, facts) = self.needs_of(&spec).await?;
        Ok(of_spec(recognized, &tree, &spec, needs, facts))
    }

    /// Whose place it takes, that one ends: so it needs what ending that one does.
    pub(super) async fn submit_supervisor(
        &self,
        recognized: &Recognized,
        body: Option<RequestBody<'_>>,
    ) -> Result<Inspected, Refusal> {
        let tree = parsed(body)?;
        let spec = supervisor::read(&tree)?;
        let (mut needs, facts) = self.needs_of(&spec).await?;
        let mut names = Vec::new();
        for id in spec.replaces.iter().filter_map(|id| SupervisorId::new(id)) {
            if let Some(replaced) = self.directory.supervisor(&id).await? {
                names.extend(replaced.datasources().filter(|name| !spec.writes.contains(*name)).map(str::to_owned));
                needs.extend(replaced.needs(Action::Write).iter().cloned());
            }
        }
        let mut inspected = of_spec(recognized, &tree, &spec, needs, facts);
        if !names.is_empty() {
            inspected.hidden = Some(Hidden { of: "the datasources of the supervisor that has this id", names });
        }
        Ok(inspected)
    }

    /// What a spec takes, by what was found in it, and what a record says of its SQL.
    async fn needs_of(&self, spec: &Ingestion<'_>) -> Result<(BTreeSet<ResourceAction>, Facts), Refusal> {
        let mut needs: BTreeSet<ResourceAction> = on_datasources(Action::Write, &spec.writes).collect();
        needs.extend(on_datasources(Action::Read, &spec.reads));
        needs.extend(spec.sources.iter().map(|source| self.external.of_source(source)));
        for source in &spec.input_sources {
            needs.extend(self.external.of_spec(source)?);
        }
        for format in &spec.input_formats {
            self.external.format_of_spec(format)?;
        }
        if needs.len() > MAX_DATASOURCES {
            return Err(OddBody::TooManyDatasources.into());
        }
        let Some(query) = &spec.statement else { return Ok((needs, Facts::default())) };
        let ReadStatement { reading, context_keys, facts } = self.read_statement(query).await?;
        // A system table would answer later what it answers the gate.
        if reading.explain || reading.kind == StatementKind::Select || !reading.system_tables.is_empty() {
            return Err(OddBody::Type("spec.query", "an INSERT or REPLACE that reads datasources").into());
        }
        needs.extend(reading.resources);
        needs.extend(context_keys);
        Ok((needs, facts))
    }
}

/// The request whose body is this spec, rendered anew.
fn of_spec(
    recognized: &Recognized,
    tree: &Json,
    spec: &Ingestion<'_>,
    needs: BTreeSet<ResourceAction>,
    facts: Facts,
) -> Inspected {
    let mut inspected = Inspected::new(recognized, Need::from_set(needs));
    inspected.body = Some(Bytes::from(tree.render()));
    let id = tree.get("id").and_then(Json::as_str).and_then(TaskId::new).map(|id| id.as_str().to_owned());
    inspected.facts = Facts { statement: Some(spec.kind), id, ..facts };
    inspected
}

fn on_datasources(action: Action, names: &BTreeSet<String>) -> impl Iterator<Item = ResourceAction> {
    names.iter().map(move |name| ResourceAction::new(action, ResourceType::Datasource, name.as_str()))
}

/// The same request, which needs WRITE on the state too.
pub fn and_write_state(mut inspected: Inspected) -> Inspected {
    let mut needs: BTreeSet<ResourceAction> = inspected.need.permissions().cloned().collect();
    needs.insert(ResourceAction::new(Action::Write, ResourceType::State, "STATE"));
    inspected.need = Need::from_set(needs);
    inspected
}

fn json_bytes(body: Option<RequestBody<'_>>) -> Result<&[u8], Refusal> {
    let body = body.ok_or(NoForm::Missing)?;
    if body.form == SqlForm::Json { Ok(body.bytes) } else { Err(NoForm::NotJson.into()) }
}

fn parsed(body: Option<RequestBody<'_>>) -> Result<Json, Refusal> {
    Ok(json::parse_bytes(json_bytes(body)?).map_err(OddBody::from)?)
}

/// JSON, rendered anew.
///
/// # Errors
/// [`Refusal`], where it is not JSON with one reading.
pub fn any_json(body: Option<RequestBody<'_>>) -> Result<Bytes, Refusal> {
    Ok(Bytes::from(parsed(body)?.render()))
}

/// The configuration of this datasource's compaction, rendered anew. Druid: `OverlordCompactionResource.updateDatasourceCompactionConfig`.
///
/// # Errors
/// [`Refusal`], where it is not JSON with one reading, or about another datasource.
pub fn json_of(datasource: &str, body: Option<RequestBody<'_>>) -> Result<Bytes, Refusal> {
    let tree = parsed(body)?;
    if !supervisor::read_compaction(&tree)?.writes.iter().eq([datasource]) {
        return Err(OddBody::Type("dataSource", "the datasource that the path names").into());
    }
    Ok(Bytes::from(tree.render()))
}

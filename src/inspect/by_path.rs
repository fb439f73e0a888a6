//! Requests that are judged by their path and query string, and perhaps by what Druid says of what these name.

use super::{Hidden, Inspected, Inspector, Refusal, TaskDirectory};
use crate::druid::stored_supervisor::{SupervisorFacts, SupervisorId};
use crate::druid::task::{QUERY_CONTROLLER, TaskFacts, TaskId};
use crate::druid::{Answer, List, Recognized, Row, Shown, Sums, catalog, segment};
use crate::permission::{Action, Need, Permissions, ResourceAction, ResourceType};

impl<D: TaskDirectory> Inspector<D> {
    pub(super) async fn task(
        &self,
        recognized: &Recognized,
        action: impl FnOnce(&TaskFacts) -> Action + Send,
    ) -> Result<Inspected, Refusal> {
        let id = TaskId::new(recognized.id()).ok_or(Refusal::OddTaskId)?;
        let unknown = || Refusal::UnknownTask(id.as_str().to_owned());
        let facts = self.directory.task(&id).await?.ok_or_else(unknown)?;
        let permission = ResourceAction::new(action(&facts), ResourceType::Datasource, facts.datasource.as_str());
        let mut inspected = Inspected::new(recognized, Need::AllOf(Permissions::one(permission)));
        inspected.facts.id = Some(id.as_str().to_owned());
        inspected.hidden = Some(Hidden { of: "the datasource of this task", names: vec![facts.datasource] });
        Ok(inspected)
    }

    /// The milder rule is for queries alone: any client can give its own task a query's name, but not its type.
    pub(super) fn cancel_action(&self, facts: &TaskFacts) -> Action {
        if facts.task_type == QUERY_CONTROLLER { self.task_cancel } else { Action::Write }
    }

    pub(super) async fn supervisor(&self, recognized: &Recognized, action: Action) -> Result<Inspected, Refusal> {
        let unknown = || Refusal::UnknownSupervisor(recognized.id().to_owned());
        let id = SupervisorId::new(recognized.id()).ok_or_else(unknown)?;
        let facts = self.directory.supervisor(&id).await?.ok_or_else(unknown)?;
        Ok(of_supervisor(recognized, action, &facts))
    }

    /// A request for each supervisor that there is.
    pub(super) async fn each_supervisor(&self, row: &'static Row) -> Result<Vec<Inspected>, Refusal> {
        let all = self.directory.supervisors().await?;
        let one = |(id, facts): &(SupervisorId, _)| {
            of_supervisor(&Recognized::of_one(row, id.as_str()), Action::Write, facts)
        };
        Ok(all.iter().map(one).collect())
    }
}

fn of_supervisor(recognized: &Recognized, action: Action, facts: &SupervisorFacts) -> Inspected {
    let mut inspected = Inspected::new(recognized, Need::AllOf(facts.needs(action)));
    inspected.facts.id = Some(recognized.id().to_owned());
    let names = facts.datasources().map(str::to_owned).collect();
    inspected.hidden = Some(Hidden { of: "the datasources of this supervisor", names });
    inspected
}

/// Each of the actions on the datasource that the path names; on every one where the segment that it names is of another,
/// since some versions of Druid then find it all the same. Druid: `DataSourcesResource.markSegmentAsUsed` of 27,
/// `MetadataResource.getSegment` of some between that and 33.
pub fn datasource(recognized: &Recognized, actions: &[Action]) -> Inspected {
    let name = recognized.value("datasource");
    let of_another = segment::is_of_another(recognized.value("segment"), name);
    let need = |action: &Action| {
        if of_another {
            ResourceAction::every(*action, ResourceType::Datasource)
        } else {
            ResourceAction::new(*action, ResourceType::Datasource, name)
        }
    };
    Inspected::new(recognized, Need::from_set(actions.iter().map(need).collect()))
}

/// The action on the table that the path names.
///
/// # Errors
/// [`Refusal::UnknownSchema`].
pub fn catalog_table(recognized: &Recognized, action: Action) -> Result<Inspected, Refusal> {
    let permission = ResourceAction::new(action, type_of_schema(recognized)?, recognized.value("table"));
    Ok(Inspected::new(recognized, Need::AllOf(Permissions::one(permission))))
}

fn type_of_schema(recognized: &Recognized) -> Result<ResourceType, Refusal> {
    let schema = recognized.value("schema");
    catalog::type_of_schema(schema).ok_or_else(|| Refusal::UnknownSchema(schema.to_owned()))
}

/// A list that is asked for one datasource needs the action on it, as in Druid; any other is only filtered. Where what is
/// asked for could not be filtered, more is asked of Druid, and the caller is shown what it asked for.
///
/// # Errors
/// [`Refusal::UnknownSchema`].
pub fn filtered_list(recognized: &Recognized) -> Result<Inspected, Refusal> {
    let Answer::List(list) = recognized.row.answer else { return Ok(Inspected::new(recognized, Need::AnyIdentity)) };
    let action = list.action();
    let need = recognized.parameter("datasource").map_or(Need::AnyIdentity, |datasource| {
        Need::AllOf(Permissions::one(ResourceAction::new(action, ResourceType::Datasource, datasource)))
    });
    let mut inspected = Inspected::new(recognized, need);
    let asks = |name| recognized.parameter(name).is_some();
    match list {
        List::Intervals(Sums::OfAll) => {
            let sums = if asks("full") {
                Sums::None
            } else if asks("simple") {
                Sums::OfEach
            } else {
                Sums::OfAll
            };
            inspected.answer = Answer::List(List::Intervals(sums));
            inspected.target = recognized.target_asking("full");
        }
        List::Supervisors(_) => {
            let shown = if asks("full") {
                Shown::All
            } else if asks("system") || recognized.parameter("state") == Some("true") {
                Shown::WithoutSpec
            } else {
                Shown::Id
            };
            inspected.answer = Answer::List(List::Supervisors(shown));
            inspected.target = recognized.target_asking("full");
        }
        List::CatalogTables if recognized.row.path.contains("{schema}") => {
            inspected.answer = Answer::List(List::Named(type_of_schema(recognized)?));
        }
        // The names of the schemas are the same for all. Druid: `CatalogResource.getSchemas`.
        List::CatalogTables if matches!(recognized.parameter("format"), None | Some("name")) => {
            let permission = ResourceAction::new(action, ResourceType::State, "schemas");
            inspected.need = Need::AllOf(Permissions::one(permission));
            inspected.answer = Answer::Pass;
        }
        List::History => inspected.facts.id = Some(recognized.id().to_owned()),
        List::Items
        | List::Named(_)
        | List::Wrapped(_)
        | List::Intervals(Sums::None | Sums::OfEach)
        | List::Histories
        | List::CatalogTables
        | List::Queries => {}
    }
    Ok(inspected)
}

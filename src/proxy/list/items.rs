//! What becomes of one item of a list.

use super::ListFault;
use crate::druid::stored_supervisor::SupervisorFacts;
use crate::druid::{List, Shown, Sums, catalog};
use crate::json::{self, Json};
use crate::permission::{ResourceAction, ResourceType};
use crate::policy::Grants;
use crate::query_id::OwnIds;

/// What of an item passes.
pub enum Passed {
    Nothing,
    AsItIs,
    Instead(String),
}

/// Judges the items of a list by what the caller holds.
pub struct Judge {
    list: List,
    grants: Grants,
    /// Of a list of queries, what tells the caller's own; without it none is.
    pub own: Option<OwnIds>,
    total: Sum,
}

/// Bytes and segments.
#[derive(Clone, Copy, Default)]
struct Sum {
    size: i64,
    count: i64,
}

impl Judge {
    pub const fn new(list: List, grants: Grants) -> Self {
        Self { list, grants, own: None, total: Sum { size: 0, count: 0 } }
    }

    /// What all items that passed sum up to. Druid: nothing of an empty sum.
    pub fn total(&self) -> Json {
        if self.total.count == 0 { Json::object([]) } else { self.total.as_json() }
    }

    /// One item of an array.
    pub fn item(&self, text: &[u8]) -> Result<Passed, ListFault> {
        let item = json::parse_answer(text).map_err(|_| ListFault::NotAList)?;
        let sees = match self.list {
            List::Items => self.sees_item(&item)?,
            List::Named(of) => self.sees(of, name_of(&item).ok_or(ListFault::NotAList)?),
            List::CatalogTables => self.sees_table(&item)?,
            List::History => self.sees_version(&item)?,
            List::Supervisors(shown) => return self.supervisor(&item, shown),
            List::Wrapped(_) | List::Intervals(_) | List::Histories | List::Queries => {
                return Err(ListFault::NotAList);
            }
        };
        Ok(if sees { Passed::AsItIs } else { Passed::Nothing })
    }

    /// One member of an object, as an object of it alone.
    pub fn member(&mut self, text: &[u8]) -> Result<Passed, ListFault> {
        let Ok(Json::Object(mut members)) = json::parse_answer(text) else { return Err(ListFault::NotAList) };
        let (key, value) = members.pop().ok_or(ListFault::NotAList)?;
        let passed = match (self.list, value) {
            (List::Wrapped(member), Json::Array(items)) if key == member => {
                Some(Json::Array(self.kept(items, Self::sees_item)?))
            }
            (List::Queries, Json::Array(items)) if key == "queries" => Some(Json::Array(self.own_queries(items)?)),
            (List::Histories, Json::Array(versions)) => {
                Some(self.kept(versions, Self::sees_version)?).filter(|kept| !kept.is_empty()).map(Json::Array)
            }
            (List::Intervals(sums), Json::Object(datasources)) => self.interval(datasources, sums)?,
            (
                List::Wrapped(_)
                | List::Histories
                | List::Intervals(_)
                | List::Items
                | List::Named(_)
                | List::CatalogTables
                | List::Queries
                | List::History
                | List::Supervisors(_),
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_),
            ) => return Err(ListFault::NotAList),
        };
        let render = |value: Json| format!("{}:{}", Json::string(key).render(), value.render());
        Ok(passed.map_or(Passed::Nothing, |value| Passed::Instead(render(value))))
    }

    fn sees(&self, of: ResourceType, name: &str) -> bool {
        self.grants.allows(&ResourceAction::new(self.list.action(), of, name))
    }

    fn sees_item(&self, item: &Json) -> Result<bool, ListFault> {
        let datasource = item.get("dataSource").and_then(Json::as_str).ok_or(ListFault::NotAList)?;
        Ok(self.sees(ResourceType::Datasource, datasource))
    }

    /// A version without a spec is nobody's to see, as in Druid.
    fn sees_version(&self, version: &Json) -> Result<bool, ListFault> {
        let spec = version.get("spec").ok_or(ListFault::NotAList)?;
        Ok(*spec != Json::Null && self.sees_spec(spec))
    }

    fn sees_spec(&self, spec: &Json) -> bool {
        let needs = SupervisorFacts::of_spec(spec).needs(self.list.action());
        needs.iter().all(|needed| self.grants.allows(needed))
    }

    fn sees_table(&self, item: &Json) -> Result<bool, ListFault> {
        let id = item.get("id").unwrap_or(item);
        let text = |key| id.get(key).and_then(Json::as_str).ok_or(ListFault::NotAList);
        let of = catalog::type_of_schema(text("schema")?);
        Ok(of.is_some_and(|of| text("name").is_ok_and(|name| self.sees(of, name))))
    }

    fn supervisor(&self, item: &Json, shown: Shown) -> Result<Passed, ListFault> {
        let (Some(id), Some(spec)) = (item.get("id").and_then(Json::as_str), item.get("spec")) else {
            return Err(ListFault::NotAList);
        };
        if !self.sees_spec(spec) {
            return Ok(Passed::Nothing);
        }
        Ok(match (shown, item) {
            (Shown::WithoutSpec, Json::Object(members)) => {
                let others = members.iter().filter(|(key, _)| key != "spec").cloned().collect();
                Passed::Instead(Json::Object(others).render())
            }
            (Shown::Id, _) => Passed::Instead(Json::string(id).render()),
            (Shown::All | Shown::WithoutSpec, _) => Passed::AsItIs,
        })
    }

    /// Who Druid thinks the caller is, which is the gate, is left out. Druid: `DartQueryInfo.withoutAuthenticationResult`.
    fn own_queries(&self, items: Vec<Json>) -> Result<Vec<Json>, ListFault> {
        let mut kept = Vec::new();
        for item in items {
            let Json::Object(mut members) = item else { return Err(ListFault::NotAList) };
            let id = members.iter().find(|(key, _)| key == "sqlQueryId").and_then(|(_, id)| id.as_str());
            if self.own.as_ref().zip(id).is_some_and(|(own, id)| own.has(id)) {
                members.retain(|(key, _)| key != "authenticator" && key != "identity");
                kept.push(Json::Object(members));
            }
        }
        Ok(kept)
    }

    fn kept(
        &self,
        items: Vec<Json>,
        sees: impl Fn(&Self, &Json) -> Result<bool, ListFault>,
    ) -> Result<Vec<Json>, ListFault> {
        let mut kept = Vec::new();
        for item in items {
            if sees(self, &item)? {
                kept.push(item);
            }
        }
        Ok(kept)
    }

    /// What is told of an interval; nothing where the caller sees none of its datasources.
    fn interval(&mut self, datasources: Vec<(String, Json)>, sums: Sums) -> Result<Option<Json>, ListFault> {
        let mut seen = datasources;
        seen.retain(|(name, _)| self.sees(ResourceType::Datasource, name));
        let mut sum = Sum::default();
        for (_, sizes) in &seen {
            sum.add(Sum::of(sizes).ok_or(ListFault::NotAList)?);
        }
        self.total.add(sum);
        Ok((!seen.is_empty()).then(|| match sums {
            Sums::None => Json::Object(seen),
            Sums::OfEach | Sums::OfAll => sum.as_json(),
        }))
    }
}

/// The name that an item is or has.
fn name_of(item: &Json) -> Option<&str> {
    let of = |item: &'_ Json| item.get("name").is_some();
    let named = item.get("id").filter(|id| of(id)).unwrap_or(item);
    named.as_str().or_else(|| named.get("name").and_then(Json::as_str))
}

impl Sum {
    fn of(sizes: &Json) -> Option<Self> {
        let number = |key| match sizes.get(key) {
            Some(Json::Number(text)) => text.parse().ok(),
            Some(Json::Null | Json::Bool(_) | Json::String(_) | Json::Array(_) | Json::Object(_)) | None => None,
        };
        Some(Self { size: number("size")?, count: number("count")? })
    }

    const fn add(&mut self, other: Self) {
        self.size = self.size.saturating_add(other.size);
        self.count = self.count.saturating_add(other.count);
    }

    fn as_json(self) -> Json {
        let number = |value: i64| Json::Number(value.to_string());
        Json::object([("size", number(self.size)), ("count", number(self.count))])
    }
}

//! What would become of a request, and why: its steps as far as they decide. Nothing is sent but a look-up of what it names.

mod json;
mod question;
#[cfg(test)]
mod tests;

pub use question::{OddQuestion, Question, Who};

use std::sync::Arc;
use std::time::SystemTime;

use http::StatusCode;

use super::caller::Caller;
use super::sign_in::Page;
use super::{Rejection, body, decide, head, is_open, rejection};
use crate::auth::{Authenticator, Identity, Supposed, SupposedFault};
use crate::config::Limits;
use crate::druid::{self, Answer, ErrorShape, Row};
use crate::inspect::{Inspected, Inspection, Inspector, Reason, RequestBody, TaskDirectory};
use crate::permission::ResourceAction;
use crate::policy::{Grant, Grants, Policy, Subject};
use crate::sql::Position;

/// What stands for the id of a query, which the gate makes when it sends one.
const ID: &str = "{query-id}";

/// What decides, and nothing that could send.
pub struct Explainer<'g, D> {
    /// The policy in force.
    pub policy: &'g Policy,
    /// Finds what requests need.
    pub inspector: &'g Inspector<D>,
    /// What is bounded, and how far.
    pub limits: &'g Limits,
}

/// A caller, proved or supposed.
#[derive(Clone, Debug)]
pub struct Known {
    identity: Arc<Identity>,
    caller: Caller,
}

/// What would become of a request.
#[derive(Debug)]
pub struct Explanation {
    /// Who asks, if that could be told.
    pub caller: Option<Caller>,
    /// The row of the catalogue, if the request has one.
    pub row: Option<&'static Row>,
    /// `select`, `insert`, `replace` or `explain`.
    pub statement: Option<&'static str>,
    /// What is needed, sorted.
    pub needs: Vec<Needed>,
    /// What is decided, and sent, each by itself.
    pub parts: Vec<Part>,
    /// What the gate would answer, or have Druid answer.
    pub outcome: Outcome,
}

/// A permission that a request needs.
#[derive(Debug)]
pub struct Needed {
    /// The permission.
    pub permission: ResourceAction,
    /// Why; one at least.
    pub reasons: Vec<Reason>,
    /// Which grants of which roles give it to the caller; it is missing where there are none.
    pub granted: Vec<(String, Grant)>,
}

/// One of the requests that the gate makes of one.
#[derive(Debug)]
pub struct Part {
    /// The id of the supervisor that it is about.
    pub id: Option<String>,
    /// What it needs.
    pub needs: Vec<Needed>,
    /// What would be sent; nothing where the caller may not have it, and it is left out.
    pub sends: Option<Sent>,
}

/// What would come of it.
#[derive(Debug)]
pub enum Outcome {
    /// It would be sent.
    Forwarded {
        /// What would be sent.
        sends: Sent,
        /// Of Druid's answer, a list, the caller would see what it has grants on.
        filtered: bool,
    },
    /// Its parts would be sent, those that the caller may have.
    InParts,
    /// The gate would answer it by itself, and send nothing.
    OfTheGate,
    /// It would be refused.
    Refused {
        /// The status.
        status: StatusCode,
        /// A stable code.
        reason: &'static str,
        /// What the caller would read.
        message: String,
        /// Where in the SQL.
        at: Option<Position>,
    },
    /// It depends on what was not asked: this.
    Undecided(String),
}

/// What the gate would send to the Router, with its own account.
#[derive(Debug)]
pub struct Sent {
    /// The method.
    pub method: &'static http::Method,
    /// The request target.
    pub target: String,
    /// The body; it is JSON.
    pub body: Option<String>,
}

impl Known {
    /// Who it is, or the refusal that its token would get.
    ///
    /// # Errors
    /// A description that fits no caller.
    pub async fn by(
        who: &Who,
        authenticator: &Authenticator,
        policy: &Policy,
        now: SystemTime,
    ) -> Result<Result<Self, Rejection>, SupposedFault> {
        let token = match who {
            Who::Supposed(supposed) => return Ok(Ok(Self::supposed(authenticator.suppose(supposed)?, policy))),
            Who::Token(token) => token.expose(),
        };
        let proved = rejection::caller_of(authenticator.authenticate_token(token, now).await);
        Ok(proved.map(|identity| Self {
            caller: Caller::proved(&identity, policy, authenticator.settings_of(&identity)),
            identity,
        }))
    }

    /// Who this would be where nothing is known of its issuer but the name.
    ///
    /// # Errors
    /// A description that fits no caller.
    pub fn by_policy(supposed: &Supposed, policy: &Policy) -> Result<Self, SupposedFault> {
        let names = policy.issuer_names();
        let issuers: Vec<(&str, &str)> = names.iter().map(|name| (*name, *name)).collect();
        Ok(Self::supposed(supposed.among(&issuers)?, policy))
    }

    fn supposed(identity: Identity, policy: &Policy) -> Self {
        Self { caller: Caller::supposed(&identity, policy), identity: Arc::new(identity) }
    }
}

impl<D: TaskDirectory> Explainer<'_, D> {
    /// What would become of this request of this caller, or of one whose token is refused.
    pub async fn explain(&self, question: &Question, known: Result<Known, Rejection>) -> Explanation {
        let outcome = Outcome::OfTheGate;
        let mut found =
            Explanation { caller: None, row: None, statement: None, needs: Vec::new(), parts: Vec::new(), outcome };
        let head = &question.head;
        let shape = rejection::shape_of(&druid::recognize(&head.method, head.uri.path(), head.uri.query()));
        let outcome = self.follow(question, known, &mut found).await;
        found.outcome = outcome.unwrap_or_else(|rejection| refused(&rejection, shape));
        found
    }

    /// The steps of `Gate::answer`, in their order, without those that depend on the load.
    async fn follow(
        &self,
        Question { head, body, .. }: &Question,
        known: Result<Known, Rejection>,
        found: &mut Explanation,
    ) -> Result<Outcome, Rejection> {
        head::check(head, self.limits.head_bytes)?;
        let recognized = druid::recognize(&head.method, head.uri.path(), head.uri.query());
        if is_open(&recognized) {
            found.row = recognized.ok().map(|recognized| recognized.row);
            return Ok(Outcome::OfTheGate);
        }
        let page = Page::at(head.uri.path());
        if let Some(page @ Page::SignIn(_)) = page {
            return page.check(&head.method).map(|()| Outcome::OfTheGate);
        }
        let Known { identity, caller } = known?;
        let caller = found.caller.insert(caller);
        if let Some(page @ Page::Me) = page {
            return page.check(&head.method).map(|()| Outcome::OfTheGate);
        }
        let recognized = recognized?;
        found.row = Some(recognized.row);
        let limit = body::limit_of(recognized.row, self.limits);
        let read = limit.map(|limit| body::given(head, body, recognized.row.body, limit)).transpose()?;
        let read = read.as_ref().map(|(form, bytes)| RequestBody { form: *form, bytes });
        let grants = self.policy.grants_of(&identity);
        let inspected = match self.inspector.inspect(&recognized, read, (&identity, &grants)).await? {
            Inspection::Whole(inspected) => *inspected,
            Inspection::Parts(parts) => {
                found.parts = parts.into_iter().map(|part| self.part(part, caller, (&identity, &grants))).collect();
                return Ok(Outcome::InParts);
            }
        };
        found.statement = inspected.facts.statement;
        found.needs = self.needs(read, &inspected, caller);
        let authorized = decide(self.policy, inspected, (&identity, &grants))?;
        let filtered = matches!(authorized.subject().answer, Answer::List(_));
        Ok(Outcome::Forwarded { sends: sent(authorized.subject()), filtered })
    }

    fn part(&self, part: Inspected, caller: &Caller, who: (&Identity, &Grants)) -> Part {
        let (id, needs) = (part.facts.id.clone(), self.needs(None, &part, caller));
        let sends = decide(self.policy, part, who).ok().map(|authorized| sent(authorized.subject()));
        Part { id, needs, sends }
    }

    fn needs(&self, read: Option<RequestBody<'_>>, inspected: &Inspected, caller: &Caller) -> Vec<Needed> {
        let reasons = self.inspector.reasons(read, inspected);
        let owned = |(role, grant): (&str, &Grant)| (role.to_owned(), grant.clone());
        let needed = |permission: &ResourceAction| Needed {
            permission: permission.clone(),
            reasons: reasons.iter().filter(|reason| reason.needs == *permission).cloned().collect(),
            granted: caller.granted(permission).into_iter().map(owned).collect(),
        };
        inspected.need().permissions().map(needed).collect()
    }
}

fn refused(rejection: &Rejection, shape: ErrorShape) -> Outcome {
    Outcome::Refused {
        status: rejection.status_in(shape),
        reason: rejection.reason(),
        message: rejection.public_message(),
        at: rejection.position(),
    }
}

/// The ids that the gate makes are not told: the next time it makes another.
fn sent(inspected: &Inspected) -> Sent {
    let id = inspected.query.as_ref().map(|query| query.id.as_str());
    let hide = |text: &str| id.map_or_else(|| text.to_owned(), |id| text.replace(id, ID));
    let rendered = inspected.avatica.as_ref().map(|(request, id)| hide(&request.render(id.as_str(), None)));
    let body = inspected.body.as_ref().map(|body| hide(&String::from_utf8_lossy(body))).or(rendered);
    Sent { method: &inspected.row.method, target: hide(&inspected.target), body }
}

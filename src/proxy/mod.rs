//! The order of things: one request, from its head to its answer.

mod body;
mod caller;
mod explain;
mod filter;
mod head;
mod in_flight;
mod list;
mod me;
mod rejection;
mod renamed;
mod sign_in;

pub use body::GateBody;
pub use caller::{By, Caller, Role};
pub use explain::{Explainer, Explanation, Known, Needed, OddQuestion, Outcome, Part, Question, Sent, Who};
pub use rejection::{Fault, Rejection};
pub use sign_in::{LOGIN_PATH, LOGOUT_PATH, ME_PATH, SignIn};

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use http::header::{ALLOW, CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::Incoming;

use in_flight::{InFlight, Places};
use sign_in::Page;

use crate::auth::{Authentication, Authenticator, Identity, SupposedFault};
use crate::config::Limits;
use crate::druid::{self, ErrorShape, Recognized, Rule, Unrecognized};
use crate::inspect::{Inspected, Inspection, Inspector, RequestBody};
use crate::policy::{Authorized, Grants, Policy, Subject};
use crate::telemetry::{AuditLog, Record};
use crate::upstream::{Directory, Upstream};

/// All that a request needs on its way.
pub struct Gate {
    authenticator: Authenticator,
    sign_in: SignIn,
    policy: RwLock<Arc<Policy>>,
    inspector: Inspector<Directory>,
    upstream: Upstream,
    audit: AuditLog,
    in_flight: InFlight,
    limits: Limits,
}

impl Gate {
    /// Puts the rooms together.
    #[must_use]
    pub fn new(
        authenticator: Authenticator,
        sign_in: SignIn,
        policy: Policy,
        inspector: Inspector<Directory>,
        upstream: Upstream,
        audit: AuditLog,
        limits: Limits,
    ) -> Self {
        let (policy, in_flight) = (RwLock::new(Arc::new(policy)), InFlight::new(&limits));
        Self { authenticator, sign_in, policy, inspector, upstream, audit, in_flight, limits }
    }

    /// Puts another policy in force; requests under way end under the one that they began with.
    pub fn replace_policy(&self, policy: Policy) {
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }

    fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Answers one request; whichever way it ends, one audit record is written.
    pub async fn serve(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<GateBody> {
        let (head, body) = request.into_parts();
        let mut body = Some(body);
        let mut record = self.audit.record(peer, &head.method);
        let recognized = druid::recognize(&head.method, head.uri.path(), head.uri.query());
        let shape = rejection::shape_of(&recognized);
        let mut places = Places::default();
        let mut response = match self.answer(&head, &mut body, recognized, &mut record, &mut places).await {
            Ok(response) => response,
            Err(rejection) => {
                body::drain_rest(&head, &mut body).await;
                let mut told = reject(&rejection, shape, &mut record);
                if head.version < Version::HTTP_2 && head::check(&head, self.limits.head_bytes).is_err() {
                    told.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                if shape == ErrorShape::Avatica && self.authenticator.takes_basic() {
                    ask_for_basic(&mut told);
                }
                self.sign_in.way_in(&head, &rejection).unwrap_or(told)
            }
        };
        no_sniffing(&mut response);
        if let Ok(id) = HeaderValue::try_from(record.request_id()) {
            response.headers_mut().insert("x-request-id", id);
        }
        record.answered(response.status());
        response.map(|body| body.recorded(record, places))
    }

    /// What would become of this request. Nothing is sent but a look-up of what it names.
    ///
    /// # Errors
    /// A description that fits no caller.
    pub async fn explain(&self, question: &Question) -> Result<Explanation, SupposedFault> {
        let policy = self.policy();
        let known = Known::by(&question.who, &self.authenticator, &policy, SystemTime::now()).await?;
        let explainer = Explainer { policy: &policy, inspector: &self.inspector, limits: &self.limits };
        Ok(explainer.explain(question, known).await)
    }

    /// The answer to a request that ended in a panic.
    #[must_use]
    pub fn panicked() -> Response<GateBody> {
        let mut response = Rejection::Internal.render(ErrorShape::AccessCheck, "");
        no_sniffing(&mut response);
        response
    }

    /// The steps of ARCHITECTURE.md, each needing what the one before it made.
    async fn answer(
        &self,
        head: &Parts,
        body: &mut Option<Incoming>,
        recognized: Result<Recognized, Unrecognized>,
        record: &mut Record,
        places: &mut Places,
    ) -> Result<Response<GateBody>, Rejection> {
        head::check(head, self.limits.head_bytes)?;
        if is_open(&recognized) {
            record.open(recognized.map(|recognized| recognized.row.name).unwrap_or_default());
            return Ok(rejection::json(StatusCode::OK, "true".to_owned()));
        }
        if !record.has_place() {
            return Err(Rejection::Unrecorded);
        }
        self.in_flight.enter(places)?;
        let page = Page::at(head.uri.path());
        if let Some(Page::SignIn(page)) = page {
            return self.sign_in.answer(page, (head, body), (&self.authenticator, &self.limits), record).await;
        }
        let caller = self.authenticate(head, record).await?;
        self.in_flight.enter_as(&caller, places)?;
        let policy = self.policy();
        record.roles(policy.roles_of(&caller));
        if page == Some(Page::Me) {
            return self.me(head, &caller, &policy, record);
        }
        let recognized = recognized?;
        record.row(recognized.row.name, recognized.named_id());
        let read = match body::limit_of(recognized.row, &self.limits) {
            None => None,
            Some(limit) => Some(body::read(head, body, recognized.row.body, limit, self.limits.body).await?),
        };
        let read = read.as_ref().map(|(form, bytes)| RequestBody { form: *form, bytes });
        let grants = policy.grants_of(&caller);
        let inspection = self.inspector.inspect(&recognized, read, (&caller, &grants)).await;
        let inspected = match inspection.inspect_err(|refusal| record.refused(refusal))? {
            Inspection::Whole(inspected) => *inspected,
            Inspection::Parts(parts) => return self.answer_each(parts, head, &caller, &policy, record).await,
        };
        record.inspected(&inspected.facts, inspected.need());
        let authorized = decide(&policy, inspected, (&caller, &grants))?;
        record.allowed(authorized.subject().facts.narrowed);
        let unfiltered = self.upstream.forward(authorized, &caller, &head.headers).await?;
        filter::apply(unfiltered, &self.limits).await
    }

    /// Sends those of the parts that the caller may have, one after the other. That Druid does not want one, since it is as
    /// it would become, or is there no more, is no fault of the whole. Druid: `SupervisorResource.suspendOrResumeAll`.
    async fn answer_each(
        &self,
        parts: Vec<Inspected>,
        head: &Parts,
        caller: &Identity,
        policy: &Policy,
        record: &mut Record,
    ) -> Result<Response<GateBody>, Rejection> {
        record.allowed(false);
        for part in parts.into_iter().filter_map(|part| policy.authorize(part, caller).ok()) {
            record.part(&part.subject().facts, part.subject().need());
            let status = filter::status_of_part(self.upstream.forward(part, caller, &head.headers).await?);
            if status.is_server_error() {
                return Err(Rejection::PartFailed);
            }
        }
        Ok(rejection::json(StatusCode::OK, r#"{"status":"success"}"#.to_owned()))
    }

    /// Who the caller is to the gate.
    fn me(
        &self,
        head: &Parts,
        caller: &Identity,
        policy: &Policy,
        record: &mut Record,
    ) -> Result<Response<GateBody>, Rejection> {
        record.row(Page::Me.row(), None);
        Page::Me.check(&head.method)?;
        record.allowed(false);
        let caller = Caller::proved(caller, policy, self.authenticator.settings_of(caller));
        Ok(me::answer(head, &caller, SystemTime::now()))
    }

    async fn authenticate(&self, head: &Parts, record: &mut Record) -> Result<Arc<Identity>, Rejection> {
        let now = SystemTime::now();
        let by_header = self.authenticator.authenticate(&head.headers, now).await;
        let by_cookie = by_header == Authentication::Absent;
        let authentication =
            if by_cookie { self.sign_in.authenticate(head, &self.authenticator, now).await } else { by_header };
        record.authenticated(&authentication);
        let caller = rejection::caller_of(authentication)?;
        if by_cookie {
            self.sign_in.heed_origin(head)?;
        }
        Ok(caller)
    }
}

/// Whether the request is served to anyone.
fn is_open(recognized: &Result<Recognized, Unrecognized>) -> bool {
    recognized.as_ref().is_ok_and(|recognized| recognized.row.rule == Rule::Open)
}

/// What the caller may have, or the refusal that it may read.
fn decide(
    policy: &Policy,
    inspected: Inspected,
    (caller, grants): (&Identity, &Grants),
) -> Result<Authorized<Inspected>, Rejection> {
    let hidden = inspected.hidden_from(grants);
    let unknown_table = inspected.facts.unknown_system_table;
    policy.authorize(inspected, caller).map_err(|denied| Rejection::denied(denied, hidden, unknown_table))
}

/// A browser shall take no answer for what it is not said to be.
fn no_sniffing(response: &mut Response<GateBody>) {
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// A driver sends its user and password only where it is asked for them; a browser that is asked opens a window of its own, so
/// nowhere else. RFC 7617, section 2.
fn ask_for_basic(response: &mut Response<GateBody>) {
    if response.status() == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static(r#"Basic realm="druid", charset="UTF-8""#);
        response.headers_mut().append(WWW_AUTHENTICATE, challenge);
    }
}

fn reject(rejection: &Rejection, shape: ErrorShape, record: &mut Record) -> Response<GateBody> {
    record.rejected(rejection.fault().as_str(), rejection.reason(), rejection.missing());
    let mut response = rejection.render(shape, record.request_id());
    let headers = response.headers_mut();
    if let Some(value) = rejection.challenge().and_then(|value| HeaderValue::try_from(value).ok()) {
        headers.insert(WWW_AUTHENTICATE, value);
    }
    if let Some(value) = rejection.allow().and_then(|value| HeaderValue::try_from(value).ok()) {
        headers.insert(ALLOW, value);
    }
    if let Some(seconds) = rejection.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

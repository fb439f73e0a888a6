//! The order of things: one request, from its head to its answer.

mod body;
mod filter;
mod head;
mod rejection;
mod task_list;

pub use body::{GateBody, MAX_SQL_BODY, SQL_BODY_TIMEOUT};
pub use head::MAX_HEADER_BYTES;
pub use rejection::{Fault, Rejection};

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use http::header::{ALLOW, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;

use crate::auth::Identity;
use crate::auth::{Authentication, Authenticator};
use crate::druid::{self, Body, ErrorShape, Recognized, Rule, Unrecognized};
use crate::inspect::{Inspector, SqlBody};
use crate::policy::{Policy, Subject};
use crate::telemetry::{AuditLog, Record};
use crate::upstream::{Directory, Upstream};

/// All that a request needs on its way.
pub struct Gate {
    authenticator: Authenticator,
    policy: RwLock<Arc<Policy>>,
    inspector: Inspector<Directory>,
    upstream: Upstream,
    audit: AuditLog,
}

impl Gate {
    /// Puts the rooms together.
    #[must_use]
    pub fn new(
        authenticator: Authenticator,
        policy: Policy,
        inspector: Inspector<Directory>,
        upstream: Upstream,
        audit: AuditLog,
    ) -> Self {
        Self { authenticator, policy: RwLock::new(Arc::new(policy)), inspector, upstream, audit }
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
        let mut record = self.audit.record(peer, &head.method);
        let recognized = druid::recognize(&head.method, head.uri.path(), head.uri.query());
        let shape = rejection::shape_of(&recognized);
        let mut response = match self.answer(&head, body, recognized, &mut record).await {
            Ok(response) => response,
            Err(rejection) => reject(&rejection, shape, &mut record),
        };
        response.headers_mut().insert("x-content-type-options", HeaderValue::from_static("nosniff"));
        if let Ok(id) = HeaderValue::try_from(record.request_id()) {
            response.headers_mut().insert("x-request-id", id);
        }
        record.answered(response.status());
        response.map(|body| body.recorded(record))
    }

    /// The answer to a request that ended in a panic.
    #[must_use]
    pub fn panicked() -> Response<GateBody> {
        Rejection::Internal.render(ErrorShape::AccessCheck, "")
    }

    /// The steps of ARCHITECTURE.md, each needing what the one before it made.
    async fn answer(
        &self,
        head: &Parts,
        body: Incoming,
        recognized: Result<Recognized, Unrecognized>,
        record: &mut Record,
    ) -> Result<Response<GateBody>, Rejection> {
        head::check(head)?;
        if recognized.as_ref().is_ok_and(|recognized| recognized.row.rule == Rule::Open) {
            record.open(recognized.map(|recognized| recognized.row.name).unwrap_or_default());
            return Ok(rejection::json(StatusCode::OK, "true".to_owned()));
        }
        let caller = self.authenticate(head, record).await?;
        let policy = self.policy();
        record.roles(policy.roles_of(&caller));
        let recognized = recognized?;
        record.row(recognized.row.name);
        let sql = match recognized.row.body {
            Body::None => None,
            Body::Sql => Some(body::read_sql(head, body).await?),
        };
        let sql = sql.as_ref().map(|(form, bytes)| SqlBody { form: *form, bytes });
        let inspected = self.inspector.inspect(&recognized, sql, &caller).await?;
        record.inspected(&inspected.facts, inspected.need());
        let hidden = inspected.hidden_from(&policy.grants_of(&caller));
        let system_table = inspected.facts.system_table;
        let authorized =
            policy.authorize(inspected, &caller).map_err(|denied| Rejection::denied(denied, hidden, system_table))?;
        record.allowed();
        let unfiltered = self.upstream.forward(authorized, &caller, &head.headers).await?;
        filter::apply(unfiltered)
    }

    async fn authenticate(&self, head: &Parts, record: &mut Record) -> Result<Identity, Rejection> {
        match self.authenticator.authenticate(&head.headers, SystemTime::now()).await {
            Authentication::Verified(identity) => {
                record.caller(&identity);
                Ok(identity)
            }
            Authentication::Absent => Err(Rejection::NoCredentials),
            Authentication::Refused(fault) => Err(Rejection::BadCredentials(fault)),
            Authentication::Unavailable(fault) => Err(Rejection::KeysUnavailable(fault)),
        }
    }
}

fn reject(rejection: &Rejection, shape: ErrorShape, record: &mut Record) -> Response<GateBody> {
    record.rejected(rejection.fault().as_str(), rejection.reason(), rejection.missing());
    let mut response = rejection.render(shape, record.request_id());
    let headers = response.headers_mut();
    if let Some(value) = rejection.challenge().and_then(|value| HeaderValue::try_from(value).ok()) {
        headers.insert(http::header::WWW_AUTHENTICATE, value);
    }
    if let Some(value) = rejection.allow().and_then(|value| HeaderValue::try_from(value).ok()) {
        headers.insert(ALLOW, value);
    }
    if let Some(seconds) = rejection.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

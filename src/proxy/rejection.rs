//! Every way in which a request is not served, and how each API of Druid's would say so.

#![deny(clippy::wildcard_enum_match_arm)]

mod render;
#[cfg(test)]
mod tests;

pub use render::{json, shape_of};

use std::collections::BTreeSet;
use std::sync::Arc;

use http::{Method, StatusCode};

use crate::auth::{Authentication, Identity, KeysUnavailable, TokenFault};
use crate::druid::media_type::NoForm;
use crate::druid::{OddPath, Unrecognized};
use crate::inspect::{self, LookupFault};
use crate::permission::Permissions;
use crate::policy::Denied;
use crate::sql;
use crate::upstream::UpstreamFault;

/// Whose fault it is that a request was not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The caller's: it may change the request, or ask for a permission.
    Caller,
    /// Druid's, or the network's on the way to it.
    Druid,
    /// The token issuer's, or the network's on the way to it.
    Issuer,
    /// The gate's own.
    Gate,
}

impl Fault {
    /// The word for it in the audit record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Druid => "druid",
            Self::Issuer => "issuer",
            Self::Gate => "gate",
        }
    }
}

/// Why a request is not served.
#[derive(Debug)]
pub enum Rejection {
    /// No credentials came with it.
    NoCredentials,
    /// The credentials are no good.
    BadCredentials(TokenFault),
    /// The credentials cannot be judged, for want of their issuer's keys.
    KeysUnavailable(KeysUnavailable),
    /// Permissions are missing.
    Denied(Forbidden),
    /// The query is somebody else's.
    NotTheOwner,
    /// A session's request that may come from another site.
    CrossOrigin,
    /// The path is odd.
    OddPath(OddPath),
    /// Nothing is served under this path.
    NotFound,
    /// What Druid has under this path is not served, for this reason.
    NotServed(&'static str),
    /// The path is served, with these other methods.
    MethodNotAllowed(Vec<&'static Method>),
    /// The request cannot be read, or may not be sent as it is.
    BadRequest {
        /// A stable code.
        code: &'static str,
        /// What is wrong and what to do instead.
        message: String,
        /// Where in the SQL.
        at: Option<sql::Position>,
    },
    /// The Content-Type is not one that carries SQL.
    UnsupportedMediaType(NoForm),
    /// The body is compressed.
    EncodedBody,
    /// The head is over its bound.
    HeadTooLarge(usize),
    /// The body is over its bound, of so many bytes.
    BodyTooLarge(usize),
    /// The body did not come in time.
    BodySlow,
    /// The body was cut off.
    BodyBroken,
    /// No task has this id.
    UnknownTask(String),
    /// No supervisor has this id.
    UnknownSupervisor(String),
    /// No version of this supervisor may be seen.
    NoHistory(String),
    /// The catalog has no such schema.
    UnknownSchema(String),
    /// No statement has this id.
    UnknownStatement(String),
    /// No running query has this id.
    UnknownQuery,
    /// What the request is about could not be looked up.
    Lookup(LookupFault),
    /// Druid did not answer, or not to the caller.
    Upstream(UpstreamFault),
    /// Druid's answer cannot be filtered.
    UnreadableAnswer,
    /// Druid failed at one of the parts of a request.
    PartFailed,
    /// Too many requests are under way.
    TooManyRequests,
    /// Too many requests of this caller are under way.
    TooManyOfCaller,
    /// The audit record could not be written.
    Unrecorded,
    /// CONNECT.
    NotImplemented,
    /// A defect of the gate.
    Internal,
}

/// The permissions that are missing, and what may be told of them.
#[derive(Debug)]
pub struct Forbidden {
    missing: Permissions,
    /// What is said in the place of names that the caller does not know of.
    hidden: Option<&'static str>,
    /// The need comes from a system table that the gate cannot narrow.
    unknown_table: bool,
}

impl Rejection {
    /// The refusal of a request whose caller lacks permissions, or that cannot be narrowed to what its caller may see.
    #[must_use]
    pub fn denied(denied: Denied<inspect::Refusal>, hidden: Option<&'static str>, unknown_table: bool) -> Self {
        match denied {
            Denied::Missing(missing) => Self::Denied(Forbidden { missing, hidden, unknown_table }),
            Denied::Unnarrowed(refusal) => refusal.into(),
        }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NoCredentials | Self::BadCredentials(_) => StatusCode::UNAUTHORIZED,
            Self::Denied(_) | Self::NotTheOwner | Self::CrossOrigin => StatusCode::FORBIDDEN,
            Self::OddPath(_) | Self::BadRequest { .. } | Self::BodyBroken => StatusCode::BAD_REQUEST,
            Self::NotFound
            | Self::NotServed(_)
            | Self::UnknownTask(_)
            | Self::UnknownSupervisor(_)
            | Self::NoHistory(_)
            | Self::UnknownSchema(_)
            | Self::UnknownStatement(_)
            | Self::UnknownQuery => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnsupportedMediaType(NoForm::Unsupported | NoForm::NotJson | NoForm::Json | NoForm::NotAvatica)
            | Self::EncodedBody => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::UnsupportedMediaType(NoForm::Missing | NoForm::Several) => StatusCode::BAD_REQUEST,
            Self::HeadTooLarge(_) => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodySlow => StatusCode::REQUEST_TIMEOUT,
            Self::KeysUnavailable(_) | Self::Lookup(_) | Self::Upstream(UpstreamFault::NoLeader) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Upstream(UpstreamFault::Slow) => StatusCode::GATEWAY_TIMEOUT,
            Self::Upstream(
                UpstreamFault::Unreachable
                | UpstreamFault::OwnAccountRefused
                | UpstreamFault::Upgrade
                | UpstreamFault::Redirect,
            )
            | Self::UnreadableAnswer
            | Self::PartFailed => StatusCode::BAD_GATEWAY,
            Self::TooManyRequests | Self::Unrecorded => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooManyOfCaller => StatusCode::TOO_MANY_REQUESTS,
            Self::NotImplemented => StatusCode::NOT_IMPLEMENTED,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whose fault it is.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Lookup(_) | Self::Upstream(_) | Self::UnreadableAnswer | Self::PartFailed => Fault::Druid,
            Self::KeysUnavailable(_) => Fault::Issuer,
            Self::Internal | Self::TooManyRequests | Self::Unrecorded => Fault::Gate,
            Self::NoCredentials
            | Self::BadCredentials(_)
            | Self::Denied(_)
            | Self::NotTheOwner
            | Self::CrossOrigin
            | Self::OddPath(_)
            | Self::NotFound
            | Self::NotServed(_)
            | Self::MethodNotAllowed(_)
            | Self::BadRequest { .. }
            | Self::UnsupportedMediaType(_)
            | Self::EncodedBody
            | Self::HeadTooLarge(_)
            | Self::BodyTooLarge(_)
            | Self::BodySlow
            | Self::BodyBroken
            | Self::UnknownTask(_)
            | Self::UnknownSupervisor(_)
            | Self::NoHistory(_)
            | Self::UnknownSchema(_)
            | Self::UnknownStatement(_)
            | Self::UnknownQuery
            | Self::TooManyOfCaller
            | Self::NotImplemented => Fault::Caller,
        }
    }

    /// A stable code for the audit record.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoCredentials => "no_credentials",
            Self::BadCredentials(fault) => fault.reason(),
            Self::KeysUnavailable(fault) => fault.reason(),
            Self::Denied(forbidden) if forbidden.unknown_table => "system_table_not_narrowed",
            Self::Denied(_) => "missing_permissions",
            Self::NotTheOwner => "not_the_owner",
            Self::CrossOrigin => "cross_origin",
            Self::OddPath(_) => "odd_path",
            Self::NotFound => "unknown_path",
            Self::NotServed(_) => "not_served",
            Self::MethodNotAllowed(_) => "method_not_allowed",
            Self::BadRequest { code, .. } => code,
            Self::UnsupportedMediaType(_) => "unsupported_media_type",
            Self::EncodedBody => "encoded_body",
            Self::HeadTooLarge(_) => "head_too_large",
            Self::BodyTooLarge(_) => "body_too_large",
            Self::BodySlow => "body_slow",
            Self::BodyBroken => "body_broken",
            Self::UnknownTask(_) => "unknown_task",
            Self::UnknownSupervisor(_) | Self::NoHistory(_) => "unknown_supervisor",
            Self::UnknownSchema(_) => "unknown_schema",
            Self::UnknownStatement(_) => "unknown_statement",
            Self::UnknownQuery => "unknown_query",
            Self::Lookup(LookupFault::Unreachable) => "lookup_unreachable",
            Self::Lookup(LookupFault::Unreadable) => "lookup_unreadable",
            Self::Upstream(UpstreamFault::Unreachable) => "router_unreachable",
            Self::Upstream(UpstreamFault::Slow) => "router_slow",
            Self::Upstream(UpstreamFault::OwnAccountRefused) => "own_account_refused",
            Self::Upstream(UpstreamFault::NoLeader) => "no_leader",
            Self::Upstream(UpstreamFault::Upgrade) => "router_upgrade",
            Self::Upstream(UpstreamFault::Redirect) => "router_redirect",
            Self::UnreadableAnswer => "unreadable_answer",
            Self::PartFailed => "part_failed",
            Self::TooManyRequests => "too_many_requests",
            Self::TooManyOfCaller => "too_many_of_caller",
            Self::Unrecorded => "audit_failed",
            Self::NotImplemented => "not_implemented",
            Self::Internal => "internal",
        }
    }

    /// What the caller may read.
    #[must_use]
    pub fn public_message(&self) -> String {
        match self {
            Self::NoCredentials => {
                "send a token: Authorization: Bearer <token>; with a browser, sign in at /gate/login".to_owned()
            }
            Self::BadCredentials(fault) => fault.public_message().to_string(),
            Self::KeysUnavailable(fault) => fault.to_string(),
            Self::Denied(forbidden) => forbidden.message(),
            Self::NotTheOwner => inspect::Refusal::NotTheOwner.to_string(),
            Self::CrossOrigin => {
                "a session's request must come from a page of the gate itself ([server] origin)".to_owned()
            }
            Self::OddPath(odd) => odd.to_string(),
            Self::NotServed(reason) => format!("this is not served: {reason}; `msq-gate routes` lists what is"),
            Self::NotFound => "nothing is served under this path; `msq-gate routes` lists what is".to_owned(),
            Self::MethodNotAllowed(allowed) => {
                format!("this path is not served with this method; send {}", join_methods(allowed))
            }
            Self::BadRequest { message, at: Some(at), .. } => {
                format!("{message} (line [{}], column [{}])", at.line, at.column)
            }
            Self::BadRequest { message, at: None, .. } => message.clone(),
            Self::UnsupportedMediaType(form) => form.to_string(),
            Self::EncodedBody => "of Content-Encoding only gzip is read here; send the body as it is".to_owned(),
            Self::HeadTooLarge(limit) => {
                format!("the header fields are longer than {limit} bytes; send shorter ones")
            }
            Self::BodyTooLarge(limit) => format!("the body is longer than {limit} bytes; send a shorter one"),
            Self::BodySlow => "the body did not come in time; send it again".to_owned(),
            Self::BodyBroken => {
                "the body was cut off, or is not what its Content-Encoding says; send it whole".to_owned()
            }
            Self::UnknownTask(id) => inspect::Refusal::UnknownTask(id.clone()).to_string(),
            Self::UnknownSupervisor(id) => inspect::Refusal::UnknownSupervisor(id.clone()).to_string(),
            // Druid: `SupervisorResource.specGetHistory`.
            Self::NoHistory(id) => format!("No history for [{id}]."),
            Self::UnknownSchema(name) => inspect::Refusal::UnknownSchema(name.clone()).to_string(),
            Self::UnknownStatement(id) => inspect::Refusal::UnknownStatement(id.clone()).to_string(),
            Self::UnknownQuery => inspect::Refusal::UnknownQuery.to_string(),
            Self::Lookup(fault) => fault.to_string(),
            Self::Upstream(fault) => fault.to_string(),
            Self::UnreadableAnswer => "Druid's answer cannot be filtered".to_owned(),
            Self::PartFailed => "Druid failed at one of them; those before it are done".to_owned(),
            Self::TooManyRequests => "the gate has too many requests under way; try again".to_owned(),
            Self::TooManyOfCaller => "you have too many requests under way; wait until some have ended".to_owned(),
            Self::Unrecorded => "the gate cannot write its audit records; try again".to_owned(),
            Self::NotImplemented => "this method is not implemented".to_owned(),
            Self::Internal => "a defect of the gate; its log tells of it".to_owned(),
        }
    }

    /// The permissions that are missing, for the record.
    #[must_use]
    pub const fn missing(&self) -> Option<&Permissions> {
        if let Self::Denied(forbidden) = self { Some(&forbidden.missing) } else { None }
    }

    /// Where in the SQL it is.
    #[must_use]
    pub const fn position(&self) -> Option<sql::Position> {
        if let Self::BadRequest { at, .. } = self { *at } else { None }
    }

    /// The `WWW-Authenticate` header of a 401 (RFC 6750, section 3).
    #[must_use]
    pub fn challenge(&self) -> Option<String> {
        if self.status() != StatusCode::UNAUTHORIZED {
            return None;
        }
        let Self::BadCredentials(fault) = self else { return Some(r#"Bearer realm="druid""#.to_owned()) };
        // RFC 6750: no quote and no backslash in the description.
        let description = fault.public_message().replace(['"', '\\'], "'");
        Some(format!(r#"Bearer realm="druid", error="{}", error_description="{description}""#, fault.oauth_error()))
    }

    /// The `Allow` header of a 405.
    #[must_use]
    pub fn allow(&self) -> Option<String> {
        if let Self::MethodNotAllowed(allowed) = self { Some(join_methods(allowed)) } else { None }
    }

    /// Seconds after which to try again.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u64> {
        if let Self::KeysUnavailable(fault) = self {
            return Some(fault.retry_after_seconds());
        }
        if matches!(
            self,
            Self::Lookup(_)
                | Self::Upstream(UpstreamFault::NoLeader)
                | Self::TooManyRequests
                | Self::TooManyOfCaller
                | Self::Unrecorded
        ) {
            Some(1)
        } else {
            None
        }
    }
}

impl Forbidden {
    fn message(&self) -> String {
        if let Some(hidden) = self.hidden {
            let actions: BTreeSet<_> = self.missing.iter().map(|permission| permission.action.as_str()).collect();
            let actions = actions.into_iter().collect::<Vec<_>>().join(", ");
            return format!("Missing permissions: {actions} on {hidden}");
        }
        let sentence = self.missing.to_sentence();
        if self.unknown_table {
            return format!(
                "Missing permissions: {sentence} (the gate does not know which rows of this system table are whose; \
                 those of sys.segments, tasks, supervisors, servers, server_segments and of INFORMATION_SCHEMA it does)"
            );
        }
        format!("Missing permissions: {sentence}")
    }
}

fn join_methods(methods: &[&'static Method]) -> String {
    let mut names: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

impl From<Unrecognized> for Rejection {
    fn from(unrecognized: Unrecognized) -> Self {
        match unrecognized {
            Unrecognized::OddPath(odd) => Self::OddPath(odd),
            Unrecognized::OddQuery(_, odd) => {
                Self::BadRequest { code: "odd_query", message: odd.to_string(), at: None }
            }
            Unrecognized::NotFound => Self::NotFound,
            Unrecognized::NotServed(unserved) => Self::NotServed(unserved.reason),
            Unrecognized::MethodNotAllowed(allowed) => Self::MethodNotAllowed(allowed),
        }
    }
}

/// Who asks, or the refusal of who proves nothing.
///
/// # Errors
/// A 401, or the 503 of an issuer whose keys are not there.
pub fn caller_of(authentication: Authentication) -> Result<Arc<Identity>, Rejection> {
    match authentication {
        Authentication::Verified(identity) => Ok(identity),
        Authentication::Absent => Err(Rejection::NoCredentials),
        Authentication::Refused(fault) => Err(Rejection::BadCredentials(fault)),
        Authentication::Unavailable(fault) => Err(Rejection::KeysUnavailable(fault)),
    }
}

impl From<NoForm> for Rejection {
    fn from(form: NoForm) -> Self {
        Self::UnsupportedMediaType(form)
    }
}

impl From<UpstreamFault> for Rejection {
    fn from(fault: UpstreamFault) -> Self {
        Self::Upstream(fault)
    }
}

impl From<inspect::Refusal> for Rejection {
    fn from(refusal: inspect::Refusal) -> Self {
        let message = refusal.to_string();
        let bad = |code| Self::BadRequest { code, message: message.clone(), at: None };
        match refusal {
            inspect::Refusal::Form(form) => Self::UnsupportedMediaType(form),
            inspect::Refusal::Envelope(odd) => envelope(&odd, message),
            inspect::Refusal::Sql(refusal) => unread_sql(&refusal),
            inspect::Refusal::ReadingsDisagree(disagreement) => unread_sql(&disagreement.refusal),
            inspect::Refusal::SetOption(_, at) => {
                Self::BadRequest { code: "reserved_set_option", message: message.clone(), at: Some(at) }
            }
            inspect::Refusal::Body(odd) => bad(odd.code()),
            inspect::Refusal::Source(objection) => bad(objection.code.as_str()),
            inspect::Refusal::OddTaskId => bad("odd_task_id"),
            inspect::Refusal::UnknownTask(id) => Self::UnknownTask(id),
            inspect::Refusal::UnknownSupervisor(id) => Self::UnknownSupervisor(id),
            inspect::Refusal::UnknownSchema(name) => Self::UnknownSchema(name),
            inspect::Refusal::UnknownStatement(id) => Self::UnknownStatement(id),
            inspect::Refusal::UnknownQuery => Self::UnknownQuery,
            inspect::Refusal::NotTheOwner => Self::NotTheOwner,
            inspect::Refusal::Lookup(fault) => Self::Lookup(fault),
        }
    }
}

fn envelope(odd: &crate::druid::sql_query::OddQuery, message: String) -> Rejection {
    use crate::druid::sql_query::OddQuery;
    let code = match odd {
        OddQuery::JsonInForm(_) => return Rejection::UnsupportedMediaType(NoForm::Json),
        OddQuery::Json(_) => "odd_json",
        OddQuery::Encoding => "not_utf8",
        OddQuery::Empty => "empty_query",
        OddQuery::Type(..) => "wrong_type",
        OddQuery::ReservedKey(_) => "reserved_context_key",
        OddQuery::ManyKeys => "too_many_context_keys",
    };
    Rejection::BadRequest { code, message, at: None }
}

fn unread_sql(refusal: &sql::Refusal) -> Rejection {
    Rejection::BadRequest {
        code: refusal.code.as_str(),
        message: refusal.message.clone(),
        at: Some(refusal.position()),
    }
}

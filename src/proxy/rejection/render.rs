//! A rejection in the shape in which this API of Druid's tells errors.

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};

use super::{Fault, Forbidden, Rejection};
use crate::druid::{ErrorShape, Recognized, Unrecognized};
use crate::json::Json;
use crate::permission::ResourceAction;
use crate::proxy::GateBody;

impl Rejection {
    /// The response, in the shape in which this API tells errors.
    #[must_use]
    pub fn render(&self, shape: ErrorShape, request_id: &str) -> Response<GateBody> {
        let status = self.status_in(shape);
        if status == StatusCode::UNAUTHORIZED {
            json(status, self.unauthorized().render())
        } else if matches!(self, Self::UnknownTask(_) | Self::UnknownSupervisor(_)) {
            text(status, self.public_message())
        } else if matches!(self, Self::UnknownQuery) {
            // Druid: `SqlResource.cancelQuery`.
            text(status, String::new())
        } else {
            json(status, self.error_body(shape, request_id).render())
        }
    }

    /// The status under which this API tells it. Drivers read the body of no other than 500, and send again on 503 without end;
    /// but a body that is none of theirs they would not read either.
    #[must_use]
    pub fn status_in(&self, shape: ErrorShape) -> StatusCode {
        let status = self.status();
        let says_more = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::UNSUPPORTED_MEDIA_TYPE);
        if shape == ErrorShape::Avatica && !says_more { StatusCode::INTERNAL_SERVER_ERROR } else { status }
    }

    /// Druid: `PreResponseAuthorizationCheckFilter`.
    fn unauthorized(&self) -> Json {
        Json::object([
            ("error", Json::string("Unauthorized request")),
            ("errorMessage", Json::string(self.public_message())),
            ("errorClass", Json::Null),
            ("host", Json::Null),
        ])
    }

    pub(super) fn error_body(&self, shape: ErrorShape, request_id: &str) -> Json {
        let is_403 = self.status() == StatusCode::FORBIDDEN;
        match shape {
            ErrorShape::SqlTask if is_403 => {
                let mut body = vec![
                    ("taskId".to_owned(), Json::string("forbidden")),
                    ("state".to_owned(), Json::string("FAILED")),
                    ("error".to_owned(), self.druid_exception("general", request_id)),
                ];
                body.extend(self.missing_list());
                Json::Object(body)
            }
            ErrorShape::NativeSql | ErrorShape::AccessCheck if is_403 => {
                let mut body = vec![("Access-Check-Result".to_owned(), Json::string(self.public_message()))];
                // The console shows `error` and `errorMessage` and nothing else.
                body.push(("error".to_owned(), Json::string("Forbidden")));
                body.push(("errorMessage".to_owned(), Json::string(self.public_message())));
                body.extend(self.missing_list());
                Json::Object(body)
            }
            ErrorShape::AccessCheck if self.fault() == Fault::Caller => {
                Json::object([("error", Json::string(self.public_message()))])
            }
            ErrorShape::AccessCheck => {
                Json::object([("error", Json::string(self.public_message())), ("requestId", Json::string(request_id))])
            }
            ErrorShape::Avatica => self.avatica_error(is_403, request_id),
            ErrorShape::SqlTask | ErrorShape::NativeSql | ErrorShape::Druid => {
                let Json::Object(mut body) = self.druid_exception(self.error_code(), request_id) else {
                    return Json::Null;
                };
                body.extend(self.missing_list());
                Json::Object(body)
            }
        }
    }

    /// Avatica: `Service.ErrorResponse`, of which drivers take no other key, the list of missing permissions neither; the code and the state of 403 are those of Druid's `DruidMeta.mapException`.
    fn avatica_error(&self, is_403: bool, request_id: &str) -> Json {
        let (code, state) = if is_403 { ("2", "00002") } else { ("-1", "00000") };
        let mut message = self.public_message();
        if self.fault() != Fault::Caller {
            message = format!("{message} (request {request_id})");
        }
        Json::object([
            ("response", Json::string("error")),
            ("exceptions", Json::Array(vec![Json::string(message.clone())])),
            ("errorMessage", Json::string(message)),
            ("errorCode", Json::Number(code.to_owned())),
            ("sqlState", Json::string(state)),
            ("severity", Json::string("ERROR")),
            ("rpcMetadata", Json::Null),
        ])
    }

    /// Druid: `ErrorResponse`, `DruidException`.
    fn druid_exception(&self, code: &str, request_id: &str) -> Json {
        let mut context = Vec::new();
        if let Self::BadRequest { code, at, .. } = self {
            context.push(("reason".to_owned(), Json::string(*code)));
            if let Some(at) = at {
                context.push(("sourceType".to_owned(), Json::string("sql")));
                context.push(("offset".to_owned(), Json::string(at.offset.to_string())));
                context.push(("line".to_owned(), Json::string(at.line.to_string())));
                context.push(("column".to_owned(), Json::string(at.column.to_string())));
            }
        }
        if self.fault() != Fault::Caller {
            context.push(("requestId".to_owned(), Json::string(request_id)));
        }
        Json::object([
            ("error", Json::string("druidException")),
            ("errorCode", Json::string(code)),
            ("persona", Json::string(if self.fault() == Fault::Caller { "USER" } else { "OPERATOR" })),
            ("category", Json::string(self.category())),
            ("errorMessage", Json::string(self.public_message())),
            ("context", Json::Object(context)),
        ])
    }

    fn category(&self) -> &'static str {
        match self.status() {
            StatusCode::FORBIDDEN => "FORBIDDEN",
            StatusCode::NOT_FOUND => "NOT_FOUND",
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                "CAPACITY_EXCEEDED"
            }
            StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => "TIMEOUT",
            status if status.is_client_error() => "INVALID_INPUT",
            _ => "RUNTIME_FAILURE",
        }
    }

    fn error_code(&self) -> &'static str {
        match self.status() {
            StatusCode::FORBIDDEN => "forbidden",
            StatusCode::NOT_FOUND => "notFound",
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                "capacityExceeded"
            }
            StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => "timeout",
            status if status.is_client_error() => "invalidInput",
            _ => "general",
        }
    }

    fn missing_list(&self) -> Option<(String, Json)> {
        let Self::Denied(forbidden) = self else { return None };
        Some(("missingPermissions".to_owned(), forbidden.list()))
    }
}

impl Forbidden {
    fn list(&self) -> Json {
        Json::Array(self.missing.iter().map(|permission| self.item(permission)).collect())
    }

    fn item(&self, permission: &ResourceAction) -> Json {
        let name = if self.hidden.is_some() { Json::Null } else { Json::string(permission.name.to_string()) };
        let resource = [("type", Json::string(permission.resource_type.as_str())), ("name", name)];
        Json::object([("resource", Json::object(resource)), ("action", Json::string(permission.action.as_str()))])
    }
}

/// In which shape a request's errors are told, as far as it was recognized.
#[must_use]
pub fn shape_of(recognized: &Result<Recognized, Unrecognized>) -> ErrorShape {
    match recognized {
        Ok(recognized) => recognized.row.errors,
        Err(Unrecognized::OddQuery(row, _)) => row.errors,
        Err(
            Unrecognized::OddPath(_)
            | Unrecognized::NotFound
            | Unrecognized::NotServed(_)
            | Unrecognized::MethodNotAllowed(_),
        ) => ErrorShape::AccessCheck,
    }
}

/// A response whose body is this JSON.
#[must_use]
pub fn json(status: StatusCode, body: String) -> Response<GateBody> {
    whole(status, "application/json", body)
}

fn text(status: StatusCode, body: String) -> Response<GateBody> {
    whole(status, "text/plain;charset=utf-8", body)
}

fn whole(status: StatusCode, content_type: &'static str, body: String) -> Response<GateBody> {
    let mut response = Response::new(GateBody::whole(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

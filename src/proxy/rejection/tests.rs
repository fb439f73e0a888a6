//! Whoever is refused for what it sent is told what to send instead.

mod disagreement;

use http::Method;

use super::Rejection;
use crate::druid::media_type::NoForm;
use crate::druid::sql_query::SqlQuery;
use crate::druid::{ErrorShape, OddPath, recognize};
use crate::inspect::{self, read_sql};
use crate::json::{self, Json};
use crate::sql::ExternalRules;

/// The words with which a sentence tells what to do.
const INSTRUCTIONS: [&str; 6] = ["; send ", "; leave ", "; write ", "; wait ", "send a ", "; `msq-gate routes` lists "];

#[track_caller]
fn check(rejection: &Rejection) {
    let message = rejection.public_message();
    assert!(INSTRUCTIONS.iter().any(|words| message.contains(words)), "{}: {message}", rejection.reason());
    assert!(!message.ends_with('.'), "{message}");
}

#[test]
fn odd_targets_are_told_what_to_send() {
    for odd in [
        OddPath::NotAPath,
        OddPath::TooLong,
        OddPath::EmptySegment,
        OddPath::DotSegment,
        OddPath::Semicolon,
        OddPath::EncodedDelimiter,
        OddPath::BadEncoding,
        OddPath::RawCharacter,
    ] {
        check(&Rejection::OddPath(odd));
    }
    let long = format!("datasource={}", "a".repeat(5000));
    for query in [long.as_str(), "datasource=%", "x=1", "max=1&max=1", "max=a"] {
        check(&recognize(&Method::GET, "/druid/indexer/v1/tasks", Some(query)).unwrap_err().into());
    }
    check(&recognize(&Method::PUT, "/druid/v2/sql", None).unwrap_err().into());
    check(&Rejection::NotFound);
    check(&recognize(&Method::POST, "/druid/v2/sql/avatica-protobuf", None).unwrap_err().into());
}

#[test]
fn odd_bodies_are_told_what_to_send() {
    for form in [NoForm::Missing, NoForm::Several, NoForm::Unsupported, NoForm::Json, NoForm::NotAvatica] {
        check(&form.into());
    }
    for body in [
        r#"{"query":"SELECT 1","query":"SELECT 2"}"#,
        r#"{"query":""}"#,
        r#"{"query":1}"#,
        r#"{"query":"SELECT 1","context":{"__user":"x"}}"#,
        r#"{"query":"SET queryId = 'a'; SELECT 1"}"#,
        r#"{"query":"SELECT ("}"#,
    ] {
        let parsed: Result<Json, inspect::Refusal> =
            json::parse(body).map_err(|fault| inspect::Refusal::Envelope(fault.into()));
        let read = parsed
            .and_then(|json| Ok(SqlQuery::from_json(json)?))
            .and_then(|query| read_sql(&query, &ExternalRules::default()));
        check(&read.unwrap_err().into());
    }
    check(&inspect::Refusal::OddTaskId.into());
    for rejection in [
        Rejection::EncodedBody,
        Rejection::HeadTooLarge(1),
        Rejection::BodyTooLarge(1),
        Rejection::BodySlow,
        Rejection::BodyBroken,
        Rejection::NoCredentials,
        Rejection::TooManyOfCaller,
    ] {
        check(&rejection);
    }
}

/// What people and programs read of a statement's refusal, but for the shape of the API.
#[test]
fn the_place_of_a_refusal_is_in_the_body() {
    let query = SqlQuery::from_json(Json::object([("query", Json::string("SELECT 'é',\n  x FROM foo.bar"))])).unwrap();
    let rejection = Rejection::from(read_sql(&query, &ExternalRules::default()).unwrap_err());
    let body = rejection.error_body(crate::druid::ErrorShape::Druid, "id");
    let context = body.get("context").unwrap().render();
    assert_eq!(context, r#"{"reason":"unknown_schema","sourceType":"sql","offset":"22","line":"2","column":"10"}"#);
    let message = body.get("errorMessage").and_then(Json::as_str).unwrap();
    assert!(message.ends_with("(line [2], column [10])"), "{message}");
}

/// Of what drivers do not read the body but of 500, all is 500; but not what another status says better.
#[test]
fn drivers_are_told_in_what_they_read() {
    let told = |rejection: &Rejection| rejection.render(ErrorShape::Avatica, "id").status().as_u16();
    assert_eq!(told(&Rejection::NotTheOwner), 500);
    assert_eq!(told(&Rejection::TooManyRequests), 500);
    assert_eq!(told(&Rejection::BodyTooLarge(1)), 500);
    assert_eq!(told(&Rejection::NoCredentials), 401);
    assert_eq!(told(&NoForm::NotAvatica.into()), 415);
    let body = Rejection::TooManyRequests.error_body(ErrorShape::Avatica, "0123").render();
    assert!(body.contains("try again (request 0123)\",\"errorCode\":-1"), "{body}");
}

//! The envelope of a SQL request: what is judged is what is rendered. The first line is the Content-Type, the rest the
//! body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use msq_gate::druid::context;
use msq_gate::druid::media_type::{self, SqlForm};
use msq_gate::druid::sql_query::SqlQuery;
use msq_gate::json;

const ID: &str = "an-id";

fuzz_target!(|bytes: &[u8]| {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return };
    let (media_type, body) = (&bytes[..end], &bytes[end + 1..]);
    assert!(media_type::sql_form([media_type, media_type].into_iter()).is_err(), "two headers have no form");
    let Ok(form) = media_type::sql_form([media_type].into_iter()) else { return };
    let Ok(query) = SqlQuery::read(form, body) else { return };
    check(form, body, &query);
});

fn check(form: SqlForm, body: &[u8], query: &SqlQuery) {
    assert!(!query.sql.trim().is_empty());
    let rendered = query.render_with_id(ID);
    let again = SqlQuery::read(SqlForm::Json, rendered.as_bytes()).expect("what is rendered is read");
    assert_eq!((&again.sql, again.parameter_values()), (&query.sql, query.parameter_values()));
    assert_eq!((again.client_id(), again.render_with_id(ID)), (Some(ID), rendered.clone()));

    // Another reader of JSON finds the same text in it, and no key that a client may not set.
    let sent: serde_json::Value = serde_json::from_str(&rendered).unwrap_or_default();
    if sent.is_null() {
        // A number beyond what that reader holds.
        return;
    }
    assert_eq!(sent["query"], query.sql);
    let keys: Vec<&String> = sent.as_object().expect("an object").keys().collect();
    let known = ["query", "resultFormat", "header", "typesHeader", "sqlTypesHeader", "context", "parameters"];
    assert!(keys.iter().all(|key| known.contains(&key.as_str())), "{keys:?}");
    for (key, value) in sent["context"].as_object().expect("an object") {
        assert!(!context::is_reserved(key), "{key}");
        assert!(!context::is_gate_owned(key) || value == ID, "{key}: {value}");
    }
    match form {
        SqlForm::Json => {
            let tree = json::parse_bytes(body).expect("it was read");
            assert_eq!(tree.get("query").and_then(|text| text.as_str()), Some(query.sql.as_str()));
        }
        SqlForm::Text => assert_eq!(std::str::from_utf8(body).map(str::trim), Ok(query.sql.as_str())),
        SqlForm::UrlEncoded => assert!(!query.sql.starts_with('{')),
    }
}

//! The envelope of a SQL request. Druid: `org.apache.druid.sql.http.SqlQuery`.

use super::context;
use super::media_type::{NoForm, SqlForm};
use super::path::percent_decode;
use crate::json::{self, Json};

/// A SQL request as Druid's Router would hold it: keys that Druid does not know are gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlQuery {
    /// The SQL text.
    pub sql: String,
    /// `resultFormat`, `header`, `typesHeader`, `sqlTypesHeader`: not judged, only checked and sent.
    format: Vec<(String, Json)>,
    context: Vec<(String, Json)>,
    /// The values for `?` in the text, in order, each `{"type":..,"value":..}`.
    parameters: Vec<Json>,
}

/// Why a body is not read as a SQL request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OddQuery {
    /// Not JSON with one reading.
    #[error("Malformed SQL query wrapped in JSON: {0}; send one JSON object with each key once")]
    Json(#[from] json::Fault),
    /// Not UTF-8, or not percent-encoded.
    #[error("the SQL text is not UTF-8; send UTF-8, in a form body percent-encoded")]
    Encoding,
    /// JSON in a form body.
    #[error(transparent)]
    JsonInForm(#[from] NoForm),
    /// No SQL in it.
    #[error("Empty query; send SQL as the key query of a JSON object, or as text/plain")]
    Empty,
    /// A key with a value of the wrong type.
    #[error("[{0}] has a value of another type; send {1}")]
    Type(&'static str, &'static str),
    /// A context key that clients may not set.
    #[error("the query context key [{0}] may not be set by clients; leave it out")]
    ReservedKey(String),
    /// More context keys than are judged.
    #[error("more than {} query context keys need a permission", context::MAX_KEYS)]
    ManyKeys,
}

/// A value of `parameters`, as far as it may matter to what is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterValue {
    /// A value of type VARCHAR or CHAR that is a string.
    Text(String),
    /// Any other.
    Other,
}

impl SqlQuery {
    /// Reads a body in this form.
    ///
    /// # Errors
    /// [`OddQuery`].
    pub fn read(form: SqlForm, body: &[u8]) -> Result<Self, OddQuery> {
        let text = std::str::from_utf8(body).map_err(|_| OddQuery::Encoding)?;
        match form {
            SqlForm::Json => Self::from_json(json::parse(text)?),
            SqlForm::Text => Self::from_text(text.trim().to_owned()),
            SqlForm::UrlEncoded if text.trim_start().starts_with('{') => Err(OddQuery::JsonInForm(NoForm::Json)),
            SqlForm::UrlEncoded => {
                let decoded = percent_decode(&text.replace('+', " ")).ok_or(OddQuery::Encoding)?;
                if decoded.trim_start().starts_with('{') {
                    return Err(OddQuery::JsonInForm(NoForm::Json));
                }
                Self::from_text(decoded.trim().to_owned())
            }
        }
    }

    /// Reads SQL without an envelope.
    ///
    /// # Errors
    /// [`OddQuery::Empty`].
    pub fn from_text(sql: String) -> Result<Self, OddQuery> {
        if sql.is_empty() {
            return Err(OddQuery::Empty);
        }
        Ok(Self { sql, format: Vec::new(), context: Vec::new(), parameters: Vec::new() })
    }

    /// Reads an envelope.
    ///
    /// # Errors
    /// [`OddQuery`].
    pub fn from_json(json: Json) -> Result<Self, OddQuery> {
        let Json::Object(members) = json else { return Err(OddQuery::Type("the body", "a JSON object")) };
        let mut query = Self { sql: String::new(), format: Vec::new(), context: Vec::new(), parameters: Vec::new() };
        for (key, value) in members {
            match (key.as_str(), value) {
                ("query", Json::String(sql)) => query.sql = sql,
                ("query", _) => return Err(OddQuery::Type("query", "a string of SQL")),
                ("context", Json::Object(context)) => query.context = context,
                ("parameters", Json::Array(parameters)) => query.parameters = parameters,
                ("context" | "parameters", Json::Null) => {}
                ("context", _) => return Err(OddQuery::Type("context", "an object")),
                ("parameters", _) => return Err(OddQuery::Type("parameters", "an array")),
                ("resultFormat", value @ (Json::String(_) | Json::Null)) => query.format.push((key, value)),
                ("resultFormat", _) => return Err(OddQuery::Type("resultFormat", "a string")),
                ("header" | "typesHeader" | "sqlTypesHeader", value @ (Json::Bool(_) | Json::Null)) => {
                    query.format.push((key, value));
                }
                ("header", _) => return Err(OddQuery::Type("header", "true or false")),
                ("typesHeader", _) => return Err(OddQuery::Type("typesHeader", "true or false")),
                ("sqlTypesHeader", _) => return Err(OddQuery::Type("sqlTypesHeader", "true or false")),
                // Druid's Router drops what it does not know, and so nothing of it is sent.
                _ => {}
            }
        }
        if query.sql.trim().is_empty() {
            return Err(OddQuery::Empty);
        }
        query.check_context()?;
        Ok(query)
    }

    fn check_context(&self) -> Result<(), OddQuery> {
        for (key, value) in &self.context {
            if context::is_reserved(key) {
                return Err(OddQuery::ReservedKey(key.clone()));
            }
            if context::is_gate_owned(key) && !matches!(value, Json::String(_) | Json::Null) {
                return Err(OddQuery::Type("the query id in the context", "a string"));
            }
        }
        Ok(())
    }

    /// The id that the client chose for its query: `sqlQueryId`, or else `queryId`.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        context::GATE_OWNED
            .into_iter()
            .find_map(|owned| self.context.iter().find(|(key, _)| key == owned).and_then(|(_, value)| value.as_str()))
    }

    /// The context keys that the client sets in the envelope, in their order.
    pub fn context_keys(&self) -> impl Iterator<Item = &str> {
        self.context.iter().map(|(key, _)| key.as_str())
    }

    /// The values for `?`, in order. Druid: `SqlParameter`.
    #[must_use]
    pub fn parameter_values(&self) -> Vec<ParameterValue> {
        self.parameters.iter().map(parameter_value).collect()
    }

    /// The body to send, with this id in the place of the client's own.
    #[must_use]
    pub fn render_with_id(&self, id: &str) -> String {
        let mut context = self.context.clone();
        context.retain(|(key, _)| !context::is_gate_owned(key));
        for key in context::GATE_OWNED {
            context.push((key.to_owned(), Json::string(id)));
        }
        let mut members = vec![("query".to_owned(), Json::string(self.sql.clone()))];
        members.extend(self.format.iter().cloned());
        members.push(("context".to_owned(), Json::Object(context)));
        if !self.parameters.is_empty() {
            members.push(("parameters".to_owned(), Json::Array(self.parameters.clone())));
        }
        Json::Object(members).render()
    }
}

fn parameter_value(parameter: &Json) -> ParameterValue {
    let is_text = matches!(parameter.get("type").and_then(Json::as_str), Some("VARCHAR" | "CHAR"));
    match parameter.get("value").and_then(Json::as_str) {
        Some(text) if is_text => ParameterValue::Text(text.to_owned()),
        Some(_) | None => ParameterValue::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(body: &str) -> Result<SqlQuery, OddQuery> {
        SqlQuery::read(SqlForm::Json, body.as_bytes())
    }

    #[test]
    fn what_is_judged_is_what_is_rendered() {
        let query = json(
            r#"{"x":1,"resultFormat":"array","query":"SELECT 'é' FROM wiki","header":true,"secret":{"query":"no"},
                "context":{"timeout":1.50,"sqlQueryId":"mine","queryId":"other"},"parameters":[{"type":"VARCHAR","value":"a"}]}"#,
        )
        .expect("valid");
        assert_eq!(query.client_id(), Some("mine"));
        assert_eq!(query.parameter_values(), [ParameterValue::Text("a".into())]);
        assert_eq!(
            query.render_with_id("theirs"),
            r#"{"query":"SELECT 'é' FROM wiki","resultFormat":"array","header":true,"context":{"timeout":1.50,"sqlQueryId":"theirs","queryId":"theirs"},"parameters":[{"type":"VARCHAR","value":"a"}]}"#
        );
    }

    #[test]
    fn text_and_form_bodies_are_sql() {
        let text = SqlQuery::read(SqlForm::Text, b" SELECT 1 ").expect("text");
        assert_eq!(text.render_with_id("i"), r#"{"query":"SELECT 1","context":{"sqlQueryId":"i","queryId":"i"}}"#);
        let form = SqlQuery::read(SqlForm::UrlEncoded, b"SELECT%201+FROM+wiki").expect("form");
        assert_eq!(form.sql, "SELECT 1 FROM wiki");
        let whole = SqlQuery::read(SqlForm::UrlEncoded, b"query=SELECT+1").expect("form");
        assert_eq!(whole.sql, "query=SELECT 1");
        for body in [&b"{\"query\":\"SELECT 1\"}"[..], b" {", b"%7b%22query%22", b"+%7B"] {
            assert_eq!(SqlQuery::read(SqlForm::UrlEncoded, body), Err(OddQuery::JsonInForm(NoForm::Json)));
        }
        assert_eq!(SqlQuery::read(SqlForm::UrlEncoded, b"a%zz"), Err(OddQuery::Encoding));
        assert_eq!(SqlQuery::read(SqlForm::Text, b"\xff"), Err(OddQuery::Encoding));
        assert_eq!(SqlQuery::read(SqlForm::Text, b" \n"), Err(OddQuery::Empty));
    }

    #[test]
    fn wrong_types_are_refused_not_coerced() {
        for (body, key) in [
            (r#"{"query":1}"#, "query"),
            (r#"{"query":null}"#, "query"),
            (r#"{"query":["SELECT 1"]}"#, "query"),
            (r#"{"query":"SELECT 1","context":[]}"#, "context"),
            (r#"{"query":"SELECT 1","context":"{}"}"#, "context"),
            (r#"{"query":"SELECT 1","parameters":{}}"#, "parameters"),
            (r#"{"query":"SELECT 1","header":"true"}"#, "header"),
            (r#"{"query":"SELECT 1","resultFormat":1}"#, "resultFormat"),
            (r#"{"query":"SELECT 1","context":{"sqlQueryId":1}}"#, "the query id in the context"),
            ("[]", "the body"),
            ("null", "the body"),
        ] {
            assert!(matches!(json(body), Err(OddQuery::Type(found, _)) if found == key), "{body}");
        }
        assert_eq!(json("{}"), Err(OddQuery::Empty));
        assert_eq!(json(r#"{"Query":"SELECT 1"}"#), Err(OddQuery::Empty));
    }

    #[test]
    fn keys_with_two_readings_are_refused() {
        for body in [
            r#"{"query":"SELECT 1","query":"SELECT 2"}"#,
            r#"{"query":"SELECT 1","\u0071uery":"SELECT 2"}"#,
            r#"{"query":"SELECT 1","context":{"a":1,"a":2}}"#,
            r#"{"query":"SELECT 1"}{"query":"SELECT 2"}"#,
        ] {
            assert!(matches!(json(body), Err(OddQuery::Json(_))), "{body}");
        }
    }

    #[test]
    fn reserved_context_keys_are_refused() {
        for key in [
            "__user",
            "druid.indexer.runner.javaOpts",
            "sqlInsertSegmentGranularity",
            "sqlReplaceTimeChunks",
            "__timeColumn",
            "dartQueryId",
        ] {
            let body = format!(r#"{{"query":"SELECT 1","context":{{"{key}":"x"}}}}"#);
            assert_eq!(json(&body), Err(OddQuery::ReservedKey(key.into())));
        }
    }

    #[test]
    fn only_text_parameters_have_a_text() {
        let values = |parameters: &str| {
            json(&format!(r#"{{"query":"SELECT ?","parameters":[{parameters}]}}"#)).expect("valid").parameter_values()
        };
        assert_eq!(values(r#"{"type":"CHAR","value":"x"}"#), [ParameterValue::Text("x".into())]);
        for other in [r#"{"type":"VARCHAR","value":1}"#, r#"{"type":"DATE","value":"x"}"#, r#"{"value":"x"}"#, "null"] {
            assert_eq!(values(other), [ParameterValue::Other], "{other}");
        }
    }
}

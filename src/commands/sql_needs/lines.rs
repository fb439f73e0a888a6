//! Statements as lines, for machines.

use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::process::ExitCode;

use super::number;
use super::reader::{Reader, Unread};
use crate::druid::sql_query::SqlQuery;
use crate::inspect;
use crate::json::{self, Json};
use crate::sql::{MAX_TEXT_BYTES, Reading};

/// Bytes of a line: a statement of the greatest length, every other byte of it escaped, and parameters.
const MAX_LINE_BYTES: usize = 4 * MAX_TEXT_BYTES;

/// Bytes that are read and written at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// Answers every line of standard input, in order.
pub(super) fn answer_all(reader: &Reader) -> ExitCode {
    let input = BufReader::with_capacity(BUFFER_BYTES, std::io::stdin().lock());
    let output = BufWriter::with_capacity(BUFFER_BYTES, std::io::stdout().lock());
    match answer_lines(reader, input, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::super::fail(&format!("standard input: {error}")),
    }
}

/// What is answered is written when no more lines wait, so that a program may ask line by line.
fn answer_lines(reader: &Reader, mut input: BufReader<impl Read>, mut output: impl Write) -> std::io::Result<()> {
    let mut line = Vec::new();
    while next_line(&mut input, &mut line)? {
        let answered = writeln!(output, "{}", answer(&line, reader).render());
        let flushed = answered.and_then(|()| if input.buffer().is_empty() { output.flush() } else { Ok(()) });
        if flushed.is_err() {
            // A reader that has gone away is no fault of ours.
            break;
        }
    }
    Ok(())
}

/// Reads a line without its end; of one that is too long the first bytes, which are no JSON.
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    let read = input.by_ref().take(MAX_LINE_BYTES as u64).read_until(b'\n', line)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if read == MAX_LINE_BYTES {
        input.skip_until(b'\n')?;
    }
    Ok(read > 0)
}

/// The answer to one line.
fn answer(line: &[u8], reader: &Reader) -> Json {
    let asked = match json::parse_bytes(line) {
        Ok(asked) => asked,
        Err(fault) => return refusal(Json::Null, ("not_json", fault.at)),
    };
    let id = asked.get("id").cloned().unwrap_or(Json::Null);
    if asked.get("sql").and_then(Json::as_str).is_none() {
        return refusal(id, ("no_sql", 0));
    }
    match read(asked, reader) {
        Ok(reading) => {
            let resources = reading.resources.iter().map(|resource| Json::string(resource.to_line()));
            let statement = Json::string(reading.word());
            Json::object([("id", id), ("statement", statement), ("resources", Json::Array(resources.collect()))])
        }
        Err(unread) => {
            let (code, at, _) = unread.told();
            refusal(id, (code, at.map_or(0, |at| at.offset)))
        }
    }
}

fn refusal(id: Json, (code, at): (&'static str, usize)) -> Json {
    Json::object([("id", id), ("refused", Json::string(code)), ("at", number(at))])
}

/// Reads the line as `serve` reads the envelope of a request.
fn read(asked: Json, reader: &Reader) -> Result<Reading, Unread> {
    let members = match asked {
        Json::Object(members) => members,
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => Vec::new(),
    };
    let envelope = members.into_iter().filter_map(|(key, value)| match (key.as_str(), value) {
        ("sql", sql) => Some(("query".to_owned(), sql)),
        ("parameters", Json::Array(values)) => Some((key, Json::Array(values.into_iter().map(parameter).collect()))),
        ("parameters" | "context", value) => Some((key, value)),
        _ => None,
    });
    let query = SqlQuery::from_json(Json::Object(envelope.collect())).map_err(inspect::Refusal::from)?;
    reader.read(&query)
}

/// A string alone stands for `{"type": "VARCHAR", "value": ".."}`.
fn parameter(value: Json) -> Json {
    match value {
        Json::String(_) => Json::object([("type", Json::string("VARCHAR")), ("value", value)]),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::Readings;
    use super::*;
    use crate::config::SqlSettings;
    use crate::druid::context::ContextKeys;
    use crate::sql::{ExternalPermission, ExternalRules};

    fn by(readings: Readings) -> Reader {
        Reader { settings: SqlSettings::default(), readings }
    }

    fn answered(line: &str, reader: &Reader) -> String {
        answer(line.as_bytes(), reader).render()
    }

    #[track_caller]
    fn check(line: &str, expect: &str) {
        for readings in [Readings::First, Readings::Second, Readings::Both] {
            assert_eq!(answered(line, &by(readings)), expect, "{readings:?}");
        }
    }

    #[test]
    fn settings_hold() {
        let authorize = ContextKeys::Authorize { free: BTreeSet::from(["timeout".to_owned()]), secured: None };
        let external = ExternalRules { permission: ExternalPermission::ByType, ..ExternalRules::default() };
        let settings = SqlSettings { external, context_keys: authorize, ..SqlSettings::default() };
        let reader = Reader { settings, readings: Readings::Both };
        let line = r#"{"id": 1, "sql": "SET a = 1; SELECT * FROM TABLE(EXTERN('{\"type\":\"inline\"}', '{}'))", "context": {"b": 2, "timeout": 3}}"#;
        assert_eq!(
            answered(line, &reader),
            r#"{"id":1,"statement":"select","resources":["EXTERNAL|inline|READ","QUERY_CONTEXT|a|WRITE","QUERY_CONTEXT|b|WRITE"]}"#
        );
        check(line, r#"{"id":1,"statement":"select","resources":["EXTERNAL|EXTERNAL|READ"]}"#);
    }

    #[test]
    fn each_reading_can_be_asked_alone() {
        let line = r#"{"id": 1, "sql": "SELECT x FORMAT JSON FROM a"}"#;
        let read = r#"{"id":1,"statement":"select","resources":["DATASOURCE|a|READ"]}"#;
        assert_eq!(answered(line, &by(Readings::First)), read);
        assert_eq!(answered(line, &by(Readings::Both)), read);
        assert_eq!(answered(line, &by(Readings::Second)), r#"{"id":1,"refused":"not_parsed","at":0}"#);
    }

    #[test]
    fn each_line_is_answered() {
        check(
            r#"{"id": "a", "sql": "INSERT INTO t SELECT * FROM wiki, sys.tasks, wiki PARTITIONED BY DAY"}"#,
            r#"{"id":"a","statement":"insert","resources":["DATASOURCE|t|WRITE","DATASOURCE|wiki|READ"]}"#,
        );
        for statement in ["VALUES (1)", "WITH a AS (SELECT 1) TABLE a", "(SELECT 1)"] {
            let line = format!(r#"{{"id": 1, "sql": "{statement}"}}"#);
            check(&line, r#"{"id":1,"statement":"select","resources":[]}"#);
        }
        check(r#"{"id": 1, "sql": "DESCRIBE TABLE a"}"#, r#"{"id":1,"refused":"unsupported_statement","at":9}"#);
        check(
            r#"{"id": [], "sql": "EXPLAIN PLAN FOR REPLACE INTO a OVERWRITE ALL SELECT * FROM TABLE(EXTERN('{\"type\":\"http\"}', '{}'))"}"#,
            r#"{"id":[],"statement":"explain","resources":["DATASOURCE|a|WRITE","EXTERNAL|EXTERNAL|READ"]}"#,
        );
    }

    #[test]
    fn parameters_and_context_are_those_of_a_request() {
        check(
            r#"{"id": 1, "sql": "SELECT * FROM TABLE(APPEND(?, ?))", "parameters": ["a", {"type": "VARCHAR", "value": "b"}]}"#,
            r#"{"id":1,"statement":"select","resources":["DATASOURCE|a|READ","DATASOURCE|b|READ"]}"#,
        );
        let refused = |more: &str, expect: &str| {
            check(&format!(r#"{{"id": 1, "sql": "SET a = 1; SELECT * FROM TABLE(APPEND(?))", {more}}}"#), expect);
        };
        for parameters in ["[]", "null", r#"[{"type":"DATE","value":"b"}]"#, "[1]"] {
            let more = format!(r#""parameters": {parameters}"#);
            refused(&more, r#"{"id":1,"refused":"parameter_as_name","at":38}"#);
        }
        refused(r#""parameters": {}"#, r#"{"id":1,"refused":"wrong_type","at":0}"#);
        refused(r#""context": []"#, r#"{"id":1,"refused":"wrong_type","at":0}"#);
        refused(r#""context": {"__user": "x"}"#, r#"{"id":1,"refused":"reserved_context_key","at":0}"#);
        check(
            r#"{"id": 1, "sql": "SET a = 1; SET sqlQueryId = 'x'; SELECT 1", "context": {"sqlQueryId": "mine"}}"#,
            r#"{"id":1,"refused":"reserved_set_option","at":15}"#,
        );
    }

    #[test]
    fn a_refusal_names_its_place() {
        check(r#"{"id": 1, "sql": "SELECT # FROM a"}"#, r#"{"id":1,"refused":"lexical","at":7}"#);
        check(r#"{"id": 1, "sql": " "}"#, r#"{"id":1,"refused":"empty_query","at":0}"#);
        check(r#"{"id": 1}"#, r#"{"id":1,"refused":"no_sql","at":0}"#);
        check(r#"{"id": 1, "sql": 2}"#, r#"{"id":1,"refused":"no_sql","at":0}"#);
        check("SELECT 1", r#"{"id":null,"refused":"not_json","at":0}"#);
        check(r#"{"id":1,"id":2,"sql":"SELECT 1"}"#, r#"{"id":null,"refused":"not_json","at":1}"#);
    }

    #[test]
    fn lines_may_be_as_long_as_the_bound_and_no_longer() {
        let line = |length: usize| {
            let start = r#"{"id":1,"sql":"SELECT 1"#;
            format!("{start}{}\"}}", " ".repeat(length - start.len() - 2))
        };
        let input = format!("{}\n{}\n{}", line(MAX_LINE_BYTES + 1), line(30), line(30));
        let mut output = Vec::new();
        answer_lines(&by(Readings::Both), BufReader::new(input.as_bytes()), &mut output).unwrap();
        let output = String::from_utf8(output).unwrap();
        let answers: Vec<_> = output.lines().collect();
        let read = r#"{"id":1,"statement":"select","resources":[]}"#;
        assert_eq!(answers[0], format!(r#"{{"id":null,"refused":"not_json","at":{MAX_LINE_BYTES}}}"#));
        assert_eq!(answers[1..], [read, read]);
        let mut output = Vec::new();
        answer_lines(
            &by(Readings::Both),
            BufReader::new(format!("{}\n", line(MAX_LINE_BYTES)).as_bytes()),
            &mut output,
        )
        .unwrap();
        assert_eq!(output, b"{\"id\":1,\"refused\":\"too_long\",\"at\":0}\n");
    }
}

//! Statements as lines, for machines.

use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::process::ExitCode;

use super::{number, refused};
use crate::druid::sql_query::SqlQuery;
use crate::inspect::{self, read_sql};
use crate::json::{self, Json};
use crate::sql::{MAX_TEXT_BYTES, Reading};

/// Bytes of a line: a statement of the greatest length, every other byte of it escaped, and parameters.
const MAX_LINE_BYTES: usize = 4 * MAX_TEXT_BYTES;

/// Bytes that are read and written at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// Answers every line of standard input, in order.
pub(super) fn answer_all() -> ExitCode {
    let input = BufReader::with_capacity(BUFFER_BYTES, std::io::stdin().lock());
    let output = BufWriter::with_capacity(BUFFER_BYTES, std::io::stdout().lock());
    match answer_lines(input, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::super::fail(&format!("standard input: {error}")),
    }
}

/// What is answered is written when no more lines wait, so that a program may ask line by line.
fn answer_lines(mut input: BufReader<impl Read>, mut output: impl Write) -> std::io::Result<()> {
    let mut line = Vec::new();
    while next_line(&mut input, &mut line)? {
        let answered = writeln!(output, "{}", answer(&line).render());
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
fn answer(line: &[u8]) -> Json {
    let asked = match json::parse_bytes(line) {
        Ok(asked) => asked,
        Err(fault) => return refusal(Json::Null, ("not_json", fault.at)),
    };
    let id = asked.get("id").cloned().unwrap_or(Json::Null);
    if asked.get("sql").and_then(Json::as_str).is_none() {
        return refusal(id, ("no_sql", 0));
    }
    match read(asked) {
        Ok(reading) => {
            let resources = reading.resources.iter().map(|resource| Json::string(resource.to_line()));
            let statement = Json::string(reading.word());
            Json::object([("id", id), ("statement", statement), ("resources", Json::Array(resources.collect()))])
        }
        Err(why) => refusal(id, refused(why)),
    }
}

fn refusal(id: Json, (code, at): (&'static str, usize)) -> Json {
    Json::object([("id", id), ("refused", Json::string(code)), ("at", number(at))])
}

/// Reads the line as `serve` reads the envelope of a request.
fn read(asked: Json) -> Result<Reading, inspect::Refusal> {
    let Json::Object(members) = asked else { return read_sql(&SqlQuery::from_json(asked)?) };
    let envelope = members.into_iter().filter_map(|(key, value)| match (key.as_str(), value) {
        ("sql", sql) => Some(("query".to_owned(), sql)),
        ("parameters", Json::Array(values)) => Some((key, Json::Array(values.into_iter().map(parameter).collect()))),
        ("parameters" | "context", value) => Some((key, value)),
        _ => None,
    });
    read_sql(&SqlQuery::from_json(Json::Object(envelope.collect()))?)
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
    use super::*;

    fn check(line: &str, expect: &str) {
        assert_eq!(answer(line.as_bytes()).render(), expect);
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
        answer_lines(BufReader::new(input.as_bytes()), &mut output).unwrap();
        let output = String::from_utf8(output).unwrap();
        let answers: Vec<_> = output.lines().collect();
        let read = r#"{"id":1,"statement":"select","resources":[]}"#;
        assert_eq!(answers[0], format!(r#"{{"id":null,"refused":"not_json","at":{MAX_LINE_BYTES}}}"#));
        assert_eq!(answers[1..], [read, read]);
        let mut output = Vec::new();
        answer_lines(BufReader::new(format!("{}\n", line(MAX_LINE_BYTES)).as_bytes()), &mut output).unwrap();
        assert_eq!(output, b"{\"id\":1,\"refused\":\"too_long\",\"at\":0}\n");
    }
}

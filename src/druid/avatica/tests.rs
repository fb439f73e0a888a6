use super::*;

const LOGIN: Login<'static> = Login { user: "gate", password: "of \"the\" gate" };

/// What is sent for a body, or why nothing is.
fn sent(body: &str) -> String {
    match AvaticaRequest::read(body.as_bytes()) {
        Ok(request) => request.render("c", Some(LOGIN)),
        Err(odd) => format!("{}: {odd}", odd.code()),
    }
}

/// Each type as a driver sends it, and what is sent for it.
const REQUESTS: [(&str, &str); 20] = [
    (
        r#"{"request":"openConnection","connectionId":"x","info":{"user":"u","password":"p","sqlTimeZone":"Z","avatica_password":"token"}}"#,
        r#"{"request":"openConnection","connectionId":"c","info":{"sqlTimeZone":"Z","user":"gate","password":"of \"the\" gate"}}"#,
    ),
    (
        r#"{"request":"openConnection","connectionId":"x"}"#,
        r#"{"request":"openConnection","connectionId":"c","info":{"user":"gate","password":"of \"the\" gate"}}"#,
    ),
    (
        r#"{"request":"connectionSync","connectionId":"x","connProps":{"connProps":"other","autoCommit":null,"readOnly":true,"transactionIsolation":0,"catalog":"a","schema":null,"dirty":false}}"#,
        r#"{"request":"connectionSync","connectionId":"c","connProps":{"connProps":"connPropsImpl","autoCommit":null,"readOnly":true,"transactionIsolation":0,"catalog":"a","schema":null,"dirty":false}}"#,
    ),
    (r#"{"connectionId":"x","request":"closeConnection"}"#, r#"{"request":"closeConnection","connectionId":"c"}"#),
    (
        r#"{"request":"databaseProperties","connectionId":"x"}"#,
        r#"{"request":"databaseProperties","connectionId":"c"}"#,
    ),
    (r#"{"request":"createStatement","connectionId":"x"}"#, r#"{"request":"createStatement","connectionId":"c"}"#),
    (
        r#"{"request":"prepare","connectionId":"x","sql":"SELECT ?","maxRowCount":-1}"#,
        r#"{"request":"prepare","connectionId":"c","sql":"SELECT ?","maxRowCount":-1}"#,
    ),
    (
        r#"{"request":"prepareAndExecute","connectionId":"x","statementId":1,"sql":"SELECT 1","maxRowsInFirstFrame":-1,"maxRowsTotal":5}"#,
        r#"{"request":"prepareAndExecute","connectionId":"c","statementId":1,"sql":"SELECT 1","maxRowsInFirstFrame":-1,"maxRowsTotal":5}"#,
    ),
    // The signature nobody reads.
    (
        r#"{"request":"execute","statementHandle":{"connectionId":"x","id":7,"signature":{"sql":"SELECT 2"}},"parameterValues":[{"type":"STRING","value":"a","componentType":null},null],"maxRowCount":100}"#,
        r#"{"request":"execute","statementHandle":{"connectionId":"c","id":7},"parameterValues":[{"type":"STRING","value":"a","componentType":null},null],"maxRowCount":100}"#,
    ),
    (
        r#"{"request":"fetch","connectionId":"x","statementId":1,"offset":100,"fetchMaxRowCount":100}"#,
        r#"{"request":"fetch","connectionId":"c","statementId":1,"offset":100,"fetchMaxRowCount":100}"#,
    ),
    (
        r#"{"request":"syncResults","connectionId":"x","statementId":1,"state":{"type":"SQL","sql":"SELECT 1"},"offset":0}"#,
        r#"{"request":"syncResults","connectionId":"c","statementId":1,"offset":0}"#,
    ),
    (
        r#"{"request":"closeStatement","connectionId":"x","statementId":1}"#,
        r#"{"request":"closeStatement","connectionId":"c","statementId":1}"#,
    ),
    (r#"{"request":"commit","connectionId":"x"}"#, r#"{"request":"commit","connectionId":"c"}"#),
    (r#"{"request":"rollback","connectionId":"x"}"#, r#"{"request":"rollback","connectionId":"c"}"#),
    (r#"{"request":"getTypeInfo","connectionId":"x"}"#, r#"{"request":"getTypeInfo","connectionId":"c"}"#),
    (r#"{"request":"getCatalogs","connectionId":"x"}"#, r#"{"request":"getCatalogs","connectionId":"c"}"#),
    (r#"{"request":"getTableTypes","connectionId":"x"}"#, r#"{"request":"getTableTypes","connectionId":"c"}"#),
    (
        r#"{"request":"getSchemas","connectionId":"x","catalog":null,"schemaPattern":"d%"}"#,
        r#"{"request":"getSchemas","connectionId":"c","schemaPattern":"d%"}"#,
    ),
    (
        r#"{"request":"getTables","connectionId":"x","tableNamePattern":"w%","typeList":["TABLE"],"catalog":null}"#,
        r#"{"request":"getTables","connectionId":"c","tableNamePattern":"w%","typeList":["TABLE"]}"#,
    ),
    (
        r#"{"request":"getColumns","connectionId":"x","catalog":"druid","columnNamePattern":"a"}"#,
        r#"{"request":"getColumns","connectionId":"c","catalog":"druid","columnNamePattern":"a"}"#,
    ),
];

#[test]
fn what_is_read_is_drawn_anew_under_the_other_name() {
    for (body, expected) in REQUESTS {
        assert_eq!(sent(body), expected);
    }
    for kind in &KINDS {
        assert!(REQUESTS.iter().any(|(body, _)| body.contains(&format!("\"request\":\"{}\"", kind.name))), "{kind:?}");
    }
}

#[test]
fn what_is_sent_is_read_as_itself() {
    for (_, expected) in REQUESTS {
        assert_eq!(sent(expected), expected);
    }
}

#[test]
fn another_statement_takes_the_place_of_the_first() {
    let body = r#"{"request":"prepare","connectionId":"x","sql":"SELECT 1","maxRowCount":-1}"#;
    let request = AvaticaRequest::read(body.as_bytes()).expect("read").with_statement("SELECT 2");
    assert_eq!(request.asks, Asks::Statement("SELECT 2".to_owned()));
    assert_eq!(
        request.render("c", None),
        r#"{"request":"prepare","connectionId":"c","sql":"SELECT 2","maxRowCount":-1}"#
    );
}

#[test]
fn without_a_login_nobody_logs_in() {
    let body = r#"{"request":"openConnection","connectionId":"x","info":{"user":"u","password":"p"}}"#;
    let request = AvaticaRequest::read(body.as_bytes()).expect("read");
    assert_eq!(request.render("c", None), r#"{"request":"openConnection","connectionId":"c","info":{}}"#);
}

#[test]
fn what_is_not_understood_is_refused() {
    let long = "x".repeat(MAX_CONNECTION_ID + 1);
    for (body, code) in [
        ("", "wrong_type"),
        (" \n", "wrong_type"),
        ("[]", "wrong_type"),
        ("{}", "wrong_type"),
        (r#"{"request":7,"connectionId":"x"}"#, "wrong_type"),
        // Avatica takes it for getSchemas.
        (r#"{"request":"nonsense","connectionId":"x"}"#, "unknown_type"),
        (r#"{"request":"Prepare","connectionId":"x","sql":"SELECT 1"}"#, "unknown_type"),
        (r#"{"request":"commit","request":"prepare","connectionId":"x","sql":"SELECT 1"}"#, "odd_json"),
        (r#"{"request":"prepare","connectionId":"x","sql":"SELECT 1","\u0073ql":"SELECT 2"}"#, "odd_json"),
        (r#"{"request":"commit","connectionId":"x"}{"request":"commit","connectionId":"y"}"#, "odd_json"),
        (
            r#"{"request":"prepareAndExecuteBatch","connectionId":"x","statementId":1,"sqlCommands":["SELECT 1"]}"#,
            "not_for_clients",
        ),
        (r#"{"request":"executeBatch","connectionId":"x","statementId":1,"parameterValues":[]}"#, "not_for_clients"),
        (r#"{"request":"commit"}"#, "wrong_type"),
        (r#"{"request":"commit","connectionId":""}"#, "wrong_type"),
        (r#"{"request":"commit","connectionId":7}"#, "wrong_type"),
        (&format!(r#"{{"request":"commit","connectionId":"{long}"}}"#), "wrong_type"),
        (r#"{"request":"prepare","connectionId":"x"}"#, "wrong_type"),
        (r#"{"request":"prepare","connectionId":"x","sql":" "}"#, "wrong_type"),
        (r#"{"request":"prepare","connectionId":"x","sql":["SELECT 1"]}"#, "wrong_type"),
        (r#"{"request":"fetch","connectionId":"x","statementId":"1"}"#, "wrong_type"),
        (r#"{"request":"fetch","connectionId":"x","statementId":1.5}"#, "wrong_type"),
        (r#"{"request":"fetch","connectionId":"x","statementId":1e0}"#, "wrong_type"),
        (r#"{"request":"execute"}"#, "wrong_type"),
        (r#"{"request":"execute","statementHandle":{"id":1}}"#, "wrong_type"),
        (r#"{"request":"execute","statementHandle":{"connectionId":"x"}}"#, "wrong_type"),
        (
            r#"{"request":"execute","statementHandle":{"connectionId":"x","id":1},"parameterValues":["a"]}"#,
            "wrong_type",
        ),
        (r#"{"request":"openConnection","connectionId":"x","info":[]}"#, "wrong_type"),
        (r#"{"request":"openConnection","connectionId":"x","info":{"timeout":7}}"#, "wrong_type"),
        (r#"{"request":"openConnection","connectionId":"x","info":{"__user":"u"}}"#, "reserved_context_key"),
        (r#"{"request":"openConnection","connectionId":"x","info":{"sqlQueryId":"u"}}"#, "reserved_context_key"),
        (r#"{"request":"connectionSync","connectionId":"x","connProps":{"catalog":{"a":1}}}"#, "wrong_type"),
        (r#"{"request":"getTables","connectionId":"x","typeList":"TABLE"}"#, "wrong_type"),
        (r#"{"request":"getTables","connectionId":"x","columnNamePattern":"x"}"#, "unknown_key"),
        (r#"{"request":"prepare","connectionId":"x","sql":"SELECT 1","Sql":"SELECT 2"}"#, "unknown_key"),
        // What a Router would go by, and not who executes.
        (r#"{"request":"execute","connectionId":"y","statementHandle":{"connectionId":"x","id":7}}"#, "unknown_key"),
        (r#"{"request":"commit","connectionId":"x","statementHandle":{"connectionId":"y","id":7}}"#, "unknown_key"),
        (r#"{"request":"execute","statementHandle":{"connectionId":"x","id":7,"sql":"SELECT 1"}}"#, "unknown_key"),
        (
            r#"{"request":"execute","statementHandle":{"connectionId":"x","id":7},"parameterValues":[{"type":"A","odd":1}]}"#,
            "unknown_key",
        ),
        (r#"{"request":"connectionSync","connectionId":"x","connProps":{"odd":1}}"#, "unknown_key"),
    ] {
        let told = sent(body);
        assert!(told.starts_with(&format!("{code}:")), "{body}: {told}");
    }
}

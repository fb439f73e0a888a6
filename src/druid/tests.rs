use http::Method;

use super::*;

/// The row and the target sent, or how the request is refused.
fn get(path: &str) -> String {
    ask(&Method::GET, path)
}

fn post(path: &str) -> String {
    ask(&Method::POST, path)
}

fn ask(method: &Method, target: &str) -> String {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    match recognize(method, path, query) {
        Ok(recognized) => format!("{} {}", recognized.row.name, recognized.target()),
        Err(Unrecognized::OddPath(odd)) => format!("{odd:?}"),
        Err(Unrecognized::OddQuery(row, odd)) => format!("{} {odd:?}", row.name),
        Err(Unrecognized::NotFound) => "404".to_owned(),
        Err(Unrecognized::MethodNotAllowed(methods)) => {
            format!("405 {}", methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(","))
        }
    }
}

#[test]
fn front_doors_are_recognized() {
    assert_eq!(post("/druid/v2/sql/task"), "sql_task /druid/v2/sql/task");
    assert_eq!(post("/druid/v2/sql"), "sql /druid/v2/sql");
    assert_eq!(post("/druid/v2/sql/statements"), "statement_submit /druid/v2/sql/statements");
    assert_eq!(get("/druid/v2/sql/statements/query-1"), "statement_status /druid/v2/sql/statements/query-1");
    assert_eq!(
        get("/druid/v2/sql/statements/query-1/results?page=0"),
        "statement_results /druid/v2/sql/statements/query-1/results?page=0"
    );
    assert_eq!(
        get("/druid/indexer/v1/task/t/log?offset=-16000"),
        "task_log /druid/indexer/v1/task/t/log?offset=-16000"
    );
    assert_eq!(post("/druid/indexer/v1/task/t/shutdown"), "task_cancel /druid/indexer/v1/task/t/shutdown");
    assert_eq!(ask(&Method::DELETE, "/druid/v2/sql/x"), "sql_cancel /druid/v2/sql/x");
    assert_eq!(get("/"), "console_root /");
    assert_eq!(get("/public/a/b.js"), "console_public /public/a/b.js");
}

#[test]
fn aliases_and_spellings_are_rendered_as_the_front_door() {
    let status = "task_status /druid/indexer/v1/task/query-1/status";
    for path in [
        "/druid/indexer/v1/task/query-1/status",
        "/druid/indexer/v1/task/query-1/status/",
        "/druid/indexer/v1/task/%71uery-1/status",
        "/druid/indexer/v1/task/%71%75ery%2D1/status",
        "/proxy/overlord/druid/indexer/v1/task/query-1/status",
        "/proxy/coordinator/druid/indexer/v1/task/query-1/status",
    ] {
        assert_eq!(get(path), status, "{path}");
    }
    assert_eq!(post("/druid/v2/sql/task/"), "sql_task /druid/v2/sql/task");
    assert_eq!(get("/druid/indexer/v1/task/a%20b%3Ac/status"), "task_status /druid/indexer/v1/task/a%20b%3Ac/status");
    assert_eq!(get("/druid/indexer/v1/task/a:b+c/status"), "task_status /druid/indexer/v1/task/a%3Ab%2Bc/status");
    assert_eq!(get("/druid/indexer/v1/task/%25/status"), "task_status /druid/indexer/v1/task/%25/status");
}

/// The doors of the bypass list: each was open, or odd, on a real Router.
#[test]
fn odd_paths_are_refused() {
    for (path, refusal) in [
        ("/druid/v2/sql;x/task", "Semicolon"),
        ("/druid/v2/sql/task;x", "Semicolon"),
        ("/druid/v2/sql/task;x=%2e%2e", "Semicolon"),
        ("/druid/v2;x/sql/task", "Semicolon"),
        ("/druid/v2/sql/task%3Bx", "EncodedDelimiter"),
        ("/druid/v2/sql/..;/sql/task", "Semicolon"),
        ("/druid/v2/sql//task", "EmptySegment"),
        ("//druid/v2/sql/task", "EmptySegment"),
        ("/druid/v2/sql/task//", "EmptySegment"),
        ("/druid/v2/sql/../sql/task", "DotSegment"),
        ("/druid/v2/sql/%2e%2e/sql/task", "DotSegment"),
        ("/druid/v2/./sql/task", "DotSegment"),
        ("/druid/v2/sql/.%2E/sql/task", "DotSegment"),
        ("/druid/v2%2fsql/task", "EncodedDelimiter"),
        ("/druid/v2%5csql/task", "EncodedDelimiter"),
        ("/druid/v2\\sql/task", "EncodedDelimiter"),
        ("/druid/v2/sql/task%00", "EncodedDelimiter"),
        ("/druid/v2/sql/task%0d%0a", "EncodedDelimiter"),
        ("/druid/v2/sql/%E9", "BadEncoding"),
        ("/druid/v2/sql/%zz", "BadEncoding"),
        ("/druid/v2/sql/%", "BadEncoding"),
        ("/druid/v2/sql/%7", "BadEncoding"),
        ("/druid/v2/sql/t\u{e9}", "RawCharacter"),
        ("/druid/v2/sql/{id}", "RawCharacter"),
        ("*", "NotAPath"),
        ("druid/v2/sql", "NotAPath"),
    ] {
        assert_eq!(post(path), refusal, "{path}");
    }
    assert_eq!(post(&format!("/{}", "a".repeat(5000))), "TooLong");
}

#[test]
fn what_is_sent_is_no_longer_than_what_may_come() {
    // `+` is sent as %2B.
    let task = |signs: usize| get(&format!("/druid/indexer/v1/task/{}/status", "+".repeat(signs)));
    assert_eq!(task(1400), "TooLong");
    assert_eq!(task(1300), format!("task_status /druid/indexer/v1/task/{}/status", "%2B".repeat(1300)));
    let tasks = |signs: usize| get(&format!("/druid/indexer/v1/tasks?datasource={}", "*".repeat(signs)));
    assert_eq!(tasks(1400), "task_list TooLong");
    assert_eq!(tasks(1300), format!("task_list /druid/indexer/v1/tasks?datasource={}", "%2A".repeat(1300)));
}

#[test]
fn what_is_not_in_the_catalogue_is_not_served() {
    for path in [
        "/druid/v2/sql/t%61sk",
        "/druid/v2/%73ql",
        "/%64ruid/v2/sql",
        "/Druid/v2/sql",
        "/druid/V2/sql",
        "/druid/v2",
        "/druid/v2/sql/avatica",
        "/druid/indexer/v1/task",
        "/proxy/OVERLORD/druid/indexer/v1/task/t/shutdown",
        "/PROXY/overlord/druid/indexer/v1/task/t/shutdown",
        "/proxy/overlordX/druid/indexer/v1/task/t/shutdown",
        "/proxy/overlord",
        "/proxy/overlord/proxy/overlord/druid/indexer/v1/task/t/shutdown",
        "/proxy/overlord/druid/v2/sql",
        "/proxy/coordinator/druid-ext/basic-security/authentication/db/basic/users",
        "/druid-internal/v1/segments/x",
        "/unified-console.html/",
        "/public",
        "/public/",
        "/public/x/",
    ] {
        let answer = post(path);
        // A path whose last segment fills the parameter of DELETE /druid/v2/sql/{id} is known, with that method only.
        assert!(answer == "404" || answer == "405 DELETE", "{path}: {answer}");
        assert!(!get(path).starts_with("sql"), "{path}");
    }
    assert_eq!(get("/proxy/overlord/status/properties"), "404");
    assert_eq!(get("/druid/indexer/v1/task/t/segments"), "404");
}

#[test]
fn other_methods_are_405() {
    for method in [Method::HEAD, Method::OPTIONS, Method::PUT, Method::PATCH, Method::TRACE] {
        assert_eq!(ask(&method, "/druid/indexer/v1/task/t/status"), "405 GET", "{method}");
    }
    assert_eq!(get("/druid/v2/sql/statements"), "405 POST,DELETE");
    assert_eq!(ask(&Method::from_bytes(b"get").expect("token"), "/status/health"), "405 GET");
}

#[test]
fn query_parameters_are_listed_typed_and_single() {
    let tasks = |query: &str| get(&format!("/druid/indexer/v1/tasks?{query}"));
    let rendered = |query: &str| format!("task_list /druid/indexer/v1/tasks?{query}");
    assert_eq!(tasks("datasource=wi+ki%2f&max=5"), rendered("datasource=wi%20ki%2F&max=5"));
    assert_eq!(tasks("d%61tasource=a"), rendered("datasource=a"));
    assert_eq!(tasks("datasource"), rendered("datasource="));
    assert_eq!(tasks("capabilities"), "task_list /druid/indexer/v1/tasks");
    for (query, refusal) in [
        ("datasource=a&datasource=b", r#"Repeated("datasource")"#),
        ("datasource=a&data%73ource=b", r#"Repeated("datasource")"#),
        ("Datasource=a", r#"Unknown("Datasource")"#),
        ("x=1", r#"Unknown("x")"#),
        ("max=a", r#"Value("max", "a whole number")"#),
        ("max=%2b1", r#"Value("max", "a whole number")"#),
        ("datasource=%00", r#"Value("datasource", "text without control characters")"#),
        ("datasource=%ff", "BadEncoding"),
        ("datasource=%", "BadEncoding"),
    ] {
        assert_eq!(tasks(query), format!("task_list {refusal}"), "{query}");
    }
    assert_eq!(post("/druid/v2/sql?capabilities"), "sql /druid/v2/sql");
    assert!(post(&format!("/druid/v2/sql?capabilities={}", "a".repeat(5000))).contains("TooLong"));
}

#[test]
fn every_target_is_recognized_as_the_same_row() {
    for row in ROWS {
        let path = row.path.replace("{id}", "a%20b").replace("{file*}", "x/y%2Bz.js");
        for prefix in row.alias.prefixes() {
            let prefix: String = prefix.iter().map(|part| format!("/{part}")).collect();
            let recognized = recognize(&row.method, &format!("{prefix}{path}"), None).expect(row.name);
            assert_eq!(recognized.row, row);
            assert_eq!(recognized.target(), path);
        }
    }
}

#[test]
fn names_of_rows_are_unique() {
    let mut names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ROWS.len());
}

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
        Err(Unrecognized::NotServed(unserved)) => format!("404 {}", unserved.path),
        Err(Unrecognized::MethodNotAllowed(methods)) => {
            format!("405 {}", methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(","))
        }
    }
}

#[test]
fn front_doors_are_recognized() {
    assert_eq!(post("/druid/v2/sql/task"), "sql_task /druid/v2/sql/task");
    assert_eq!(post("/druid/v2/sql"), "sql /druid/v2/sql");
    assert_eq!(post("/druid/v2/sql/avatica/"), "avatica /druid/v2/sql/avatica");
    assert_eq!(ask(&Method::DELETE, "/druid/v2/sql/avatica"), "405 POST");
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
        "/druid/v2/x/y",
        "/druid/indexer/v1/action",
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
        assert!(answer.starts_with("404") || answer == "405 DELETE", "{path}: {answer}");
        assert!(!get(path).starts_with("sql"), "{path}");
    }
    assert_eq!(get("/proxy/overlord/status/properties/x"), "404");
    assert_eq!(post("/druid/v2/sql/avatica-protobuf/"), "404 /druid/v2/sql/avatica-protobuf");
    assert_eq!(post("/druid-internal/v1/segments/x"), "404 /druid-internal/{rest*}");
    assert_eq!(ask(&Method::PUT, "/druid-internal/v1/segments/x"), "404");
    assert_eq!(get("/druid/indexer/v1/task/t/status/x"), "404");
}

#[test]
fn other_methods_are_405() {
    for method in [Method::HEAD, Method::OPTIONS, Method::PUT, Method::PATCH, Method::TRACE] {
        assert_eq!(ask(&method, "/druid/indexer/v1/task/t/status"), "405 GET", "{method}");
    }
    assert_eq!(get("/druid/v2/sql/statements"), "405 POST");
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

/// The catalogue's own paths with values that hold all that a path may hold.
fn filled(row: &Row) -> String {
    let parts = path::pattern(row).map(|part| match part {
        _ if path::is_rest(part) => "x/y%2Bz.js",
        _ if path::is_parameter(part) => "a%20b%3A%C3%A9%25",
        _ => part,
    });
    let filled: String = parts.map(|part| format!("/{part}")).collect();
    if filled.is_empty() { "/".to_owned() } else { filled }
}

#[test]
fn every_target_is_recognized_as_the_same_row() {
    for row in ROWS.iter().copied() {
        let path = filled(row);
        for prefix in row.alias.prefixes() {
            let prefix: String = prefix.iter().map(|part| format!("/{part}")).collect();
            let recognized = recognize(&row.method, &format!("{prefix}{path}"), None).expect(row.name);
            assert_eq!(recognized.row, row);
            assert_eq!(recognized.target(), path);
        }
    }
}

/// A value that is a literal of the catalogue where it stands would be sent as that literal.
#[test]
fn no_value_is_taken_for_a_literal() {
    for (path, row) in [
        ("/druid/indexer/v1/supervisor/history", "supervisor_histories /druid/indexer/v1/supervisor/history"),
        ("/druid/indexer/v1/supervisor/%68istory", "404"),
        ("/druid/indexer/v1/supervisor/h%69story/status", "404"),
        ("/druid/indexer/v1/supervisor/suspendAll", "405 POST"),
        ("/druid/indexer/v1/supervisor/Xhistory", "supervisor /druid/indexer/v1/supervisor/Xhistory"),
        ("/druid/coordinator/v1/rules/history", "rule_history /druid/coordinator/v1/rules/history"),
        ("/druid/coordinator/v1/rules/%68istory", "404"),
        ("/druid/coordinator/v1/config/compaction/taskslot%73", "404"),
        ("/druid/coordinator/v1/lookups/config/%61ll", "404"),
        ("/druid/v2/sql/statements/enable%64", "404"),
        ("/druid/coordinator/v1/datasources/datasources", "datasource /druid/coordinator/v1/datasources/datasources"),
        ("/status/%68ealth", "404"),
    ] {
        assert_eq!(get(path), row, "{path}");
    }
    assert_eq!(ask(&Method::DELETE, "/druid/v2/sql/task"), "405 POST");
    // Each literal, encoded in part: never a row.
    for row in ROWS.iter().copied() {
        let parts: Vec<&str> = path::pattern(row).collect();
        for (place, part) in parts.iter().enumerate().filter(|(_, part)| !path::is_parameter(part)) {
            let mut letters = part.chars();
            let first = letters.next().map(u32::from).expect("not empty");
            let encoded = format!("%{first:02x}{}", letters.as_str());
            let at = |(n, part): (usize, &&str)| if n == place { encoded.clone() } else { (*part).to_owned() };
            let path: String = parts.iter().enumerate().map(|part| format!("/{}", at(part))).collect();
            let path = path.replace(['{', '}'], "").replace('*', "");
            assert_eq!(ask(&row.method, &path), "404", "{path}");
        }
    }
}

#[test]
fn several_values_of_one_path_are_told_apart() {
    let segment = "/druid/coordinator/v1/datasources/wi%2Bki/segments/wiki_2016-06-27T00:00:00.000Z_x";
    let recognized = recognize(&Method::GET, segment, None).expect("a row");
    assert_eq!(recognized.value("datasource"), "wi+ki");
    assert_eq!(recognized.value("segment"), "wiki_2016-06-27T00:00:00.000Z_x");
    assert_eq!((recognized.value("interval"), recognized.id(), recognized.named_id()), ("", "", None));
    assert_eq!(
        get("/druid/coordinator/v1/datasources/w/intervals/2016-06-27T00:00:00.000Z_2016-06-28T00:00:00.000Z"),
        "datasource_interval \
         /druid/coordinator/v1/datasources/w/intervals/2016-06-27T00%3A00%3A00.000Z_2016-06-28T00%3A00%3A00.000Z"
    );
    assert_eq!(
        get("/druid/coordinator/v1/metadata/segments?datasources=a&datasources=b+c"),
        "segment_list /druid/coordinator/v1/metadata/segments?datasources=a&datasources=b%20c"
    );
}

/// Whether `pattern`, whose last part may stand for more than one segment, has this path.
fn covers(pattern: &str, path: &str) -> bool {
    let (pattern, path) = (without_names(pattern), without_names(path));
    pattern == path || pattern.strip_suffix("/{*}").is_some_and(|start| path.starts_with(&format!("{start}/")))
}

fn without_names(path: &str) -> String {
    let part = |part: &str| match part {
        _ if part.ends_with("*}") => "{*}".to_owned(),
        _ if part.starts_with('{') => "{}".to_owned(),
        _ => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[test]
fn every_endpoint_is_served_or_said_not_to_be() {
    let corpus = include_str!("../../tests/corpus/endpoints.txt");
    let endpoints: Vec<(&str, &str)> =
        corpus.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' ')).collect();
    assert!(endpoints.len() >= 250, "{}", endpoints.len());
    for (method, path) in &endpoints {
        let served = ROWS.iter().any(|row| row.method.as_str() == *method && covers(row.path, path));
        let has = |unserved: &&Unserved| unserved.methods.iter().any(|own| own.as_str() == *method);
        let unserved = UNSERVED.iter().filter(has).any(|unserved| covers(unserved.path, path));
        assert!(served != unserved, "{method} {path}: served {served}, said not to be {unserved}");
    }
    // Nor is anything served that no version of Druid has.
    for row in ROWS.iter() {
        let known = |(method, path): &(&str, &str)| row.method.as_str() == *method && covers(row.path, path);
        assert!(endpoints.iter().any(known), "{} {}", row.method, row.path);
    }
    for unserved in UNSERVED {
        assert!(endpoints.iter().any(|(_, path)| covers(unserved.path, path)), "{}", unserved.path);
    }
}

#[test]
fn names_of_rows_are_unique() {
    let mut names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ROWS.len());
}

/// Of any path and query, what is served is drawn anew as one target, which is the same row with the same values.
#[test]
fn whatever_is_served_has_one_target_that_is_the_same_row() {
    const PIECES: [&str; 40] = [
        "/",
        "//",
        "%2f",
        "%2F",
        ";",
        ";a=b",
        "%3B",
        ".",
        "..",
        "/./",
        "/../",
        "%2e",
        "%2E%2e",
        "%",
        "%25",
        "%252f",
        "\\",
        "%5c",
        "?",
        "&",
        "=",
        "+",
        "%20",
        "%00",
        "#",
        "*",
        "{id}",
        "é",
        "%C3%A9",
        "%c3",
        "proxy",
        "overlord",
        "coordinator",
        "druid",
        "sql",
        "full",
        "datasource",
        "state",
        "true",
        "a",
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut below = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % bound
    };
    let read = |method: &Method, target: &str| {
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        recognize(method, path, query)
    };
    let (mut served, mut refused) = (0, 0);
    for _ in 0..60_000 {
        let row = ROWS[below(ROWS.len())];
        let prefix = row.alias.prefixes()[below(row.alias.prefixes().len())];
        let mut target: String = prefix.iter().map(|part| format!("/{part}")).collect();
        target.push_str(&filled(row));
        for (place, parameter) in row.query.iter().enumerate() {
            if below(2) == 0 {
                let value = ["true", "-1", "a%20b", "a+b", ""][below(5)];
                target.push_str(&format!("{}{}={value}", if place == 0 { "?" } else { "&" }, parameter.name));
            }
        }
        for _ in 0..below(3) {
            let places: Vec<usize> = target.char_indices().map(|(at, _)| at).collect();
            let Some(&at) = places.get(below(places.len() + 1)) else { continue };
            let piece = PIECES[below(PIECES.len())];
            match below(3) {
                0 => target.insert_str(at, piece),
                1 => drop(target.remove(at)),
                _ => target.truncate(at),
            }
        }
        let Ok(found) = read(&row.method, &target) else {
            refused += 1;
            continue;
        };
        served += 1;
        let sent = found.target();
        assert_eq!(read(&row.method, &sent), Ok(found), "{target} is sent as {sent}");
        let (path, query) = sent.split_once('?').unwrap_or((&sent, ""));
        let plain =
            |text: &str, signs: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || signs.contains(char::from(b)));
        assert!(plain(path, "-._~%/") && plain(query, "-._~%&="), "{target} is sent as {sent}");
        assert!(!["//", "/./", "/../", "%2F", "%5C", "%00", "%3B"].iter().any(|odd| path.contains(odd)), "{sent}");
    }
    assert!(served >= 10_000 && refused >= 10_000, "{served} served, {refused} refused");
}

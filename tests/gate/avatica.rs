//! JDBC by Avatica: each type of requests on a real Druid at both ends, whose connections are whose, what arrives, and the real
//! driver.

use std::path::Path;

use msq_gate_bed::{GateOptions, Progress, jdbc};
use serde_json::{Value, json};

use crate::client::{Answer, Server};
use crate::recorder::Recorder;
use crate::support::{BED, End, GATE, gate, options, own_gate, password, token, unique};

const PATH: &str = "/druid/v2/sql/avatica/";

/// A connection of somebody's, which is closed when this is dropped: Druid has places for 25.
struct Connection<'a> {
    end: End<'a>,
    user: &'a str,
    name: String,
}

/// Opens one: at the gate as who has the token, directly as who has the password.
fn open<'a>(end: End<'a>, user: &'a str, name: &str) -> Connection<'a> {
    let info = match end {
        End::Gate(_) => json!({"user": "nobody", "password": "not needed"}),
        End::Direct => json!({"user": user, "password": password(user)}),
    };
    let connection = Connection { end, user, name: name.to_owned() };
    connection.ask("openConnection", json!({"info": info})).expect(200);
    connection
}

/// Asks as somebody on what is called so.
fn ask(end: End<'_>, user: &str, name: &str, request: &str, rest: Value) -> Answer {
    let mut body = json!({"request": request});
    if rest.get("statementHandle").is_none() {
        body["connectionId"] = json!(name);
    }
    rest.as_object().expect("an object").iter().for_each(|(key, value)| body[key] = value.clone());
    end.ask(Some(user), "POST", PATH).json(&body).send()
}

impl Connection<'_> {
    fn ask(&self, request: &str, rest: Value) -> Answer {
        ask(self.end, self.user, &self.name, request, rest)
    }

    fn create(&self) -> Value {
        self.ask("createStatement", json!({})).expect(200).json()["statementId"].clone()
    }

    /// Prepares and executes, and closes the statement; the answer.
    fn run(&self, sql: &str) -> Answer {
        let id = self.create();
        let rest = json!({"statementId": id, "sql": sql, "maxRowsInFirstFrame": 100, "maxRowsTotal": -1});
        let answer = self.ask("prepareAndExecute", rest);
        self.ask("closeStatement", json!({"statementId": id})).expect(200);
        answer
    }

    fn prepare(&self, sql: &str) -> Answer {
        let answer = self.ask("prepare", json!({"sql": sql, "maxRowCount": -1}));
        if answer.status == 200 {
            self.ask("closeStatement", json!({"statementId": answer.json()["statement"]["id"]})).expect(200);
        }
        answer
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.ask("closeConnection", json!({})).expect(200);
        }
    }
}

/// More rows than Druid puts into one frame.
fn many_rows() -> String {
    let values: Vec<String> = (0..250).map(|value| format!("({value})")).collect();
    format!("SELECT * FROM (VALUES {}) AS t (x)", values.join(", "))
}

#[track_caller]
fn refused(answer: Answer, code: i64, with: &str) {
    let told = answer.expect(500).json();
    assert_eq!((&told["response"], &told["errorCode"]), (&json!("error"), &json!(code)), "{told}");
    // Druid has no words for some errors.
    assert!(told["errorMessage"].as_str().unwrap_or_default().contains(with), "{told}");
}

const NO_SUCH_CONNECTION: i64 = 1;
const DENIED: i64 = 2;
const OTHER: i64 = -1;

/// Every type, in the order of a conversation, as who may see everything: byte for byte what Druid says, but for where in Druid's
/// source an error was.
#[test]
fn each_request_is_answered_as_druid_answers_it() {
    let connection = unique("a \"name\" \\ of \u{8}\u{1} her öwn ");
    let sql = "SELECT page, added FROM wiki WHERE page <> ? AND added > ? LIMIT 2";
    let values = json!([{"type": "STRING", "value": "no \u{8} ünique page"}, {"type": "LONG", "value": 1}]);
    let conversation = [
        ("connectionSync", json!({"connProps": {"connProps": "connPropsImpl", "autoCommit": true, "dirty": true}})),
        ("databaseProperties", json!({})),
        ("createStatement", json!({})),
        (
            "prepareAndExecute",
            json!({"statementId": 1, "sql": many_rows(), "maxRowsInFirstFrame": 100, "maxRowsTotal": -1}),
        ),
        ("syncResults", json!({"statementId": 1, "offset": 100, "state": {"type": "SQL", "sql": "SELECT 1"}})),
        ("fetch", json!({"statementId": 1, "offset": 100, "fetchMaxRowCount": 100})),
        ("fetch", json!({"statementId": 1, "offset": 200, "fetchMaxRowCount": 100})),
        ("closeStatement", json!({"statementId": 1})),
        ("fetch", json!({"statementId": 1, "offset": 200, "fetchMaxRowCount": 100})),
        ("prepare", json!({"sql": sql, "maxRowCount": -1})),
        ("execute", json!({"statementHandle": {"connectionId": connection, "id": 2}, "parameterValues": values})),
        ("prepare", json!({"sql": "EXPLAIN PLAN FOR SELECT page FROM wiki", "maxRowCount": -1})),
        ("prepare", json!({"sql": "INSERT INTO wiki SELECT * FROM wiki PARTITIONED BY DAY", "maxRowCount": -1})),
        ("commit", json!({})),
        ("rollback", json!({})),
        ("getTypeInfo", json!({})),
        ("getCatalogs", json!({})),
        ("getTableTypes", json!({})),
        ("getSchemas", json!({"schemaPattern": "%"})),
        ("getTables", json!({"schemaPattern": "druid", "tableNamePattern": "w_ki", "typeList": ["TABLE"]})),
        ("getColumns", json!({"tableNamePattern": "wiki", "columnNamePattern": "p%"})),
        ("closeConnection", json!({})),
        ("createStatement", json!({})),
    ];
    let both = [open(gate(), "admin", &connection), open(End::Direct, "admin", &connection)];
    for (request, rest) in &conversation {
        let [through, direct] = both.each_ref().map(|end| {
            let answer = end.ask(request, rest.clone());
            let mut told = answer.json();
            told.as_object_mut().expect("an object").remove("exceptions");
            (answer.status, told)
        });
        assert_eq!(through, direct, "{request} {rest}");
    }
}

/// Druid checks at each statement who opened the connection; the gate who asks.
#[test]
fn statements_are_decided_as_druid_decides() {
    let statements = [
        "SELECT page FROM wiki LIMIT 1",
        "SELECT 1",
        "SELECT COUNT(*) FROM wiki, taxi",
        "EXPLAIN PLAN FOR SELECT * FROM taxi",
    ];
    let mut denied = 0;
    for user in ["admin", "reader", "writer", "nobody", "stater"] {
        let name = unique("decided");
        let both = [open(gate(), user, &name), open(End::Direct, user, &name)];
        for sql in statements {
            for asked in [Connection::prepare, Connection::run] {
                let [through, direct] = both.each_ref().map(|end| {
                    let answer = asked(end, sql);
                    (answer.status, answer.json()["errorCode"].clone())
                });
                assert_eq!(through, direct, "{user}: {sql}");
                denied += usize::from(through.1 == DENIED);
            }
        }
    }
    assert!(denied >= 10, "{denied}");
}

/// INFORMATION_SCHEMA and `sys` show each the rows that Druid shows it.
#[test]
fn system_tables_are_narrowed_in_jdbc_too() {
    let statements = [
        "SELECT TABLE_SCHEMA, TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME IN ('wiki', 'taxi', 'tasks')",
        "SELECT DISTINCT datasource FROM sys.segments WHERE datasource IN ('wiki', 'taxi')",
        "SELECT DISTINCT SCHEMA_NAME FROM INFORMATION_SCHEMA.SCHEMATA",
    ];
    let mut counts = Vec::new();
    for user in ["admin", "reader", "nobody"] {
        let name = unique("narrowed");
        let both = [open(gate(), user, &name), open(End::Direct, user, &name)];
        for sql in statements {
            let [mut through, mut direct] = both.each_ref().map(|end| {
                let told = end.run(sql).expect(200).json();
                let rows = told["results"][0]["firstFrame"]["rows"].as_array().expect("rows").clone();
                rows.iter().map(Value::to_string).collect::<Vec<_>>()
            });
            through.sort();
            direct.sort();
            assert_eq!(through, direct, "{user}: {sql}");
            counts.push(through.len());
        }
        let schemas =
            both.each_ref().map(|end| end.ask("getSchemas", json!({})).expect(200).json()["firstFrame"].clone());
        assert_eq!(schemas[0], schemas[1], "{user}");
    }
    // The admin sees both datasources, the reader one, nobody none.
    assert_eq!((counts[0], counts[3], counts[6]), (3, 2, 1), "{counts:?}");
    assert_eq!((counts[1], counts[4], counts[7]), (2, 1, 0), "{counts:?}");
}

#[test]
fn a_connection_is_its_owners() {
    let name = unique("mine");
    let (process, other_gate) = own_gate(options());
    let audit = process.audit.clone();
    let mine = open(gate(), "reader", &name);
    let id = mine.create();
    let rest = json!({"statementId": id, "sql": many_rows(), "maxRowsInFirstFrame": 100, "maxRowsTotal": -1});
    mine.ask("prepareAndExecute", rest).expect(200);
    let fetch = |end, user, name: &str, offset| {
        ask(end, user, name, "fetch", json!({"statementId": id, "offset": offset, "fetchMaxRowCount": 100}))
    };
    // Another gate with the same key knows it too.
    fetch(End::Gate(&other_gate), "reader", &name, 100).expect(200);
    process.terminate().expect("ended");
    // To somebody else the name means nothing, nor does Druid's own, which the record has.
    let of_druid = records(&audit).last().expect("a record")["id"].as_str().expect("an id").to_owned();
    for name in [&name, &of_druid] {
        refused(fetch(gate(), "admin", name, 200), NO_SUCH_CONNECTION, "");
        refused(ask(gate(), "admin", name, "createStatement", json!({})), NO_SUCH_CONNECTION, "");
        ask(gate(), "admin", name, "closeConnection", json!({})).expect(200);
    }
    refused(fetch(gate(), "reader", &of_druid, 200), NO_SUCH_CONNECTION, "");
    refused(fetch(End::Direct, "admin", &name, 200), NO_SUCH_CONNECTION, "");
    // The same name is another connection of another's; what becomes of it touches no other.
    drop(open(gate(), "admin", &name));
    let rows = fetch(gate(), "reader", &name, 200).expect(200).json();
    assert_eq!((&rows["frame"]["offset"], &rows["frame"]["done"]), (&json!(200), &json!(true)), "{rows}");
    let told = mine.ask("openConnection", json!({})).expect(500).text();
    assert!(told.contains(&format!("[{name}] already open")) && !told.contains(&of_druid), "{told}");
}

fn policy(permissions: &str) -> String {
    format!(
        "[roles.r]\npermissions = [{permissions}]\n[[bindings]]\nissuer = \"dev\"\ngroup = \"g\"\nroles = [\"r\"]\n"
    )
}

/// What was prepared could else be executed for as long as the connection is kept.
#[test]
fn a_connection_ends_where_its_owners_permissions_change() {
    let wiki = policy(r#""READ DATASOURCE wiki""#);
    let (process, server) = own_gate(GateOptions { policy_text: wiki.clone(), ..options() });
    let token = process.token("ann", &["g"]).expect("a token");
    let name = unique("granted");
    let ask = |request: &str, mut body: Value| {
        body["request"] = json!(request);
        server.post(PATH).bearer(&token).json(&body).send()
    };
    let open = || ask("openConnection", json!({"connectionId": name}));
    let close = || ask("closeConnection", json!({"connectionId": name})).expect(200);
    let prepare = || ask("prepare", json!({"connectionId": name, "sql": "SELECT page FROM wiki"}));
    open().expect(200);
    let handle = json!({"connectionId": name, "id": prepare().expect(200).json()["statement"]["id"]});
    let execute = || ask("execute", json!({"statementHandle": handle, "parameterValues": [], "maxRowCount": -1}));
    execute().expect(200);
    process.reload(&policy(r#""READ DATASOURCE taxi""#)).expect("reloaded");
    refused(execute(), NO_SUCH_CONNECTION, "");
    open().expect(200);
    refused(prepare(), DENIED, "Missing permissions: READ DATASOURCE wiki");
    close();
    process.reload(&wiki).expect("reloaded");
    execute().expect(200);
    close();
}

#[test]
fn properties_of_a_connection_are_context_keys() {
    let more = "[sql]\nquery_context = \"authorize\"\n".to_owned();
    let (_process, server) = own_gate(GateOptions { more, ..options() });
    let open = |info: Value| ask(End::Gate(&server), "reader", "keys", "openConnection", json!({"info": info}));
    refused(open(json!({"sqlTimeZone": "Z"})), DENIED, "Missing permissions: WRITE QUERY_CONTEXT sqlTimeZone");
    refused(open(json!({"__user": "admin"})), OTHER, "[__user]");
    open(json!({"user": "reader", "password": "x", "avatica_password": "y"})).expect(200);
    ask(End::Gate(&server), "reader", "keys", "closeConnection", json!({})).expect(200);
    // Where no key needs anything, a key has its effect.
    let zone = Connection { end: gate(), user: "reader", name: unique("zone") };
    zone.ask("openConnection", json!({"info": {"sqlTimeZone": "America/Los_Angeles"}})).expect(200);
    let rows = zone.run("SELECT TIME_FORMAT(TIMESTAMP '2020-01-01 12:00:00', 'ZZ')").expect(200).json();
    assert_eq!(rows["results"][0]["firstFrame"]["rows"], json!([["-08:00"]]));
}

/// A body that arrived, and its head in small letters.
fn head_and_body(request: &str) -> (String, &str) {
    let (head, body) = request.split_once("\r\n\r\n").expect("a head");
    (head.to_lowercase(), body)
}

#[test]
fn what_arrives_is_what_was_judged() {
    let recorder = Recorder::start();
    let (_process, server) = own_gate(GateOptions { router_url: recorder.url.clone(), ..options() });
    let send = |body: &str, headers: &[(&str, &str)]| {
        let request = server.post(PATH).bearer(&token("reader"));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        request.body("application/octet-stream", body).send()
    };
    let other = r#"{"request":"prepare","connectionId":"c","sql":"SELECT * FROM taxi"}"#;
    let login = r#"{"request":"openConnection","connectionId":"c","info":{"user":"admin","password":"theirs","avatica_password":"token","sqlTimeZone":"Z"}}"#;
    for (body, expected) in [
        (login, r#""info":{"sqlTimeZone":"Z","user":"msq_gate","password":""#),
        (
            r#" {"sql":"SELECT page FROM wiki","request":"prepare","connectionId":"c"} "#,
            r#","sql":"SELECT page FROM wiki"}"#,
        ),
        (
            r#"{"request":"execute","statementHandle":{"connectionId":"c","id":1,"signature":{"sql":"x"}}}"#,
            r#"{"request":"execute","statementHandle":{"connectionId":"1."#,
        ),
    ] {
        // Avatica's header would take the place of the body, and Content-Encoding be its charset.
        send(body, &[("request", other), ("Content-Encoding", "identity"), ("X-Druid-Author", "admin")]).expect(200);
        let arrived = recorder.take();
        let (head, sent) = head_and_body(arrived.first().expect("one"));
        assert!(head.starts_with("post /druid/v2/sql/avatica http/1.1\r\n"), "{head}");
        assert!(!head.contains("\r\nrequest:") && !head.contains("content-encoding"), "{head}");
        // The Router writes the body anew, and would pass on the length of the old one.
        assert!(head.contains("transfer-encoding: chunked") && !head.contains("content-length"), "{head}");
        assert!(sent.contains(expected), "{sent}");
        for theirs in ["theirs", "token", "\"c\"", "signature", "taxi"] {
            assert!(!sent.contains(theirs), "{theirs}: {sent}");
        }
    }
    let refusals = [
        ("", "a header of this name is not read"),
        (r#"{"request":"commit","request":"prepare","connectionId":"c"}"#, "twice"),
        (r#"{"request":"prepare","connectionId":"c","sql":"SELECT 1","sql":"SELECT * FROM taxi"}"#, "twice"),
        (r#"{"request":"nonsense","connectionId":"c"}"#, "it knows openConnection"),
        (
            r#"{"request":"prepareAndExecuteBatch","connectionId":"c","statementId":1,"sqlCommands":["SELECT 1"]}"#,
            "no batches",
        ),
        (r#"{"request":"executeBatch","connectionId":"c","statementId":1,"parameterValues":[]}"#, "no batches"),
        (r#"{"request":"prepare","connectionId":"c","sql":"SET a = 1; SELECT 1"}"#, "JDBC takes no SET"),
        (r#"{"request":"prepare","connectionId":"c","sql":"SELECT 1; SELECT 2"}"#, ""),
        (r#"{"request":"prepare","connectionId":"c","sql":"SELECT * FROM TABLE(EXTERN(?, ?, ?))"}"#, ""),
        (r#"{"request":"openConnection","connectionId":"c","info":{"sqlQueryId":"theirs"}}"#, "[sqlQueryId]"),
    ];
    for (body, with) in refusals {
        refused(send(body, &[("request", other)]), OTHER, with);
    }
    refused(send(other, &[]), DENIED, "Missing permissions: READ DATASOURCE taxi");
    let metadata = r#"{"request":"getTables","connectionId":"c"}"#;
    refused(send(metadata, &[]), DENIED, "READ DATASOURCE *, READ VIEW *");
    assert_eq!(recorder.take(), Vec::<String>::new());
}

#[test]
fn protobuf_is_refused_in_plain_words() {
    let bytes = b"\n?org.apache.calcite.avatica.proto.Requests$OpenConnectionRequest".to_vec();
    let ask = |path, media_type| GATE.post(path).bearer(&token("admin")).body(media_type, bytes.clone()).send();
    for media_type in ["application/octet-stream", "application/x-google-protobuf", "application/json"] {
        let told = ask(PATH, media_type).expect(415).text();
        assert!(told.contains("serialization=protobuf"), "{told}");
    }
    for path in ["/druid/v2/sql/avatica-protobuf", "/druid/v2/sql/avatica-protobuf/"] {
        let told = ask(path, "application/octet-stream").expect(404).text();
        assert!(told.contains("JDBC is served as JSON, on /druid/v2/sql/avatica/"), "{told}");
    }
}

fn records(audit: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(audit).expect("audit");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn statements_of_jdbc_are_recorded() {
    let (process, server) = own_gate(options());
    let audit = process.audit.clone();
    let connection = open(End::Gate(&server), "reader", &unique("recorded"));
    connection.prepare("SELECT page FROM wiki LIMIT 1").expect(200);
    connection.prepare("SELECT * FROM taxi").expect(500);
    drop(connection);
    process.terminate().expect("ended");
    let records = records(&audit);
    let of_jdbc: Vec<&Value> = records.iter().filter(|record| record["row"] == "avatica").collect();
    let told: Vec<_> = of_jdbc.iter().map(|r| (&r["statement"], &r["decision"], &r["needed"], &r["status"])).collect();
    let (wiki, taxi, none) = (json!(["DATASOURCE|wiki|READ"]), json!(["DATASOURCE|taxi|READ"]), json!([]));
    let words = |word: &str| json!(word);
    let expected = [
        ("openConnection", "allow", &none, 200),
        ("select", "allow", &wiki, 200),
        ("closeStatement", "allow", &none, 200),
        ("select", "deny", &taxi, 500),
        ("closeConnection", "allow", &none, 200),
    ];
    let expected = expected
        .map(|(statement, decision, needed, status)| (words(statement), words(decision), needed, json!(status)));
    let expected: Vec<_> = expected.iter().map(|(a, b, needed, status)| (a, b, *needed, status)).collect();
    assert_eq!(told, expected);
    assert!(of_jdbc.iter().all(|record| record["id"] == of_jdbc[0]["id"]) && of_jdbc[0]["id"].is_string());
    assert_eq!(of_jdbc[3]["missing"], taxi);
}

/// What the program of `tests/gate/avatica` says, by the names of its steps.
fn said_to(server: &Server, user: &str, password: &str) -> Vec<(String, String)> {
    let mut command = jdbc(&Progress::start()).unwrap_or_else(|error| panic!("{error}"));
    command.arg(format!("https://{}{PATH}", server.address())).arg(&BED.ca).args([user, password]);
    let output = command.output().expect("java");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let pair = |line: &str| line.split_once(": ").map(|(step, said)| (step.to_owned(), said.to_owned()));
    text.lines().filter_map(pair).collect()
}

#[test]
fn the_real_driver_sees_what_its_user_may() {
    let (_process, server) = own_gate(GateOptions { more: "basic_password = true\n".to_owned(), ..options() });
    let expect = |user: &str, expected: [(&str, &str); 6]| {
        let said = said_to(&server, user, &token(user));
        assert_eq!(said.len(), expected.len(), "{said:?}");
        for ((step, said), (name, text)) in said.iter().zip(expected) {
            assert!(step == name && said.contains(text), "{user}, {step}: {said}");
        }
    };
    let always = [("prepared", "Druid=17 Apache Druid=310"), ("frames", "250 rows"), ("time zone", "-08:00")];
    let [prepared, frames, zone] = always;
    let denied = "2 00002 Error 2 (00002) : Error while executing SQL";
    expect(
        "reader",
        [
            prepared,
            frames,
            zone,
            ("denied", denied),
            ("written", "Missing permissions: WRITE DATASOURCE wiki"),
            ("tables", "Missing permissions: READ DATASOURCE *"),
        ],
    );
    let unsupported = "INSERT operations are not supported by requested SQL engine [native]";
    expect("admin", [prepared, frames, zone, ("denied", " rows"), ("written", unsupported), ("tables", "wiki")]);
    // The driver's own words for who is not let in.
    let said = said_to(&server, "reader", "no token");
    assert_eq!(said, [("connection".to_owned(), "Failed to execute HTTP Request, got HTTP/401".to_owned())]);
}

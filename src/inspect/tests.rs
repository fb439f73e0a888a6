//! What bodies need, without a Druid: supervisors that there are stand in a directory of the test's own.

mod planted;

use http::Method;

use super::*;
use crate::druid::context::ContextKeys;
use crate::druid::recognize;
use crate::druid::stored_supervisor::{SupervisorFacts, SupervisorId};
use crate::druid::task::TaskFacts;
use crate::proxy::Rejection;

const CORPUS: [(&str, &str); 4] = [
    ("/druid/v2", include_str!("../../tests/corpus/native/queries.txt")),
    ("/druid/indexer/v1/task", include_str!("../../tests/corpus/native/tasks.txt")),
    ("/druid/indexer/v1/supervisor", include_str!("../../tests/corpus/native/supervisors.txt")),
    ("/druid/indexer/v1/sampler", include_str!("../../tests/corpus/native/samplers.txt")),
];

/// The supervisors that `supervisors.txt` tells of.
struct Supervisors;

impl TaskDirectory for Supervisors {
    async fn task(&self, _: &TaskId) -> Result<Option<TaskFacts>, LookupFault> {
        Ok(None)
    }

    async fn supervisor(&self, id: &SupervisorId) -> Result<Option<SupervisorFacts>, LookupFault> {
        let spec = match id.as_str() {
            "taken" => r#"{"type":"NoopSupervisorSpec","dataSources":["a","b"]}"#,
            "autocompact__c" => r#"{"type":"autocompact","spec":{"dataSource":"d"}}"#,
            "e" => r#"{"type":"kafka","spec":{"dataSchema":{"dataSource":"f"}}}"#,
            "odd" => r#"{"type":"derivativeDataSource","dataSource":"t"}"#,
            "down" => return Err(LookupFault::Unreachable),
            _ => return Ok(None),
        };
        Ok(SupervisorFacts::from_answer(spec.as_bytes()))
    }

    async fn supervisors(&self) -> Result<Vec<(SupervisorId, SupervisorFacts)>, LookupFault> {
        Ok(Vec::new())
    }
}

fn inspector(external: sql::ExternalRules, context_keys: ContextKeys) -> Inspector<Supervisors> {
    let ids = QueryIds::new(&[7; 32], &[]);
    let second = ReadingPool::start(sql::SecondReading::Off).expect("no thread");
    Inspector {
        ids,
        task_cancel: Action::Read,
        statements_by_state: true,
        external: external.into(),
        context_keys,
        directory: Supervisors,
        second,
    }
}

fn inspect_with(inspector: &Inspector<Supervisors>, target: &str, body: &str) -> Result<Inspected, Refusal> {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let recognized = recognize(&Method::POST, path, query).expect(target);
    let body = RequestBody { form: SqlForm::Json, bytes: body.as_bytes() };
    let caller = (&Identity::for_tests("dev", "alice", &[]), &Grants::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    match runtime.block_on(inspector.inspect(&recognized, Some(body), caller))? {
        Inspection::Whole(inspected) => Ok(*inspected),
        Inspection::Parts(_) => panic!("{target} is one request"),
    }
}

fn inspect(target: &str, body: &str) -> Result<Inspected, Refusal> {
    inspect_with(&inspector(sql::ExternalRules::default(), ContextKeys::Ignore), target, body)
}

fn lines(inspected: &Inspected) -> Vec<String> {
    inspected.need.permissions().map(ResourceAction::to_line).collect()
}

/// What the corpus says of a body.
fn told(inspected: Result<Inspected, Refusal>) -> String {
    match inspected {
        Ok(inspected) if inspected.need == Need::AnyIdentity => "an identity".to_owned(),
        Ok(inspected) => lines(&inspected).join(" "),
        Err(refusal) => format!("! {}", Rejection::from(refusal).reason()),
    }
}

/// The bodies of a file, each with what it says of it.
fn cases(text: &str) -> Vec<(&str, &str)> {
    let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    std::iter::from_fn(|| Some((lines.next()?, lines.next().expect("what it needs").trim()))).collect()
}

#[test]
fn every_body_of_the_corpus_needs_what_it_says() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for (target, text) in CORPUS {
        for (body, expected) in cases(text) {
            count += 1;
            let found = told(inspect(target, body));
            if found != expected {
                wrong.push(format!("{body}\n  expected {expected}\n  found    {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 150, "{count}");
}

/// What is sent is the tree that was judged: an unread key stays, in its place, and spaces and escapes are the gate's own.
#[test]
fn what_was_judged_is_what_is_rendered() {
    for (target, text) in CORPUS.iter().skip(1) {
        for (body, _) in cases(text) {
            if let Ok(inspected) = inspect(target, body) {
                let sent = inspected.body.expect("a body");
                assert_eq!(json::parse_bytes(&sent), json::parse(body), "{body}");
            }
        }
    }
    let sent = inspect("/druid/indexer/v1/task", r#" {"x" : 1.50, "type":"\u006eoop", "dataSource": "t"} "#);
    assert_eq!(&sent.expect("read").body.expect("a body")[..], br#"{"x":1.50,"type":"noop","dataSource":"t"}"#);
}

#[test]
fn a_native_query_has_the_gates_id_and_tells_the_clients_own() {
    let body =
        r#"{"context":{"sqlQueryId":"s","queryId":"mine","timeout":5},"queryType":"scan","x":1,"dataSource":"wiki"}"#;
    let inspected = inspect("/druid/v2?pretty", body).expect("read");
    let query = inspected.query.as_ref().expect("a query");
    assert_eq!(query.client_id.as_deref(), Some("mine"));
    assert_eq!(inspected.target, "/druid/v2?pretty=");
    let expected = format!(
        r#"{{"queryType":"scan","x":1,"dataSource":"wiki","context":{{"timeout":5,"queryId":"{}"}}}}"#,
        query.id.as_str()
    );
    assert_eq!(&inspected.body.expect("a body")[..], expected.as_bytes());
    // The same name of the same caller is the same query, whichever way it was submitted.
    let sql = inspect("/druid/v2/sql", r#"{"query":"SELECT 1","context":{"queryId":"mine"}}"#).expect("read");
    assert_eq!(sql.query.expect("a query").id, query.id);
}

#[test]
fn candidates_and_samplers_need_the_state_too() {
    let query = r#"{"queryType":"scan","dataSource":"wiki"}"#;
    let candidates = inspect("/druid/v2/candidates", query).expect("read");
    assert_eq!(lines(&candidates), ["DATASOURCE|wiki|READ", "STATE|STATE|WRITE"]);
}

#[test]
fn a_compaction_is_of_the_datasource_that_the_path_names() {
    let target = "/druid/indexer/v1/compaction/config/datasources/wiki";
    let good = inspect(target, r#"{"dataSource":"wiki","engine":"native"}"#).expect("read");
    assert_eq!(lines(&good), ["DATASOURCE|wiki|WRITE"]);
    for odd in [r#"{"dataSource":"taxi"}"#, "{}", r#"["wiki"]"#, r#"{"dataSource":["wiki"]}"#] {
        assert_eq!(told(inspect(target, odd)), "! wrong_type", "{odd}");
    }
    let options = r#"{"dataSource":"wiki","taskContext":{"druid.indexer.runner.javaOpts":"-Xmx1g"}}"#;
    assert_eq!(told(inspect(target, options)), "! not_for_clients");
}

/// Where Druid looks for a segment without regard to the datasource that the path names.
#[test]
fn a_segment_of_another_datasource_takes_all() {
    let mark = |segment: &str| told(inspect(&format!("/druid/coordinator/v1/datasources/wiki/segments/{segment}"), ""));
    let of = |datasource: &str| format!("{datasource}_2024-01-01T00:00:00.000Z_2024-01-02T00:00:00.000Z_v");
    assert_eq!(mark(&of("wiki")), "DATASOURCE|wiki|WRITE");
    assert_eq!(mark("nope"), "DATASOURCE|wiki|WRITE");
    assert_eq!(mark(&of("taxi")), "DATASOURCE|*|WRITE");
    assert_eq!(mark(&of("wiki_inner").replace('_', "%5f")), "DATASOURCE|*|WRITE");
}

#[test]
fn the_sql_of_a_supervisor_is_read_twice_and_recorded() {
    let second = ReadingPool::start(sql::SecondReading::Always).expect("threads");
    let inspector = Inspector { second, ..inspector(sql::ExternalRules::default(), ContextKeys::Ignore) };
    let body =
        r#"{"type":"scheduled_batch","spec":{"query":"INSERT INTO t SELECT * FROM a PARTITIONED BY DAY"},"id":"s"}"#;
    let facts = inspect_with(&inspector, "/druid/indexer/v1/supervisor", body).expect("read").facts;
    assert_eq!((facts.statement, facts.id.as_deref()), (Some("scheduled_batch"), Some("s")));
    assert!(facts.reading_took.is_some());
    // A thread may be late.
    assert!(matches!(facts.second_reading, Some("agreed" | "not_waited")), "{:?}", facts.second_reading);
}

/// By type, as Druid has it with `enableInputSourceSecurity`: every source counts.
#[test]
fn sources_may_be_judged_by_their_types() {
    let rules = sql::ExternalRules { permission: sql::ExternalPermission::ByType, ..sql::ExternalRules::default() };
    let inspector = inspector(rules, ContextKeys::Ignore);
    let task = |sources: &str| {
        let body = format!(
            r#"{{"type":"index","spec":{{"dataSchema":{{"dataSource":"t"}},"ioConfig":{{"inputSource":{sources}}}}}}}"#
        );
        told(inspect_with(&inspector, "/druid/indexer/v1/task", &body))
    };
    assert_eq!(task(r#"{"type":"inline","data":""}"#), "DATASOURCE|t|WRITE EXTERNAL|inline|READ");
    assert_eq!(
        task(r#"{"type":"combining","delegates":[{"type":"local","files":["/a"]},{"type":"druid","dataSource":"a"}]}"#),
        "DATASOURCE|a|READ DATASOURCE|t|WRITE EXTERNAL|druid|READ EXTERNAL|local|READ"
    );
    let kafka = r#"{"type":"kafka","spec":{"dataSchema":{"dataSource":"t"},"ioConfig":{}}}"#;
    let kafka = told(inspect_with(&inspector, "/druid/indexer/v1/supervisor", kafka));
    assert_eq!(kafka, "DATASOURCE|t|WRITE EXTERNAL|kafka|READ");
}

#[test]
fn context_keys_of_native_queries_are_judged_as_those_of_sql() {
    let keys = ContextKeys::Authorize { free: BTreeSet::from(["timeout".to_owned()]), secured: None };
    let inspector = inspector(sql::ExternalRules::default(), keys);
    let body = r#"{"queryType":"scan","dataSource":"a","context":{"timeout":1,"queryId":"x","lane":"y"}}"#;
    let found = told(inspect_with(&inspector, "/druid/v2", body));
    assert_eq!(found, "DATASOURCE|a|READ QUERY_CONTEXT|lane|WRITE");
}

#[test]
fn a_supervisor_that_cannot_be_looked_up_stops_the_request() {
    let body = r#"{"type":"kafka","id":"down","spec":{"dataSchema":{"dataSource":"t"},"ioConfig":{}}}"#;
    let refusal = inspect("/druid/indexer/v1/supervisor", body).expect_err("no answer");
    assert_eq!(refusal, Refusal::Lookup(LookupFault::Unreachable));
}

#[test]
fn a_body_names_only_so_many_datasources() {
    let query = |count: usize| {
        let names: Vec<String> = (0..count).map(|n| format!("\"t{n}\"")).collect();
        let body =
            format!(r#"{{"queryType":"scan","dataSource":{{"type":"union","dataSources":[{}]}}}}"#, names.join(","));
        inspect("/druid/v2", &body)
    };
    assert_eq!(lines(&query(1_000).expect("read")).len(), 1_000);
    assert_eq!(told(query(1_001)), "! too_many_resources");
    let sources: Vec<String> = (0..1_000).map(|n| format!(r#"{{"type":"druid","dataSource":"t{n}"}}"#)).collect();
    let sources = format!(r#"{{"type":"combining","delegates":[{}]}}"#, sources.join(","));
    let task = format!(
        r#"{{"type":"index","spec":{{"dataSchema":{{"dataSource":"t"}},"ioConfig":{{"inputSource":{sources}}}}}}}"#
    );
    assert_eq!(told(inspect("/druid/indexer/v1/task", &task)), "! too_many_resources");
}

#[test]
fn only_json_is_read() {
    let recognized = recognize(&Method::POST, "/druid/v2", None).expect("a row");
    let caller = Identity::for_tests("dev", "alice", &[]);
    let inspector = inspector(sql::ExternalRules::default(), ContextKeys::Ignore);
    let body = RequestBody { form: SqlForm::Text, bytes: br#"{"queryType":"scan","dataSource":"a"}"# };
    let refusal = inspector.native_query(&recognized, Some(body), &caller).expect_err("text");
    assert_eq!(refusal, Refusal::Form(NoForm::NotJson));
}

/// A request of JDBC, on the connection `x`.
fn jdbc(rest: &str) -> Result<Inspected, Refusal> {
    inspect("/druid/v2/sql/avatica/", &format!(r#"{{"connectionId":"x",{rest}}}"#))
}

#[test]
fn a_request_of_jdbc_needs_what_its_sql_needs() {
    let prepare = |sql: &str| told(jdbc(&format!(r#""request":"prepare","sql":{}"#, Json::string(sql).render())));
    assert_eq!(prepare("SELECT * FROM wiki WHERE page = ?"), "DATASOURCE|wiki|READ");
    assert_eq!(prepare("EXPLAIN PLAN FOR SELECT * FROM wiki"), "DATASOURCE|wiki|READ");
    assert_eq!(prepare("INSERT INTO wiki SELECT 1 PARTITIONED BY ALL"), "DATASOURCE|wiki|WRITE");
    assert_eq!(prepare("SELECT 1"), "an identity");
    // What would be read is not said yet, and execute says it to Druid alone.
    let of_values = prepare("SELECT * FROM TABLE(EXTERN(?, ?, ?))");
    assert!(of_values.starts_with('!'), "{of_values}");
    assert_eq!(prepare("SET timeout = 1; SELECT 1"), "! not_for_clients");
    assert_eq!(prepare("SELECT * FROM sys.tasks"), "an identity");
    assert_eq!(prepare("SELECT * FROM sys.servers"), "STATE|STATE|READ");
    assert_eq!(told(jdbc(r#""request":"getTables""#)), "DATASOURCE|*|READ VIEW|*|READ");
    assert_eq!(told(jdbc(r#""request":"getSchemas""#)), "an identity");
    assert_eq!(told(jdbc(r#""request":"getTypeInfo""#)), "an identity");
    assert_eq!(told(jdbc(r#""request":"fetch","statementId":1,"offset":0"#)), "an identity");
    assert_eq!(told(jdbc(r#""request":"nonsense""#)), "! unknown_type");
}

#[test]
fn properties_of_a_connection_are_context_keys() {
    let rules = ContextKeys::Authorize { free: BTreeSet::from(["free".to_owned()]), secured: None };
    let open = |info: &str| {
        let body = format!(r#"{{"request":"openConnection","connectionId":"x","info":{info}}}"#);
        inspect_with(&inspector(sql::ExternalRules::default(), rules.clone()), "/druid/v2/sql/avatica", &body)
    };
    assert_eq!(
        told(open(r#"{"timeout":"1","free":"2","user":"u","avatica_user":"v"}"#)),
        "QUERY_CONTEXT|timeout|WRITE"
    );
    assert_eq!(told(open("{}")), "an identity");
    let many: Vec<String> = (0..=context::MAX_KEYS).map(|key| format!("\"k{key}\":\"\"")).collect();
    assert_eq!(told(open(&format!("{{{}}}", many.join(",")))), "! too_many_context_keys");
}

#[test]
fn protobuf_is_no_request_of_jdbc() {
    let body = "\n?org.apache.calcite.avatica.proto.Requests$OpenConnectionRequest";
    assert_eq!(inspect("/druid/v2/sql/avatica", body).expect_err("protobuf"), Refusal::Form(NoForm::NotAvatica));
}

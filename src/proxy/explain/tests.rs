//! The shape of each explanation, and that what is explained is what is decided.

use std::time::SystemTime;

use crate::auth::Identity;
use crate::config::{Limits, Secret};
use crate::druid::context::ContextKeys;
use crate::druid::stored_supervisor::{SupervisorFacts, SupervisorId};
use crate::druid::task::{QUERY_CONTROLLER, TaskFacts, TaskId};
use crate::inspect::{Inspector, LookupFault, Place, TaskDirectory};
use crate::json::Json;
use crate::permission::Action;
use crate::policy::Policy;
use crate::proxy::{Explainer, Explanation, Known, Needed, Outcome, Question, Rejection, Who};
use crate::query_id::QueryIds;
use crate::reading_pool::ReadingPool;
use crate::sql::{DruidSource, ExternalPermission, ExternalRules, SecondReading};

const POLICY: &str = r#"
[roles.reader]
permissions = ["READ DATASOURCE wiki*", "READ QUERY_CONTEXT x"]
[roles.all]
permissions = ["READ DATASOURCE wiki"]
[[bindings]]
issuer = "dev"
group = "readers"
roles = ["reader", "all"]
"#;

/// Knows two tasks, and cannot be asked for a third.
struct Tasks;

impl TaskDirectory for Tasks {
    async fn task(&self, id: &TaskId) -> Result<Option<TaskFacts>, LookupFault> {
        let facts = |datasource: &str, task_type: &str| {
            Ok(Some(TaskFacts { datasource: datasource.to_owned(), task_type: task_type.to_owned() }))
        };
        match id.as_str() {
            "query" => facts("wiki", QUERY_CONTROLLER),
            "index" => facts("wiki", "index_parallel"),
            "secret" => facts("secret", "index_parallel"),
            "down" => Err(LookupFault::Unreachable),
            _ => Ok(None),
        }
    }

    async fn supervisor(&self, id: &SupervisorId) -> Result<Option<SupervisorFacts>, LookupFault> {
        Ok(self.supervisors().await?.into_iter().find(|(known, _)| known == id).map(|(_, facts)| facts))
    }

    async fn supervisors(&self) -> Result<Vec<(SupervisorId, SupervisorFacts)>, LookupFault> {
        let answer = r#"[{"id":"s","spec":{"type":"kafka","spec":{"dataSchema":{"dataSource":"old"}}}},
            {"id":"w","spec":{"type":"autocompact","spec":{"dataSource":"wikis"}}}]"#;
        SupervisorFacts::all_from_answer(answer.as_bytes()).ok_or(LookupFault::Unreadable)
    }
}

fn inspector() -> Inspector<Tasks> {
    Inspector {
        ids: QueryIds::new(&[7; 32], &[]),
        task_cancel: Action::Read,
        statements_by_state: true,
        external: ExternalRules {
            druid: DruidSource::RequireRead,
            permission: ExternalPermission::ByType,
            destinations: None,
        }
        .into(),
        context_keys: ContextKeys::Authorize { free: ["free".to_owned()].into(), secured: None },
        directory: Tasks,
        second: ReadingPool::start(SecondReading::Off).expect("no threads"),
    }
}

fn policy() -> Policy {
    Policy::parse(POLICY, &["dev".to_owned()]).expect("a policy")
}

fn known(groups: &[&str]) -> Known {
    Known::supposed(Identity::for_tests("dev", "ann", groups), &policy())
}

fn explained(question: &Question, known: Result<Known, Rejection>) -> Explanation {
    let (policy, inspector, limits) = (policy(), inspector(), Limits::default());
    let explainer = Explainer { policy: &policy, inspector: &inspector, limits: &limits };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(explainer.explain(question, known))
}

fn nobody() -> Who {
    Who::Token(Secret::new("canary".to_owned()))
}

fn ask(method: &str, target: &str, body: Option<&str>) -> Explanation {
    let content = body.map(|body| (None, body.to_owned().into()));
    explained(&Question::new(nobody(), method, target, content).expect("a question"), Ok(known(&["readers"])))
}

fn sql(statement: &str) -> Explanation {
    explained(&Question::sql(nobody(), statement).expect("a question"), Ok(known(&["readers"])))
}

/// What is under `key`, rendered.
fn part(explanation: &Explanation, key: &str) -> String {
    explanation.json(SystemTime::UNIX_EPOCH).get(key).expect(key).render()
}

fn refusal(explanation: &Explanation) -> (u16, &'static str) {
    match &explanation.outcome {
        Outcome::Refused { status, reason, .. } => (status.as_u16(), reason),
        Outcome::Forwarded { .. } | Outcome::InParts | Outcome::OfTheGate | Outcome::Undecided(_) => {
            panic!("{explanation:?}")
        }
    }
}

#[test]
fn a_statement_that_is_sent() {
    let explanation = sql("SELECT * FROM\n wiki");
    assert_eq!(
        part(&explanation, "needs"),
        r#"[{"resource":{"type":"DATASOURCE","name":"wiki"},"action":"READ","missing":false,"grantedBy":[{"role":"all","grant":"READ DATASOURCE wiki"},{"role":"reader","grant":"READ DATASOURCE wiki*"}],"why":[{"why":"a name in the place of a table is a datasource that is read","at":{"sql":{"line":2,"column":2,"text":"wiki"}}}]}]"#
    );
    assert_eq!(part(&explanation, "answer"), r#"{"outcome":"forwarded","filtered":false}"#);
    assert_eq!(
        part(&explanation, "row"),
        r#"{"name":"sql_task","method":"POST","path":"/druid/v2/sql/task","needs":"what the SQL needs"}"#
    );
    assert_eq!(part(&explanation, "statement"), r#""select""#);
    assert_eq!(
        part(&explanation, "sends"),
        r#"{"method":"POST","target":"/druid/v2/sql/task","body":"{\"query\":\"SELECT * FROM\\n wiki\",\"context\":{\"sqlQueryId\":\"{query-id}\",\"queryId\":\"{query-id}\"}}"}"#
    );
    assert!(part(&explanation, "caller").starts_with(r#"{"issuer":"dev","subject":"ann","name":"ann","groups":["readers"],"roles":[{"role":"all","by":[{"group":"readers","claim":null}],"grants":["READ DATASOURCE wiki"]},"#));
}

#[test]
fn a_statement_that_is_denied_or_not_read() {
    let denied = sql("INSERT INTO t SELECT * FROM wikis PARTITIONED BY ALL");
    assert_eq!(
        part(&denied, "answer"),
        r#"{"outcome":"refused","status":403,"reason":"missing_permissions","message":"Missing permissions: WRITE DATASOURCE t","at":null}"#
    );
    assert_eq!(part(&denied, "sends"), "null");
    let missing: Vec<String> =
        denied.needs.iter().filter(|needed| needed.granted.is_empty()).map(|n| n.permission.to_string()).collect();
    assert_eq!((missing, denied.needs.len()), (vec!["WRITE DATASOURCE t".to_owned()], 2));
    let unread = sql("SELECT x\nFROM FROM");
    assert_eq!(refusal(&unread), (400, "syntax"));
    assert!(part(&unread, "answer").ends_with(r#""at":{"line":2,"column":6}}"#), "{}", part(&unread, "answer"));
    assert!(unread.needs.is_empty() && unread.row.is_some());
}

/// Each need, with its places.
fn places(needs: &[Needed]) -> Vec<String> {
    let place = |place: &Place| match place {
        Place::Sql { at, text } => format!("{}:{}[{text}]", at.line, at.column),
        Place::Body(pointer) => pointer.clone(),
        Place::Path | Place::Query(_) | Place::Task | Place::Supervisor | Place::Row => format!("{place:?}"),
    };
    let told = |needed: &Needed| {
        let places: Vec<String> = needed.reasons.iter().map(|reason| place(&reason.at)).collect();
        format!("{} {}", needed.permission, places.join(" "))
    };
    needs.iter().map(told).collect()
}

/// In each kind of place, one need.
#[test]
fn each_need_tells_its_place() {
    let extern_of = |json: &str| format!("TABLE(EXTERN('{json}', '{{}}')) EXTEND (x BIGINT)");
    let statement = format!(
        "SET y = 1; SELECT * FROM sys.nopes, {}, {}",
        extern_of(r#"{"type":"inline","data":"x"}"#),
        extern_of(r#"{"type":"druid","dataSource":"wiki","interval":"2020/2021"}"#)
    );
    let body = Json::object([
        ("query", Json::string(statement)),
        ("context", Json::object([("a/~b", Json::Null), ("free", Json::Null), ("sqlQueryId", Json::string("mine"))])),
    ]);
    let explanation = ask("POST", "/druid/v2/sql", Some(&body.render()));
    let told = places(&explanation.needs);
    assert_eq!(
        told,
        [
            "READ DATASOURCE * 1:26[sys.nopes]",
            "READ DATASOURCE wiki 1:114[EXTERN]",
            "READ EXTERNAL druid 1:114[EXTERN]",
            "READ EXTERNAL inline 1:43[EXTERN]",
            "WRITE QUERY_CONTEXT a/~b /context/a~1~0b",
            "WRITE QUERY_CONTEXT y 1:5[y]",
            "READ STATE STATE 1:26[sys.nopes]",
            "READ VIEW * 1:26[sys.nopes]",
        ]
    );
    assert_eq!(refusal(&explanation), (403, "system_table_not_narrowed"));
}

#[test]
fn what_a_task_needs_is_by_its_look_up() {
    let reading = ask("GET", "/druid/indexer/v1/task/index/status", None);
    assert_eq!(
        part(&reading, "needs"),
        r#"[{"resource":{"type":"DATASOURCE","name":"wiki"},"action":"READ","missing":false,"grantedBy":[{"role":"all","grant":"READ DATASOURCE wiki"},{"role":"reader","grant":"READ DATASOURCE wiki*"}],"why":[{"why":"the task is of this datasource, whatever it is called","at":"task"}]}]"#
    );
    let cancelling = |id: &str| ask("POST", &format!("/druid/indexer/v1/task/{id}/shutdown"), Some("{}"));
    assert!(matches!(cancelling("query").outcome, Outcome::Forwarded { .. }));
    assert_eq!(refusal(&cancelling("index")), (403, "missing_permissions"));
    // The operator is told what the caller is not.
    let secret = cancelling("secret");
    assert_eq!(secret.needs[0].permission.to_string(), "WRITE DATASOURCE secret");
    assert!(part(&secret, "answer").contains("Missing permissions: WRITE on the datasource of this task"));
    assert_eq!(refusal(&cancelling("nope")), (404, "unknown_task"));
    assert_eq!(refusal(&cancelling("down")), (503, "lookup_unreachable"));
}

/// A native query, a task, a supervisor: where in the body each name stands.
#[test]
fn what_a_body_needs_is_by_its_parts() {
    let query = r#"{"queryType":"scan","context":{"timeout":1},"dataSource":{"type":"join","left":"a","right":
        {"type":"query","query":{"queryType":"scan","dataSource":{"type":"union","dataSources":["b",{"type":"table","name":"a"}]}}}}}"#;
    let native = ask("POST", "/druid/v2", Some(query));
    assert_eq!(
        places(&native.needs),
        [
            "READ DATASOURCE a /dataSource/left /dataSource/right/query/dataSource/dataSources/1/name",
            "READ DATASOURCE b /dataSource/right/query/dataSource/dataSources/0",
            "WRITE QUERY_CONTEXT timeout /context/timeout",
        ]
    );
    assert_eq!(native.statement, Some("scan"));
    let task = r#"{"type":"index_parallel","spec":{"dataSchema":{"dataSource":"t"},"ioConfig":{"type":"index_parallel",
        "inputSource":{"type":"combining","delegates":[{"type":"druid","dataSource":"wiki","interval":"2020/2021"},
        {"type":"http","uris":["https://files.example/a"]}]},"inputFormat":{"type":"json"}}}}"#;
    let submitted = ask("POST", "/druid/indexer/v1/task", Some(task));
    assert_eq!(
        places(&submitted.needs),
        [
            "WRITE DATASOURCE t /spec/dataSchema/dataSource",
            "READ DATASOURCE wiki /spec/ioConfig/inputSource/delegates/0/dataSource",
            "READ EXTERNAL druid /spec/ioConfig/inputSource",
            "READ EXTERNAL http /spec/ioConfig/inputSource",
        ]
    );
    let supervisor = r#"{"type":"kafka","id":"s","spec":{"dataSchema":{"dataSource":"new"},"ioConfig":{"topic":"x"}}}"#;
    let submitted = ask("POST", "/druid/indexer/v1/supervisor", Some(supervisor));
    assert_eq!(
        places(&submitted.needs),
        [
            "WRITE DATASOURCE new /spec/dataSchema/dataSource",
            "WRITE DATASOURCE old Supervisor",
            "READ EXTERNAL kafka /type",
        ]
    );
    assert!(part(&submitted, "answer").contains("on the datasources of the supervisor that has this id"));
    let batch = r#"{"type":"scheduled_batch","schedulerConfig":{"type":"unix","schedule":"x"},"spec":{"query":
        "INSERT INTO t SELECT * FROM wiki PARTITIONED BY ALL","context":{"k":1}}}"#;
    let submitted = ask("POST", "/druid/indexer/v1/supervisor", Some(batch));
    assert_eq!(
        places(&submitted.needs),
        ["WRITE DATASOURCE t 1:13[t]", "READ DATASOURCE wiki 1:29[wiki]", "WRITE QUERY_CONTEXT k /spec/context/k"]
    );
    let sampler = r#"{"type":"index","spec":{"ioConfig":{"type":"index","inputSource":{"type":"inline","data":"x"}}}}"#;
    let sampled = ask("POST", "/druid/indexer/v1/sampler", Some(sampler));
    assert_eq!(places(&sampled.needs), ["READ EXTERNAL inline /spec/ioConfig/inputSource", "WRITE STATE STATE Row"]);
}

#[test]
fn what_is_done_to_each_is_told_of_each() {
    let all = ask("POST", "/druid/indexer/v1/supervisor/suspendAll", None);
    assert_eq!(part(&all, "answer"), r#"{"outcome":"in parts"}"#);
    let told: Vec<(Option<&str>, Vec<String>, bool)> =
        all.parts.iter().map(|part| (part.id.as_deref(), places(&part.needs), part.sends.is_some())).collect();
    let needs = |name: &str| vec![format!("WRITE DATASOURCE {name} Supervisor")];
    assert_eq!(told, [(Some("s"), needs("old"), false), (Some("w"), needs("wikis"), false)]);
    let one = ask("GET", "/druid/indexer/v1/supervisor/w/status", None);
    assert_eq!(places(&one.needs), ["READ DATASOURCE wikis Supervisor"]);
    assert!(matches!(one.outcome, Outcome::Forwarded { .. }));
    let datasource = ask("GET", "/druid/coordinator/v1/datasources/wiki", None);
    assert_eq!(places(&datasource.needs), ["READ DATASOURCE wiki Path"]);
}

/// Every body of the corpus: no need without its place.
#[test]
fn each_need_of_a_body_has_its_place() {
    let mut asked = 0;
    for (target, cases) in [
        ("/druid/v2", include_str!("../../../tests/corpus/native/queries.txt")),
        ("/druid/indexer/v1/task", include_str!("../../../tests/corpus/native/tasks.txt")),
        ("/druid/indexer/v1/supervisor", include_str!("../../../tests/corpus/native/supervisors.txt")),
        ("/druid/indexer/v1/sampler", include_str!("../../../tests/corpus/native/samplers.txt")),
    ] {
        for body in cases.lines().filter(|line| line.starts_with('{')) {
            let explanation = ask("POST", target, Some(body));
            for needed in &explanation.needs {
                asked += 1;
                let is_state = needed.permission.to_string() == "WRITE STATE STATE";
                // A `noop` that names no datasource is of this one.
                let is_noop = needed.permission.to_string() == "WRITE DATASOURCE none";
                let placed = needed.reasons.iter().all(|reason| is_state || is_noop || reason.at != Place::Row);
                assert!(placed, "{needed:?} {body}");
            }
        }
    }
    assert!(asked >= 100, "{asked}");
}

#[test]
fn rows_that_need_little() {
    let list = ask("GET", "/proxy/overlord/druid/indexer/v1/tasks?max=1", None);
    assert_eq!(part(&list, "answer"), r#"{"outcome":"forwarded","filtered":true}"#);
    assert_eq!(part(&list, "sends"), r#"{"method":"GET","target":"/druid/indexer/v1/tasks?max=1","body":null}"#);
    let one = ask("GET", "/druid/indexer/v1/tasks?datasource=x", None);
    assert!(part(&one, "needs").contains(r#""at":{"query":"datasource"}"#), "{}", part(&one, "needs"));
    let state = ask("GET", "/status", None);
    assert!(part(&state, "needs").ends_with(r#""why":[{"why":"every request of this row needs it","at":"row"}]}]"#));
    let own = ask("DELETE", "/druid/v2/sql/mine", None);
    assert!(part(&own, "sends").contains(r#""target":"/druid/v2/sql/{query-id}""#), "{}", part(&own, "sends"));
    for (method, target) in
        [("GET", "/status/health"), ("GET", "/gate/me"), ("GET", "/gate/login"), ("POST", "/gate/logout")]
    {
        assert_eq!(part(&ask(method, target, None), "answer"), r#"{"outcome":"answered"}"#, "{target}");
    }
}

#[test]
fn what_is_refused_before_it_is_judged() {
    for (method, target, body, refused) in [
        ("GET", "/nope", None, (404, "unknown_path")),
        ("PUT", "/status", None, (405, "method_not_allowed")),
        ("POST", "/gate/me", None, (405, "method_not_allowed")),
        ("GET", "/druid//v2", None, (400, "odd_path")),
        ("GET", "/status?x=1", None, (400, "odd_query")),
        ("CONNECT", "/status", None, (501, "not_implemented")),
        ("POST", "/druid/v2/sql", None, (400, "unsupported_media_type")),
        ("POST", "/druid/v2/sql", Some("{"), (400, "odd_json")),
        ("GET", "/druid/v2/sql/statements/query-1.x.y", None, (404, "unknown_statement")),
    ] {
        assert_eq!(refusal(&ask(method, target, body)), refused, "{method} {target}");
    }
    let long = "x".repeat(Limits::default().sql_body_bytes + 1);
    assert_eq!(refusal(&ask("POST", "/druid/v2/sql", Some(&long))), (413, "body_too_large"));
}

/// Who proves nothing is told nothing of what there is, and neither is who asks for it.
#[test]
fn without_an_identity_there_is_a_401_and_no_more() {
    for target in ["/nope", "/status", "/gate/me", "/druid//v2"] {
        let question = Question::new(nobody(), "GET", target, None).expect("a question");
        let explanation = explained(&question, Err(Rejection::NoCredentials));
        assert_eq!(refusal(&explanation), (401, "no_credentials"));
        let whole = explanation.json(SystemTime::UNIX_EPOCH).render();
        assert!(whole.starts_with(r#"{"caller":null,"row":null,"statement":null,"needs":[],"#), "{whole}");
        assert!(!whole.contains("canary"));
    }
    let open = Question::new(nobody(), "GET", "/status/health", None).expect("a question");
    assert!(matches!(explained(&open, Err(Rejection::NoCredentials)).outcome, Outcome::OfTheGate));
}

#[test]
fn what_is_missing_is_what_is_told_to_be() {
    let mut denied = 0;
    let cases = include_str!("../../../tests/corpus/statements.txt").split("\n---\n").skip(1);
    for statement in cases.filter_map(|case| case.split_once('\n')).map(|(_, statement)| statement) {
        let explanation = sql(statement);
        for needed in &explanation.needs {
            assert!(!needed.reasons.is_empty(), "{needed:?}");
            assert!(needed.reasons.iter().all(|reason| reason.at != Place::Row), "{needed:?}");
        }
        let missing: Vec<String> =
            explanation.needs.iter().filter(|n| n.granted.is_empty()).map(|n| n.permission.to_string()).collect();
        match &explanation.outcome {
            Outcome::Refused { status, message, .. } if status.as_u16() == 403 => {
                denied += 1;
                assert!(message.starts_with(&format!("Missing permissions: {}", missing.join(", "))), "{message}");
            }
            Outcome::Refused { .. } => assert!(explanation.needs.is_empty()),
            Outcome::Forwarded { .. } => assert!(missing.is_empty()),
            Outcome::InParts | Outcome::OfTheGate | Outcome::Undecided(_) => panic!("{explanation:?}"),
        }
    }
    assert!(denied > 50, "{denied}");
}

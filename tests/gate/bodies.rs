//! What is judged by its body, asked of both ends: native queries, tasks, supervisors, samplers; and what Druid lets pass
//! that the gate does not.

use std::time::{Duration, Instant};

use msq_gate_bed::GateOptions;
use serde_json::{Value, json};

use crate::client::Answer;
use crate::examples::{SUPERVISORS, make_supervisor};
use crate::recorder::Recorder;
use crate::support::{BED, End, await_state, cancel, gate, options, own_gate, submit_task, unique};

/// From a task's success to an answer of the Broker, beside all other tests.
const QUERYABLE_BOUND: Duration = Duration::from_secs(120);

fn ask(end: End<'_>, user: &str, target: &str, body: &Value) -> Answer {
    end.ask(Some(user), "POST", target).json(body).send()
}

fn add_user(name: &str, grants: &[&str]) -> String {
    let user = unique(name);
    BED.add_user(&user, grants).unwrap_or_else(|error| panic!("{error}"));
    user
}

fn reason(answer: &Answer) -> String {
    let body = answer.json();
    let text = body["error"].as_str().or_else(|| body["errorMessage"].as_str());
    text.unwrap_or_else(|| panic!("no reason: {body}")).to_owned()
}

/// The permissions that a 403 of the gate's names.
fn missing(answer: &Answer) -> String {
    answer.json()["Access-Check-Result"].as_str().expect("a 403 of the gate's").to_owned()
}

/// Queries of each type and kind of datasource, with the datasources that they read.
fn queries() -> Vec<(Value, &'static [&'static str])> {
    let days = json!(["2024-01-01/2025-01-01"]);
    let scan = |source: Value| json!({"queryType": "scan", "dataSource": source, "intervals": days, "limit": 3, "resultFormat": "list"});
    let count = json!([{"type": "count", "name": "n"}]);
    let group = |source: Value| {
        json!({
            "queryType": "groupBy", "dataSource": source, "intervals": days, "granularity": "all",
            "dimensions": ["channel"], "aggregations": count,
        })
    };
    let inline = json!({"type": "inline", "columnNames": ["channel", "x"], "columnTypes": ["STRING", "LONG"], "rows": [["#en", 1], ["#de", 2]]});
    let lookup = json!({"type": "lookup", "lookup": "no_such_lookup"});
    let join = |right: Value| {
        json!({
            "type": "join", "left": "wiki", "right": right, "rightPrefix": "j.",
            "condition": "channel == \"j.channel\"", "joinType": "INNER",
        })
    };
    let virtual_column = json!({"type": "expression", "name": "u", "expression": "string_to_array(page, ' ')", "outputType": "ARRAY<STRING>"});
    let unnest = |base: &str| json!({"type": "unnest", "base": base, "virtualColumn": virtual_column});
    const WIKI: &[&str] = &["wiki"];
    const BOTH: &[&str] = &["wiki", "taxi"];
    vec![
        (
            json!({"queryType": "timeseries", "dataSource": "wiki", "intervals": days, "granularity": "day", "aggregations": count}),
            WIKI,
        ),
        (
            json!({"queryType": "topN", "dataSource": "wiki", "intervals": days, "granularity": "all", "dimension": "page", "metric": "n", "threshold": 2, "aggregations": count}),
            WIKI,
        ),
        (group(json!("wiki")), WIKI),
        (scan(json!("wiki")), WIKI),
        (scan(json!({"type": "table", "name": "wiki"})), WIKI),
        (scan(json!({"type": "globalTable", "name": "wiki"})), WIKI),
        (
            json!({"queryType": "search", "dataSource": "wiki", "intervals": days, "granularity": "all", "searchDimensions": ["page"], "query": {"type": "insensitive_contains", "value": "druid"}}),
            WIKI,
        ),
        (json!({"queryType": "timeBoundary", "dataSource": "wiki"}), WIKI),
        (
            json!({"queryType": "segmentMetadata", "dataSource": "wiki", "intervals": days, "merge": true, "analysisTypes": []}),
            WIKI,
        ),
        (json!({"queryType": "dataSourceMetadata", "dataSource": "wiki"}), WIKI),
        (json!({"queryType": "select", "dataSource": "wiki", "intervals": days}), WIKI),
        (
            json!({"queryType": "timeseries", "dataSource": {"type": "union", "dataSources": ["wiki", "taxi"]}, "intervals": days, "granularity": "all", "aggregations": count}),
            BOTH,
        ),
        (group(json!({"type": "query", "query": group(json!("wiki"))})), WIKI),
        (scan(json!({"type": "query", "query": group(json!({"type": "query", "query": group(json!("wiki"))}))})), WIKI),
        (group(join(json!({"type": "query", "query": group(json!("wiki"))}))), WIKI),
        (group(join(inline.clone())), WIKI),
        (
            scan(join(
                json!({"type": "query", "query": {"queryType": "groupBy", "dataSource": "taxi", "intervals": days, "granularity": "all", "dimensions": [{"type": "default", "dimension": "zone", "outputName": "channel"}]}}),
            )),
            BOTH,
        ),
        (scan(inline), &[]),
        (scan(lookup), &[]),
        (scan(unnest("wiki")), WIKI),
        (scan(json!("no_such_table")), &["no_such_table"]),
    ]
}

/// Each query as each user at both ends: the same status, and where it runs the same rows.
#[test]
fn native_queries_are_decided_and_answered_as_druid_does() {
    let both = add_user("both", &["READ DATASOURCE wiki", "READ DATASOURCE taxi"]);
    let readable = |user: &str, name: &str| match user {
        "admin" => true,
        "reader" => name == "wiki",
        "nobody" | "writer" => false,
        _ => name != "no_such_table",
    };
    let (mut ran, mut denied) = (0, 0);
    for (query, reads) in queries() {
        for user in ["nobody", "reader", "writer", &both, "admin"] {
            let (direct, through) =
                (ask(End::Direct, user, "/druid/v2", &query), ask(gate(), user, "/druid/v2", &query));
            assert_eq!(direct.status, through.status, "{user}: {query}: {} {}", direct.text(), through.text());
            let gone = query["queryType"] == "select";
            let allowed = gone || reads.iter().all(|name| readable(user, name));
            assert_eq!(through.status != 403, allowed, "{user}: {query}: {}", through.text());
            if through.status == 200 {
                assert_eq!(direct.json(), through.json(), "{user}: {query}");
                ran += 1;
            }
            denied += usize::from(through.status == 403);
        }
    }
    assert!(ran >= 40 && denied >= 40, "{ran} ran, {denied} were denied");
}

#[test]
fn a_native_query_has_the_form_and_the_id_of_its_client() {
    let id = unique("mine");
    let query = json!({"queryType": "timeBoundary", "dataSource": "wiki", "context": {"queryId": id}});
    let answer = ask(gate(), "reader", "/druid/v2?pretty", &query).expect(200);
    assert_eq!(answer.header("X-Druid-Query-Id"), Some(id.as_str()));
    assert!(answer.text().contains('\n'), "pretty: {}", answer.text());
    ask(gate(), "reader", "/druid/v2/", &query).expect(200);
    for media_type in
        ["application/x-jackson-smile", "application/smile", "text/plain", "application/x-www-form-urlencoded"]
    {
        let odd = gate().ask(Some("reader"), "POST", "/druid/v2").body(media_type, query.to_string()).send();
        assert_eq!(odd.status, 415, "{media_type}: {}", odd.text());
    }
    let odd = ask(gate(), "admin", "/druid/v2", &json!({"queryType": "nope", "dataSource": "wiki"})).expect(400);
    assert!(odd.text().contains("it knows timeseries"), "{}", odd.text());
    let refused = ask(gate(), "nobody", "/druid/v2", &query).expect(403);
    assert_eq!(missing(&refused), "Missing permissions: READ DATASOURCE wiki");
}

/// By the id that the client gave, by the gate's id; another's by who may write the state.
#[test]
fn a_native_query_is_cancelled_by_its_submitter_or_who_may_write_the_state() {
    let state_writer = add_user("statewriter", &["WRITE STATE STATE"]);
    let query = json!({"queryType": "timeBoundary", "dataSource": "wiki"});
    let answer = ask(gate(), "reader", "/druid/v2", &query).expect(200);
    let id = answer.header("X-Druid-Query-Id").expect("the gate's id").to_owned();
    let delete = |user: &str, id: &str| gate().ask(Some(user), "DELETE", &format!("/druid/v2/{id}")).send();
    delete("reader", &id).expect(202);
    // A name is one's own: for all that anybody can tell, there is a query of that name.
    delete("nobody", "mine").expect(202);
    assert_eq!(missing(&delete("writer", &id).expect(403)), "Missing permissions: WRITE STATE STATE");
    assert_eq!(missing(&delete("stater", &id).expect(403)), "Missing permissions: WRITE STATE STATE");
    delete(&state_writer, &id).expect(202);
    let last = if id.ends_with('A') { 'B' } else { 'A' };
    delete("admin", &format!("{}{last}", &id[..id.len() - 1])).expect(404);
}

fn index(datasource: &str, source: &Value) -> Value {
    json!({
        "type": "index_parallel",
        "spec": {
            "dataSchema": {
                "dataSource": datasource,
                "timestampSpec": {"column": "__time", "format": "auto"},
                "dimensionsSpec": {"dimensions": ["page"]},
                "granularitySpec": {"segmentGranularity": "all", "queryGranularity": "none", "rollup": false},
            },
            "ioConfig": {"type": "index_parallel", "inputSource": source, "inputFormat": {"type": "json"}},
            "tuningConfig": {"type": "index_parallel", "maxNumConcurrentSubTasks": 1},
        },
    })
}

fn inline() -> Value {
    json!({"type": "inline", "data": "{\"__time\":\"2024-01-01T00:00:00Z\",\"page\":\"a\"}"})
}

fn druid(datasource: &str) -> Value {
    json!({"type": "druid", "dataSource": datasource, "interval": "2024-01-01/2025-01-01"})
}

fn started(answer: &Answer) -> String {
    answer.json()["task"].as_str().expect("an id").to_owned()
}

fn await_rows(datasource: &str, wanted: u64) {
    let query = json!({"query": format!("SELECT COUNT(*) AS n FROM \"{datasource}\"")});
    let start = Instant::now();
    loop {
        let answer = ask(End::Direct, "admin", "/druid/v2/sql", &query);
        if answer.status == 200 && answer.json()[0]["n"] == wanted {
            return;
        }
        assert!(start.elapsed() < QUERYABLE_BOUND, "{datasource}: {}", answer.text());
        std::thread::sleep(Duration::from_millis(300));
    }
}

const TASK: &str = "/druid/indexer/v1/task";

#[test]
fn a_task_is_submitted_by_who_may_write_what_it_writes() {
    let scratch = unique("scratch");
    let user = add_user("scratcher", &[&format!("WRITE DATASOURCE {scratch}")]);
    let task = index(&scratch, &inline());
    for end in [End::Direct, gate()] {
        ask(end, "nobody", TASK, &task).expect(403);
        ask(end, "writer", TASK, &task).expect(403);
    }
    let refused = ask(gate(), "nobody", TASK, &task).expect(403);
    assert_eq!(missing(&refused), format!("Missing permissions: WRITE DATASOURCE {scratch}"));
    let id = started(&ask(gate(), &user, TASK, &task).expect(200));
    assert_eq!(await_state(&id, &["SUCCESS", "FAILED"]), "SUCCESS");
    await_rows(&scratch, 1);
    // What is outside takes READ on EXTERNAL, which Druid does not ask here by default.
    let outside = index(&scratch, &json!({"type": "http", "uris": ["https://example.invalid/rows.json"]}));
    assert_eq!(missing(&ask(gate(), &user, TASK, &outside).expect(403)), "Missing permissions: READ EXTERNAL EXTERNAL");
    // The answer of the Overlord can be submitted again, under another id.
    let stored = End::Direct.ask(Some("admin"), "GET", &format!("{TASK}/{id}")).send().expect(200).json();
    let mut again = stored["payload"].clone();
    again["id"] = json!(unique("again"));
    let id = started(&ask(gate(), &user, TASK, &again).expect(200));
    await_state(&id, &["SUCCESS", "FAILED"]);
}

/// On Druid the first is enough to read anything; at the gate it takes READ on what is read.
#[test]
fn a_task_that_reads_a_datasource_is_for_who_may_read_it() {
    let scratch = unique("scratch");
    let grant = format!("WRITE DATASOURCE {scratch}");
    let (thief, reader) = (add_user("thief", &[&grant]), add_user("copier", &[&grant, "READ DATASOURCE wiki"]));
    for source in [druid("wiki"), json!({"type": "combining", "delegates": [inline(), druid("wiki")]})] {
        let refused = ask(gate(), &thief, TASK, &index(&scratch, &source)).expect(403);
        assert_eq!(missing(&refused), "Missing permissions: READ DATASOURCE wiki");
    }
    let stolen = started(&ask(End::Direct, &thief, TASK, &index(&scratch, &druid("wiki"))).expect(200));
    assert_eq!(await_state(&stolen, &["SUCCESS", "FAILED"]), "SUCCESS", "on Druid it runs");
    await_rows(&scratch, 5);
    let copied = started(&ask(gate(), &reader, TASK, &index(&scratch, &druid("wiki"))).expect(200));
    assert_eq!(await_state(&copied, &["SUCCESS", "FAILED"]), "SUCCESS");
}

/// A controller's own spec says what it reads, and Druid asks only about what it writes.
#[test]
fn a_raw_query_controller_is_refused() {
    let (own, scratch) = (unique("own"), unique("scratch"));
    let thief = add_user("thief", &[&format!("WRITE DATASOURCE {scratch}")]);
    // Other tests write rows of other years.
    let of_2024 = "SELECT __time, page FROM wiki WHERE __time >= TIMESTAMP '2024-01-01'";
    let statement = format!("INSERT INTO \"{own}\" {of_2024} PARTITIONED BY ALL");
    let id = submit_task(End::Direct, "admin", &statement);
    assert_eq!(await_state(&id, &["SUCCESS", "FAILED"]), "SUCCESS");
    let stored = End::Direct.ask(Some("admin"), "GET", &format!("{TASK}/{id}")).send().expect(200).json();
    let mut raw = stored["payload"].clone();
    raw["id"] = json!(unique("raw"));
    raw["groupId"] = raw["id"].clone();
    raw["spec"]["destination"]["dataSource"] = json!(scratch);
    raw["dataSource"] = json!(scratch);
    for user in [&thief, "admin"] {
        let refused = ask(gate(), user, TASK, &raw).expect(400);
        assert!(reason(&refused).contains("submit SQL to /druid/v2/sql/task"), "{}", refused.text());
    }
    let stolen = started(&ask(End::Direct, &thief, TASK, &raw).expect(200));
    assert_eq!(await_state(&stolen, &["SUCCESS", "FAILED"]), "SUCCESS", "on Druid it runs");
    await_rows(&scratch, 5);
}

/// What only Druid's own tasks submit, and what Hadoop would read: Druid asks about what is written alone.
#[test]
fn what_druids_own_tasks_submit_is_refused_and_what_hadoop_reads_is_judged() {
    let scratch = unique("scratch");
    let thief = add_user("thief", &[&format!("WRITE DATASOURCE {scratch}")]);
    let spec = |tuning: &Value| {
        let mut spec = index(&scratch, &druid("wiki"))["spec"].clone();
        spec["dataSchema"]["granularitySpec"]["intervals"] = json!(["2024-01-01/2025-01-01"]);
        spec["tuningConfig"] = tuning.clone();
        spec
    };
    let dynamic = json!({"type": "index_parallel"});
    let rolled_up = |partitions: Value| json!({"type": "index_parallel", "forceGuaranteedRollup": true, "partitionsSpec": partitions});
    let hashed = rolled_up(json!({"type": "hashed", "numShards": 1}));
    let ranged = rolled_up(json!({"type": "single_dim", "partitionDimension": "page", "targetRowsPerSegment": 5}));
    let sub_task = |kind: &str, tuning: &Value| {
        let group = unique("group");
        json!({
            "type": kind, "id": unique("sub"), "groupId": group, "supervisorTaskId": group, "subtaskSpecId": "s",
            "numAttempts": 0, "spec": spec(tuning), "intervalToPartitions": {},
        })
    };
    let worker =
        json!({"type": "query_worker", "controllerTaskId": unique("c"), "dataSource": scratch, "workerNumber": 0});
    for task in [
        sub_task("single_phase_sub_task", &dynamic),
        sub_task("partial_index_generate", &hashed),
        sub_task("partial_dimension_cardinality", &hashed),
        sub_task("partial_dimension_distribution", &ranged),
        sub_task("partial_range_index_generate", &ranged),
        worker,
    ] {
        for user in [&thief, "admin"] {
            let refused = ask(gate(), user, TASK, &task).expect(400);
            assert!(reason(&refused).contains("only for Druid's own tasks"), "{}", refused.text());
        }
        cancel(&started(&ask(End::Direct, &thief, TASK, &task).expect(200)));
    }
    let of_wiki =
        json!({"type": "dataSource", "ingestionSpec": {"dataSource": "wiki", "intervals": ["2024-01-01/2025-01-01"]}});
    let mut schema = spec(&dynamic)["dataSchema"].clone();
    schema["parser"] = json!({"type": "hadoopyString", "parseSpec": {"format": "json"}});
    for input in [of_wiki.clone(), json!({"type": "multi", "children": [of_wiki]})] {
        let task = json!({"type": "index_hadoop", "id": unique("hadoop"), "spec": {
            "dataSchema": schema, "ioConfig": {"type": "hadoop", "inputSpec": input}, "tuningConfig": {"type": "hadoop"},
        }});
        let refused = ask(gate(), &thief, TASK, &task).expect(403);
        assert!(missing(&refused).contains("READ DATASOURCE wiki"), "{}", refused.text());
        cancel(&started(&ask(End::Direct, &thief, TASK, &task).expect(200)));
    }
}

/// On Druid anybody's task may have the id that a query's worker is to have.
#[test]
fn a_task_has_no_id_of_a_querys() {
    let scratch = unique("scratch");
    let user = add_user("squatter", &[&format!("WRITE DATASOURCE {scratch}")]);
    let noop = |id: &str| json!({"type": "noop", "id": id, "dataSource": scratch, "runTime": 1});
    let squatted = format!("query-{}-worker7_0", unique("x"));
    let refused = ask(gate(), &user, TASK, &noop(&squatted)).expect(400);
    assert!(reason(&refused).contains("ids that begin with query-"), "{}", refused.text());
    ask(End::Direct, &user, TASK, &noop(&squatted)).expect(200);
    cancel(&squatted);
    let own = unique("noop");
    ask(gate(), &user, TASK, &noop(&own)).expect(200);
    cancel(&own);
    // The datasource is the one that the task names, and it has only one type.
    let twice = format!(r#"{{"type":"noop","dataSource":"{scratch}","type":"query_worker"}}"#);
    gate().ask(Some(&user), "POST", TASK).body("application/json", twice).send().expect(400);
}

const SUPERVISOR: &str = "/druid/indexer/v1/supervisor";

/// On Druid a spec of another type with the same id takes a supervisor's place, whatever that is about.
#[test]
fn nobody_takes_a_supervisors_place() {
    let _supervisors = SUPERVISORS.lock();
    let (victim, scratch) = (unique("victim"), unique("scratch"));
    let thief = add_user("thief", &[&format!("WRITE DATASOURCE {scratch}")]);
    make_supervisor(&victim, &["wiki"]);
    let target = format!("{SUPERVISOR}/{victim}");
    let about = || End::Direct.ask(Some("admin"), "GET", &target).send().expect(200).json()["dataSources"].clone();
    let noop = json!({"type": "NoopSupervisorSpec", "id": victim, "dataSources": [scratch]});
    ask(gate(), &thief, SUPERVISOR, &noop).expect(400);
    let stream = json!({"type": "kafka", "id": victim, "spec": {
        "dataSchema": {"dataSource": scratch}, "ioConfig": {"topic": "t", "consumerProperties": {}},
    }});
    let refused = ask(gate(), &thief, SUPERVISOR, &stream).expect(403);
    assert!(missing(&refused).contains("the datasources of the supervisor that has this id"), "{}", refused.text());
    assert!(!refused.text().contains("wiki"), "what it is about is not told: {}", refused.text());
    assert_eq!(about(), json!(["wiki"]));
    ask(End::Direct, &thief, SUPERVISOR, &noop).expect(200);
    assert_eq!(about(), json!([scratch]), "on Druid it is taken");
    End::Direct.ask(Some("admin"), "POST", &format!("{target}/terminate")).json(&json!({})).send().expect(200);
}

/// On Druid who may write the state may sample anything: any datasource, any file of the Overlord's.
#[test]
fn a_sampler_is_for_who_may_read_what_it_samples() {
    let state = "WRITE STATE STATE";
    let sampler = add_user("sampler", &[state]);
    let reader = add_user("samplereader", &[state, "READ DATASOURCE wiki"]);
    let outsider = add_user("sampleoutsider", &[state, "READ EXTERNAL EXTERNAL"]);
    let sample = |source: &Value| {
        let mut spec = index("sample", source)["spec"].clone();
        for place in ["ioConfig", "tuningConfig"] {
            spec[place]["type"] = json!("index");
        }
        spec["tuningConfig"].as_object_mut().expect("an object").remove("maxNumConcurrentSubTasks");
        json!({"type": "index", "spec": spec, "samplerConfig": {"numRows": 5, "timeoutMs": 15_000}})
    };
    let target = "/druid/indexer/v1/sampler?for=connect";
    let of_wiki = sample(&druid("wiki"));
    let rows = |answer: &Answer| answer.json()["numRowsRead"].as_u64().expect("a count");
    assert_eq!(rows(&ask(End::Direct, &sampler, target, &of_wiki).expect(200)), 5, "on Druid it is shown");
    assert_eq!(
        missing(&ask(gate(), &sampler, target, &of_wiki).expect(403)),
        "Missing permissions: READ DATASOURCE wiki"
    );
    assert_eq!(rows(&ask(gate(), &reader, target, &of_wiki).expect(200)), 5);
    let of_file = sample(&json!({"type": "local", "files": ["/etc/hostname"]}));
    ask(End::Direct, &sampler, target, &of_file).expect(200);
    assert_eq!(
        missing(&ask(gate(), &sampler, target, &of_file).expect(403)),
        "Missing permissions: READ EXTERNAL EXTERNAL"
    );
    let shown = ask(gate(), &outsider, target, &of_file);
    assert_ne!(shown.status, 403, "{}", shown.text());
    let of_text = sample(&inline());
    for end in [End::Direct, gate()] {
        assert_eq!(rows(&ask(end, &sampler, target, &of_text).expect(200)), 1);
        ask(end, "reader", target, &of_text).expect(403);
    }
}

/// Compaction by hand: WRITE on the datasource, as on Druid.
#[test]
fn tasks_about_segments_are_decided_as_druid_decides() {
    let scratch = unique("scratch");
    let user = add_user("keeper", &[&format!("WRITE DATASOURCE {scratch}")]);
    let interval = "2024-01-01/2025-01-01";
    for (kind, key, value) in [
        ("compact", "ioConfig", json!({"type": "compact", "inputSpec": {"type": "interval", "interval": interval}})),
        ("compact", "interval", json!(interval)),
        ("kill", "interval", json!(interval)),
        ("archive", "interval", json!(interval)),
        ("restore", "interval", json!(interval)),
        ("move", "interval", json!(interval)),
    ] {
        let mut task = json!({"type": kind, "dataSource": scratch, "targetLoadSpec": {"path": "/nowhere"}});
        task[key] = value;
        for end in [End::Direct, gate()] {
            for other in ["nobody", "reader", "writer"] {
                ask(end, other, TASK, &task).expect(403);
            }
            let answer = ask(end, &user, TASK, &task).expect(200);
            cancel(&started(&answer));
        }
    }
}

/// Kafka's extension and `scheduled_batch`, which came with Druid 33, are not loaded here: what would arrive is kept.
#[test]
fn supervisors_that_this_druid_lacks_are_decided_at_a_stand_in() {
    let recorder = Recorder::start();
    let (_process, server) = own_gate(GateOptions { router_url: recorder.url.clone(), ..options() });
    let gate = End::Gate(&server);
    let scheduled = |query: &str| {
        json!({
            "type": "scheduled_batch", "dataSource": "wiki", "spec": {"query": query},
            "schedulerConfig": {"type": "unix", "schedule": "* * * * *"},
        })
    };
    let kafka = |id: &str| {
        json!({"type": "kafka", "id": id, "spec": {
            "dataSchema": {"dataSource": "wiki"},
            "ioConfig": {"topic": "t", "consumerProperties": {"bootstrap.servers": "kafka:9092"}},
        }})
    };
    let steal = scheduled("INSERT INTO wiki SELECT * FROM taxi PARTITIONED BY DAY");
    let refused = ask(gate, "writer", SUPERVISOR, &steal).expect(403);
    assert_eq!(missing(&refused), "Missing permissions: READ DATASOURCE taxi");
    let refused =
        ask(gate, "writer", SUPERVISOR, &scheduled("INSERT INTO taxi SELECT 1 PARTITIONED BY ALL")).expect(403);
    assert_eq!(missing(&refused), "Missing permissions: WRITE DATASOURCE taxi");
    let refused = ask(gate, "writer", SUPERVISOR, &kafka("new")).expect(403);
    assert_eq!(missing(&refused), "Missing permissions: READ EXTERNAL EXTERNAL");
    let refused = ask(gate, "ingester", SUPERVISOR, &kafka("secret-stream")).expect(403);
    assert!(!refused.text().contains("secret\""), "what it is about is not told: {}", refused.text());
    assert!(recorder.take().is_empty(), "nothing refused arrives");
    for (user, spec) in [
        ("writer", scheduled("INSERT INTO wiki SELECT TIMESTAMP '1990-01-01' AS __time PARTITIONED BY DAY")),
        ("ingester", kafka("new")),
    ] {
        ask(gate, user, SUPERVISOR, &spec).expect(200);
        let arrived = recorder.take();
        let [arrived] = arrived.as_slice() else { panic!("one request: {arrived:?}") };
        let (head, body) = arrived.split_once("\r\n\r\n").expect("a body");
        assert!(head.starts_with("POST /druid/indexer/v1/supervisor HTTP/1.1\r\n"), "{head}");
        assert_eq!(serde_json::from_str::<Value>(body).expect("JSON"), spec);
    }
}

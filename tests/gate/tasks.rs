//! Who may do what with a task: every user by every call, beside what Druid says to the same user.

use serde_json::json;

use crate::support::{End, GATE, await_state, cancel, gate, post_noop, submit_task, task_state, unique};

const USERS: [&str; 6] = ["nobody", "reader", "writer", "selr", "selw", "stater"];

const CALLS: [(&str, &str); 5] =
    [("GET", ""), ("GET", "/status"), ("GET", "/reports"), ("GET", "/log"), ("POST", "/shutdown")];

/// An intended difference: whether the gate allows what Druid refuses, or refuses what Druid allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Intended {
    user: &'static str,
    select: bool,
    gate_allows: bool,
}

/// Cancelling a query takes READ on its datasource at the gate, WRITE at Druid; both ways.
const CANCEL_BY_READ: [Intended; 4] = [
    Intended { user: "reader", select: false, gate_allows: true },
    Intended { user: "writer", select: false, gate_allows: false },
    Intended { user: "selr", select: false, gate_allows: true },
    Intended { user: "selr", select: true, gate_allows: true },
];

/// `selw` may read and write `__query_select` and read wiki: at Druid it may not cancel an INSERT into wiki.
const CANCEL_BY_READ_MORE: Intended = Intended { user: "selw", select: false, gate_allows: true };

#[test]
fn tasks_are_decided_as_druid_decides_but_for_cancelling() {
    let mut intended = CANCEL_BY_READ.to_vec();
    intended.push(CANCEL_BY_READ_MORE);
    both_ends_agree(gate(), &intended);
}

/// Compares both ends, for an INSERT into wiki and a SELECT; what is said to differ must differ.
pub fn both_ends_agree(gate: End<'_>, intended: &[Intended]) {
    let insert = "INSERT INTO wiki SELECT __time, page FROM wiki WHERE page = 'no such page' PARTITIONED BY DAY";
    let tasks = [(false, submit_task(gate, "admin", insert)), (true, submit_task(gate, "admin", "SELECT 1"))];
    let mut differences = Vec::new();
    for (select, id) in &tasks {
        await_state(id, &["SUCCESS", "FAILED"]);
        for user in USERS {
            for (method, call) in CALLS {
                let target = format!("/druid/indexer/v1/task/{id}{call}");
                let ask = |end: End<'_>| end.ask(Some(user), method, &target).send().status;
                let (direct, through) = (ask(End::Direct), ask(gate));
                let difference = intended.iter().find(|known| known.user == user && known.select == *select);
                let as_wanted = match difference.filter(|_| call == "/shutdown") {
                    Some(known) if known.gate_allows => direct == 403 && through != 403,
                    Some(_) => direct != 403 && through == 403,
                    None => direct == through,
                };
                if !as_wanted {
                    differences.push(format!("{user} {method} {call} select={select}: Druid {direct}, gate {through}"));
                }
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn a_noop_task_is_not_cancelled_by_read() {
    let id = unique("noop");
    post_noop("admin", &id, "wiki");
    let shutdown = format!("/druid/indexer/v1/task/{id}/shutdown");
    let status = format!("/druid/indexer/v1/task/{id}/status");
    gate().ask(Some("reader"), "GET", &status).send().expect(200);
    let refused = gate().ask(Some("reader"), "POST", &shutdown).json(&json!({})).send().expect(403).json();
    // The reader knows of wiki, so the refusal names it.
    assert_eq!(refused["Access-Check-Result"], "Missing permissions: WRITE DATASOURCE wiki");
    assert_ne!(task_state(&id), "FAILED");
    gate().ask(Some("writer"), "POST", &shutdown).json(&json!({})).send().expect(200);
    await_state(&id, &["FAILED"]);
}

#[test]
fn a_task_of_an_unseen_datasource_is_403_and_its_name_is_not_told() {
    let id = unique("noop");
    post_noop("admin", &id, "hidden_datasource");
    let target = format!("/druid/indexer/v1/task/{id}/status");
    let refused = gate().ask(Some("reader"), "GET", &target).send().expect(403);
    assert!(!refused.text().contains("hidden_datasource"), "{}", refused.text());
    assert!(refused.text().contains("the datasource of this task"), "{}", refused.text());
    cancel(&id);
}

#[test]
fn an_unknown_task_is_404_in_druids_words() {
    for end in [gate(), End::Direct] {
        let answer = end.ask(Some("reader"), "GET", "/druid/indexer/v1/task/nope/status").send().expect(404);
        assert_eq!(answer.text(), "Cannot find any task with id: [nope]");
        assert!(answer.header("Content-Type").expect("a type").starts_with("text/plain"));
    }
}

/// Ids are chosen by clients: a name like a worker's gets nobody anything.
#[test]
fn a_task_named_like_a_worker_gets_nobody_anything() {
    let scratch = unique("scratch");
    let user = unique("scratcher");
    let grants = [format!("WRITE DATASOURCE {scratch}"), format!("READ DATASOURCE {scratch}")];
    crate::support::BED.add_user(&user, &grants).unwrap_or_else(|error| panic!("{error}"));
    let controller = submit_task(gate(), "admin", "SELECT page FROM wiki");
    let worker = format!("{controller}-worker7_0");
    post_noop(&user, &worker, &scratch);
    let status = |who: &str, id: &str| {
        gate().ask(Some(who), "GET", &format!("/druid/indexer/v1/task/{id}/status")).send().status
    };
    assert_eq!(status(&user, &worker), 200, "its own task, by its own datasource");
    assert_eq!(status(&user, &controller), 403, "the controller is not its own");
    assert_eq!(status("selr", &worker), 403, "who may read queries may not read this task");
    let real_worker = format!("/druid/indexer/v1/task/{controller}-worker0_0/status");
    let asked = gate().ask(Some(&user), "GET", &real_worker).send().status;
    assert!(asked == 403 || asked == 404, "{asked}");
    cancel(&worker);
}

/// The list holds the tasks whose datasource the user may read, as Druid's own does.
#[test]
fn the_list_of_tasks_is_filtered_as_druid_filters_it() {
    let hidden = unique("noop");
    post_noop("admin", &hidden, "hidden_datasource");
    let select = submit_task(gate(), "admin", "SELECT 1");
    let insert =
        submit_task(gate(), "admin", "INSERT INTO wiki SELECT * FROM wiki WHERE page = 'x' PARTITIONED BY DAY");
    for id in [&select, &insert] {
        await_state(id, &["SUCCESS", "FAILED"]);
    }
    let ids = |end: End<'_>, user: &str, query: &str| {
        let answer = end.ask(Some(user), "GET", &format!("/druid/indexer/v1/tasks{query}")).send().expect(200);
        assert!(answer.whole);
        let list = answer.json();
        let ids: Vec<String> =
            list.as_array().expect("a list").iter().map(|task| task["id"].as_str().expect("id").to_owned()).collect();
        ids
    };
    for (user, sees) in
        [("nobody", [false, false, false]), ("reader", [false, false, true]), ("selr", [false, true, true])]
    {
        for query in ["", "?state=complete", "?type=query_controller"] {
            // Other tests submit meanwhile: what both ends list of these three must be the same.
            let (direct, through) = (ids(End::Direct, user, query), ids(gate(), user, query));
            for (id, seen) in [&hidden, &select, &insert].into_iter().zip(sees) {
                assert_eq!(direct.contains(id), through.contains(id), "{user} {query} {id}");
                assert!(seen || !through.contains(id), "{user} {query} {id}");
            }
            if query == "?state=complete" {
                assert_eq!(through.contains(&insert), sees[2]);
                assert_eq!(through.contains(&select), sees[1]);
            }
        }
    }
    // Asked for one datasource: READ on it, or 403.
    gate().ask(Some("reader"), "GET", "/druid/indexer/v1/tasks?datasource=wiki").send().expect(200);
    gate().ask(Some("reader"), "GET", "/druid/indexer/v1/tasks?datasource=taxi").send().expect(403);
    gate().ask(Some("reader"), "GET", "/druid/indexer/v1/tasks?datasource=wiki&datasource=taxi").send().expect(400);
    let filtered = GATE.get("/druid/indexer/v1/tasks").bearer(&crate::support::token("reader")).send();
    assert_eq!(filtered.header("Content-Encoding"), None);
    cancel(&hidden);
}

//! Lists: each user sees what Druid itself would list to it.

use std::io::{Read, Write};
use std::time::Instant;

use msq_gate_bed::GateOptions;
use serde_json::{Value, json};

use crate::recorder::Recorder;
use crate::standin::{HUGE, PAUSE, StandIn};
use crate::support::{End, gate, options, own_gate, token};

const USERS: [&str; 4] = ["nobody", "reader", "writer", "admin"];

/// The names in a list of datasources, whichever its items are.
fn names(end: End<'_>, user: &str, target: &str) -> Vec<String> {
    let answer = end.ask(Some(user), "GET", target).send().expect(200);
    assert!(answer.whole, "{target}");
    let list = answer.json();
    let name = |item: &Value| item.as_str().or_else(|| item["name"].as_str()).expect("a name").to_owned();
    list.as_array().expect("a list").iter().map(name).collect()
}

#[test]
fn datasources_are_listed_as_druid_lists_them() {
    for target in [
        "/druid/v2/datasources",
        "/druid/coordinator/v1/datasources",
        "/druid/coordinator/v1/datasources?simple",
        "/druid/coordinator/v1/datasources?full",
        "/druid/coordinator/v1/metadata/datasources",
        "/druid/coordinator/v1/metadata/datasources?includeUnused",
        "/druid/coordinator/v1/metadata/datasources?full",
        "/proxy/coordinator/druid/coordinator/v1/datasources",
    ] {
        for user in USERS {
            // Other tests may make datasources meanwhile: only those that are always there are compared.
            let of_ours = |end| {
                let mut names = names(end, user, target);
                names.retain(|name| name == "wiki" || name == "taxi");
                names
            };
            let (direct, through) = (of_ours(End::Direct), of_ours(gate()));
            assert_eq!(direct, through, "{target} as {user}");
            let expected = match user {
                "admin" => 2,
                "reader" => 1,
                _ => 0,
            };
            assert_eq!(through.len(), expected, "{target} as {user}");
        }
    }
}

#[test]
fn the_other_lists_of_tasks_are_filtered_too() {
    let hidden = crate::support::unique("noop");
    crate::support::post_noop("admin", &hidden, "hidden_datasource");
    // A task that waits for its place is RUNNING to its status and pending to the lists.
    let start = std::time::Instant::now();
    let runs =
        || End::Direct.ask(Some("admin"), "GET", "/druid/indexer/v1/runningTasks").send().text().contains(&hidden);
    while !runs() {
        assert!(start.elapsed().as_secs() < 60, "{hidden} does not run");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    for target in [
        "/druid/indexer/v1/runningTasks",
        "/druid/indexer/v1/runningTasks?type=noop",
        "/proxy/overlord/druid/indexer/v1/runningTasks",
        "/druid/indexer/v1/pendingTasks",
        "/druid/indexer/v1/waitingTasks",
        "/druid/indexer/v1/completeTasks",
        "/druid/indexer/v1/completeTasks?n=5",
    ] {
        for (user, sees) in [("reader", false), ("admin", target.contains("running"))] {
            for end in [End::Direct, gate()] {
                let answer = end.ask(Some(user), "GET", target).send().expect(200);
                assert_eq!(answer.text().contains(&hidden), sees, "{target} as {user}");
                assert!(answer.whole && answer.json().is_array());
            }
        }
    }
    crate::support::cancel(&hidden);
}

#[test]
fn statuses_of_tasks_need_what_druid_asks() {
    for (user, status) in [("nobody", 403), ("stater", 403), ("admin", 200)] {
        for end in [End::Direct, gate()] {
            let ask = end.ask(Some(user), "POST", "/druid/indexer/v1/taskStatus").json(&json!(["nope"])).send();
            assert_eq!(ask.status, status, "{user}: {}", ask.text());
        }
    }
    for odd in [json!({"a": 1}), json!([1]), json!(["a/b"]), json!("a")] {
        gate().ask(Some("admin"), "POST", "/druid/indexer/v1/taskStatus").json(&odd).send().expect(400);
    }
}

/// Peak memory of a process, in bytes.
fn peak_memory(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
}

/// A list far larger than what the gate keeps of it: it passes while it comes.
#[test]
fn a_huge_list_passes_in_little_memory_while_it_comes() {
    let standin = StandIn::start();
    let (process, server) = own_gate(GateOptions { router_url: standin.url.clone(), ..options() });
    let mut stream = server.connect().expect("connects");
    let request = server.get("/druid/indexer/v1/tasks").bearer(&token("reader")).header("User-Agent", "list-huge");
    stream.write_all(&request.bytes()).and_then(|()| stream.flush()).expect("sent");
    let start = Instant::now();
    let (mut bytes, mut buffer, mut first) = (Vec::new(), vec![0; 64 * 1024], None);
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..count]);
        if first.is_none() && bytes.windows(7).any(|window| window == b"\"task0\"") {
            first = Some(start.elapsed());
        }
    }
    let (first, last) = (first.expect("the first item"), start.elapsed());
    assert!(last - first >= PAUSE / 2, "the first item after {first:?}, the last after {last:?}");
    let text = String::from_utf8_lossy(&bytes);
    assert_eq!(text.matches("\"wiki\"").count(), HUGE / 2);
    assert!(!text.contains("secret") && text.ends_with("0\r\n\r\n"));
    let peak = peak_memory(process.pid());
    assert!(peak < 64 * 1024 * 1024, "{peak} bytes");
}

/// Lists that the bed's Druid does not have.
#[test]
fn lists_of_newer_druids_and_of_the_catalog_are_filtered_too() {
    let recorder = Recorder::start();
    let (_process, server) = own_gate(GateOptions { router_url: recorder.url.clone(), ..options() });
    let catalog = "/druid/coordinator/v1/catalog/schemas";
    let ask = |user: &str, method: &str, target: &str| {
        let request = server.request(method, target).bearer(&token(user));
        let request = if method == "POST" { request.json(&json!(["wiki"])) } else { request };
        let answer = request.send();
        let arrived = recorder.take().len();
        assert_eq!(arrived, usize::from(answer.status == 200), "{target} as {user}: {}", answer.text());
        if answer.status == 200 { answer.text() } else { answer.status.to_string() }
    };
    for (method, target, seen) in [
        (
            "GET",
            "/druid/indexer/v1/compaction/status/datasources".to_owned(),
            r#"{"latestStatus":[{"dataSource":"wiki","bytes":2}]}"#,
        ),
        (
            "GET",
            "/druid/indexer/v1/compaction/config/datasources".to_owned(),
            r#"{"compactionConfigs":[{"dataSource":"wiki"}]}"#,
        ),
        (
            "POST",
            "/druid/coordinator/v1/metadata/dataSourceInformation".to_owned(),
            r#"[{"dataSource":"wiki","rowSignature":[]}]"#,
        ),
        ("GET", format!("{catalog}?format=path"), r#"[{"schema":"druid","name":"wiki"}]"#),
        ("GET", format!("{catalog}/druid/tables"), r#"["wiki"]"#),
        ("GET", format!("{catalog}/view/tables?format=name"), "[]"),
        ("GET", format!("{catalog}/druid/tables/wiki"), r#"{"ok":true}"#),
        ("GET", format!("{catalog}/ext/tables/wiki"), "403"),
        ("GET", format!("{catalog}/lookup/tables/wiki"), "403"),
        ("GET", format!("{catalog}/nope/tables/wiki"), "404"),
        ("GET", format!("{catalog}/nope/tables"), "404"),
        ("DELETE", format!("{catalog}/druid/tables/wiki"), "403"),
        ("GET", catalog.to_owned(), "403"),
        ("GET", format!("{catalog}?format=name"), "403"),
    ] {
        assert_eq!(ask("reader", method, &target), seen, "{target}");
    }
    assert_eq!(ask("writer", "DELETE", &format!("{catalog}/druid/tables/wiki")), r#"{"ok":true}"#);
    assert!(ask("admin", "GET", catalog).contains("secret"));
}

/// Where Druid sums up what a caller may see, the gate sums up what is left of all.
#[test]
fn sums_of_intervals_are_druids() {
    for query in ["", "?simple", "?full", "?full&simple"] {
        let target = format!("/druid/coordinator/v1/intervals/2024-01-01_2024-01-03{query}");
        for user in USERS {
            let ask = |end: End<'_>| end.ask(Some(user), "GET", &target).send().expect(200).json();
            assert_eq!(ask(gate()), ask(End::Direct), "{target} as {user}");
        }
    }
}

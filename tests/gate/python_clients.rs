//! Clients in Python, each the real package in an environment of its own: `tests/clients` has what is installed and what is
//! run. They are large, so `cargo test` leaves them out: `cargo test --test gate python_clients -- --ignored` runs them.

use std::fs;
use std::process::Command;

use msq_gate_bed::GateOptions;
use serde_json::Value;

use crate::client::Server;
use crate::packages::{python_of, root, said_by};
use crate::support::{BED, GATE, await_state, options, own_gate, token, unique};

/// The JSON that README.md shows, which begins so.
fn block(begins: &str) -> Value {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let blocks = readme.split("```json\n{").skip(1).map(|rest| rest.split("```").next().expect("its end"));
    let block = blocks.into_iter().find(|block| block.starts_with(begins)).expect("the block");
    serde_json::from_str(&format!("{{{block}")).expect("JSON")
}

/// Such lines begin with what was done.
fn of<'a>(said: &'a [String], what: &str) -> Vec<&'a str> {
    said.iter().filter_map(|line| line.strip_prefix(what)?.strip_prefix(": ")).collect()
}

/// The last line with these words before it was said what came of it.
fn logged_before<'a>(said: &'a [String], what: &str, words: &str) -> &'a str {
    let until = said.iter().take_while(|line| !line.starts_with(&format!("{what}: ")));
    until.filter(|line| line.contains(words)).last().unwrap_or_else(|| panic!("no {words}: {said:?}"))
}

/// The script has README's lines as they stand.
#[test]
fn readme_shows_what_is_run_of_sqlalchemy() {
    let text = |path: &str| fs::read_to_string(root().join(path)).expect(path);
    let readme = text("README.md");
    let (_, block) = readme.split_once("```python\nengine = ").expect("the block");
    let (block, _) = block.split_once("```").expect("its end");
    assert!(text("tests/clients/sqlalchemy_client.py").contains(block), "{block}");
}

#[test]
#[ignore = "installs packages"]
fn sqlalchemy_lists_reflects_and_queries_what_a_token_may_read() {
    let mut python = Command::new(python_of("sqlalchemy"));
    python.arg("tests/clients/sqlalchemy_client.py").arg(GATE.address()).arg(&BED.ca).arg(token("reader"));
    let said = said_by(&mut python);
    assert_eq!(of(&said, "schemas").concat().split(' ').find(|schema| *schema == "druid"), Some("druid"), "{said:?}");
    assert_eq!(of(&said, "tables"), ["wiki"], "{said:?}");
    assert!(of(&said, "columns").concat().starts_with("__time "), "{said:?}");
    assert_eq!(of(&said, "of another"), ["none"], "{said:?}");
    assert!(of(&said, "reflected").concat().contains("page:VARCHAR"), "{said:?}");
    assert_eq!(of(&said, "row"), ["#en True"], "{said:?}");
    let denied = ["READ DATASOURCE taxi", "WRITE DATASOURCE wiki"];
    let denied = denied.map(|missing| format!("Forbidden (Unknown): Missing permissions: {missing}"));
    assert_eq!(of(&said, "denied"), denied, "{said:?}");
}

/// A gate that takes tokens as passwords, as clients do that know nothing of tokens.
fn basic_gate() -> (impl Drop, Server) {
    // The last section of the configuration is the issuer's.
    own_gate(GateOptions { more: "basic_password = true\n".to_owned(), ..options() })
}

#[test]
#[ignore = "installs packages"]
fn airflow_ingests_where_a_token_allows_it_and_tells_the_refusal() {
    let datasource = unique("airflow");
    let mine = |action: &str| format!("{action} DATASOURCE {datasource}");
    let loader = unique("loader");
    BED.add_user(&loader, &[&mine("READ"), &mine("WRITE"), "READ DATASOURCE wiki"]).expect("a user");
    let (_process, gate) = basic_gate();
    let (host, port) = gate.address().split_once(':').expect("a port");
    let connection = |user: &str, extra: Option<Value>| {
        let mut connection = block("\n  \"conn_type\"");
        connection["host"] = host.into();
        connection["port"] = port.parse::<u16>().expect("a port").into();
        connection["login"] = user.into();
        connection["password"] = token(user).into();
        connection["extra"]["ca_bundle_path"] = BED.ca.display().to_string().into();
        if let Some(extra) = extra {
            connection["extra"] = extra;
        }
        connection.to_string()
    };
    let mut of_queries = block("\"schema\"");
    of_queries["ssl_verify_cert"] = BED.ca.display().to_string().into();
    let home = root().join("target/clients/airflow-home");
    fs::create_dir_all(&home).expect("a folder");
    let mut python = Command::new(python_of("airflow"));
    python
        .args(["tests/clients/airflow_client.py", &datasource])
        .env("AIRFLOW_HOME", &home)
        .env("AIRFLOW_CONN_LOADER", connection(&loader, None))
        .env("AIRFLOW_CONN_READER", connection("reader", None))
        .env("AIRFLOW_CONN_QUERIES", connection("reader", Some(of_queries)));
    let said = said_by(&mut python);

    assert_eq!(of(&said, "native"), ["done"], "{said:?}");
    assert_eq!(of(&said, "sql"), ["done"], "{said:?}");
    let refused = |path: &str, what: &str| {
        let url = format!("https://{}/{path}", gate.address());
        assert_eq!(
            of(&said, what),
            [format!("Did not get 200 or 202 when submitting the Druid job to {url}")],
            "{said:?}"
        );
        let logged = logged_before(&said, what, "Error submitting");
        let missing = format!("Missing permissions: WRITE DATASOURCE {datasource}");
        assert!(logged.contains("(403)") && logged.contains(&missing), "{logged}");
    };
    refused("druid/indexer/v1/task", "native_refused");
    refused("druid/v2/sql/task", "sql_refused");
    assert_eq!(of(&said, "killed"), ["Druid ingestion took more than 1 seconds"], "{said:?}");
    let logged = logged_before(&said, "killed", "task-id: ");
    let (_, id) = logged.split_once("task-id: ").expect("an id");
    await_state(id.split(' ').next().expect("an id"), &["FAILED"]);

    assert_eq!(of(&said, "records"), ["True"], "{said:?}");
    let denied = format!("ProgrammingError Forbidden (Unknown): Missing permissions: READ DATASOURCE {datasource}");
    assert_eq!(of(&said, "records refused"), [denied], "{said:?}");
}

#[test]
#[ignore = "installs packages"]
fn superset_explores_and_queries_what_a_token_may_read() {
    let mut extra = block("\"engine_params\"");
    extra["engine_params"]["connect_args"]["jwt"] = token("reader").into();
    let home = root().join("target/clients/superset-home");
    fs::create_dir_all(&home).expect("a folder");
    let mut python = Command::new(python_of("superset"));
    python
        .arg("tests/clients/superset_client.py")
        .args([GATE.address(), &BED.ca.display().to_string(), &extra.to_string()])
        .env("SUPERSET_HOME", &home)
        .env("SUPERSET_CONFIG_PATH", root().join("tests/clients/superset_config.py"));
    let said = said_by(&mut python);
    assert_eq!(of(&said, "spec"), ["DruidEngineSpec"], "{said:?}");
    assert_eq!(of(&said, "tables"), ["wiki"], "{said:?}");
    assert!(of(&said, "columns").concat().contains("page:VARCHAR"), "{said:?}");
    assert_eq!(of(&said, "previewed"), ["3"], "{said:?}");
    // Every grain that charts are drawn by.
    assert_eq!(of(&said, "grains"), [of(&said, "grain").len().to_string()], "{said:?}");
    assert_eq!(of(&said, "since"), ["TIMESTAMP True", "DATE True"], "{said:?}");
    assert_eq!(of(&said, "epoch"), ["True", "True"], "{said:?}");
    let denied = "druid error: Forbidden (Unknown): Missing permissions: READ DATASOURCE taxi";
    assert_eq!(of(&said, "denied"), [denied, denied], "{said:?}");
}

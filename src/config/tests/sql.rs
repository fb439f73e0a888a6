//! The section `[sql]`.

use super::operations::read;
use super::*;
use crate::druid::context::ContextKeys;
use crate::sql::{DruidSource, ExternalPermission, RefusalCode, read_by};

fn load(bench: &Bench, section: &str) -> Result<SqlSettings, Vec<String>> {
    bench.load(&format!("{GOOD}[sql]\n{section}")).map(|config| config.sql)
}

/// Whether a statement that reads this URI is taken.
fn reads(settings: &SqlSettings, uri: &str) -> Result<(), RefusalCode> {
    let sql = format!(r#"SELECT * FROM TABLE(EXTERN('{{"type":"http","uris":["{uri}"]}}', '{{}}'))"#);
    read_by(&settings.external, &sql, &[]).map(drop).map_err(|refusal| refusal.code)
}

#[test]
fn every_setting_is_read() {
    let bench = Bench::new();
    let settings = load(
        &bench,
        "external = \"by-type\"\nexternal_druid = \"require-read\"\n\
         external_destinations = [\"https://data.example/public/\", \"local:/srv/druid/in/\"]\n\
         query_context = \"authorize\"\nquery_context_free = [\"timeout\"]\nquery_context_secured = [\"maxNumTasks\"]\n",
    );
    let settings = settings.unwrap_or_else(|faults| panic!("{faults:?}"));
    assert_eq!(settings.external.permission, ExternalPermission::ByType);
    assert_eq!(settings.external.druid, DruidSource::RequireRead);
    assert_eq!(reads(&settings, "https://data.example/public/x"), Ok(()));
    assert_eq!(reads(&settings, "https://data.example/x"), Err(RefusalCode::ExternalNotListed));
    let set = |key: &str| std::collections::BTreeSet::from([key.to_owned()]);
    let expected = ContextKeys::Authorize { free: set("timeout"), secured: Some(set("maxNumTasks")) };
    assert_eq!(settings.context_keys, expected);
}

#[test]
fn what_is_left_out_of_it_has_its_default() {
    let bench = Bench::new();
    assert_eq!(load(&bench, ""), Ok(SqlSettings::default()));
    let words = "external = \"any-type\"\nexternal_druid = \"refuse\"\nquery_context = \"ignore\"\n";
    assert_eq!(load(&bench, words), Ok(SqlSettings::default()));
    // A list without entries is a list: nothing is read.
    let settings = load(&bench, "external_destinations = []").unwrap();
    assert_eq!(reads(&settings, "https://h/x"), Err(RefusalCode::ExternalNotListed));
    assert_eq!(reads(&SqlSettings::default(), "https://h/x"), Ok(()));
    assert_eq!(reads(&SqlSettings::default(), "http://127.0.0.1/x"), Err(RefusalCode::ExternalInnerAddress));
}

#[test]
fn every_fault_of_it_is_told_with_its_place() {
    let bench = Bench::new();
    let line = GOOD.lines().count() + 1;
    let faults = load(
        &bench,
        "external = \"by_type\"\nexternal_druid = true\nexternal_destinations = [\n  \"https://h/\",\n  \"h/x\",\n  \
         \"ftp://h/\",\n  7,\n]\nquery_context_free = [\"a\"]\nquery_context_secured = []\nsecond = 1\n",
    );
    let expected = [
        (1, 12, "`external` is `by_type`, expected any-type or by-type"),
        (2, 18, "`external_druid` is a boolean, expected a string"),
        (5, 3, "`external_destinations`: no scheme, such as `https:`"),
        (
            6,
            3,
            "`external_destinations`: a scheme that is none of http, https, s3, gs, azure, azureStorage, hdfs, local, delta, iceberg",
        ),
        (7, 3, "`an item of external_destinations` is an integer, expected a string"),
        (9, 1, "`query_context_free` without `query_context = \"authorize\"`"),
        (10, 1, "`query_context_secured` is empty, expected at least one key"),
        (10, 1, "`query_context_secured` without `query_context = \"authorize\"`"),
    ];
    let mut expected: Vec<String> =
        expected.iter().map(|(l, column, what)| format!("gate.toml:{}:{column}: {what}", line + l)).collect();
    let keys =
        "external, external_druid, external_destinations, query_context, query_context_free, query_context_secured";
    expected.push(format!("gate.toml:{}:1: unknown key `second` in [sql], expected one of: {keys}", line + 11));
    assert_eq!(faults.err().unwrap_or_default(), expected);
}

#[test]
fn the_environment_gives_it_too() {
    let bench = Bench::new();
    let environment = [
        ("MSQ_GATE__SQL__EXTERNAL", "by-type"),
        ("MSQ_GATE__SQL__EXTERNAL_DESTINATIONS", "[\"https://h/\"]"),
        ("MSQ_GATE__SQL__QUERY_CONTEXT", "authorize"),
    ];
    let text = format!("{GOOD}[sql]\nexternal_destinations = [\"https://other/\"]\n");
    let settings = read(&bench, &text, &environment).unwrap_or_else(|faults| panic!("{faults:?}")).sql;
    assert_eq!(settings.external.permission, ExternalPermission::ByType);
    assert_eq!(reads(&settings, "https://h/x"), Ok(()));
    assert_eq!(reads(&settings, "https://other/x"), Err(RefusalCode::ExternalNotListed));
    assert!(matches!(settings.context_keys, ContextKeys::Authorize { .. }));
    let faults = read(&bench, &text, &[("MSQ_GATE__SQL__EXTERNAL_DESTINATIONS", "[\"https://h/\", \"x\"]")]);
    let fault = "MSQ_GATE__SQL__EXTERNAL_DESTINATIONS: `external_destinations`: no scheme, such as `https:`";
    assert_eq!(faults.err().unwrap_or_default(), [fault]);
}

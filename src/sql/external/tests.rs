//! What EXTERN may read, spelling by spelling and setting by setting.

use super::*;
use crate::permission::ResourceAction;
use crate::sql::{Parameter, Reading, Refusal, read_by};

mod destinations;
mod spellings;

/// The rules with this list of destinations.
fn listing(entries: &[&str]) -> ExternalRules {
    let list = Destinations::parse(entries.iter().copied()).unwrap_or_else(|odd| panic!("{odd:?}"));
    ExternalRules { destinations: Some(list), ..ExternalRules::default() }
}

/// `ok`, or the code of the objection.
fn outcome<T>(judged: Judged<T>) -> &'static str {
    judged.map_or_else(|objection| objection.code.as_str(), |_| "ok")
}

fn source(rules: &ExternalRules, json: &str) -> &'static str {
    outcome(rules.input_source(json))
}

fn needs(rules: &ExternalRules, sql: &str) -> String {
    match read_by(rules, sql, &[]) {
        Ok(reading) => reading.resources.iter().map(ResourceAction::to_line).collect::<Vec<_>>().join(", "),
        Err(refusal) => refusal.code.as_str().to_owned(),
    }
}

fn extern_of(json: &str) -> String {
    format!("SELECT * FROM TABLE(EXTERN('{json}', '{{\"type\":\"json\"}}')) EXTEND (x VARCHAR)")
}

#[test]
fn a_druid_source_is_refused_unless_read_is_required_of_its_datasource() {
    let require = ExternalRules { druid: DruidSource::RequireRead, ..ExternalRules::default() };
    let druid =
        r#"{"type":"druid","dataSource":"wiki","interval":"2000/2001","filter":{"type":"selector","dimension":"x"}}"#;
    let nested = format!(r#"{{"type":"combining","delegates":[{{"type":"combining","delegates":[{druid}]}}]}}"#);
    for json in [druid, &nested] {
        assert_eq!(needs(&ExternalRules::default(), &extern_of(json)), "external_druid");
        assert_eq!(needs(&require, &extern_of(json)), "DATASOURCE|wiki|READ, EXTERNAL|EXTERNAL|READ");
    }
    for odd in [
        r#"{"type":"druid"}"#,
        r#"{"type":"druid","dataSource":""}"#,
        r#"{"type":"druid","dataSource":null}"#,
        r#"{"type":"druid","dataSource":["wiki"]}"#,
        r#"{"type":"druid","dataSource":"wiki","dataSource":"other"}"#,
    ] {
        assert_eq!(source(&require, odd), "external_json", "{odd}");
    }
    // Names of segments are for Druid's own tasks.
    assert_eq!(source(&require, r#"{"type":"druid","dataSource":"wiki","segments":[]}"#), "external_unknown_key");
    // Where no source can stand, none is taken; and a database never.
    assert_eq!(source(&require, r#"{"type":"iceberg","warehouseSource":{"type":"druid"}}"#), "external_druid");
    for rules in [ExternalRules::default(), require] {
        assert_eq!(source(&rules, r#"{"type":"sql","sqls":["SELECT 1"]}"#), "external_sql");
        let nested = r#"{"type":"combining","delegates":[{"type":"inline","data":"a"},{"type":"sql","sqls":[]}]}"#;
        assert_eq!(source(&rules, nested), "external_sql");
    }
}

#[test]
fn by_type_each_input_source_needs_its_own_permission() {
    let rules = ExternalRules { permission: ExternalPermission::ByType, ..ExternalRules::default() };
    let http = r#"{"type":"http","uris":["https://h/x"]}"#;
    let combining =
        format!(r#"{{"type":"combining","delegates":[{http},{{"type":"s3","uris":["s3://b/x"]}},{http}]}}"#);
    for (sql, expected) in [
        (extern_of(http), "EXTERNAL|http|READ"),
        (extern_of(&combining), "EXTERNAL|http|READ, EXTERNAL|s3|READ"),
        (extern_of(r#"{"type":"azureStorage"}"#), "EXTERNAL|azureStorage|READ"),
        ("SELECT * FROM TABLE(HTTP(uris => ARRAY['https://h/x']))".into(), "EXTERNAL|http|READ"),
        ("SELECT * FROM TABLE(INLINE(data => ARRAY['a']))".into(), "EXTERNAL|inline|READ"),
        ("SELECT * FROM LOCALFILES(files => ARRAY['a'])".into(), "EXTERNAL|local|READ"),
        ("SELECT * FROM a".into(), "DATASOURCE|a|READ"),
        ("INSERT INTO EXTERN(s3(bucket => 'b')) AS CSV SELECT 1".into(), "EXTERNAL|s3|WRITE"),
    ] {
        assert_eq!(needs(&rules, &sql), expected, "{sql}");
    }
    let export = "INSERT INTO EXTERN(s3(bucket => 'b')) AS CSV SELECT 1";
    assert_eq!(needs(&ExternalRules::default(), export), "EXTERNAL|s3|WRITE");
    assert_eq!(needs(&ExternalRules::default(), &extern_of(&combining)), "EXTERNAL|EXTERNAL|READ");
}

/// A key that no documentation names may be one that Jackson fills.
#[test]
fn keys_that_are_not_known_are_refused() {
    for json in [
        r#"{"type":"http","uris":["https://h/x"],"config":{}}"#,
        r#"{"type":"http","uris":["https://h/x"],"":{}}"#,
        r#"{"type":"http","URIs":["https://h/x"]}"#,
        r#"{"type":"local","files":["/x"],"uris":[]}"#,
        r#"{"type":"inline","data":"a","delegates":[]}"#,
        r#"{"type":"combining","delegates":[{"type":"inline","data":"a"}],"x":1}"#,
        r#"{"type":"s3","uris":[],"endpoint":"x"}"#,
        r#"{"type":"s3","endpointConfig":{"url":"s3.example","uri":"x"}}"#,
        r#"{"type":"s3","proxyConfig":{"host":"h","port":1,"x":1}}"#,
        r#"{"type":"s3","objects":[{"bucket":"b","path":"p","key":"x"}]}"#,
        r#"{"type":"google","endpointConfig":{"url":"x"}}"#,
        r#"{"type":"delta","tablePath":"/x","deltaSplit":{"files":[]}}"#,
        r#"{"type":"iceberg","icebergCatalog":{"type":"rest","uri":"x"}}"#,
    ] {
        assert_eq!(source(&ExternalRules::default(), json), "external_unknown_key", "{json}");
    }
}

#[test]
fn what_a_source_names_is_of_the_type_that_druid_takes() {
    for json in [
        r#"{"type":"http","uris":"https://h/x"}"#,
        r#"{"type":"http","uris":[1]}"#,
        r#"{"type":"http","uris":[null]}"#,
        r#"{"type":"http","uris":[["https://h/x"]]}"#,
        r#"{"type":"hdfs","paths":{"a":"b"}}"#,
        r#"{"type":"hdfs","paths":[1]}"#,
        r#"{"type":"local","baseDir":["/x"]}"#,
        r#"{"type":"local","files":"/x"}"#,
        r#"{"type":"s3","objects":[{"bucket":"b"}]}"#,
        r#"{"type":"s3","objects":[{"bucket":"b","path":1}]}"#,
        r#"{"type":"s3","endpointConfig":"http://127.0.0.1"}"#,
        r#"{"type":"s3","endpointConfig":{"url":["x"]}}"#,
        r#"{"type":"s3","proxyConfig":{"host":"h"}}"#,
        r#"{"type":"s3","proxyConfig":{"host":"h","port":"80"}}"#,
        r#"{"type":"iceberg","icebergCatalog":[]}"#,
        r#"{"type":"combining","delegates":{}}"#,
        r#"{"type":"combining","delegates":[]}"#,
        r#"{"type":"combining"}"#,
        r#"{"type":"combining","delegates":[{"type":"combining","delegates":[]}]}"#,
    ] {
        for rules in [ExternalRules::default(), listing(&["https://h/", "s3://b/", "iceberg:"])] {
            assert_eq!(source(&rules, json), "external_json", "{json}");
        }
    }
    // What is null is not there.
    let json = r#"{"type":"s3","uris":null,"prefixes":null,"objects":[],"endpointConfig":null,"proxyConfig":null}"#;
    assert_eq!(source(&ExternalRules::default(), json), "ok");
}

#[test]
fn a_refusal_names_its_place_its_setting_and_no_literal() {
    let point = |rules: &ExternalRules, sql: &str| -> Refusal { read_by(rules, sql, &[]).unwrap_err() };
    let sql = "SELECT *\nFROM TABLE(EXTERN('{\"type\":\"http\",\"uris\":[\"https://canary/x\",\"http://127.0.0.1/canary\"]}', '{}'))";
    let refusal = point(&ExternalRules::default(), sql);
    assert_eq!((refusal.at, refusal.line, refusal.column), (27, 2, 19));
    assert_eq!(
        refusal.message,
        "EXTERN may not read what item 2 of [uris] names: a loopback, link-local or metadata address, or a name for one; \
         use another place, or ask who runs the gate to list it in external_destinations of [sql]"
    );
    let refusal = point(&listing(&["https://canary/"]), sql);
    assert_eq!((refusal.code, refusal.line, refusal.column), (RefusalCode::ExternalNotListed, 2, 19));
    assert_eq!(
        refusal.message,
        "EXTERN may not read what item 2 of [uris] names: it is not among the external_destinations of [sql]; use one that is there, or ask who runs the gate"
    );
    let format = "SELECT * FROM TABLE(EXTERN('{\"type\":\"inline\",\"data\":\"a\"}', '{\"avroBytesDecoder\":{\"type\":\"schema_registry\",\"url\":\"http://[::1]\"}}'))";
    assert_eq!(point(&ExternalRules::default(), format).at, format.find("'{\"avro").unwrap());
    let function = "SELECT * FROM TABLE(HTTP(format => 'csv', uris => ARRAY['http://0.0.0.0/']))";
    assert_eq!(point(&ExternalRules::default(), function).at, function.find("ARRAY").unwrap());
}

/// The values of `?` are judged like literals.
#[test]
fn parameters_are_judged_by_their_values() {
    let read = |text: &str, sql: &str| -> Result<Reading, Refusal> {
        read_by(&ExternalRules::default(), sql, &[Parameter::Text(text.to_owned())])
    };
    let source = r#"{"type":"http","uris":["http://localhost/"]}"#;
    let code = |refusal: Result<Reading, Refusal>| refusal.unwrap_err().code;
    assert_eq!(code(read(source, "SELECT * FROM TABLE(EXTERN(?, '{}'))")), RefusalCode::ExternalInnerAddress);
    let sql = "SELECT * FROM TABLE(HTTP(uris => ARRAY[?]))";
    assert_eq!(code(read("http://localhost/", sql)), RefusalCode::ExternalInnerAddress);
    assert!(read("https://h/", sql).is_ok());
}

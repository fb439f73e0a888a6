//! What a reading says beside the permissions, and where a refusal points.

use crate::sql::{Parameter, SetValue, StatementKind, SystemSchema, read};

#[test]
fn the_kind_is_of_the_statement_inside_explain() {
    for (sql, kind, explain) in [
        ("SELECT 1", StatementKind::Select, false),
        ("VALUES (1)", StatementKind::Select, false),
        ("EXPLAIN PLAN FOR TABLE a", StatementKind::Select, true),
        ("DESCRIBE WITH a AS (SELECT 1) TABLE a", StatementKind::Select, true),
        ("INSERT INTO t SELECT 1", StatementKind::Insert, false),
        ("EXPLAIN PLAN FOR INSERT INTO EXTERN(s3()) AS CSV SELECT 1", StatementKind::Insert, true),
        ("SET a = 1; replace INTO t OVERWRITE ALL SELECT 1", StatementKind::Replace, false),
    ] {
        let reading = read(sql, &[]).unwrap();
        assert_eq!((reading.kind, reading.explain), (kind, explain), "{sql}");
    }
}

#[test]
fn set_statements_are_listed_in_order_by_the_first_part_of_their_names() {
    let sql = "SET a.b = 'it''s'; ALTER SYSTEM SET \"c d\" = -1.50;SET U&\"\\0065\"=true; SET f = NULL; SELECT 1";
    let options = read(sql, &[]).unwrap().set_options;
    let found: Vec<_> = options.iter().map(|option| (option.name.as_str(), option.value.clone(), option.at)).collect();
    assert_eq!(
        found,
        [
            ("a", SetValue::Text("it's".to_owned()), 4),
            ("c d", SetValue::Number("-1.50".to_owned()), 36),
            ("e", SetValue::Boolean(true), 54),
            ("f", SetValue::Other, 74),
        ]
    );
}

#[test]
fn system_tables_are_listed_as_written() {
    let reading = read("SELECT * FROM sys.segments, INFORMATION_SCHEMA.\"tables\", sys.segments, foo", &[]).unwrap();
    let found: Vec<_> = reading.system_tables.iter().map(|table| (table.schema, table.name.as_str())).collect();
    assert_eq!(found, [(SystemSchema::Sys, "segments"), (SystemSchema::InformationSchema, "tables")]);
    assert_eq!(reading.resources.len(), 1);
}

#[test]
fn input_sources_are_listed_by_type() {
    let sql = r#"SELECT * FROM TABLE(EXTERN('{"type":"combining","delegates":[{"type":"s3"},{"type":"hdfs"}]}', '{}')), HTTP(uris => ARRAY['https://h/x'])"#;
    let types = read(sql, &[]).unwrap().input_source_types;
    assert_eq!(types.iter().map(String::as_str).collect::<Vec<_>>(), ["hdfs", "http", "s3"]);
}

#[test]
fn parameters_are_counted_in_the_order_of_the_text() {
    let parameters = [Parameter::Other, Parameter::Text("b".to_owned()), Parameter::Text("c".to_owned())];
    let sql = "SELECT '?', \"?\", ? /* ? */ FROM TABLE(APPEND(?, ?)) -- ?";
    let resources = read(sql, &parameters).unwrap().resources;
    assert_eq!(resources.iter().map(|need| need.name.to_string()).collect::<Vec<_>>(), ["b", "c"]);
}

#[test]
fn a_refusal_points_at_the_place() {
    let refusal = read("SELECT 'é',\n  x FROM foo.bar", &[]).unwrap_err();
    assert_eq!((refusal.at, refusal.line, refusal.column), (22, 2, 10));
    let refusal = read("SELECT (1", &[]).unwrap_err();
    assert_eq!((refusal.at, refusal.line, refusal.column), (9, 1, 10));
}

//! The second reading alone: each place of a table, each rule of names; and the two beside one another.

use std::cell::Cell;

use sqlparser::parser::{Parser, ParserError};

use super::dialect::DruidDialect;
use super::{Found, Second, tokens};
use crate::permission::ResourceAction;
use crate::sql::{ExternalRules, Parameter, read_and_keep};

fn found(sql: &str) -> Found {
    let (_, query) =
        read_and_keep(&ExternalRules::default(), sql, &[]).unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
    match query.read(sql, &[]) {
        Second::Found(found) => found,
        other => panic!("{sql}: {other:?}"),
    }
}

fn check(sql: &str, expect: &str) {
    let found = found(sql);
    let mut lines: Vec<String> = found.resources.iter().map(ResourceAction::to_line).collect();
    lines.extend(found.system_tables.iter().map(|table| format!("{:?}.{}", table.schema, table.name)));
    let expect: Vec<String> =
        expect.split(' ').filter(|word| !word.is_empty()).map(|word| format!("DATASOURCE|{word}|READ")).collect();
    assert_eq!(lines, expect, "{sql}");
}

/// What is read that is not a datasource, in full.
fn check_words(sql: &str, expect: &[&str]) {
    let found = found(sql);
    let mut lines: Vec<String> = found.resources.iter().map(ResourceAction::to_line).collect();
    lines.extend(found.system_tables.iter().map(|table| format!("{:?}.{}", table.schema, table.name)));
    assert_eq!(lines, expect, "{sql}");
}

#[test]
fn tables_are_found_in_from() {
    check("SELECT 1 FROM a", "a");
    check("SELECT 1 FROM druid.a, \"b\" AS x, U&\"\\0063\" z (y)", "a b c");
    for join in ["JOIN b ON TRUE", "LEFT JOIN b USING (x)", "FULL OUTER JOIN b ON a.x = b.x", "CROSS JOIN b"] {
        check(&format!("SELECT 1 FROM a {join}"), "a b");
    }
    check("SELECT 1 FROM a NATURAL JOIN b, LATERAL (SELECT 1 FROM c) AS d", "a b c");
    check("SELECT 1 FROM (a JOIN b ON TRUE) JOIN (SELECT 1 FROM c) AS c ON TRUE", "a b c");
    check("SELECT 1 FROM (SELECT * FROM (SELECT * FROM a) x) y", "a");
    check("SELECT 1 FROM a JOIN b ON a.x = (SELECT MAX(y) FROM c)", "a b c");
    check("SELECT 1 FROM a CROSS APPLY b", "a b");
    check("SELECT 1 FROM a FOR SYSTEM_TIME AS OF TIMESTAMP '2020-01-01 00:00:00', b TABLESAMPLE BERNOULLI(10)", "a b");
    check("SELECT 1 FROM a PIVOT (SUM(x) FOR y IN (1, 2)), b UNPIVOT (v FOR k IN (x, y))", "a b");
    check("SELECT * FROM a MATCH_RECOGNIZE (ORDER BY x PATTERN (s t+) DEFINE t AS t.x > PREV(t.x)) AS m, b", "a b");
    check("SELECT 1 FROM (VALUES (1)) AS t (x), UNNEST(SELECT y FROM a) AS u (y)", "a");
}

/// A table within a sub-query, wherever an expression is allowed.
#[test]
fn tables_are_found_in_expressions() {
    let queries =
        ["(SELECT MAX(y) FROM b)", "(TABLE b)", "(b LIMIT 1)", "(druid.b OFFSET 1)", "(b FETCH FIRST 1 ROWS ONLY)"];
    let places = [
        "SELECT ? FROM a",
        "SELECT x + ? AS y FROM a",
        "SELECT f(1, ?) FROM a",
        "SELECT x FROM a WHERE x = ?",
        "SELECT x FROM a WHERE x IN ?",
        "SELECT x FROM a WHERE NOT EXISTS ?",
        "SELECT x FROM a WHERE x > ALL ?",
        "SELECT x FROM a WHERE x BETWEEN 1 AND ?",
        "SELECT x FROM a WHERE x LIKE ? ESCAPE '!'",
        "SELECT x FROM a WHERE x IS NOT DISTINCT FROM ?",
        "SELECT x FROM a WHERE x MEMBER OF ?",
        "SELECT x FROM a GROUP BY ?",
        "SELECT x FROM a GROUP BY GROUPING SETS ((x), (?))",
        "SELECT x FROM a GROUP BY x HAVING COUNT(*) > ?",
        "SELECT x FROM a QUALIFY ROW_NUMBER() OVER (ORDER BY ?) = 1",
        "SELECT x FROM a WINDOW w AS (PARTITION BY ?)",
        "SELECT x FROM a ORDER BY ?",
        "SELECT SUM(x) FILTER (WHERE y > ?) FROM a",
        "SELECT LISTAGG(x) WITHIN GROUP (ORDER BY ?) FROM a",
        "SELECT SUM(x) OVER (PARTITION BY y ORDER BY ? ROWS 1 PRECEDING) FROM a",
        "SELECT ARRAY_AGG(x ORDER BY ?) FROM a",
        "SELECT CASE ? WHEN 1 THEN 2 END FROM a",
        "SELECT CASE WHEN x THEN 1 ELSE ? END FROM a",
        "SELECT CAST(? AS VARCHAR(10)) FROM a",
        "SELECT TRIM(BOTH 'x' FROM ?) FROM a",
        "SELECT EXTRACT(DAY FROM ?) FROM a",
        "SELECT FLOOR(? TO MONTH) FROM a",
        "SELECT POSITION('x' IN ?) FROM a",
        "SELECT SUBSTRING(x FROM ? FOR 2) FROM a",
        "SELECT JSON_VALUE(x, '$.y' RETURNING BIGINT DEFAULT ? ON ERROR) FROM a",
        "SELECT JSON_OBJECT(KEY 'k' VALUE ? NULL ON NULL) FROM a",
        "SELECT ARRAY[1, ?] FROM a",
        "SELECT MAP['k', ?] FROM a",
        "SELECT ROW(1, ?) FROM a",
        "SELECT x[?] FROM a",
        "SELECT f(y -> ?) FROM a",
        "SELECT f(p => ?) FROM a",
        "SELECT {fn f(?)} FROM a",
        "SELECT x FROM a UNION ALL VALUES (?)",
        "SELECT 1 FROM (VALUES (?)) AS t (x), a",
        "INSERT INTO t SELECT x FROM a PARTITIONED BY ALL CLUSTERED BY ?",
        "REPLACE INTO t OVERWRITE ALL SELECT x FROM a LIMIT 5 PARTITIONED BY DAY CLUSTERED BY x, ?",
    ];
    for place in places {
        for query in queries {
            check(&place.replace('?', query), "a b");
        }
    }
}

#[test]
fn tables_are_found_as_arguments() {
    for argument in ["SELECT y FROM b", "TABLE b", "b LIMIT 1", "DISTINCT b LIMIT 1", "1, b LIMIT 1", "p => b LIMIT 1"]
    {
        check(&format!("SELECT f({argument}) FROM a"), "a b");
    }
    check("SELECT f(TABLE b PARTITION BY x ORDER BY y) FROM a", "a b");
    for call in
        ["ARRAY(SELECT y FROM b)", "MULTISET(SELECT y FROM b)", "CURSOR(SELECT y FROM b)", "MAP(SELECT 1, y FROM b)"]
    {
        check(&format!("SELECT {call} FROM a"), "a b");
    }
    check("SELECT x MULTISET UNION ALL MULTISET(SELECT y FROM b) FROM a", "a b");
    check("VALUES (a LIMIT 1)", "a");
}

#[test]
fn tables_are_found_as_operands() {
    check("TABLE a", "a");
    check("TABLE a UNION (TABLE b) EXCEPT SELECT * FROM c", "a b c");
    check("SELECT 1 FROM a INTERSECT SELECT 1 FROM b UNION ALL (SELECT 1 FROM c ORDER BY 1)", "a b c");
    check("SELECT ((SELECT 1 FROM a) UNION (TABLE b) ORDER BY (SELECT 1 FROM c))", "a b c");
    check("((TABLE a))", "a");
}

/// Calcite: `WithScope`.
#[test]
fn names_of_with_hide_tables_where_they_are_seen() {
    check("WITH x AS (SELECT * FROM a) SELECT * FROM x", "a");
    check("WITH x AS (SELECT * FROM x) SELECT * FROM x", "x");
    check("WITH x AS (SELECT * FROM a), y AS (SELECT * FROM x) SELECT * FROM y", "a");
    check("WITH x AS (SELECT * FROM y), y AS (SELECT * FROM a) SELECT * FROM x, y", "a y");
    check("WITH x AS (SELECT 1) SELECT * FROM X, druid.x, U&\"\\0078\"", "X x");
    check("(WITH x AS (SELECT 1) SELECT * FROM x) UNION ALL SELECT * FROM x", "x");
    check("SELECT * FROM a x, x", "a x");
    check("WITH x AS (SELECT 1) SELECT * FROM a ORDER BY (SELECT 1 FROM x)", "a");
    check("WITH x AS (SELECT 1) SELECT 1 FROM a UNION SELECT 2 ORDER BY (SELECT 1 FROM x)", "a x");
    check("WITH x AS (SELECT 1) VALUES (1) ORDER BY (x LIMIT 1)", "x");
    check("WITH x AS (SELECT 1) TABLE a ORDER BY (x LIMIT 1)", "a");
    check("WITH x AS (SELECT 1) SELECT * FROM TABLE(APPEND('x'))", "x");
    check("INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x PARTITIONED BY ALL CLUSTERED BY (x LIMIT 1)", "");
    check(
        "INSERT INTO t WITH x AS (SELECT 1) SELECT 1 UNION ALL TABLE x PARTITIONED BY ALL CLUSTERED BY (x LIMIT 1)",
        "x",
    );
}

#[test]
fn schemas_say_what_a_name_is() {
    check_words("SELECT * FROM view.v, lookup.l, a", &["DATASOURCE|a|READ", "VIEW|v|READ"]);
    check_words("SELECT * FROM sys.tasks, INFORMATION_SCHEMA.TABLES", &["Sys.tasks", "InformationSchema.TABLES"]);
    check_words("SELECT LOOKUP(x, 'l') FROM \"a.b\"", &["DATASOURCE|a.b|READ"]);
}

#[test]
fn table_functions_are_found_wherever_they_stand() {
    let external = &["EXTERNAL|EXTERNAL|READ"];
    let arguments = r#"('{"type":"inline","data":"a"}', '{"type":"csv"}')"#;
    for call in [
        "TABLE(EXTERN?) EXTEND (x BIGINT, y VARCHAR ARRAY)",
        "TABLE(\"extern\"?) (x BIGINT)",
        "LATERAL TABLE(U&\"\\0065xtern\"?)",
    ] {
        check_words(&format!("SELECT * FROM {}", call.replace('?', arguments)), external);
    }
    check_words(&format!("SELECT * FROM EXTERN{arguments}"), external);
    for call in ["HTTP(uris => ARRAY['http://x/'])", "INLINE(data => 'a')", "LOCALFILES(files => ARRAY['/a'])"] {
        check_words(&format!("SELECT * FROM TABLE({call}) (x BIGINT)"), external);
    }
    check("SELECT * FROM TABLE(APPEND('a', U&'\\0062', _utf8'c', ('d'), 'e'\n'f'))", "a b c d ef");
    check("SELECT * FROM append(tableName1 => 'a''x', tableName2 => 'b'\n'c')", "a'x bc");
}

#[test]
fn parameters_have_their_values() {
    let sql = "SELECT ? FROM TABLE(APPEND(?, ?)) WHERE x > ?";
    let parameters = ["x", "a", "b"].map(|text| Parameter::Text(text.to_owned()));
    let (first, query) = read_and_keep(&ExternalRules::default(), sql, &parameters).unwrap();
    let Second::Found(found) = query.read(sql, &parameters) else { panic!("not parsed") };
    assert_eq!(found.resources, first.resources);
    assert_eq!(found.resources.len(), 2);
}

#[test]
fn targets_and_settings_are_the_first_reading_s() {
    check("SET a = 'b'; INSERT INTO t (x) SELECT x FROM a PARTITIONED BY TIME_FLOOR(__time, 'P1D')", "a");
    check("EXPLAIN PLAN FOR REPLACE INTO t OVERWRITE WHERE x = 1 SELECT * FROM a PARTITIONED BY ALL;", "a");
    check("INSERT INTO EXTERN(s3(bucket => 'b')) AS CSV SELECT * FROM a", "a");
    check("DESCRIBE SELECT * FROM a;;", "a");
}

/// `sqlparser` has been found to take a time that doubles with each level of some statements.
#[test]
fn no_expression_begins_after_the_last_step() {
    let sql = "SELECT f(1), 2, (3), 4 FROM a";
    let (_, query) = read_and_keep(&ExternalRules::default(), sql, &[]).unwrap();
    let parsed = |steps: usize| {
        let converted = tokens::convert(sql, &query.tokens, 0, &[]).unwrap();
        let dialect = DruidDialect { queries: converted.queries, steps_left: Cell::new(steps) };
        Parser::new(&dialect).with_tokens_with_locations(converted.tokens).parse_query().map(drop)
    };
    assert_eq!(parsed(6), Ok(()));
    for steps in 0..6 {
        assert_eq!(parsed(steps), Err(ParserError::RecursionLimitExceeded), "{steps}");
    }
}

/// What a first reading with a defect would not tell.
#[test]
fn what_the_first_lacks_is_seen() {
    let (first, query) = read_and_keep(&ExternalRules::default(), "SELECT * FROM a, sys.tasks", &[]).unwrap();
    let Second::Found(found) = query.read("SELECT * FROM a, sys.tasks", &[]) else { panic!("not parsed") };
    assert!(found.is_within(&first));
    let (mut lacking, whole) = (first.clone(), first.resources.clone());
    lacking.resources.clear();
    assert!(!found.is_within(&lacking));
    lacking.resources = whole;
    lacking.system_tables.clear();
    assert!(!found.is_within(&lacking));
}

/// Druid's names for what EXTERN needs are by type where it is told so.
#[test]
fn what_extern_needs_may_have_another_name() {
    use crate::permission::{Action, ResourceType};
    let sql = r#"SELECT * FROM TABLE(EXTERN('{"type":"http","uris":[]}', '{"type":"csv"}')) (x BIGINT)"#;
    let (mut first, query) = read_and_keep(&ExternalRules::default(), sql, &[]).unwrap();
    let Second::Found(found) = query.read(sql, &[]) else { panic!("not parsed") };
    first.resources = [ResourceAction::new(Action::Read, ResourceType::External, "http")].into();
    assert!(found.is_within(&first));
    first.resources = [ResourceAction::new(Action::Write, ResourceType::External, "http")].into();
    assert!(!found.is_within(&first));
}

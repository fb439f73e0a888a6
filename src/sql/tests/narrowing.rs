//! Statements with system tables, narrowed.

use super::messages::check as check_message;
use crate::sql::{ExternalRules, MAX_TERMS, RefusalCode, Visible, narrow, read};

/// What becomes of `sql` for who may READ the datasource `a`; `[tasks]` is short for a condition with its limit.
fn narrowed(sql: &str) -> Result<String, RefusalCode> {
    let visible = Visible { datasources: vec!["a"], views: Vec::new() };
    let reading = read(sql, &[]).map_err(|refusal| refusal.code)?;
    let narrowed = narrow(&ExternalRules::default(), sql, &[], &reading, &visible).map_err(|refusal| refusal.code)?;
    let mut text = narrowed.unwrap_or_else(|| sql.to_owned());
    for table in ["tasks", "segments"] {
        let column = format!(r#""{table}"."datasource""#);
        text = text.replace(&format!("({column} = 'a') LIMIT 2147483647"), &format!("[{table}]"));
        for nth in 1..4 {
            let condition = format!("({column} = 'a' AND {column} NOT LIKE '/{nth}') LIMIT 2147483647");
            text = text.replace(&condition, &format!("[{table} {nth}]"));
        }
    }
    Ok(text)
}

fn check(sql: &str, expected: &str) {
    assert_eq!(narrowed(sql).as_deref(), Ok(expected), "{sql}");
}

#[test]
fn tables_are_narrowed_wherever_they_stand() {
    for (sql, expected) in [
        ("SELECT * FROM sys.tasks", r#"SELECT * FROM (SELECT * FROM sys.tasks WHERE [tasks]) AS "tasks""#),
        ("SELECT * FROM sys.tasks t", "SELECT * FROM (SELECT * FROM sys.tasks WHERE [tasks]) t"),
        ("SELECT * FROM sys.tasks AS t (a, b)", "SELECT * FROM (SELECT * FROM sys.tasks WHERE [tasks]) AS t (a, b)"),
        (
            "SELECT * FROM sys.tasks, sys.segments WHERE x",
            r#"SELECT * FROM (SELECT * FROM sys.tasks WHERE [tasks]) AS "tasks", (SELECT * FROM sys.segments WHERE [segments 1]) AS "segments" WHERE x"#,
        ),
        (
            "SELECT 1 FROM sys.tasks JOIN sys.segments s ON TRUE",
            r#"SELECT 1 FROM (SELECT * FROM sys.tasks WHERE [tasks]) AS "tasks" JOIN (SELECT * FROM sys.segments WHERE [segments 1]) s ON TRUE"#,
        ),
        (
            "SELECT 1 FROM (sys.tasks CROSS JOIN wiki)",
            r#"SELECT 1 FROM ((SELECT * FROM sys.tasks WHERE [tasks]) AS "tasks" CROSS JOIN wiki)"#,
        ),
        (
            "SELECT 1 FROM sys.tasks TABLESAMPLE BERNOULLI(50)",
            r#"SELECT 1 FROM (SELECT * FROM sys.tasks WHERE [tasks]) AS "tasks" TABLESAMPLE BERNOULLI(50)"#,
        ),
        ("TABLE sys.tasks", r#"SELECT * FROM (SELECT * FROM sys.tasks WHERE [tasks]) AS "tasks" WHERE TRUE"#),
        (
            "TABLE/*t*/sys.tasks ORDER BY 1 LIMIT 2;",
            r#"SELECT * FROM/*t*/(SELECT * FROM sys.tasks WHERE [tasks]) AS "tasks" WHERE TRUE ORDER BY 1 LIMIT 2;"#,
        ),
        (
            "SELECT x IN (TABLE sys.tasks) FROM (TABLE sys.tasks) AS u",
            r#"SELECT x IN (SELECT * FROM (SELECT * FROM sys.tasks WHERE [tasks]) AS "tasks" WHERE TRUE) FROM (SELECT * FROM (SELECT * FROM sys.tasks WHERE [tasks 1]) AS "tasks" WHERE TRUE) AS u"#,
        ),
        (
            "SELECT 1 UNION ALL TABLE sys.tasks UNION ALL (sys.tasks LIMIT ALL)",
            r#"SELECT 1 UNION ALL SELECT * FROM (SELECT * FROM sys.tasks WHERE [tasks]) AS "tasks" WHERE TRUE UNION ALL (SELECT * FROM (SELECT * FROM sys.tasks WHERE [tasks 1]) AS "tasks" LIMIT ALL)"#,
        ),
        (
            "SELECT f(TABLE sys.tasks, sys.x) FROM wiki",
            r#"SELECT f(SELECT * FROM (SELECT * FROM sys.tasks WHERE [tasks]) AS "tasks" WHERE TRUE, sys.x) FROM wiki"#,
        ),
        (
            r#"SELECT 1 FROM "sys" /* c */ . -- d
 U&"\0074asks" WHERE 1 IN (SELECT 2 FROM"sys"."tasks")"#,
            r#"SELECT 1 FROM (SELECT * FROM "sys" /* c */ . -- d
 U&"\0074asks" WHERE [tasks]) AS "tasks" WHERE 1 IN (SELECT 2 FROM(SELECT * FROM "sys"."tasks" WHERE [tasks 1]) AS "tasks")"#,
        ),
        (
            "WITH sys AS (SELECT 1), tasks AS (SELECT * FROM sys) SELECT * FROM sys.tasks, tasks",
            r#"WITH sys AS (SELECT 1), tasks AS (SELECT * FROM sys) SELECT * FROM (SELECT * FROM sys.tasks WHERE [tasks]) AS "tasks", tasks"#,
        ),
        (
            "EXPLAIN PLAN FOR INSERT INTO t SELECT * FROM sys.tasks PARTITIONED BY ALL",
            r#"EXPLAIN PLAN FOR INSERT INTO t SELECT * FROM (SELECT * FROM sys.tasks WHERE [tasks]) AS "tasks" PARTITIONED BY ALL"#,
        ),
        (
            "SELECT * FROM sys.server_segments",
            r#"SELECT * FROM (SELECT * FROM sys.server_segments WHERE ("server_segments"."segment_id" IN (SELECT "segments"."segment_id" FROM sys.segments WHERE ("segments"."datasource" = 'a'))) LIMIT 2147483647) AS "server_segments""#,
        ),
        ("SELECT * FROM sys.servers", "SELECT * FROM sys.servers"),
        ("SELECT * FROM INFORMATION_SCHEMA.SCHEMATA s", "SELECT * FROM INFORMATION_SCHEMA.SCHEMATA s"),
        ("SELECT 'sys.tasks' FROM wiki -- sys.tasks", "SELECT 'sys.tasks' FROM wiki -- sys.tasks"),
    ] {
        check(sql, expected);
    }
}

#[test]
fn columns_of_three_parts_lose_the_schema() {
    let from = r#"FROM (SELECT * FROM sys.tasks WHERE [tasks]) AS "tasks""#;
    for (columns, expected) in [
        ("sys.tasks.datasource", "  tasks.datasource"),
        ("sys.tasks.*", "  tasks.*"),
        (r#""sys"."tasks"."datasource""#, r#"  "tasks"."datasource""#),
        (r#"U&"\0073ys".tasks.datasource"#, "  tasks.datasource"),
        ("f(sys.tasks.datasource) + sys.tasks.x", "f(  tasks.datasource) +   tasks.x"),
        ("1/sys./*c*/tasks.x", "1/  /*c*/tasks.x"),
        ("tasks.datasource, sys.tasks, x.sys.tasks.y", "tasks.datasource, sys.tasks, x.sys.tasks.y"),
        ("SYS.tasks.x, sys.TASKS.x", "SYS.tasks.x, sys.TASKS.x"),
        ("sys.segments.x, sys.servers.x", "sys.segments.x, sys.servers.x"),
    ] {
        check(&format!("SELECT {columns} FROM sys.tasks"), &format!("SELECT {expected} {from}"));
    }
    check(
        "SELECT INFORMATION_SCHEMA.SCHEMATA.X FROM INFORMATION_SCHEMA.SCHEMATA",
        "SELECT INFORMATION_SCHEMA.SCHEMATA.X FROM INFORMATION_SCHEMA.SCHEMATA",
    );
    check("SET sys.tasks.x = 1; TABLE sys.tasks", &format!("SET sys.tasks.x = 1; SELECT * {from} WHERE TRUE"));
}

#[test]
fn all_of_it_needs_no_narrowing() {
    let reading = read("SELECT * FROM sys.tasks, sys.server_segments, INFORMATION_SCHEMA.TABLES", &[]).unwrap();
    let all = Visible { datasources: vec!["*"], views: vec!["*"] };
    assert_eq!(narrow(&ExternalRules::default(), "", &[], &reading, &all), Ok(None));
}

#[test]
fn conditions_have_their_bound() {
    let names: Vec<String> = (0..MAX_TERMS).map(|n| format!("t{n}_*")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let code = |sql: &str, datasources: &[&str]| {
        let visible = Visible { datasources: datasources.to_vec(), views: Vec::new() };
        narrow(&ExternalRules::default(), sql, &[], &read(sql, &[]).unwrap(), &visible).err().map(|refusal| {
            check_message(&refusal);
            refusal.code
        })
    };
    let once = "SELECT * FROM sys.tasks";
    assert_eq!(code(once, &names), None);
    assert_eq!(code(once, &[&names[..], &["more"]].concat()), Some(RefusalCode::TooManyGrants));
    assert_eq!(code("SELECT * FROM sys.tasks, sys.segments", &names), Some(RefusalCode::TooManyGrants));
    let many = format!("{once}{}", ", sys.tasks".repeat(MAX_TERMS - 1));
    assert_eq!(code(&many, &[]), None);
    assert_eq!(code(&format!("{many}, sys.tasks"), &[]), Some(RefusalCode::TooManyGrants));
}

/// A text that says something else once it is narrowed is refused: here of another text than was judged.
#[test]
fn what_was_judged_is_what_is_left() {
    let visible = Visible::default();
    let judged = read("SELECT * FROM sys.tasks -- x", &[]).unwrap();
    for other in ["SELECT * FROM sys.tasks, secret", "SELECT * FROM sys.tasks, sys.tasks", "SELECT 1 AS tttttttttttttt"]
    {
        let refused = narrow(&ExternalRules::default(), other, &[], &judged, &visible).unwrap_err();
        check_message(&refused);
        assert!(matches!(refused.code, RefusalCode::NotNarrowed | RefusalCode::Syntax), "{other}: {refused:?}");
    }
}

/// Each datasource of the corpus in turn becomes a system table: whatever the place, that can be narrowed.
#[test]
fn every_statement_of_the_corpus_can_be_narrowed() {
    let visible = Visible { datasources: vec!["a", "w*"], views: Vec::new() };
    let mut count = 0;
    for case in super::FILES.iter().flat_map(|(_, file)| super::cases(file)) {
        let Ok(reading) = read(&case.sql, &case.parameters) else { continue };
        let names = reading.resources.iter().map(|resource| resource.name.to_string());
        for name in names.collect::<std::collections::BTreeSet<_>>() {
            let made = over_system_table(&case.sql, &name);
            let Ok(reading) = read(&made, &case.parameters) else { continue };
            if reading.system_places.is_empty() {
                continue;
            }
            let narrowed = narrow(&ExternalRules::default(), &made, &case.parameters, &reading, &visible);
            let narrowed = narrowed.unwrap_or_else(|refusal| panic!("{made}: {refusal:?}")).expect("narrowed");
            let again = read(&narrowed, &case.parameters).expect("read again");
            assert_eq!(again.system_places.len(), reading.system_places.len(), "{made}: {narrowed}");
            assert!(
                again.system_places.iter().all(|place| narrowed
                    .get(..place.start)
                    .is_some_and(|before| before.trim_end().ends_with("SELECT * FROM"))),
                "{narrowed}"
            );
            count += 1;
        }
    }
    assert!(count > 200, "{count}");
}

/// The text with `sys.tasks` in place of each word of this name, with `druid.` before it or without.
fn over_system_table(sql: &str, name: &str) -> String {
    let tokens = super::lexer::lex(sql).expect("tokens");
    let image = |at: usize| tokens.get(at).and_then(|token| sql.get(token.start()..token.end(sql))).unwrap_or_default();
    let mut made = sql.to_owned();
    for at in (0..tokens.len()).rev().filter(|at| image(*at) == name) {
        let qualified = at >= 2 && image(at - 1) == "." && image(at - 2) == "druid";
        let start = tokens[if qualified { at - 2 } else { at }].start();
        if at == 0 || image(at - 1) != "." || qualified {
            made.replace_range(start..tokens[at].end(sql), "sys.tasks");
        }
    }
    made
}

//! The permissions of each type of input source, beside Druid's planners with `druid.auth.enableInputSourceSecurity`.

use msq_gate::permission::ResourceAction;
use msq_gate::sql::{self, ExternalPermission, ExternalRules};

use crate::figures::{Statement, ask_both_where};

const HTTP: &str = r#"{"type":"http","uris":["https://files.example/x"]}"#;
const LOCAL: &str = r#"{"type":"local","files":["/x"]}"#;

fn statements() -> Vec<Statement> {
    let combining = format!(r#"{{"type":"combining","delegates":[{HTTP},{LOCAL},{HTTP}]}}"#);
    let nested = format!(r#"{{"type":"combining","delegates":[{{"type":"combining","delegates":[{LOCAL}]}},{HTTP}]}}"#);
    let inline = r#"{"type":"inline","data":"a"}"#;
    let mut texts = Vec::new();
    for source in [HTTP, LOCAL, inline, &combining, &nested] {
        let signature = r#"'[{"name":"x","type":"string"}]'"#;
        texts.push(format!(r#"SELECT x FROM TABLE(EXTERN('{source}', '{{"type":"json"}}', {signature}))"#));
        let extended = format!(r#"TABLE(EXTERN('{source}', '{{"type":"json"}}')) EXTEND (x VARCHAR)"#);
        texts.push(format!("SELECT x FROM {extended}"));
        texts.push(format!("INSERT INTO t SELECT x FROM {extended} PARTITIONED BY ALL"));
        texts.push(format!("SELECT e.x FROM {extended} AS e JOIN wiki ON e.x = wiki.page"));
        let named = format!(r#"inputSource => '{source}', inputFormat => '{{"type":"json"}}'"#);
        texts.push(format!("SELECT x FROM TABLE(EXTERN({named})) EXTEND (x VARCHAR)"));
    }
    texts.into_iter().map(Statement::from).collect()
}

#[test]
fn types_need_what_both_planners_ask_for() {
    let rules = ExternalRules { permission: ExternalPermission::ByType, ..ExternalRules::default() };
    let statements = statements();
    for answers in ask_both_where(&statements, true) {
        for (statement, answer) in statements.iter().zip(answers) {
            assert!(answer.accepted, "{}: {}", statement.sql, answer.error);
            let reading =
                sql::read_by(&rules, &statement.sql, &[]).unwrap_or_else(|e| panic!("{}: {e}", statement.sql));
            let lines = reading.resources.iter().map(ResourceAction::to_line).collect();
            assert_eq!(answer.resources, lines, "{}", statement.sql);
        }
    }
}

//! Conditions of SQL that hold for the rows of a system table which somebody may see.

use super::system::{Rows, SystemSchema, SystemTable};

/// Conditions that one statement may hold. Druid 27 plans 1,000 LIKE in a moment, and overflows its stack at 3,000.
pub const MAX_TERMS: usize = 500;

/// What somebody may READ, in names where `*` is any run of characters; a lone `*` is everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visible<'a> {
    /// The datasources.
    pub datasources: Vec<&'a str>,
    /// The views.
    pub views: Vec<&'a str>,
}

/// A condition in parentheses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub text: String,
    /// How many names it is made of.
    pub terms: usize,
    /// Where in it `sys.segments` stands, if it does.
    pub segments_at: Option<usize>,
}

/// `sys.segments`, of which the gate knows the place.
const SEGMENTS: &str = "sys.segments";

/// The condition for the rows of `table` that are visible, at the `nth` place of a statement; none where all are.
///
/// No two places of a statement get one condition: Druid 27 fails where two parts of a plan, a filtered table each, are
/// the same (`Got a sink null`). No name of Druid's has a slash.
pub(super) fn of(table: &SystemTable, visible: &Visible<'_>, nth: usize) -> Option<Condition> {
    let name = table.name.as_str();
    match table.rows() {
        // Who lacks STATE, or what an unknown table needs, is denied the whole statement.
        Rows::All | Rows::OfState | Rows::Unknown => None,
        Rows::OfDatasources(column) => {
            let column = column_of(name, column);
            let names = names(&column, &visible.datasources)?;
            let text = apart(&names, &column, nth);
            Some(Condition { text, terms: visible.datasources.len(), segments_at: None })
        }
        Rows::OfSegments => {
            let segments = SystemTable { schema: SystemSchema::Sys, name: "segments".to_owned() };
            let inner = of(&segments, visible, nth)?;
            let before = format!(r#"({} IN (SELECT "segments"."segment_id" FROM "#, column_of(name, "segment_id"));
            let text = format!("{before}{SEGMENTS} WHERE {}))", inner.text);
            Some(Condition { text, terms: inner.terms, segments_at: Some(before.len()) })
        }
        Rows::OfTables => of_tables(name, visible, nth),
    }
}

/// Druid: `InformationSchema`. Of schemas that it has not, nothing is shown.
fn of_tables(name: &str, visible: &Visible<'_>, nth: usize) -> Option<Condition> {
    let (schema, table) = (column_of(name, "TABLE_SCHEMA"), column_of(name, "TABLE_NAME"));
    let datasources = names(&table, &visible.datasources);
    let views = names(&table, &visible.views);
    if datasources.is_none() && views.is_none() {
        return None;
    }
    let mut terms: Vec<String> =
        ["lookup", "sys", "INFORMATION_SCHEMA"].map(|own| format!("{schema} = '{own}'")).into();
    for (own, names) in [("druid", datasources), ("view", views)] {
        terms.push(match names {
            None => format!("{schema} = '{own}'"),
            Some(names) => format!("({schema} = '{own}' AND {names})"),
        });
    }
    let text = apart(&any_of(&terms), &schema, nth);
    Some(Condition { text, terms: visible.datasources.len() + visible.views.len(), segments_at: None })
}

fn apart(condition: &str, column: &str, nth: usize) -> String {
    if nth == 0 { format!("({condition})") } else { format!("({condition} AND {column} NOT LIKE '/{nth}')") }
}

/// A column by its table, so that no column around the query can be meant.
fn column_of(table: &str, column: &str) -> String {
    format!(r#""{table}"."{column}""#)
}

/// That the column holds a name which one of the patterns covers; nothing where each name is covered.
fn names(column: &str, patterns: &[&str]) -> Option<String> {
    if patterns.contains(&"*") {
        return None;
    }
    if patterns.is_empty() {
        // No name is empty. A plain FALSE is worse: Druid 27 overflows its stack at ORDER BY over it, and counts a 0 where
        // it has no row for who sees nothing.
        return Some(format!("{column} = ''"));
    }
    let terms: Vec<String> = patterns.iter().map(|pattern| term(column, pattern)).collect();
    Some(any_of(&terms))
}

fn term(column: &str, pattern: &str) -> String {
    if !pattern.contains('*') {
        return format!("{column} = '{}'", pattern.replace('\'', "''"));
    }
    let mut like = String::with_capacity(pattern.len() + 8);
    for c in pattern.chars() {
        match c {
            '*' => like.push('%'),
            '%' | '_' | '\\' => like.extend(['\\', c]),
            '\'' => like.push_str("''"),
            other => like.push(other),
        }
    }
    format!("{column} LIKE '{like}' ESCAPE '\\'")
}

/// The terms, one at least, with OR between them as a balanced tree: Druid's planner descends into it once for each level.
fn any_of(terms: &[String]) -> String {
    if let [one] = terms {
        return one.clone();
    }
    let (left, right) = terms.split_at(terms.len() / 2);
    format!("({} OR {})", any_of(left), any_of(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(table: &str, datasources: &[&str], views: &[&str], expected: Option<&str>) {
        let schema = if table == "TABLES" { SystemSchema::InformationSchema } else { SystemSchema::Sys };
        let table = SystemTable { schema, name: table.to_owned() };
        let visible = Visible { datasources: datasources.to_vec(), views: views.to_vec() };
        let found = of(&table, &visible, 0);
        assert_eq!(found.as_ref().map(|condition| condition.text.as_str()), expected);
        if let Some(Condition { text, segments_at: Some(at), .. }) = found {
            assert!(text.get(at..).is_some_and(|rest| rest.starts_with("sys.segments ")), "{text}");
        }
    }

    #[test]
    fn conditions_are_as_the_grants() {
        let column = r#""tasks"."datasource""#;
        check("tasks", &["*"], &[], None);
        check("tasks", &[], &["*"], Some(&format!("({column} = '')")));
        check("tasks", &["wiki"], &[], Some(&format!("({column} = 'wiki')")));
        check("tasks", &["it's %_\\é"], &[], Some(&format!("({column} = 'it''s %_\\é')")));
        check("tasks", &["a*%_\\'é*"], &[], Some(&format!("({column} LIKE 'a%\\%\\_\\\\''é%' ESCAPE '\\')")));
        let three = format!("(({column} = 'a' OR ({column} = 'b' OR {column} = 'c')))");
        check("tasks", &["a", "b", "c"], &[], Some(&three));
        check("supervisors", &["a"], &[], Some(r#"("supervisors"."supervisor_id" = 'a')"#));
        check("servers", &[], &[], None);
        check("queries", &[], &[], None);
        let tasks = SystemTable { schema: SystemSchema::Sys, name: "tasks".to_owned() };
        let third = of(&tasks, &Visible { datasources: vec!["a"], views: Vec::new() }, 3).unwrap();
        assert_eq!(third.text, format!("({column} = 'a' AND {column} NOT LIKE '/3')"));
    }

    #[test]
    fn conditions_of_segments_and_tables_are_made_of_others() {
        check(
            "server_segments",
            &["a"],
            &[],
            Some(
                r#"("server_segments"."segment_id" IN (SELECT "segments"."segment_id" FROM sys.segments WHERE ("segments"."datasource" = 'a')))"#,
            ),
        );
        check("TABLES", &["*"], &["*"], None);
        check(
            "TABLES",
            &["*"],
            &[],
            Some(
                r#"((("TABLES"."TABLE_SCHEMA" = 'lookup' OR "TABLES"."TABLE_SCHEMA" = 'sys') OR ("TABLES"."TABLE_SCHEMA" = 'INFORMATION_SCHEMA' OR ("TABLES"."TABLE_SCHEMA" = 'druid' OR ("TABLES"."TABLE_SCHEMA" = 'view' AND "TABLES"."TABLE_NAME" = '')))))"#,
            ),
        );
    }
}

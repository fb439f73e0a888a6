//! One statement, with its tables marked, what each needs and why.

use std::ops::Range;

use super::super::shown;
use super::number;
use super::reader::{Reader, Unread};
use crate::druid::sql_query::SqlQuery;
use crate::inspect;
use crate::json::Json;
use crate::sql::{self, Place, PlaceRole, Position, Reading};

/// What puts a mark on a terminal, and what ends it: bold, and the color of what is written or read.
const WRITTEN: &str = "\x1b[1;35m";
const READ: &str = "\x1b[1;36m";
const END: &str = "\x1b[0m";

fn read(statement: &str, reader: &Reader) -> Result<(Reading, Vec<Place>), Unread> {
    let envelope = Json::object([("query", Json::string(statement))]);
    let reading = reader.read(&SqlQuery::from_json(envelope).map_err(inspect::Refusal::from)?)?;
    let places = sql::places(&reader.settings.external, statement, &[])
        .map_err(|refusal| inspect::Refusal::Sql(Box::new(refusal)))?;
    Ok((reading, places))
}

/// The statement with its tables marked, in color or by a line below, and then what it needs; or, as an error, the
/// refusal with its place marked.
pub(super) fn explain(statement: &str, in_color: bool, reader: &Reader) -> Result<String, String> {
    let (reading, places) = read(statement, reader).map_err(|unread| explain_refusal(statement, unread))?;
    let mut text = String::new();
    if in_color {
        text.push_str(&colored(statement, &places));
    } else {
        let marks: Vec<Range<usize>> = places.iter().map(|place| place.range.clone()).collect();
        text.push_str(&underlined(statement, &marks));
    }
    text.push_str(&format!("\n{} statement", reading.word()));
    let rows: Vec<[String; 3]> = places.iter().map(|place| row(statement, place)).collect();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let (first, second) = (width(0).unwrap_or(0), width(1).unwrap_or(0));
    for [need, at, why] in &rows {
        text.push_str(&format!("\n{need:first$}  {at:second$}  {why}"));
    }
    if reading.resources.is_empty() {
        text.push_str("\nneeds an identity and no permission");
    }
    for name in &reading.input_source_types {
        text.push_str(&format!("\nreads an input source of type {}", shown(name)));
    }
    for option in &reading.set_options {
        text.push_str(&format!("\nsets {}", shown(&option.name)));
    }
    Ok(text)
}

fn row(statement: &str, place: &Place) -> [String; 3] {
    let Position { line, column, .. } = Position::of(statement, place.range.start);
    let needs: Vec<String> = place.needs.iter().map(|need| shown(&need.to_string())).collect();
    let needs = if needs.is_empty() { "nothing".to_owned() } else { needs.join(", ") };
    [needs, format!("line {line}, column {column}"), place.role.why().to_owned()]
}

fn explain_refusal(statement: &str, unread: Unread) -> String {
    let (code, at, message) = unread.told();
    let Some(Position { offset, line, column }) = at else { return format!("refused ({code}): {message}") };
    let marked = underlined(statement, std::slice::from_ref(&(offset..offset + 1)));
    format!("{marked}\nrefused ({code}) at line {line}, column {column}: {message}")
}

/// The same as [`explain`], for machines.
pub(super) fn json(statement: &str, reader: &Reader) -> Json {
    match read(statement, reader) {
        Ok((reading, places)) => {
            let resources = reading.resources.iter().map(|resource| Json::string(resource.to_line()));
            let places = places.iter().map(|place| place_json(statement, place));
            Json::object([
                ("statement", Json::string(reading.word())),
                ("resources", Json::Array(resources.collect())),
                ("places", Json::Array(places.collect())),
            ])
        }
        Err(unread) => {
            let (code, at, message) = unread.told();
            let Position { offset, line, column } = at.unwrap_or_else(|| Position::of(statement, 0));
            Json::object([
                ("refused", Json::string(code)),
                ("at", number(offset)),
                ("line", number(line)),
                ("column", number(column)),
                ("message", Json::string(message)),
            ])
        }
    }
}

fn place_json(statement: &str, place: &Place) -> Json {
    let Position { offset, line, column } = Position::of(statement, place.range.start);
    Json::object([
        ("at", number(offset)),
        ("line", number(line)),
        ("column", number(column)),
        ("text", Json::string(statement.get(place.range.clone()).unwrap_or_default())),
        ("needs", Json::Array(place.needs.iter().map(|need| Json::string(need.to_line())).collect())),
        ("why", Json::string(place.role.why())),
    ])
}

/// The text with each place in color.
fn colored(statement: &str, places: &[Place]) -> String {
    let (mut text, mut end) = (String::new(), 0);
    for Place { range, role, .. } in places {
        let color = match role {
            PlaceRole::Target | PlaceRole::Export => WRITTEN,
            PlaceRole::Datasource
            | PlaceRole::View
            | PlaceRole::Lookup
            | PlaceRole::SystemTable
            | PlaceRole::WithItem
            | PlaceRole::Appended
            | PlaceRole::External => READ,
        };
        let part = |range: Range<usize>| shown(statement.get(range).unwrap_or_default());
        text.push_str(&part(end..range.start));
        text.push_str(&format!("{color}{}{END}", part(range.clone())));
        end = range.end;
    }
    text.push_str(&shown(statement.get(end..).unwrap_or_default()));
    text
}

/// The text with a line of carets below each line that has something to mark.
fn underlined(statement: &str, marks: &[Range<usize>]) -> String {
    let (mut text, mut start) = (String::new(), 0);
    for line in statement.split('\n') {
        if start > 0 {
            text.push('\n');
        }
        text.push_str(&shown(line));
        // One place more, for what is missing at the end.
        let offsets = line.char_indices().chain([(line.len(), ' ')]);
        let carets: String = offsets
            .map(|(at, character)| match (marks.iter().any(|mark| mark.contains(&(start + at))), character) {
                (true, _) => '^',
                (false, '\t') => '\t',
                (false, _) => ' ',
            })
            .collect();
        if carets.contains('^') {
            text.push('\n');
            text.push_str(carets.trim_end());
        }
        start += line.len() + 1;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::Readings;
    use super::*;
    use crate::config::SqlSettings;

    fn reader() -> Reader {
        Reader { settings: SqlSettings::default(), readings: Readings::Both }
    }

    fn explain(statement: &str, in_color: bool) -> Result<String, String> {
        super::explain(statement, in_color, &reader())
    }

    fn json(statement: &str) -> Json {
        super::json(statement, &reader())
    }

    #[test]
    fn tables_are_marked_and_explained() {
        let sql =
            "INSERT INTO t\nSELECT * FROM wiki JOIN (WITH é AS (SELECT 1) SELECT * FROM é) ON 'é' = x,\n\tsys.tasks";
        let expected = "\
INSERT INTO t
            ^
SELECT * FROM wiki JOIN (WITH é AS (SELECT 1) SELECT * FROM é) ON 'é' = x,
              ^^^^                                          ^
\tsys.tasks
\t^^^^^^^^^
insert statement
WRITE DATASOURCE t    line 1, column 13  INSERT and REPLACE write this datasource; it is not read
READ DATASOURCE wiki  line 2, column 15  a name in the place of a table is a datasource that is read
nothing               line 2, column 61  a name that WITH makes is no table
nothing               line 3, column 2   a system table: one sees the rows that one's grants cover; some take READ STATE, an unknown one READ on all";
        assert_eq!(explain(sql, false).unwrap(), expected);
        let colored = explain("INSERT INTO t SELECT * FROM wiki", true).unwrap();
        let first = "INSERT INTO \x1b[1;35mt\x1b[0m SELECT * FROM \x1b[1;36mwiki\x1b[0m\ninsert statement\n";
        assert!(colored.starts_with(first), "{colored}");
        assert!(explain("SELECT 1", false).unwrap().ends_with("\nneeds an identity and no permission"));
    }

    #[test]
    fn a_refusal_is_marked() {
        let refused = explain("SELECT x\nFROM foo.bar", false).unwrap_err();
        let start =
            "SELECT x\nFROM foo.bar\n     ^\nrefused (unknown_schema) at line 2, column 6: there is no schema [foo]; ";
        assert!(refused.starts_with(start), "{refused}");
        let refused = explain("SELECT (1", false).unwrap_err();
        assert!(refused.starts_with("SELECT (1\n         ^\nrefused (syntax) at line 1, column 10: "), "{refused}");
        let refused = explain("", false).unwrap_err();
        assert!(refused.starts_with("refused (empty_query): "), "{refused}");
    }

    #[test]
    fn nothing_is_shown_that_a_terminal_obeys() {
        let explained = explain("SELECT '\x1b[2J\r' FROM a", false).unwrap();
        assert!(explained.starts_with("SELECT '\u{fffd}[2J\u{fffd}' FROM a\n"), "{explained:?}");
    }

    #[test]
    fn machines_are_told_the_same() {
        assert_eq!(
            json("SELECT * FROM a, lookup.b").render(),
            r#"{"statement":"select","resources":["DATASOURCE|a|READ"],"places":[{"at":14,"line":1,"column":15,"text":"a","needs":["DATASOURCE|a|READ"],"why":"a name in the place of a table is a datasource that is read"},{"at":17,"line":1,"column":18,"text":"lookup.b","needs":[],"why":"Druid authorizes no lookup"}]}"#
        );
        let refused = json("SELECT #");
        assert_eq!(refused.get("refused"), Some(&Json::string("lexical")));
        assert_eq!(
            (refused.get("at"), refused.get("line"), refused.get("column")),
            (Some(&number(7)), Some(&number(1)), Some(&number(8)))
        );
    }
}

//! A statement -> the same, in which system tables hold no more rows than somebody may see.
//!
//! `sys.tasks` becomes `(SELECT * FROM sys.tasks WHERE .. LIMIT 2147483647) AS "tasks"`. All else stays byte for byte, but
//! for the schema in `sys.tasks.datasource`, which no longer finds such a table. What comes of it is read again.
//!
//! The limit leaves no row out. Without it Druid's planner makes one filter of the condition and of those around it
//! (Calcite: `FilterMergeRule`, `FilterJoinRule`), which is no order: `CAST(task_id AS BIGINT) IN (1, 2)` would meet a row
//! that is hidden, fail, and tell it in the error. No filter goes past a limit.

use std::collections::BTreeMap;

use super::condition::{self, Condition, MAX_TERMS, Visible};
use super::refusal::{Fault, Refusal, RefusalCode};
use super::system::{Form, Place, SystemSchema, SystemTable};
use super::{ExternalRules, Parameter, Reading, read_by};

/// More rows than Druid has in any system table, and as many as it can count there.
const NO_LIMIT: &str = " LIMIT 2147483647";

/// The statement narrowed to what is visible; none where it may stay as it is. `reading` is what was read of it,
/// by these rules.
///
/// # Errors
/// [`Refusal`], where that takes too many conditions, or something else is read of what comes of it.
pub fn narrow(
    rules: &ExternalRules,
    sql: &str,
    parameters: &[Parameter],
    reading: &Reading,
    visible: &Visible<'_>,
) -> Result<Option<String>, Refusal> {
    let terms: BTreeMap<&SystemTable, usize> = reading
        .system_tables
        .iter()
        .filter_map(|table| condition::of(table, visible, 0).map(|condition| (table, condition.terms.max(1))))
        .collect();
    if terms.is_empty() {
        return Ok(None);
    }
    let of_place = |place: &Place| terms.get(&place.table).copied().unwrap_or_default();
    if reading.system_places.iter().map(of_place).sum::<usize>() > MAX_TERMS {
        return Err(refused(RefusalCode::TooManyGrants, too_many_grants()));
    }
    let mut rewriting = Rewriting { sql, passed: 0, text: String::with_capacity(sql.len() * 2), places: Vec::new() };
    let mut edits: Vec<Edit<'_>> = reading.system_places.iter().map(Edit::Place).collect();
    let qualifiers = reading.qualifiers.iter().filter(|qualifier| terms.contains_key(&qualifier.table));
    edits.extend(qualifiers.flat_map(|qualifier| qualifier.tokens).map(|(start, end)| Edit::Remove(start, end)));
    edits.sort_by_key(Edit::start);
    for edit in edits {
        match edit {
            Edit::Place(place) => {
                rewriting.place(place, condition::of(&place.table, visible, rewriting.places.len()));
            }
            Edit::Remove(start, end) => rewriting.replace(start, end, " "),
        }
    }
    let (text, places) = rewriting.finish();
    let again = read_by(rules, &text, parameters)?;
    if is_same(&again, reading) && stand_at(&again) == places {
        return Ok(Some(text));
    }
    let message = "the system tables of this statement cannot be narrowed to the rows that you may see; \
                   write each of them in a FROM, with an alias";
    Err(refused(RefusalCode::NotNarrowed, message))
}

fn too_many_grants() -> String {
    format!(
        "it takes more than {MAX_TERMS} conditions to say which rows of system tables you may see; \
         write fewer of them in one statement, or have patterns such as wiki_* granted in place of single names"
    )
}

fn refused(code: RefusalCode, message: impl Into<String>) -> Refusal {
    Fault::new(code, 0, message).in_text("")
}

/// All that was judged of the one was judged of the other.
fn is_same(again: &Reading, reading: &Reading) -> bool {
    again.kind == reading.kind
        && again.explain == reading.explain
        && again.resources == reading.resources
        && again.input_source_types == reading.input_source_types
        && again.set_options == reading.set_options
}

/// Which system table stands where, in the order of the text.
fn stand_at(reading: &Reading) -> Vec<(usize, SystemTable)> {
    let mut places: Vec<_> = reading.system_places.iter().map(|place| (place.start, place.table.clone())).collect();
    places.sort();
    places
}

enum Edit<'a> {
    Place(&'a Place),
    Remove(usize, usize),
}

impl Edit<'_> {
    fn start(&self) -> usize {
        match self {
            Self::Place(Place { form: Form::Explicit(start, _), .. }) | Self::Remove(start, _) => *start,
            Self::Place(place) => place.start,
        }
    }
}

/// A text under way.
struct Rewriting<'a> {
    sql: &'a str,
    /// Up to where the old text was taken over.
    passed: usize,
    text: String,
    /// Where system tables stand in the new text.
    places: Vec<(usize, SystemTable)>,
}

impl Rewriting<'_> {
    /// Takes over the old text up to here.
    fn pass(&mut self, end: usize) {
        self.text.push_str(self.sql.get(self.passed..end).unwrap_or_default());
        self.passed = end;
    }

    fn replace(&mut self, start: usize, end: usize, with: &str) {
        self.pass(start);
        self.text.push_str(with);
        self.passed = end;
    }

    fn place(&mut self, place: &Place, condition: Option<Condition>) {
        let Some(condition) = condition else {
            self.pass(place.start);
            return self.places.push((self.text.len(), place.table.clone()));
        };
        let named = || format!(r#") AS "{}""#, place.table.name);
        let (before, after) = match place.form {
            Form::Aliased => ("(SELECT * FROM ", ")".to_owned()),
            Form::Plain => ("(SELECT * FROM ", named()),
            Form::Explicit(start, end) => {
                self.replace(start, end, "SELECT * FROM");
                // A comma that follows would else have another table after it.
                ("(SELECT * FROM ", named() + " WHERE TRUE")
            }
            Form::Implicit => ("SELECT * FROM (SELECT * FROM ", named()),
        };
        self.pass(place.start);
        self.text.push_str(before);
        self.places.push((self.text.len(), place.table.clone()));
        self.pass(place.end);
        self.text.push_str(" WHERE ");
        if let Some(at) = condition.segments_at {
            let segments = SystemTable { schema: SystemSchema::Sys, name: "segments".to_owned() };
            self.places.push((self.text.len() + at, segments));
        }
        self.text.push_str(&condition.text);
        self.text.push_str(NO_LIMIT);
        self.text.push_str(&after);
    }

    fn finish(mut self) -> (String, Vec<(usize, SystemTable)>) {
        self.pass(self.sql.len());
        (self.text, self.places)
    }
}

//! Datasources that statements of the corpora name, each of one row, loaded into a bed where a test wants them.

use crate::druid::Druid;
use crate::error::{BedError, Result};
use crate::places;
use crate::progress::Progress;
use crate::state::State;

/// Names that need no quotes.
pub const TABLES: [&str; 12] =
    ["a", "b", "c", "t", "u", "foo", "druid", "secret", "Secret", "Wiki", "edits", "wikipedia"];
/// Names that need them.
const ODD_TABLES: [&str; 3] = ["druid.wiki", "odd name", "день"];
/// Has no column but its time, as a table in the place of a value has one.
const ONE_COLUMN: &str = "ticks";
/// Columns that statements use of the others, each with a value.
const COLUMNS: &str = "1 AS c1, 2 AS c2, 3 AS x, 4 AS y, 'p' AS page, 'z' AS zone, 5 AS added, 1.5 AS fare";
/// So many are loaded at once: each has a controller and a worker, and controllers in all slots would wait forever.
const AT_ONCE: usize = 8;
/// So many loads: a worker of Druid 27's that looks for its controller too early ends, and its query with it.
const LOADS: usize = 4;

/// Loads those that are not there yet; they stay in the bed.
///
/// # Errors
/// Without a bed, or if a table is still not there after some loads.
pub fn ensure_tables(progress: &Progress) -> Result<()> {
    let _lock = places::lock(&places::bed_dir().join("tables.lock"))?;
    let state = State::load()?.ok_or_else(|| BedError::new("no bed is up", "run `cargo bed up`"))?;
    let druid = Druid::of(&state)?;
    for _ in 0..LOADS {
        let mut lacking = Vec::new();
        for table in TABLES.into_iter().chain(ODD_TABLES).chain([ONE_COLUMN]) {
            if !druid.has_datasource(table)? {
                lacking.push(table);
            }
        }
        if lacking.is_empty() {
            return Ok(());
        }
        progress.step(format!("loading {}", lacking.join(", ")));
        lacking.chunks(AT_ONCE).try_for_each(|some| load(&druid, some))?;
    }
    Err(BedError::new("the tables of the corpora are not there yet", "see `cargo bed logs indexer`"))
}

/// A load that fails is seen by its missing table.
fn load(druid: &Druid, tables: &[&str]) -> Result<()> {
    let columns = |table| if table == ONE_COLUMN { String::new() } else { format!(", {COLUMNS}") };
    let statement = |table| {
        let row = format!("SELECT TIME_PARSE('2024-01-01') AS __time{}", columns(table));
        format!("REPLACE INTO \"{table}\" OVERWRITE ALL {row} PARTITIONED BY ALL")
    };
    let tasks: Vec<String> = tables.iter().map(|table| druid.submit(&statement(*table))).collect::<Result<_>>()?;
    for (table, task) in tables.iter().zip(tasks) {
        if druid.await_task(&task).is_ok() {
            druid.await_rows(table, 1)?;
        }
    }
    Ok(())
}

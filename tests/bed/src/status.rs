//! What runs, as a table or as JSON.

use serde::Serialize;

use crate::error::Result;
use crate::places;
use crate::services::Service;
use crate::state::{BedFile, State};
use crate::up::GATE;

/// One service of the bed.
#[derive(Debug, Serialize)]
pub struct ServiceStatus {
    /// Its name.
    pub service: String,
    /// Whether it runs.
    pub running: bool,
    /// Its process id, where it was started.
    pub pid: Option<u32>,
    /// Where it listens.
    pub address: String,
    /// Its log.
    pub log: String,
}

/// Every service of the bed that was brought up; none where there is no bed.
pub fn status() -> Result<Vec<ServiceStatus>> {
    let Some(state) = State::load()? else { return Ok(Vec::new()) };
    let gate = BedFile::load()?.map(|file| file.gate);
    let names = Service::ALL.into_iter().map(Service::name).chain([GATE]);
    let describe = |name: &str| {
        let port = state.port(name)?;
        let address = match name {
            GATE => gate.clone().unwrap_or_default(),
            "zookeeper" => format!("127.0.0.1:{port}"),
            _ => format!("http://127.0.0.1:{port}"),
        };
        Ok(ServiceStatus {
            service: name.to_owned(),
            running: state.running(name),
            pid: state.processes.get(name).map(|process| process.pid),
            address,
            log: places::log_of(name).display().to_string(),
        })
    };
    names.map(describe).collect()
}

/// The names that `cargo bed logs` knows.
#[must_use]
pub fn service_names() -> Vec<&'static str> {
    Service::ALL.into_iter().map(Service::name).chain([GATE]).collect()
}

/// Rows as aligned columns; the first row is the heading.
#[must_use]
pub fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::aligned;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a", "bcd", "e"], ["fgh", "i", "j"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(aligned(&rows), "a    bcd  e\nfgh  i    j\n");
    }
}

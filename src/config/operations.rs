//! The sections `[admin]` and `[audit]`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;

use super::raw::{self, Base};
use super::settings::{AuditFailure, AuditOut, AuditSettings};
use crate::toml_reader::{Report, Section};

/// Bytes of one file of audit records: some 160,000 of them.
const DEFAULT_MAX_BYTES: u64 = 100 * 1024 * 1024;

/// From what holds a few records to what a disk holds.
const MAX_BYTES: RangeInclusive<u64> = 4096..=1 << 40;

/// Files beside the one that is written.
const DEFAULT_KEEP: u64 = 5;

/// Each is renamed whenever one is full.
const KEEP: RangeInclusive<u64> = 0..=1000;

/// Where the admin listener is if the section does not say: on this machine alone, at the port that Prometheus' own has.
const DEFAULT_ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9090);

/// Reads where the admin listener is.
pub(super) fn admin(section: &Section<'_>, report: &mut Report<'_>) -> Option<SocketAddr> {
    section.only(&["listen"], report);
    if section.has("listen") { raw::address(section, report) } else { Some(DEFAULT_ADMIN) }
}

/// Reads where audit records go; without a section, to standard output, and nothing is served unrecorded.
pub(super) fn audit(section: Option<&Section<'_>>, base: &Base<'_>, report: &mut Report<'_>) -> Option<AuditSettings> {
    let Some(section) = section else {
        return Some(AuditSettings { out: AuditOut::Stdout, failure: AuditFailure::Refuse });
    };
    section.only(&["file", "max_bytes", "keep", "failure"], report);
    let max_bytes = section.integer("max_bytes", MAX_BYTES, "bytes", report).unwrap_or(DEFAULT_MAX_BYTES);
    let keep = section.integer("keep", KEEP, "files", report).unwrap_or(DEFAULT_KEEP);
    let out = match section.string("file", report) {
        Some(name) => {
            AuditOut::File { path: base.path(name), max_bytes, keep: u32::try_from(keep).unwrap_or(u32::MAX) }
        }
        None => {
            for key in ["max_bytes", "keep"] {
                if section.has(key) {
                    report.add(section.place_of(key), format!("`{key}` without `file`"));
                }
            }
            AuditOut::Stdout
        }
    };
    Some(AuditSettings { out, failure: failure(section, report)? })
}

fn failure(section: &Section<'_>, report: &mut Report<'_>) -> Option<AuditFailure> {
    let Some(word) = section.string("failure", report) else { return Some(AuditFailure::Refuse) };
    match word.text {
        "refuse" => Some(AuditFailure::Refuse),
        "report" => Some(AuditFailure::Report),
        other => {
            report.add(word.at, format!("`failure` is `{other}`, expected refuse or report"));
            None
        }
    }
}

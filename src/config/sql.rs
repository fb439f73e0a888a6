//! The section `[sql]`: how SQL is read.

use super::settings::SqlSettings;
use crate::sql::{MAX_TEXT_BYTES, SecondReading};
use crate::toml_reader::{Report, Section};

/// Reads the section, which may be left out.
pub(super) fn read(section: Option<&Section<'_>>, report: &mut Report<'_>) -> Option<SqlSettings> {
    let Some(section) = section else { return Some(SqlSettings::default()) };
    section.only(&["second_reading"], report);
    Some(SqlSettings { second_reading: second_reading(section, report)? })
}

/// `always`, `up-to <bytes>` or `off`.
fn second_reading(section: &Section<'_>, report: &mut Report<'_>) -> Option<SecondReading> {
    let Some(word) = section.string("second_reading", report) else { return Some(SecondReading::default()) };
    let bytes =
        |text: &str| text.strip_prefix("up-to ")?.parse().ok().filter(|bytes| (1..=MAX_TEXT_BYTES).contains(bytes));
    match word.text {
        "always" => Some(SecondReading::Always),
        "off" => Some(SecondReading::Off),
        other => {
            let setting = bytes(other).map(SecondReading::UpTo);
            if setting.is_none() {
                let expected = format!("expected always, off, or up-to BYTES, from 1 to {MAX_TEXT_BYTES}");
                report.add(word.at, format!("`second_reading` is `{other}`, {expected}"));
            }
            setting
        }
    }
}

//! Files, read whole and within a bound.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes of any file that is read. A policy of ten thousand bindings is about 1 MB; what is larger is a wrong path.
pub const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Reads a file of text.
///
/// # Errors
/// What to tell the operator; it does not name the file.
pub fn read_text(path: &Path) -> Result<String, String> {
    // Not a device or a pipe, which may never end.
    let metadata = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if !metadata.is_file() {
        return Err("cannot be read: not a file".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(format!("cannot be read: larger than {MAX_FILE_BYTES} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())
}

/// The text without one newline at its end, which editors and `echo` add.
#[must_use]
pub fn without_newline(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

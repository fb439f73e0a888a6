//! A file for audit records that makes place for itself: full, it becomes `name.1`, that one `name.2`, and so on.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Records name people: nobody but the gate's own user reads them.
const MODE: u32 = 0o600;

/// The file, with its predecessors beside it.
pub struct RotatingFile {
    path: PathBuf,
    max_bytes: u64,
    keep: u32,
    open: Option<Open>,
    /// Whether the last write ended within a line, whose rest belongs into the same file.
    within_line: bool,
}

struct Open {
    file: File,
    size: u64,
}

impl RotatingFile {
    /// Of at most so many bytes (one write more, if that is larger), with so many predecessors.
    ///
    /// # Errors
    /// A file that cannot be opened for appending.
    pub fn open(path: &Path, max_bytes: u64, keep: u32) -> io::Result<Self> {
        let open = Some(open(path)?);
        Ok(Self { path: path.to_owned(), max_bytes, keep, open, within_line: false })
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.open = None;
        if self.keep == 0 {
            return std::fs::remove_file(&self.path);
        }
        for number in (1..self.keep).rev() {
            match std::fs::rename(self.numbered(number), self.numbered(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        std::fs::rename(&self.path, self.numbered(1))
    }
}

fn open(path: &Path) -> io::Result<Open> {
    let file = OpenOptions::new().append(true).create(true).mode(MODE).open(path)?;
    let size = file.metadata()?.len();
    Ok(Open { file, size })
}

impl Write for RotatingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let is_full = |open: &Open| open.size > 0 && open.size.saturating_add(bytes.len() as u64) > self.max_bytes;
        if !self.within_line && self.open.as_ref().is_some_and(is_full) {
            self.rotate()?;
        }
        let mut opened = match self.open.take() {
            Some(open) => open,
            None => open(&self.path)?,
        };
        // After a failure it is opened anew: it may have been put elsewhere meanwhile.
        let count = opened.file.write(bytes)?;
        opened.size = opened.size.saturating_add(count as u64);
        self.within_line = count.checked_sub(1).and_then(|last| bytes.get(last)).is_some_and(|last| *last != b'\n');
        self.open = Some(opened);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_steps_back_and_the_oldest_goes() {
        let dir = std::env::temp_dir().join(format!("msq-gate-audit-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a directory");
        let path = dir.join("audit.jsonl");
        let mut file = RotatingFile::open(&path, 10, 2).expect("opened");
        for line in ["one 1\n", "two 2\n", "three 3\n", "4\n", "five 5\n"] {
            file.write_all(line.as_bytes()).expect("written");
        }
        let text = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap_or_default();
        assert_eq!(text("audit.jsonl"), "five 5\n");
        assert_eq!(text("audit.jsonl.1"), "three 3\n4\n");
        assert_eq!(text("audit.jsonl.2"), "two 2\n");
        assert_eq!(text("audit.jsonl.3"), "");
        let again = RotatingFile::open(&path, 10, 2).expect("opened");
        assert_eq!(again.open.expect("open").size, 7);
        let _ = std::fs::remove_dir_all(dir);
    }
}

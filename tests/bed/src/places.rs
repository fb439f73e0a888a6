//! Where things are kept, and how files are written.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::{BedError, Result};
use crate::version::Version;

/// Ports are looked for from here on, below the range from which the system takes ports of outgoing connections.
const FIRST_PORT: u16 = 20_000;
/// As many ports are looked at.
const PORT_RANGE: u16 = 12_000;

/// The root of the workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap_or(manifest).to_path_buf()
}

/// Everything that a running bed keeps: `target/bed`, or `target/bed-33`.
#[must_use]
pub fn bed_dir() -> PathBuf {
    workspace().join(match Version::of_bed() {
        Version::V27 => "target/bed",
        Version::V33 => "target/bed-33",
    })
}

/// The pom that names the jars.
#[must_use]
pub fn pom() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(match Version::of_bed() {
        Version::V27 => "pom.xml",
        Version::V33 => "pom-33.xml",
    })
}

/// The log of one service.
#[must_use]
pub fn log_of(service: &str) -> PathBuf {
    bed_dir().join("log").join(format!("{service}.log"))
}

/// Where jars are kept between beds, outside the work tree.
pub fn cache_dir() -> Result<PathBuf> {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    from("MSQ_GATE_BED_CACHE")
        .or_else(|| from("XDG_CACHE_HOME").map(|dir| dir.join("msq-gate-bed")))
        .or_else(|| from("HOME").map(|dir| dir.join(".cache/msq-gate-bed")))
        .ok_or_else(|| BedError::new("no place to keep Druid's jars", "set MSQ_GATE_BED_CACHE to a directory"))
}

/// Makes a directory and those above it, for this user only.
pub fn make_dir(dir: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(dir).map_err(BedError::io(format!("make {}", dir.display())))
}

/// Writes a file for this user only, whole or not at all.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    make_dir(dir)?;
    let fresh = dir.join(format!(".{}.new", path.file_name().unwrap_or_default().to_string_lossy()));
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        fs::rename(&fresh, path)
    };
    write().map_err(BedError::io(format!("write {}", path.display())))
}

/// The text of a file, or nothing where there is none.
pub fn read_if_there(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(BedError::io(format!("read {}", path.display()))(error)),
    }
}

/// Removes a file or a whole directory, if it is there.
pub fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(BedError::io(format!("remove {}", path.display()))(error))
        }
        _ => Ok(()),
    }
}

/// The last lines of a log, without the frames of Java's stack traces, which would leave room for nothing else.
#[must_use]
pub fn tail(path: &Path, lines: usize) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().filter(|line| !line.starts_with("\tat ")).collect();
    all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
}

/// Holds a file's lock until dropped, so that two processes do not bring up the same bed, or fill the same cache, at once.
pub fn lock(path: &Path) -> Result<fs::File> {
    let what = || format!("lock {}", path.display());
    make_dir(path.parent().unwrap_or(Path::new(".")))?;
    let file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(BedError::io(what()))?;
    file.lock().map_err(BedError::io(what()))?;
    Ok(file)
}

/// A word of 32 hexadecimal digits that nobody guesses.
pub fn secret() -> Result<String> {
    Ok(format!("{:032x}", u128::from_ne_bytes(random()?)))
}

fn random() -> Result<[u8; 16]> {
    let mut bytes = [0; 16];
    let mut source = fs::File::open("/dev/urandom").map_err(BedError::io("open /dev/urandom"))?;
    source.read_exact(&mut bytes).map_err(BedError::io("read /dev/urandom"))?;
    Ok(bytes)
}

/// `count` different ports on which nothing listens on loopback.
pub fn free_ports(count: usize) -> Result<Vec<u16>> {
    let [low, high, ..] = random()?;
    let start = u16::from_ne_bytes([low, high]) % PORT_RANGE;
    let candidates = (0..PORT_RANGE).map(|step| FIRST_PORT + (start + step) % PORT_RANGE);
    let ports: Vec<u16> =
        candidates.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).take(count).collect();
    if ports.len() == count {
        Ok(ports)
    } else {
        Err(BedError::new("too few free ports on 127.0.0.1", "end what listens between 20000 and 32000"))
    }
}

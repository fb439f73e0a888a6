//! Java that is compiled here, against the jars of a version.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{BedError, Result};
use crate::{maven, places};

/// The directory of the classes that the sources in `sources` make, beside the jars; made first where the sources have changed.
pub fn compiled(javac: &Path, jars: &Path, sources: &Path) -> Result<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(sources)
        .map_err(BedError::io(format!("read {}", sources.display())))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "java"))
        .collect();
    files.sort();
    let texts: std::io::Result<String> = files.iter().map(fs::read_to_string).collect();
    let hash = maven::hash_of(&texts.map_err(BedError::io("read the sources"))?);
    let cache = places::cache_dir()?;
    let name = jars.file_name().unwrap_or_default().to_string_lossy();
    let classes = cache.join(format!("{name}-classes-{hash:016x}"));
    let _lock = places::lock(&cache.join("lock"))?;
    if classes.is_dir() {
        return Ok(classes);
    }
    let fresh = cache.join("incomplete");
    places::remove(&fresh)?;
    let output = Command::new(javac)
        .args(["-nowarn", "-d"])
        .arg(&fresh)
        .arg("-cp")
        .arg(format!("{}/*", jars.display()))
        .args(&files)
        .output()
        .map_err(BedError::io("run javac"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(BedError::new("Java does not compile", format!("mend {}", sources.display())).showing(said));
    }
    fs::rename(&fresh, &classes).map_err(BedError::io(format!("make {}", classes.display())))?;
    Ok(classes)
}

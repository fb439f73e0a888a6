//! Druid's jars, and what else is published: copied by Maven into a cache outside the work tree, once.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{BedError, Result};
use crate::progress::Progress;
use crate::version::Version;
use crate::{places, tools};

/// A registry's hiccup should not cost the whole run.
const TRIES: u32 = 3;
/// How many of Maven's last words are shown.
const LAST_LINES: usize = 15;

/// The directory of the jars that the bed's pom names; filled first if there is none yet.
pub fn jars(progress: &Progress) -> Result<PathBuf> {
    jars_of(progress, &places::pom(), &format!("druid-{}.0.0", Version::of_bed().as_str()))
}

/// The directory of the jars that a pom names, likewise.
pub fn jars_of(progress: &Progress, pom: &Path, name: &str) -> Result<PathBuf> {
    let text = fs::read_to_string(pom).map_err(BedError::io(format!("read {}", pom.display())))?;
    let cache = places::cache_dir()?;
    let _lock = places::lock(&cache.join("lock"))?;
    let dir = cache.join(format!("{name}-{:016x}", hash_of(&text)));
    if dir.is_dir() {
        return Ok(dir);
    }
    let maven = tools::maven(progress)?;
    progress.step(format!("jars: asking Maven for {name} (130 MB, a minute or two the first time)"));
    let fresh = cache.join("incomplete");
    places::remove(&fresh)?;
    copy_jars(&maven, pom, &fresh)?;
    fs::rename(&fresh, &dir).map_err(BedError::io(format!("make {}", dir.display())))?;
    progress.step(format!("jars: {}", dir.display()));
    Ok(dir)
}

/// Another pom is another set of jars.
pub fn hash_of(pom: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    pom.hash(&mut hasher);
    hasher.finish()
}

fn copy_jars(maven: &Path, pom: &Path, into: &Path) -> Result<()> {
    let mut command = Command::new(maven);
    command.arg("-f").arg(pom).args(["dependency:copy-dependencies", "-DincludeScope=runtime"]);
    run(command.arg(format!("-DoutputDirectory={}", into.display())))
}

/// Copies one artifact, `group:name:version:type`, into a directory.
pub fn copy(progress: &Progress, artifact: &str, into: &Path) -> Result<()> {
    let mut command = Command::new(tools::maven(progress)?);
    command.arg("org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy");
    command.arg(format!("-Dartifact={artifact}"));
    run(command.arg(format!("-DoutputDirectory={}", into.display())))
}

fn run(command: &mut Command) -> Result<()> {
    command.args(["-q", "-B", "-ntp"]).stdin(Stdio::null());
    let mut said = String::new();
    for _ in 0..TRIES {
        let output = command.output().map_err(BedError::io("run mvn"))?;
        if output.status.success() {
            return Ok(());
        }
        said = String::from_utf8_lossy(&output.stdout).into_owned();
    }
    let lines: Vec<&str> = said.lines().collect();
    let last = lines.get(lines.len().saturating_sub(LAST_LINES)..).unwrap_or_default().join("\n");
    Err(BedError::new(
        "Maven could not copy what the bed needs",
        "see that Maven reaches its registry (settings.xml, proxy), then run it again",
    )
    .showing(last))
}

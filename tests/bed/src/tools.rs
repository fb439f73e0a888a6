//! Java and Maven, for the web console a browser and Node.js, for h2spec Go: found, or installed with apt-get where that is
//! allowed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{BedError, Result};
use crate::places;
use crate::progress::Progress;

/// Druid 27 is run on this Java or a newer one.
const JAVA_MIN: u32 = 17;
/// The packages of a Java for servers, the one that Druid 27 knows first.
const JAVA_PACKAGES: [&str; 2] = ["openjdk-17-jre-headless", "default-jre-headless"];

/// The `java` program, after installing it where it is missing.
pub fn java(progress: &Progress) -> Result<PathBuf> {
    find_java().map_or_else(|| install(progress, &format!("Java {JAVA_MIN}"), &JAVA_PACKAGES, find_java), Ok)
}

/// The packages of a Java compiler, likewise.
const COMPILER_PACKAGES: [&str; 2] = ["openjdk-17-jdk-headless", "default-jdk-headless"];

/// The `java` program of a Java that compiles, with its `javac` beside it.
pub fn compiler(progress: &Progress) -> Result<(PathBuf, PathBuf)> {
    let find = || find_java().filter(|java| Command::new(javac_of(java)).arg("-version").output().is_ok());
    let java = find().map_or_else(|| install(progress, "a Java compiler", &COMPILER_PACKAGES, find), Ok)?;
    let javac = javac_of(&java);
    Ok((java, javac))
}

fn javac_of(java: &Path) -> PathBuf {
    java.with_file_name("javac")
}

/// The `mvn` program, likewise; it brings a Java of its own where there is none.
pub fn maven(progress: &Progress) -> Result<PathBuf> {
    find_maven().map_or_else(|| install(progress, "Maven", &["maven"], find_maven), Ok)
}

/// A Chromium, likewise.
pub fn chromium(progress: &Progress) -> Result<PathBuf> {
    find_chromium().map_or_else(|| install(progress, "Chromium", &["chromium"], find_chromium), Ok)
}

/// The `npm` program, which has `node` beside it, likewise.
pub fn npm(progress: &Progress) -> Result<PathBuf> {
    find_npm().map_or_else(|| install(progress, "npm", &["npm"], find_npm), Ok)
}

/// The `python3` program, with the module that makes environments, likewise.
pub fn python(progress: &Progress) -> Result<PathBuf> {
    find_python().map_or_else(|| install(progress, "Python 3", &["python3-venv"], find_python), Ok)
}

/// The `docker-compose` program, which reads compose files where there is no Docker too, likewise.
pub fn docker_compose(progress: &Progress) -> Result<PathBuf> {
    find_docker_compose()
        .map_or_else(|| install(progress, "docker-compose", &["docker-compose"], find_docker_compose), Ok)
}

/// The package whose program is h2spec, at the version that `tests/h2spec/go.mod` names.
const H2SPEC: &str = "github.com/summerwind/h2spec/cmd/h2spec";

/// The `h2spec` program, built from its Go module once and kept between beds; a Go is installed where it is missing.
pub fn h2spec(progress: &Progress) -> Result<PathBuf> {
    let module = places::workspace().join("tests/h2spec");
    let cache = places::cache_dir()?;
    std::fs::create_dir_all(&cache).map_err(BedError::io(format!("create {}", cache.display())))?;
    let program = cache.join("h2spec-2.2.1");
    if program.is_file() {
        return Ok(program);
    }
    let go = find_go().map_or_else(|| install(progress, "Go", &["golang-go"], find_go), Ok)?;
    progress.step("building h2spec");
    // Whoever finds it finds it whole.
    let built = program.with_extension(std::process::id().to_string());
    let mut command = Command::new(go);
    command.args(["build", "-o"]).arg(&built).arg(H2SPEC).current_dir(&module).stdin(Stdio::null());
    let output = command.output().map_err(BedError::io("run go"))?;
    if !output.status.success() {
        let next = format!("run `go build {H2SPEC}` in {}", module.display());
        return Err(BedError::new("h2spec cannot be built", next).showing(String::from_utf8_lossy(&output.stderr)));
    }
    std::fs::rename(&built, &program).map_err(BedError::io(format!("keep {}", program.display())))?;
    Ok(program)
}

fn find_go() -> Option<PathBuf> {
    let runs = |go: &PathBuf| Command::new(go).arg("version").output().is_ok_and(|output| output.status.success());
    [PathBuf::from("go"), PathBuf::from("/usr/local/go/bin/go")].into_iter().find(runs)
}

fn find_python() -> Option<PathBuf> {
    let program = PathBuf::from("python3");
    // Debian's Python lacks `ensurepip` where `python3-venv` is not installed.
    let makes = Command::new(&program).args(["-c", "import venv, ensurepip"]).output();
    makes.is_ok_and(|output| output.status.success()).then_some(program)
}

fn find_docker_compose() -> Option<PathBuf> {
    let program = PathBuf::from("docker-compose");
    Command::new(&program).arg("version").output().is_ok_and(|output| output.status.success()).then_some(program)
}

fn find_chromium() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    names.iter().map(|name| Path::new("/usr/bin").join(name)).find(|program| program.is_file())
}

fn find_npm() -> Option<PathBuf> {
    let runs = |name: &str| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    (runs("node") && runs("npm")).then(|| PathBuf::from("npm"))
}

fn find_maven() -> Option<PathBuf> {
    let maven = PathBuf::from("mvn");
    Command::new(&maven).arg("-v").output().is_ok_and(|output| output.status.success()).then_some(maven)
}

fn find_java() -> Option<PathBuf> {
    let home = std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/java"));
    let installed = std::fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten();
    let mut candidates: Vec<PathBuf> = installed.map(|entry| entry.path().join("bin/java")).collect();
    candidates.sort();
    home.into_iter()
        .chain([PathBuf::from("java")])
        .chain(candidates)
        .find(|java| major_version(java).is_some_and(|major| major >= JAVA_MIN))
}

/// `openjdk version "17.0.15" 2025-04-15` on standard error.
fn major_version(java: &Path) -> Option<u32> {
    let output = Command::new(java).arg("-version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    text.split('"').nth(1)?.split(['.', '-']).next()?.parse().ok()
}

/// Installs the first of `packages` that there is, then looks again.
fn install(progress: &Progress, what: &str, packages: &[&str], find: impl Fn() -> Option<PathBuf>) -> Result<PathBuf> {
    let first = packages.first().copied().unwrap_or_default();
    let by_hand = format!("run `apt-get update && apt-get install -y {first}` as root (or install {what} otherwise)");
    let missing = |said: String| BedError::new(format!("{what} is needed and was not found"), &by_hand).showing(said);
    let prefix = privileged().ok_or_else(|| missing(String::new()))?;
    let mut said = apt_get(prefix, &["update"])?;
    for package in packages {
        progress.step(format!("{what} is missing: installing {package} with apt-get"));
        said += &apt_get(prefix, &["install", "-y", "--no-install-recommends", package])?;
        if let Some(found) = find() {
            return Ok(found);
        }
    }
    Err(missing(said))
}

/// Gives what apt-get said against it.
fn apt_get(prefix: &[&str], args: &[&str]) -> Result<String> {
    let mut words = prefix.iter().chain(&["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]).chain(args);
    let program = words.next().copied().unwrap_or("env");
    let output =
        Command::new(program).args(words).stdin(Stdio::null()).output().map_err(BedError::io("run apt-get"))?;
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The words before a command that make root run it without asking anybody; nothing where that cannot be had.
fn privileged() -> Option<&'static [&'static str]> {
    let succeeds = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).stdin(Stdio::null()).output();
        output.ok().filter(|output| output.status.success())
    };
    let apt = succeeds("apt-get", &["--version"]).is_some();
    let root = succeeds("id", &["-u"]).is_some_and(|output| output.stdout.trim_ascii() == b"0");
    match (apt, root) {
        (true, true) => Some(&[]),
        (true, false) if succeeds("sudo", &["-n", "true"]).is_some() => Some(&["sudo", "-n"]),
        _ => None,
    }
}

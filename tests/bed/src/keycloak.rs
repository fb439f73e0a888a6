//! A real Keycloak for the time of a test: from its published distribution, on loopback, with a realm from a file.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::error::{BedError, Result};
use crate::progress::{self, Progress};
use crate::{http, maven, places, process, tools};

/// The distribution; the image in docker-compose.yml is of the same version.
const DISTRIBUTION: &str = "org.keycloak:keycloak-quarkus-dist:26.7.3:tar.gz";

/// Its name between beds, and that of the directory in its archive.
const NAME: &str = "keycloak-26.7.3";

/// From start to a realm that answers: half a minute of two cores, on a machine that is busy otherwise.
const START_BOUND: Duration = Duration::from_secs(300);

/// How much of a log a failure shows.
const LOG_LINES: usize = 25;

/// The name of the administrator, whom only a test has.
const ADMIN: &str = "test-admin";

/// A Keycloak that ends when this is dropped.
#[derive(Debug)]
pub struct Keycloak {
    /// Its address, `https://127.0.0.1:N`.
    pub url: String,
    /// The password of its administrator, [`Keycloak::admin`].
    pub admin_password: String,
    /// What it says.
    pub log: PathBuf,
    home: PathBuf,
    child: Child,
}

impl Keycloak {
    /// Starts it with the realms of a file and this certificate; does not wait for it.
    pub fn start(realm: &Path, certificate: &Path, key: &Path) -> Result<Self> {
        let progress = Progress::start();
        let distribution = distribution(&progress)?;
        let [https, http, management] = places::free_ports(3)?.try_into().unwrap_or_default();
        let url = format!("https://127.0.0.1:{https}");
        let home = places::bed_dir().join("keycloak").join(format!("{}-{https}", std::process::id()));
        places::remove(&home)?;
        places::make_dir(&home)?;
        run(Command::new("cp").arg("-r").arg(distribution.join(".")).arg(&home), "cp")?;
        let import = home.join("data/import");
        places::make_dir(&import)?;
        fs::copy(realm, import.join("realm.json")).map_err(BedError::io("copy the realm"))?;
        let (admin_password, log) = (places::secret()?, places::bed_dir().join("log").join("keycloak.log"));
        let mut command = script(&home, &progress)?;
        command.args(["start", "--optimized", "--import-realm", "--http-host=127.0.0.1"]);
        command.arg(format!("--hostname={url}")).arg(format!("--https-port={https}"));
        command.arg(format!("--http-port={http}")).arg(format!("--http-management-port={management}"));
        command.arg(format!("--https-certificate-file={}", certificate.display()));
        command.arg(format!("--https-certificate-key-file={}", key.display()));
        command.env("KC_BOOTSTRAP_ADMIN_USERNAME", ADMIN).env("KC_BOOTSTRAP_ADMIN_PASSWORD", &admin_password);
        // Its script starts Java as a process of its own: both are ended together.
        command.process_group(0);
        command.stdin(Stdio::null()).stdout(process::append(&log)?).stderr(process::append(&log)?);
        let child = command.spawn().map_err(BedError::io("start Keycloak"))?;
        Ok(Self { url, admin_password, log, home, child })
    }

    /// The name of its administrator, in the realm `master`.
    #[must_use]
    pub const fn admin() -> &'static str {
        ADMIN
    }

    /// Waits until it answers for this realm.
    pub fn await_realm(&mut self, realm: &str, ca: &Path) -> Result<()> {
        let agent = http::trusting(ca)?;
        let url = format!("{}/realms/{realm}/.well-known/openid-configuration", self.url);
        let next = format!("read {}", self.log.display());
        let child = &mut self.child;
        let answered = progress::until("Keycloak's realm", START_BOUND, &next, || {
            if let Some(status) = child.try_wait().map_err(BedError::io("look at Keycloak"))? {
                return Err(BedError::new(format!("Keycloak ended while it started: {status}"), &next));
            }
            let answer = http::send(&agent, "GET", &url, None, None);
            Ok(answer.is_ok_and(|answer| answer.status == 200).then_some(()))
        });
        answered.map_err(|error| error.showing(places::tail(&self.log, LOG_LINES)))
    }
}

impl Drop for Keycloak {
    fn drop(&mut self) {
        // It may have ended already; either way there is nothing left to do about it.
        let group = self.child.id().to_string();
        let mut kill = Command::new("sh");
        let _ = kill.args(["-c", r#"kill -s KILL -- "-$1""#, "sh", &group]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// The distribution, unpacked and built for a database in memory; done once and kept between beds.
fn distribution(progress: &Progress) -> Result<PathBuf> {
    let cache = places::cache_dir()?;
    let _lock = places::lock(&cache.join("lock"))?;
    let ready = cache.join(NAME);
    if ready.is_dir() {
        return Ok(ready);
    }
    let fresh = cache.join("incomplete");
    places::remove(&fresh)?;
    progress.step("asking Maven for Keycloak (180 MB, a minute the first time)");
    maven::copy(progress, DISTRIBUTION, &fresh)?;
    let archive = fs::read_dir(&fresh).map_err(BedError::io("look for the archive"))?.flatten().next();
    let archive = archive.ok_or_else(|| BedError::new("Maven copied nothing", "run it again"))?.path();
    run(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(&fresh), "tar")?;
    progress.step("building Keycloak for a database in memory (half a minute)");
    run(script(&fresh.join(NAME), progress)?.args(["build", "--db=dev-mem", "--cache=local"]), "kc.sh build")?;
    fs::rename(fresh.join(NAME), &ready).map_err(BedError::io(format!("make {}", ready.display())))?;
    places::remove(&fresh)?;
    Ok(ready)
}

/// `kc.sh` of this home, with little memory and no second compiler.
fn script(home: &Path, progress: &Progress) -> Result<Command> {
    let mut command = Command::new(home.join("bin/kc.sh"));
    command.env("JAVA", tools::java(progress)?);
    command.env("JAVA_OPTS_KC_HEAP", "-Xms64m -Xmx512m").env("JAVA_OPTS_APPEND", "-XX:TieredStopAtLevel=1");
    Ok(command)
}

fn run(command: &mut Command, what: &str) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().map_err(BedError::io(format!("run {what}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(BedError::new(format!("{what} failed"), "run it again").showing(String::from_utf8_lossy(&said)))
}

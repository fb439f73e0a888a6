//! Druid's web console in a real browser, through the gate: `tests/console/console.mjs` says what is done and seen.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use msq_gate_bed::{Progress, chromium, npm};
use serde_json::Value;

use crate::support::{BED, unique};

/// From the browser's start to its end: a minute, and as much again for each query that stands still and is run again.
const CONSOLE_BOUND: Duration = Duration::from_secs(240);

/// What the script says when it has done it, in its order.
const STEPS: [&str; 7] = [
    "the sign-in page refuses a wrong token",
    "the console loads",
    "INSERT from EXTERN",
    "SELECT from EXTERN by the multi-stage engine",
    "cancel",
    "signing out",
    "a 403 shows what is missing",
];

const SCREENS: [&str; 10] = [
    "1-sign-in",
    "2-wrong-token",
    "3-wrong-token-dark",
    "4-console",
    "5-inserted",
    "6-selected",
    "7-running",
    "8-cancelled",
    "9-sign-out",
    "10-missing-permissions",
];

/// The script in a place where its packages may be installed.
fn script() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (from, to) = (root.join("tests/console"), root.join("target/console"));
    fs::create_dir_all(&to).expect("a folder");
    for name in ["package.json", "package-lock.json", "console.mjs"] {
        fs::copy(from.join(name), to.join(name)).expect(name);
    }
    let npm = npm(&Progress::start()).unwrap_or_else(|error| panic!("{error}"));
    let installed = Command::new(npm)
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])
        .current_dir(&to)
        .output()
        .expect("npm");
    assert!(installed.status.success(), "npm ci: {}", String::from_utf8_lossy(&installed.stderr));
    to.join("console.mjs")
}

/// Waits for the end, or makes one.
fn ended_in_time(child: &mut Child) -> bool {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            return status.success();
        }
        if start.elapsed() > CONSOLE_BOUND {
            let _ = child.kill();
            let _ = child.wait();
            return false;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn the_console_works_in_a_browser_after_signing_in() {
    let browser = chromium(&Progress::start()).unwrap_or_else(|error| panic!("{error}"));
    let script = script();
    let bed = BED.ca.ancestors().nth(2).expect("the bed's folder");
    let screens = bed.join("screens");
    let _ = fs::remove_dir_all(&screens);
    let (said, faults) = (bed.join("console.jsonl"), bed.join("console.log"));
    let mut child = Command::new("node")
        .arg(&script)
        .env("BED", bed.join("bed.json"))
        .env("CERTIFICATE", BED.ca.with_file_name("server.pem"))
        .env("SCREENS", &screens)
        .env("TABLE", unique("console"))
        .env("CHROMIUM", browser)
        .stdin(Stdio::null())
        .stdout(fs::File::create(&said).expect("a file"))
        .stderr(fs::File::create(&faults).expect("a file"))
        .spawn()
        .expect("node");
    let ended = ended_in_time(&mut child);
    let (said, faults) = (fs::read_to_string(said).expect("text"), fs::read_to_string(faults).expect("text"));
    assert!(ended, "{said}\n{faults}\nscreenshots are in {}", screens.display());
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let done: Vec<&str> = lines.iter().filter_map(|line| line["step"].as_str()).collect();
    let done: Vec<&str> = done.into_iter().filter(|step| STEPS.contains(step)).collect();
    assert_eq!(done, STEPS, "{said}");
    for name in SCREENS {
        let size = fs::metadata(screens.join(format!("{name}.png"))).expect(name).len();
        assert!(size > 5_000, "{name}.png has {size} bytes");
    }
}

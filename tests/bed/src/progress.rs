//! Lines that show how far it is, and waiting with a bound.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{BedError, Result};

/// Between two looks at something that is waited for.
const POLL: Duration = Duration::from_millis(100);

/// Set by a signal, in the programs that asked for it with [`heed_signals`].
static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Prints one line per step on standard error, with the time since it was made.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    started: Instant,
    color: bool,
}

impl Progress {
    /// Starts the clock; colors are for terminals only.
    #[must_use]
    pub fn start() -> Self {
        let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { started: Instant::now(), color }
    }

    /// One line.
    pub fn step(&self, text: impl AsRef<str>) {
        let seconds = self.started.elapsed().as_secs_f32();
        let (dim, plain) = if self.color { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
        // A closed standard error must not end what it reports on.
        let _ = writeln!(std::io::stderr(), "{dim}[{seconds:5.1}s]{plain} {}", text.as_ref());
    }
}

/// From here on INT, TERM and HUP end waits with an error instead of the process, so that what was started is ended.
pub fn heed_signals() -> Result<()> {
    let flag = Arc::clone(INTERRUPTED.get_or_init(Arc::default));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&flag)).map_err(BedError::io("listen for signals"))?;
    }
    Ok(())
}

/// Returns at the first of those signals.
pub fn wait_for_signal() {
    while !interrupted() {
        thread::sleep(POLL);
    }
}

/// Whether one of those signals has come.
#[must_use]
pub fn interrupted() -> bool {
    INTERRUPTED.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// Asks `probe` until it has something, fails, or `bound` has passed; a failure to get it in time says `next`.
/// A signal ends it too.
pub fn until<T>(what: &str, bound: Duration, next: &str, mut probe: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    until_uninterrupted(what, bound, next, || match probe()? {
        None if interrupted() => Err(BedError::new(format!("interrupted while waiting for {what}"), "run it again")),
        answer => Ok(answer),
    })
}

/// The same for cleaning up, which a signal does not end.
pub fn until_uninterrupted<T>(
    what: &str,
    bound: Duration,
    next: &str,
    mut probe: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + bound;
    loop {
        if let Some(found) = probe()? {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            return Err(BedError::new(format!("waited {} s for {what}, in vain", bound.as_secs()), next));
        }
        thread::sleep(POLL);
    }
}

//! The real parts that the gate meets in life, on loopback: a Druid 27 from Maven's jars, its own authorizer in force,
//! and the gate in front.

mod datasets;
mod druid;
mod error;
mod gate;
mod grant;
mod http;
mod maven;
mod places;
mod process;
mod progress;
mod services;
mod state;
mod tools;
mod up;

pub use error::{BedError, Result};
pub use progress::{Progress, heed_signals, wait_for_signal};
pub use state::{BedFile, User};
pub use up::{add_user, down, up};

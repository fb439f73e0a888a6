//! Avatica's own JDBC driver, in a Java program of the tests.

use std::process::Command;

use crate::error::Result;
use crate::progress::Progress;
use crate::{maven, places, tools};

/// The command that runs `tests/gate/avatica/Jdbc.java`, which Java compiles each time; arguments follow. The driver is
/// fetched first where there is none.
///
/// # Errors
/// Without Java, Maven or jars.
pub fn jdbc(progress: &Progress) -> Result<Command> {
    let (java, _) = tools::compiler(progress)?;
    let directory = places::workspace().join("tests/gate/avatica");
    let jars = maven::jars_of(progress, &directory.join("pom.xml"), "jdbc")?;
    let mut command = Command::new(java);
    command.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"]).arg(format!("{}/*", jars.display()));
    command.arg(directory.join("Jdbc.java"));
    Ok(command)
}

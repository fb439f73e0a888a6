//! The real pydruid: the lines of README.md, as a person would run them.

use std::fs;
use std::process::Command;
use std::sync::LazyLock;

use msq_gate_bed::GateOptions;

use crate::packages::{python_with, root, said_by};
use crate::support::{BED, options, own_gate, token};

static README: LazyLock<String> = LazyLock::new(|| fs::read_to_string(root().join("README.md")).expect("README.md"));

/// The Python that has the package that README.md names.
fn python() -> Command {
    let (_, rest) = README.split_once("pip install ").expect("README.md says what to install");
    let package = rest.split('`').next().expect("the end of it");
    Command::new(python_with("pydruid", package))
}

#[test]
fn the_lines_of_readme_give_a_success_and_a_403() {
    LazyLock::force(&BED);
    let (_, block) = README.split_once("```python\n").expect("a block");
    let (script, _) = block.split_once("```").expect("its end");
    let said = said_by(python().args(["-c", script]));
    assert_eq!(said.len(), 3, "{said:?}");
    // Rows that other tests write have no `added`.
    let is_count = |added: &str| added == "None" || added.parse::<u64>().is_ok();
    assert!(said[..2].iter().all(|row| row.rsplit_once(' ').is_some_and(|(_, added)| is_count(added))), "{said:?}");
    assert_eq!(said[2], "Forbidden (Unknown): Missing permissions: WRITE DATASOURCE wiki");
}

/// The token as a password, for a pydruid that knows nothing of tokens; and what an expired or foreign one looks like.
#[test]
fn a_token_is_a_password_where_its_issuer_allows_it() {
    // The last section of the configuration is the issuer's.
    let (_process, gate) = own_gate(GateOptions { more: "basic_password = true\n".to_owned(), ..options() });
    let script = "import sys\n\
        from pydruid.db import connect, exceptions\n\
        host, port, ca, user, password = sys.argv[1:]\n\
        druid = connect(host, port, scheme='https', user=user, password=password, ssl_verify_cert=ca)\n\
        try:\n    print(druid.execute('SELECT COUNT(*) AS n FROM wiki').fetchone().n)\n\
        except exceptions.ProgrammingError as error:\n    print(error)";
    let (host, port) = gate.address().split_once(':').expect("a port");
    let ca = BED.ca.display().to_string();
    let ask =
        |user: &str, password: &str| said_by(python().args(["-c", script, host, port, &ca, user, password])).concat();
    assert!(ask("reader", &token("reader")).parse::<u64>().is_ok_and(|rows| rows > 0));
    assert!(ask("admin", &token("reader")).starts_with("Unauthorized request"), "another's name");
    assert!(ask("reader", "secret").starts_with("Unauthorized request"), "a password that is no token");
}

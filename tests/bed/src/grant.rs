//! Grants as people write them, and as Druid's basic-security stores them.

use serde_json::{Value, json};

use crate::error::{BedError, Result};

/// Druid's own words for the types of resources.
const TYPES: [&str; 7] = ["DATASOURCE", "VIEW", "CONFIG", "STATE", "SYSTEM_TABLE", "QUERY_CONTEXT", "EXTERNAL"];

/// The users that every bed has, with what is granted to each.
pub const SAMPLE_USERS: [(&str, &[&str]); 8] = [
    ("nobody", &[]),
    ("reader", &["READ DATASOURCE wiki"]),
    ("writer", &["WRITE DATASOURCE wiki"]),
    ("ingester", &["WRITE DATASOURCE wiki", "READ EXTERNAL EXTERNAL"]),
    ("selr", &["READ DATASOURCE wiki", "READ DATASOURCE __query_select"]),
    ("selw", &["READ DATASOURCE wiki", "READ DATASOURCE __query_select", "WRITE DATASOURCE __query_select"]),
    ("stater", &["READ STATE STATE"]),
    ("admin", &EVERYTHING),
];

/// READ and WRITE on every resource of every type.
pub const EVERYTHING: [&str; 14] = [
    "READ DATASOURCE *",
    "WRITE DATASOURCE *",
    "READ VIEW *",
    "WRITE VIEW *",
    "READ CONFIG *",
    "WRITE CONFIG *",
    "READ STATE *",
    "WRITE STATE *",
    "READ SYSTEM_TABLE *",
    "WRITE SYSTEM_TABLE *",
    "READ QUERY_CONTEXT *",
    "WRITE QUERY_CONTEXT *",
    "READ EXTERNAL *",
    "WRITE EXTERNAL *",
];

/// A permission of Druid's basic-security, from a line such as `READ DATASOURCE t*`.
pub fn to_druid(line: &str) -> Result<Value> {
    let fault = |what: &str| {
        let next =
            "write it as `READ DATASOURCE wiki`: READ or WRITE, a type in capitals, a name in which `*` is any run";
        BedError::new(format!("the grant `{line}` {what}"), next)
    };
    let mut words = line.splitn(3, ' ');
    let (Some(action), Some(kind), Some(name)) = (words.next(), words.next(), words.next()) else {
        return Err(fault("has fewer than three words"));
    };
    if !matches!(action, "READ" | "WRITE") {
        return Err(fault("begins with neither READ nor WRITE"));
    }
    if !TYPES.contains(&kind) {
        return Err(fault(&format!("has an unknown type; there are {}", TYPES.join(", "))));
    }
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(fault("has no usable name"));
    }
    Ok(json!({"resource": {"name": to_regex(name), "type": kind}, "action": action}))
}

/// `*` is any run of characters, none too; all else is literal.
fn to_regex(name: &str) -> String {
    let literal = |c: char| if c.is_ascii_alphanumeric() || !c.is_ascii() { c.to_string() } else { format!("\\{c}") };
    let body: String = name.chars().map(|c| if c == '*' { ".*".to_owned() } else { literal(c) }).collect();
    format!("(?s)^{body}$")
}

/// A user's name is also the name of a role, of a group and part of paths.
pub fn check_name(name: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if (1..=64).contains(&name.len()) && name.chars().all(fits) {
        Ok(())
    } else {
        Err(BedError::new(format!("`{name}` cannot be a user's name"), "use 1 to 64 of A-Z a-z 0-9 _ -"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_are_runs_and_all_else_is_literal() {
        assert_eq!(to_regex("t*"), "(?s)^t.*$");
        assert_eq!(to_regex("a.b_é"), r"(?s)^a\.b\_é$");
    }

    #[test]
    fn faults_name_the_grant() {
        for line in ["READ DATASOURCE", "MAY DATASOURCE wiki", "READ TABLE wiki", "READ DATASOURCE  "] {
            assert!(to_druid(line).unwrap_err().to_string().contains(line));
        }
    }

    #[test]
    fn samples_are_grants_with_usable_names() {
        for (name, grants) in SAMPLE_USERS {
            check_name(name).unwrap();
            grants.iter().for_each(|grant| drop(to_druid(grant).unwrap()));
        }
    }
}

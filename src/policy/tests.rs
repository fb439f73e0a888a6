//! What the policy promises.

use super::*;
use crate::permission::ResourceName;

const ISSUERS: [&str; 2] = ["dev", "corp"];

fn parse(text: &str) -> Result<Policy, Vec<String>> {
    let issuers = ISSUERS.map(str::to_owned);
    Policy::parse(text, &issuers).map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

struct Request(Need);

impl Subject for Request {
    type Refusal = std::convert::Infallible;

    fn need(&self) -> &Need {
        &self.0
    }

    fn narrow(&mut self, _: &Grants) -> Result<(), Self::Refusal> {
        Ok(())
    }
}

fn request(permissions: &[ResourceAction]) -> Request {
    Request(Need::from_set(permissions.iter().cloned().collect()))
}

fn read(name: &str) -> ResourceAction {
    ResourceAction::new(Action::Read, ResourceType::Datasource, name)
}

fn write(name: &str) -> ResourceAction {
    ResourceAction::new(Action::Write, ResourceType::Datasource, name)
}

fn missing(policy: &Policy, identity: &Identity, permissions: &[ResourceAction]) -> Vec<String> {
    match policy.authorize(request(permissions), identity) {
        Ok(_) => Vec::new(),
        Err(Denied::Missing(missing)) => missing.iter().map(ToString::to_string).collect(),
    }
}

fn alice() -> Identity {
    Identity::for_tests("dev", "alice", &["analysts"])
}

/// A policy where alice holds exactly these.
fn granting(permissions: &str) -> Policy {
    parse(&format!(
        "[roles.r]\npermissions = [{permissions}]\n[[bindings]]\nissuer = \"dev\"\nsubject = \"alice\"\nroles = [\"r\"]"
    ))
    .unwrap()
}

#[test]
fn nothing_granted_means_nothing_allowed() {
    for policy in [Policy::default(), parse("").unwrap(), parse("[roles]\n").unwrap()] {
        assert_eq!(missing(&policy, &alice(), &[read("wiki")]), ["READ DATASOURCE wiki"]);
        assert!(policy.roles_of(&alice()).is_empty());
        assert!(!policy.grants_of(&alice()).allows(&read("wiki")));
    }
}

#[test]
fn a_need_for_an_identity_only_is_always_met() {
    let policy = Policy::default();
    assert!(policy.authorize(Request(Need::AnyIdentity), &alice()).is_ok());
}

#[test]
fn write_does_not_imply_read_nor_read_write() {
    let writer = granting("\"WRITE DATASOURCE *\"");
    assert_eq!(missing(&writer, &alice(), &[read("wiki"), write("wiki")]), ["READ DATASOURCE wiki"]);
    let reader = granting("\"READ DATASOURCE *\"");
    assert_eq!(missing(&reader, &alice(), &[read("wiki"), write("wiki")]), ["WRITE DATASOURCE wiki"]);
}

#[test]
fn types_do_not_imply_each_other() {
    for granted in ResourceType::ALL {
        let policy = granting(&format!("\"READ {} *\"", granted.as_str()));
        for wanted in ResourceType::ALL {
            let held = missing(&policy, &alice(), &[ResourceAction::new(Action::Read, wanted, "x")]).is_empty();
            assert_eq!(held, granted == wanted, "{granted:?} {wanted:?}");
        }
    }
}

#[test]
fn every_missing_permission_is_told_in_order() {
    let policy = granting("\"READ DATASOURCE wiki\"");
    let external = ResourceAction::new(Action::Read, ResourceType::External, "EXTERNAL");
    assert_eq!(
        missing(&policy, &alice(), &[external, write("b"), read("wiki"), read("b"), write("a")]),
        ["WRITE DATASOURCE a", "READ DATASOURCE b", "WRITE DATASOURCE b", "READ EXTERNAL EXTERNAL"]
    );
}

#[test]
fn all_resources_need_the_star() {
    let every = ResourceAction { name: ResourceName::Every, ..read("") };
    assert!(missing(&granting("\"READ DATASOURCE *\""), &alice(), std::slice::from_ref(&every)).is_empty());
    let two = granting("\"READ DATASOURCE a*\", \"READ DATASOURCE *a\"");
    assert_eq!(missing(&two, &alice(), std::slice::from_ref(&every)), ["READ DATASOURCE *"]);
    // A datasource that is really called `*` is but one.
    assert!(missing(&granting("\"READ DATASOURCE *\""), &alice(), &[read("*")]).is_empty());
}

#[test]
fn a_binding_is_of_one_issuer() {
    let policy = parse(
        "[roles]\ng = { permissions = [\"READ DATASOURCE g\"] }\ns = { permissions = [\"READ DATASOURCE s\"] }\n\
         [[bindings]]\nissuer = \"dev\"\ngroup = \"analysts\"\nroles = [\"g\"]\n\
         [[bindings]]\nissuer = \"dev\"\nsubject = \"alice\"\nroles = [\"s\", \"g\"]\n",
    )
    .unwrap();
    let roles =
        |issuer, subject, groups: &[&str]| policy.roles_of(&Identity::for_tests(issuer, subject, groups)).join(" ");
    assert_eq!(roles("dev", "alice", &["analysts"]), "g s");
    assert_eq!(roles("dev", "alice", &[]), "g s");
    assert_eq!(roles("dev", "bob", &["x", "analysts"]), "g");
    assert_eq!(roles("dev", "bob", &["Analysts", "analyst", "alice"]), "");
    assert_eq!(roles("dev", "analysts", &[]), "");
    assert_eq!(roles("dev", "Alice", &[]), "");
    assert_eq!(roles("corp", "alice", &["analysts"]), "");
}

#[test]
fn an_authorized_subject_carries_what_its_caller_holds() {
    let policy = granting("\"READ DATASOURCE wiki\", \"READ DATASOURCE taxi\"");
    let authorized = policy.authorize(request(&[read("wiki")]), &alice()).unwrap();
    assert_eq!(authorized.subject().need(), &Need::AllOf(Permissions::one(read("wiki"))));
    let (_, grants) = authorized.into_parts();
    assert!(grants.allows(&read("taxi")));
    assert!(!grants.allows(&write("taxi")));
    assert_eq!(grants.iter().count(), 2);
}

#[test]
fn a_name_is_all_after_the_second_space() {
    let policy = granting("\"READ DATASOURCE my wiki *\"");
    assert!(missing(&policy, &alice(), &[read("my wiki 1")]).is_empty());
    assert!(!missing(&policy, &alice(), &[read("my")]).is_empty());
}

#[test]
fn all_faults_are_told_at_once_each_with_its_place() {
    let text = r#"version = 1
[roles.reader]
permissions = ["READ DATASOURCE", "write EXTERNL s3", "READ VIEW a", "READ VIEW a", 3, ""]
inherits = "x"
[roles.reader]
permissions = []
[roles.""]
[roles]
x = 1
[[bindings]]
issuer = "dve"
group = "analysts"
subject = "b"
roles = ["raeder", "reader", "reader"]
[[bindings]]
issuer = "dev"
group = ""
roles = []
users = ["x"]
[[bindings]]
"#;
    let expected = [
        "1:1: unknown key `version` in the file, expected one of: roles, bindings",
        "3:16: `READ DATASOURCE` names no resource, expected ACTION TYPE NAME",
        "3:35: unknown action `write`, expected READ or WRITE",
        "3:35: unknown resource type `EXTERNL`, expected one of: CONFIG, DATASOURCE, EXTERNAL, QUERY_CONTEXT, STATE, \
         SYSTEM_TABLE, VIEW",
        "3:70: permission `READ VIEW a` stands twice in role reader",
        "3:85: `an item of permissions` is an integer, expected a string",
        "3:88: `an item of permissions` is empty",
        "4:1: unknown key `inherits` in role reader, expected one of: permissions",
        "5:8: `reader` stands twice",
        "6:1: `permissions` stands twice",
        "7:8: missing key `permissions` in role ",
        "7:8: the name of a role is empty",
        "9:1: `role x` is an integer, expected a section",
        "11:10: unknown issuer `dve`, configured are: dev, corp",
        "13:1: both `group` and `subject`, expected only one of them",
        "14:10: unknown role `raeder`, expected one of: , reader",
        "14:30: role `reader` stands twice in the binding",
        "17:9: `group` is empty",
        "18:1: `roles` is empty, expected at least one string",
        "19:1: unknown key `users` in [[bindings]], expected one of: issuer, group, subject, roles",
        "20:1: [[bindings]] has neither `group` nor `subject`, expected one",
        "20:1: missing key `issuer` in [[bindings]]",
        "20:1: missing key `roles` in [[bindings]]",
    ];
    let found = parse(text).unwrap_err();
    assert_eq!(found, expected, "{found:#?}");
}

#[test]
fn malformed_lines_are_refused() {
    for (line, expected) in [
        ("READ", "unknown resource type ``"),
        ("READ DATASOURCE ", "names no resource"),
        ("READ DATASOURCE   ", "names no resource"),
        ("READ  DATASOURCE x", "unknown resource type ``"),
        ("READ DATASOURCE  x", "has spaces around it"),
        ("READ DATASOURCE x ", "has spaces around it"),
        (" READ DATASOURCE x", "unknown action ``"),
        ("read DATASOURCE x", "unknown action `read`"),
        ("ALL DATASOURCE x", "unknown action `ALL`"),
        ("READ datasource x", "unknown resource type `datasource`"),
        ("READ TABLE x", "unknown resource type `TABLE`"),
        ("DATASOURCE READ x", "unknown action `DATASOURCE`"),
        ("READ DATASOURCE a\\nb", "control characters"),
        ("READ\\tDATASOURCE\\tx", "unknown action"),
    ] {
        let faults = parse(&format!("[roles.r]\npermissions = [\"{line}\"]")).unwrap_err();
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{line}: {faults:?}");
    }
}

#[test]
fn a_repeated_star_is_the_same_permission() {
    let faults = parse("[roles.r]\npermissions = [\"READ VIEW a*\", \"READ VIEW a**\"]").unwrap_err();
    assert_eq!(faults, ["2:32: permission `READ VIEW a**` stands twice in role r"]);
}

#[test]
fn broken_text_is_told_as_such() {
    for (text, expected) in [
        ("roles = 1", "1:1: `[roles]` is an integer, expected a section"),
        ("bindings = 1", "1:1: `bindings` is an integer, expected [[bindings]] sections"),
        ("[bindings]", "1:2: `bindings` is a section, expected [[bindings]] sections"),
        ("bindings = [1]", "1:13: `[[bindings]]` is an integer, expected a section"),
        ("[roles.r]\npermissions = \"READ VIEW a\"", "2:15: `permissions` is a string, expected an array of strings"),
    ] {
        assert_eq!(parse(text).unwrap_err(), [expected], "{text}");
    }
    for text in ["[roles", "roles = ", "\u{0}", "a = \"", "[roles.r]\npermissions = [\"READ VIEW a\""] {
        let faults = parse(text).unwrap_err();
        assert!(faults.iter().all(|fault| fault.contains("not TOML")), "{text}: {faults:?}");
    }
}

#[test]
fn columns_count_characters() {
    assert_eq!(
        parse("[roles.\"ä\"]\npermissions = [\"READ VIEW ß\", \"x\"]").unwrap_err().last().unwrap(),
        "2:31: unknown resource type ``, expected one of: CONFIG, DATASOURCE, EXTERNAL, QUERY_CONTEXT, STATE, \
         SYSTEM_TABLE, VIEW"
    );
}

/// The committed table of who may do what, so that a change of meaning is a diff to review. To accept one, copy the text
/// that the failing test prints.
#[test]
fn the_matrix_is_as_committed() {
    let policy = Policy::parse(include_str!("sample.toml"), &ISSUERS.map(str::to_owned)).unwrap();
    let identities = [
        ("stranger", Identity::for_tests("dev", "stranger", &[])),
        ("analyst", Identity::for_tests("dev", "ana", &["analysts"])),
        ("loader", Identity::for_tests("dev", "leo", &["loaders"])),
        ("both", Identity::for_tests("dev", "bo", &["analysts", "loaders"])),
        ("admin", Identity::for_tests("dev", "root", &[])),
        ("corp's root", Identity::for_tests("corp", "root", &["analysts"])),
    ];
    let mut wanted = Vec::new();
    for action in [Action::Read, Action::Write] {
        for name in ["wiki", "wiki_en", "Wiki", "taxi", "__query_select"] {
            wanted.push(ResourceAction::new(action, ResourceType::Datasource, name));
        }
        for name in ["EXTERNAL", "s3"] {
            wanted.push(ResourceAction::new(action, ResourceType::External, name));
        }
        wanted.push(ResourceAction::new(action, ResourceType::State, "STATE"));
        wanted.extend([ResourceType::Datasource, ResourceType::View].map(|kind| ResourceAction::every(action, kind)));
    }
    let mut table = format!("{:<32}", "");
    for (name, _) in &identities {
        table += &format!(" {name:<12}");
    }
    for permission in wanted {
        table = table.trim_end().to_owned() + &format!("\n{:<32}", permission.to_string());
        for (_, identity) in &identities {
            let word = if policy.grants_of(identity).allows(&permission) { "yes" } else { "-" };
            table += &format!(" {word:<12}");
        }
    }
    assert_eq!(table.trim_end(), include_str!("matrix.txt").trim_end(), "now it is:\n{table}\n");
}

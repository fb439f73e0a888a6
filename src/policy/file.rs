//! The policy file: TOML to [`Policy`], every fault at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Binding, Fault, Grant, Holder, NamePattern, Policy};
use crate::permission::{Action, ResourceType};
use crate::toml_reader::{self, Report, Section, Text};

/// `issuer_names` are those that bindings may name; without them, any.
pub(super) fn parse(text: &str, issuer_names: Option<&[String]>) -> Result<Policy, Vec<Fault>> {
    let (policy, faults) = toml_reader::read(text, |root, report| {
        root.only(&["roles", "bindings"], report);
        let roles = roles(&root, report);
        let names: Vec<&str> = roles.keys().map(String::as_str).collect();
        let bindings = root
            .sections("bindings", report)
            .iter()
            .filter_map(|section| binding(section, &names, issuer_names, report))
            .collect();
        Some(Policy { roles, bindings })
    });
    policy.ok_or(faults)
}

/// All roles, faulty ones too, so that a binding to one is not a second fault.
fn roles(root: &Section<'_>, report: &mut Report<'_>) -> BTreeMap<String, Arc<[Grant]>> {
    let Some(section) = root.section("roles", report) else { return BTreeMap::new() };
    let mut roles = BTreeMap::new();
    for (name, role) in section.named_sections("role ", report) {
        if name.text.is_empty() {
            report.add(name.at, "the name of a role is empty");
        }
        role.only(&["permissions"], report);
        roles.insert(name.text.to_owned(), permissions(&role, report));
    }
    roles
}

fn permissions(role: &Section<'_>, report: &mut Report<'_>) -> Arc<[Grant]> {
    let mut grants = Vec::new();
    for text in role.required_strings("permissions", report) {
        let Some(grant) = permission(text, report) else { continue };
        if grants.contains(&grant) {
            report.add(text.at, format!("permission `{}` stands twice in {}", text.text, role.name()));
        } else {
            grants.push(grant);
        }
    }
    grants.into()
}

/// `ACTION TYPE NAME`; the name is all that follows the second space.
fn permission(line: Text<'_>, report: &mut Report<'_>) -> Option<Grant> {
    let mut words = line.text.splitn(3, ' ');
    let (action, kind, name) = (words.next().unwrap_or_default(), words.next(), words.next());
    let found_action = Action::from_word(action);
    if found_action.is_none() {
        report.add(line.at, format!("unknown action `{action}`, expected READ or WRITE"));
    }
    let found_kind = kind.and_then(ResourceType::from_word);
    if found_kind.is_none() {
        let expected = ResourceType::ALL.map(ResourceType::as_str).join(", ");
        let kind = kind.unwrap_or_default();
        report.add(line.at, format!("unknown resource type `{kind}`, expected one of: {expected}"));
    }
    let name = name.unwrap_or_default();
    if name.trim().is_empty() {
        report.add(line.at, format!("`{}` names no resource, expected ACTION TYPE NAME", line.text));
        return None;
    }
    if name.trim() != name || name.chars().any(char::is_control) {
        report.add(line.at, format!("the name `{}` has spaces around it or control characters", name.escape_debug()));
        return None;
    }
    Some(Grant { action: found_action?, resource_type: found_kind?, pattern: NamePattern::new(name) })
}

fn binding(
    section: &Section<'_>,
    role_names: &[&str],
    issuer_names: Option<&[String]>,
    report: &mut Report<'_>,
) -> Option<Binding> {
    section.only(&["issuer", "group", "subject", "roles"], report);
    let issuer = section.required_string("issuer", report);
    let known = |issuer: &Text<'_>, names: &[String]| names.iter().any(|name| name == issuer.text);
    if let (Some(issuer), Some(names)) = (issuer, issuer_names)
        && !known(&issuer, names)
    {
        let expected = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        report.add(issuer.at, format!("unknown issuer `{}`, configured are: {expected}", issuer.text));
    }
    let holder = holder(section, report);
    let mut roles: Vec<String> = Vec::new();
    for role in section.required_strings("roles", report) {
        if !role_names.contains(&role.text) {
            report.add(role.at, format!("unknown role `{}`, expected one of: {}", role.text, role_names.join(", ")));
        } else if roles.iter().any(|earlier| earlier == role.text) {
            report.add(role.at, format!("role `{}` stands twice in the binding", role.text));
        } else {
            roles.push(role.text.to_owned());
        }
    }
    Some(Binding { issuer_name: issuer?.text.to_owned(), holder: holder?, roles })
}

fn holder(section: &Section<'_>, report: &mut Report<'_>) -> Option<Holder> {
    match (section.has("group"), section.has("subject")) {
        (true, false) => section.string("group", report).map(|group| Holder::Group(group.text.to_owned())),
        (false, true) => section.string("subject", report).map(|subject| Holder::Subject(subject.text.to_owned())),
        (false, false) => {
            report.add(section.at(), format!("{} has neither `group` nor `subject`, expected one", section.name()));
            None
        }
        (true, true) => {
            report.add(section.place_of("subject"), "both `group` and `subject`, expected only one of them");
            None
        }
    }
}

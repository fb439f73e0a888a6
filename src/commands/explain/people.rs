//! An explanation for a person: what is, then what is needed, then what comes of it.

use std::time::SystemTime;

use super::super::shown;
use crate::inspect::Place;
use crate::proxy::{By, Caller, Explanation, Needed, Outcome, Role, Sent};
use crate::telemetry::timestamp;

/// Where what is said begins: past the longest word before it.
const INDENT: usize = 11;

/// All of it.
pub(super) fn text(explanation: &Explanation, now: SystemTime) -> String {
    let mut lines = Vec::new();
    match &explanation.caller {
        None => lines.push(("caller", "nobody".to_owned())),
        Some(caller) => {
            lines.push(("caller", who(caller, now)));
            if caller.roles.is_empty() {
                lines.push(("roles", "none".to_owned()));
            }
            for (at, role) in caller.roles.iter().enumerate() {
                lines.push((if at == 0 { "roles" } else { "" }, self::role(role)));
                lines.extend(role.grants.iter().map(|grant| ("", format!("  {grant}"))));
            }
        }
    }
    if let Some(row) = explanation.row {
        lines.push(("row", format!("{}, {} {}: {}", row.name, row.method, row.path, row.needs())));
    }
    if let Some(statement) = explanation.statement {
        lines.push(("statement", statement.to_owned()));
    }
    needs(&explanation.needs, &mut lines);
    for part in &explanation.parts {
        lines.push(("part", part.id.clone().unwrap_or_default()));
        needs(&part.needs, &mut lines);
        lines.push(("sends", part.sends.as_ref().map_or_else(|| "nothing: it is left out".to_owned(), request)));
    }
    lines.push(("answer", answer(&explanation.outcome)));
    if let Some(sends) = explanation.outcome.sends() {
        lines.push(("sends", request(sends)));
        lines.extend(sends.body.iter().map(|body| ("", body.clone())));
    }
    let line = |(word, text): (&str, String)| format!("{word:INDENT$}{}", shown(&text).replace('\n', " "));
    lines.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

fn who(caller: &Caller, now: SystemTime) -> String {
    let Caller { name, subject, issuer, groups, .. } = caller;
    let groups = if groups.is_empty() { "in no group".to_owned() } else { format!("in {}", groups.join(", ")) };
    let proof = match (caller.expires, caller.left(now)) {
        (Some(expires), Some(left)) => format!("by a token until {}, {} s", timestamp(expires), left.as_secs()),
        (None, _) | (_, None) => "supposed".to_owned(),
    };
    format!("{name}: subject {subject} of issuer {issuer}, {groups}; {proof}")
}

fn role(role: &Role) -> String {
    let by = |by: &By| {
        let (kind, name) = by.words();
        by.claim.as_ref().map_or_else(|| format!("{kind} {name}"), |claim| format!("{kind} {name} (claim {claim})"))
    };
    format!("{} by {}", role.name, role.by.iter().map(by).collect::<Vec<_>>().join(", "))
}

fn needs(needs: &[Needed], lines: &mut Vec<(&'static str, String)>) {
    for (at, needed) in needs.iter().enumerate() {
        lines.push((if at == 0 { "needs" } else { "" }, need(needed)));
        lines.extend(needed.reasons.iter().map(|reason| ("", format!("  {}: {}", place(&reason.at), reason.why))));
    }
}

fn request(sends: &Sent) -> String {
    format!("{} {}", sends.method, sends.target)
}

fn need(Needed { permission, granted, .. }: &Needed) -> String {
    if granted.is_empty() {
        return format!("{permission}, which is MISSING");
    }
    let by: Vec<String> = granted.iter().map(|(role, grant)| format!("{role} ({grant})")).collect();
    format!("{permission}, granted by {}", by.join(", "))
}

fn place(place: &Place) -> String {
    match place {
        Place::Sql { at, text } => format!("line {}, column {}, [{text}]", at.line, at.column),
        Place::Body(pointer) => format!("{pointer} in the body"),
        Place::Query(name) => format!("query parameter {name}"),
        Place::Path => "the path".to_owned(),
        Place::Task => "the task, looked up".to_owned(),
        Place::Supervisor => "the supervisor, looked up".to_owned(),
        Place::Row => "the row".to_owned(),
    }
}

fn answer(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Forwarded { filtered: false, .. } => "forwarded to Druid, whose answer is passed on".to_owned(),
        Outcome::Forwarded { filtered: true, .. } => {
            "forwarded to Druid; of the list it answers, the caller sees what its grants cover".to_owned()
        }
        Outcome::InParts => "the parts that the caller may have are sent, one after the other".to_owned(),
        Outcome::OfTheGate => "the gate's own; nothing is sent to Druid".to_owned(),
        Outcome::Refused { status, reason, message, .. } => format!("{} {reason}: {message}", status.as_u16()),
        Outcome::Undecided(what) => format!("cannot be told: {what}"),
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};

    use super::*;
    use crate::druid::ROWS;
    use crate::inspect::Reason;
    use crate::permission::{Action, ResourceAction, ResourceType};
    use crate::proxy::{Part, Sent};

    fn explanation(outcome: Outcome) -> Explanation {
        let row = ROWS.iter().copied().find(|row| row.name == "task_list");
        Explanation { caller: None, row, statement: None, needs: Vec::new(), parts: Vec::new(), outcome }
    }

    fn told(explanation: &Explanation) -> String {
        text(explanation, SystemTime::UNIX_EPOCH)
    }

    fn sends(body: Option<&str>) -> Sent {
        Sent { method: &Method::GET, target: "/x".to_owned(), body: body.map(str::to_owned) }
    }

    fn needed(at: Place) -> Needed {
        let permission = ResourceAction::new(Action::Write, ResourceType::Datasource, "a\u{1b}");
        let reasons = vec![Reason { needs: permission.clone(), at, why: "because" }];
        Needed { permission, reasons, granted: Vec::new() }
    }

    #[test]
    fn each_outcome_has_its_words() {
        let head = "caller     nobody\nrow        task_list, GET /druid/indexer/v1/tasks: an identity; lists what one may READ\n";
        let refused = Outcome::Refused {
            status: StatusCode::UNAUTHORIZED,
            reason: "no_credentials",
            message: "send a token".to_owned(),
            at: None,
        };
        for (outcome, words) in [
            (
                Outcome::Forwarded { sends: sends(Some("{}")), filtered: false },
                "answer     forwarded to Druid, whose answer is passed on\nsends      GET /x\n           {}",
            ),
            (
                Outcome::Forwarded { sends: sends(None), filtered: true },
                "answer     forwarded to Druid; of the list it answers, the caller sees what its grants cover\nsends      GET /x",
            ),
            (Outcome::InParts, "answer     the parts that the caller may have are sent, one after the other"),
            (Outcome::OfTheGate, "answer     the gate's own; nothing is sent to Druid"),
            (refused, "answer     401 no_credentials: send a token"),
            (Outcome::Undecided("this".to_owned()), "answer     cannot be told: this"),
        ] {
            assert_eq!(told(&explanation(outcome)), format!("{head}{words}"));
        }
    }

    #[test]
    fn each_place_and_each_part_has_its_words() {
        let mut all = explanation(Outcome::InParts);
        let pointer = Place::Body("/spec/x".to_owned());
        let places = [pointer, Place::Path, Place::Query("datasource"), Place::Task, Place::Supervisor, Place::Row];
        all.needs = places.into_iter().map(needed).collect();
        all.parts = vec![
            Part { id: Some("s".to_owned()), needs: vec![needed(Place::Supervisor)], sends: None },
            Part { id: Some("t".to_owned()), needs: Vec::new(), sends: Some(sends(None)) },
        ];
        let told = told(&all);
        let lines: Vec<&str> = told.lines().skip(2).collect();
        let missing = "WRITE DATASOURCE a\u{fffd}, which is MISSING";
        assert_eq!(
            lines,
            [
                &format!("needs      {missing}"),
                "             /spec/x in the body: because",
                &format!("           {missing}"),
                "             the path: because",
                &format!("           {missing}"),
                "             query parameter datasource: because",
                &format!("           {missing}"),
                "             the task, looked up: because",
                &format!("           {missing}"),
                "             the supervisor, looked up: because",
                &format!("           {missing}"),
                "             the row: because",
                "part       s",
                &format!("needs      {missing}"),
                "             the supervisor, looked up: because",
                "sends      nothing: it is left out",
                "part       t",
                "sends      GET /x",
                "answer     the parts that the caller may have are sent, one after the other",
            ]
        );
    }
}

//! An explanation for machines.

use std::time::SystemTime;

use super::{Explanation, Needed, Outcome, Part, Sent};
use crate::inspect::{Place, Reason};
use crate::json::Json;
use crate::permission::ResourceAction;
use crate::policy::Grant;
use crate::sql::Position;

impl Explanation {
    /// All of it.
    #[must_use]
    pub fn json(&self, now: SystemTime) -> Json {
        let row = self.row.map(|row| {
            Json::object([
                ("name", Json::string(row.name)),
                ("method", Json::string(row.method.as_str())),
                ("path", Json::string(row.path)),
                ("needs", Json::string(row.needs())),
            ])
        });
        Json::object([
            ("caller", self.caller.as_ref().map_or(Json::Null, |caller| caller.json(now))),
            ("row", row.unwrap_or(Json::Null)),
            ("statement", self.statement.map_or(Json::Null, Json::string)),
            ("needs", Json::Array(self.needs.iter().map(Needed::json).collect())),
            ("parts", Json::Array(self.parts.iter().map(Part::json).collect())),
            ("answer", self.outcome.json()),
            ("sends", self.outcome.sends().map_or(Json::Null, Sent::json)),
        ])
    }
}

impl Part {
    fn json(&self) -> Json {
        Json::object([
            ("id", self.id.as_ref().map_or(Json::Null, Json::string)),
            ("needs", Json::Array(self.needs.iter().map(Needed::json).collect())),
            ("sends", self.sends.as_ref().map_or(Json::Null, Sent::json)),
        ])
    }
}

impl Needed {
    fn json(&self) -> Json {
        let ResourceAction { resource_type, name, action } = &self.permission;
        let resource = [("type", Json::string(resource_type.as_str())), ("name", Json::string(name.to_string()))];
        let granted = |(role, grant): &(String, Grant)| {
            Json::object([("role", Json::string(role)), ("grant", Json::string(grant.to_string()))])
        };
        Json::object([
            ("resource", Json::object(resource)),
            ("action", Json::string(action.as_str())),
            ("missing", Json::Bool(self.granted.is_empty())),
            ("grantedBy", Json::Array(self.granted.iter().map(granted).collect())),
            ("why", Json::Array(self.reasons.iter().map(reason).collect())),
        ])
    }
}

fn reason(reason: &Reason) -> Json {
    let at = match &reason.at {
        Place::Sql { at, text } => {
            let Json::Object(mut members) = position(*at) else { return Json::Null };
            members.push(("text".to_owned(), Json::string(text)));
            Json::object([("sql", Json::Object(members))])
        }
        Place::Body(pointer) => Json::object([("body", Json::string(pointer))]),
        Place::Query(name) => Json::object([("query", Json::string(*name))]),
        Place::Path => Json::string("path"),
        Place::Task => Json::string("task"),
        Place::Supervisor => Json::string("supervisor"),
        Place::Row => Json::string("row"),
    };
    Json::object([("why", Json::string(reason.why)), ("at", at)])
}

fn position(at: Position) -> Json {
    let number = |number: usize| Json::Number(number.to_string());
    Json::object([("line", number(at.line)), ("column", number(at.column))])
}

impl Outcome {
    /// The word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Forwarded { .. } => "forwarded",
            Self::InParts => "in parts",
            Self::OfTheGate => "answered",
            Self::Refused { .. } => "refused",
            Self::Undecided(_) => "undecided",
        }
    }

    /// What would be sent.
    #[must_use]
    pub const fn sends(&self) -> Option<&Sent> {
        if let Self::Forwarded { sends, .. } = self { Some(sends) } else { None }
    }

    fn json(&self) -> Json {
        let word = ("outcome", Json::string(self.word()));
        match self {
            Self::Forwarded { filtered, .. } => Json::object([word, ("filtered", Json::Bool(*filtered))]),
            Self::InParts | Self::OfTheGate => Json::object([word]),
            Self::Refused { status, reason, message, at } => Json::object([
                word,
                ("status", Json::Number(status.as_u16().to_string())),
                ("reason", Json::string(*reason)),
                ("message", Json::string(message)),
                ("at", at.map_or(Json::Null, position)),
            ]),
            Self::Undecided(what) => Json::object([word, ("message", Json::string(what))]),
        }
    }
}

impl Sent {
    fn json(&self) -> Json {
        Json::object([
            ("method", Json::string(self.method.as_str())),
            ("target", Json::string(&self.target)),
            ("body", self.body.as_ref().map_or(Json::Null, Json::string)),
        ])
    }
}

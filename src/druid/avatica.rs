//! The requests of Avatica, by which JDBC speaks to Druid, as JSON.
//!
//! A request has the keys of its type and no others, as Druid has it too; they are rendered anew. Two things of it are not sent as they
//! came: the name of the connection, and who logs in. Avatica: `Service.Request`; Druid: `DruidMeta`.

use super::context;
use super::naming::OddBody;
use crate::json::{self, Json};

#[cfg(test)]
mod tests;

/// Bytes of the name that a client gives its connection; drivers give UUIDs.
pub const MAX_CONNECTION_ID: usize = 256;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvaticaRequest {
    kind: &'static Kind,
    /// What the client calls its connection.
    pub connection_id: String,
    /// What it asks for.
    pub asks: Asks,
    /// What else is sent, in the order of the type's fields.
    members: Vec<(&'static str, Json)>,
}

/// What a request asks for, as far as it is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asks {
    /// To open a connection with these properties, which are context keys for all its queries.
    Open(Vec<(String, String)>),
    /// To have a statement planned, and perhaps executed.
    Statement(String),
    /// What tables and columns there are: Druid asks INFORMATION_SCHEMA, as who opened the connection.
    Tables,
    /// Something about the connection, or about a statement that was judged before; or what catalogs and schemas there are.
    Own,
}

/// Who the gate is, for Druid to check at each statement of a connection. Druid: `Authenticator.authenticateJDBCContext`.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    /// The name.
    pub user: &'a str,
    /// The password.
    pub password: &'a str,
}

/// A type of requests.
#[derive(Debug, PartialEq, Eq)]
struct Kind {
    name: &'static str,
    asks: AsksFor,
    fields: &'static [(&'static str, FieldKind)],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AsksFor {
    Open,
    Statement,
    Tables,
    Own,
    /// The same, where the statement and its connection are in a handle.
    OwnHandle,
}

/// What the value of a field may be. `null` stands for no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FieldKind {
    Text,
    Texts,
    Integer,
    /// The values of a statement's `?`. Avatica: `TypedValue`.
    Values,
    /// Avatica: `ConnectionPropertiesImpl`.
    Properties,
    /// Druid does not look at it, and nothing of it is sent.
    NotSent,
}

use FieldKind::{Integer, NotSent, Properties, Text, Texts, Values};

/// Every type that Druid serves, by Avatica 1.17 (Druid 24) to 1.25. The `state` of `syncResults` and the signature in a
/// handle are for servers that forget their statements: Druid reads neither.
const KINDS: [Kind; 19] = [
    kind("openConnection", AsksFor::Open, &[("info", NotSent)]),
    kind("connectionSync", AsksFor::Own, &[("connProps", Properties)]),
    kind("closeConnection", AsksFor::Own, &[]),
    kind("databaseProperties", AsksFor::Own, &[]),
    kind("createStatement", AsksFor::Own, &[]),
    kind("prepare", AsksFor::Statement, &[("sql", Text), ("maxRowCount", Integer)]),
    kind(
        "prepareAndExecute",
        AsksFor::Statement,
        &[
            ("statementId", Integer),
            ("sql", Text),
            ("maxRowsInFirstFrame", Integer),
            // Drivers call it by the first of these, Avatica's reader also by the other.
            ("maxRowCount", Integer),
            ("maxRowsTotal", Integer),
        ],
    ),
    kind("execute", AsksFor::OwnHandle, &[("parameterValues", Values), ("maxRowCount", Integer)]),
    kind("fetch", AsksFor::Own, &[("statementId", Integer), ("offset", Integer), ("fetchMaxRowCount", Integer)]),
    kind("syncResults", AsksFor::Own, &[("statementId", Integer), ("state", NotSent), ("offset", Integer)]),
    kind("closeStatement", AsksFor::Own, &[("statementId", Integer)]),
    kind("commit", AsksFor::Own, &[]),
    kind("rollback", AsksFor::Own, &[]),
    kind("getTypeInfo", AsksFor::Own, &[]),
    kind("getCatalogs", AsksFor::Own, &[]),
    kind("getTableTypes", AsksFor::Tables, &[]),
    kind("getSchemas", AsksFor::Own, &[("catalog", Text), ("schemaPattern", Text)]),
    kind(
        "getTables",
        AsksFor::Tables,
        &[("catalog", Text), ("schemaPattern", Text), ("tableNamePattern", Text), ("typeList", Texts)],
    ),
    kind(
        "getColumns",
        AsksFor::Tables,
        &[("catalog", Text), ("schemaPattern", Text), ("tableNamePattern", Text), ("columnNamePattern", Text)],
    ),
];

const fn kind(name: &'static str, asks: AsksFor, fields: &'static [(&'static str, FieldKind)]) -> Kind {
    Kind { name, asks, fields }
}

/// What `connProps` may hold; under its own name is its type.
const PROPERTIES: [&str; 7] =
    ["connProps", "autoCommit", "readOnly", "transactionIsolation", "catalog", "schema", "dirty"];

/// Properties by which a driver is told how to reach its server. Some versions of it send them on, passwords and tokens among
/// them; to Druid they would be context keys that nothing reads. Avatica: `BuiltInConnectionProperty`.
const DRIVERS_OWN: [&str; 31] = [
    "authentication",
    "avatica_password",
    "avatica_user",
    "bearer_token",
    "bearer_token_provider_class",
    "factory",
    "fetch_size",
    "hostname_verification",
    "http_connection_timeout",
    "http_response_timeout",
    "httpclient_factory",
    "httpclient_impl",
    "key_password",
    "keystore",
    "keystore_password",
    "keystore_type",
    "keytab",
    "lb_connection_failover_retries",
    "lb_connection_failover_sleep_time",
    "lb_strategy",
    "lb_urls",
    "principal",
    "schema",
    "serialization",
    "timeZone",
    "token_file",
    "transparent_reconnection",
    "truststore",
    "truststore_password",
    "url",
    "use_client_side_lb",
];

/// Who logs in is not the client's to say.
const LOGIN: [&str; 2] = ["user", "password"];

impl AvaticaRequest {
    /// Reads a body.
    ///
    /// # Errors
    /// [`OddBody`].
    pub fn read(body: &[u8]) -> Result<Self, OddBody> {
        if body.trim_ascii().is_empty() {
            return Err(OddBody::Type("the body", "a request of Avatica in JSON; a header of this name is not read"));
        }
        let request = json::parse_bytes(body)?;
        let kind = kind_of(&request)?;
        let (handle, place) = match kind.asks {
            AsksFor::OwnHandle => (request.get("statementHandle").ok_or(NO_HANDLE)?, "statementHandle"),
            AsksFor::Open | AsksFor::Statement | AsksFor::Tables | AsksFor::Own => (&request, "connectionId"),
        };
        let known = kind.fields.iter().map(|(name, _)| *name).chain(["request", place]);
        only(&request, known, "the request")?;
        let connection_id = connection_id(handle)?;
        let mut members = Vec::new();
        for (name, field) in kind.fields {
            let value = request.get(name).filter(|value| *field != NotSent && **value != Json::Null);
            members.extend(value.map(|value| field.read(name, value)).transpose()?.map(|value| (*name, value)));
        }
        let asks = match kind.asks {
            AsksFor::Open => Asks::Open(info(&request)?),
            AsksFor::Statement => Asks::Statement(statement(&request)?),
            AsksFor::Tables => Asks::Tables,
            AsksFor::Own => Asks::Own,
            AsksFor::OwnHandle => {
                only(handle, ["connectionId", "id", "signature"].into_iter(), "the statementHandle")?;
                members.insert(0, ("id", Integer.read("id", handle.get("id").ok_or(NO_HANDLE)?)?));
                Asks::Own
            }
        };
        Ok(Self { kind, connection_id, asks, members })
    }

    /// Its type, in Avatica's word.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.kind.name
    }

    /// The same with this text as its statement.
    #[must_use]
    pub fn with_statement(mut self, sql: &str) -> Self {
        for (name, value) in &mut self.members {
            if *name == "sql" {
                *value = Json::string(sql);
            }
        }
        Self { asks: Asks::Statement(sql.to_owned()), ..self }
    }

    /// The context keys that it sets.
    pub fn context_keys(&self) -> impl Iterator<Item = &str> {
        let info: &[(String, String)] = match &self.asks {
            Asks::Open(info) => info,
            Asks::Statement(_) | Asks::Tables | Asks::Own => &[],
        };
        info.iter().map(|(key, _)| key.as_str())
    }

    /// The body to send, where the connection has this name; who opens one logs in as this.
    #[must_use]
    pub fn render(&self, connection: &str, login: Option<Login<'_>>) -> String {
        let mut members = vec![("request".to_owned(), Json::string(self.kind.name))];
        let connection = ("connectionId".to_owned(), Json::string(connection));
        let mut own = self.members.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        if self.kind.asks == AsksFor::OwnHandle {
            let handle = [connection].into_iter().chain(own.by_ref().take(1)).collect();
            members.push(("statementHandle".to_owned(), Json::Object(handle)));
        } else {
            members.push(connection);
        }
        members.extend(own);
        if let Asks::Open(info) = &self.asks {
            let info = info.iter().map(|(key, value)| (key.clone(), Json::string(value.clone())));
            let login = login.map(|login| LOGIN.into_iter().zip([login.user, login.password]));
            let login = login.into_iter().flatten().map(|(key, value)| (key.to_owned(), Json::string(value)));
            members.push(("info".to_owned(), Json::Object(info.chain(login).collect())));
        }
        Json::Object(members).render()
    }
}

const NO_HANDLE: OddBody = OddBody::Type("statementHandle", "an object with connectionId and id");

/// Whether an object has no other keys than these.
fn only<'k>(value: &Json, known: impl Iterator<Item = &'k str> + Clone, what: &'static str) -> Result<(), OddBody> {
    let Json::Object(members) = value else { return Ok(()) };
    let is_known = |key: &str| known.clone().any(|known| known == key);
    if members.iter().all(|(key, _)| is_known(key)) { Ok(()) } else { Err(OddBody::UnknownKey(what)) }
}

fn kind_of(request: &Json) -> Result<&'static Kind, OddBody> {
    let Json::Object(_) = request else { return Err(OddBody::Type("the body", "a JSON object")) };
    let name = request.get("request").and_then(Json::as_str);
    let name = name.ok_or(OddBody::Type("request", "the name of a type of requests"))?;
    if matches!(name, "prepareAndExecuteBatch" | "executeBatch") {
        return Err(OddBody::NotForClients("Druid runs no batches; send one statement at a time"));
    }
    let known = || KINDS.each_ref().map(|kind| kind.name).join(", ");
    // Avatica would read a type that it does not know as `getSchemas`.
    KINDS.iter().find(|kind| kind.name == name).ok_or_else(|| OddBody::UnknownType("a request", known()))
}

fn connection_id(handle: &Json) -> Result<String, OddBody> {
    let id = handle.get("connectionId").and_then(Json::as_str);
    let id = id.filter(|id| !id.is_empty() && id.len() <= MAX_CONNECTION_ID);
    id.map(str::to_owned).ok_or(OddBody::Type("connectionId", "a string of 1 to 256 bytes"))
}

fn statement(request: &Json) -> Result<String, OddBody> {
    let sql = request.get("sql").and_then(Json::as_str).filter(|sql| !sql.trim().is_empty());
    sql.map(str::to_owned).ok_or(OddBody::Type("sql", "a statement"))
}

/// The properties of a connection that are context keys.
fn info(request: &Json) -> Result<Vec<(String, String)>, OddBody> {
    let members = match request.get("info") {
        None | Some(Json::Null) => return Ok(Vec::new()),
        Some(Json::Object(members)) => members,
        Some(Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_)) => return Err(ODD_INFO),
    };
    let mut info = Vec::new();
    for (key, value) in members {
        let value = value.as_str().ok_or(ODD_INFO)?;
        if LOGIN.contains(&key.as_str()) || DRIVERS_OWN.contains(&key.as_str()) {
            continue;
        }
        if context::is_reserved(key) || context::is_gate_owned(key) {
            return Err(OddBody::ReservedKey(key.clone()));
        }
        info.push((key.clone(), value.to_owned()));
    }
    Ok(info)
}

const ODD_INFO: OddBody = OddBody::Type("info", "an object of strings");

impl FieldKind {
    fn read(self, name: &'static str, value: &Json) -> Result<Json, OddBody> {
        let (fits, what) = match self {
            Text => (value.as_str().is_some(), "a string"),
            Texts => (value.as_array().is_some_and(|all| all.iter().all(|one| one.as_str().is_some())), "strings"),
            Integer => (is_integer(value), "an integer"),
            NotSent => (true, "anything"),
            Values => return values(name, value),
            Properties => return properties(name, value),
        };
        if fits { Ok(value.clone()) } else { Err(OddBody::Type(name, what)) }
    }
}

fn is_integer(value: &Json) -> bool {
    matches!(value, Json::Number(text) if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))
}

/// What a value may hold. Avatica: `TypedValue`.
const VALUE: [&str; 3] = ["type", "value", "componentType"];

fn values(name: &'static str, value: &Json) -> Result<Json, OddBody> {
    let odd = OddBody::Type(name, "an array of objects with type and value");
    let all = value.as_array().ok_or_else(|| odd.clone())?;
    for value in all.iter().filter(|value| **value != Json::Null) {
        only(value, VALUE.into_iter(), "a value")?;
        let is_text = |key| value.get(key).is_none_or(|value| *value == Json::Null || value.as_str().is_some());
        if value.get("type").is_none() || !is_text("type") || !is_text("componentType") {
            return Err(odd);
        }
    }
    Ok(value.clone())
}

fn properties(name: &'static str, value: &Json) -> Result<Json, OddBody> {
    let Json::Object(members) = value else { return Err(OddBody::Type(name, "an object")) };
    only(value, PROPERTIES.into_iter(), "connProps")?;
    let mut properties = vec![(name.to_owned(), Json::string("connPropsImpl"))];
    for (key, value) in members.iter().filter(|(key, _)| key != name) {
        match value {
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
                properties.push((key.clone(), value.clone()));
            }
            Json::Array(_) | Json::Object(_) => return Err(OddBody::Type(name, "an object of plain values")),
        }
    }
    Ok(Json::Object(properties))
}

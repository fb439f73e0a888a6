//! Ids of queries, and of JDBC connections, that tell whose they are.
//!
//! To Druid every query comes from the gate, so Druid cannot tell whose it is. The gate therefore writes the id: a
//! keyed tag of its owner, a keyed hash of the client's own id, and a MAC over both. Whoever has the key can tell, from
//! the id alone, who submitted the query; nobody else can make one. The same owner and the same client id give the same
//! id, so that Druid still refuses a repeated INSERT.
//!
//! One key signs; others may be recognized beside it, so that a key can be replaced while queries run that it signed.

use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::auth::Identity;
use crate::policy::Grants;

/// What Druid puts before a query's id to name its task. Druid: `MSQTasks.controllerTaskId`.
pub const TASK_PREFIX: &str = "query-";

/// The form of ids that this module writes.
const FORM: &str = "1";

/// Bytes of the owner tag, the id hash and the MAC: 128 bits each, beyond guessing and collision at any rate of queries.
const PART_BYTES: usize = 16;

/// Bytes of the key id: enough to tell a few keys apart.
const KEY_ID_BYTES: usize = 4;

/// The id of a query as Druid knows it: letters, digits, `.`, `_`, `-`; at most 120 with [`TASK_PREFIX`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryId(String);

impl QueryId {
    /// The id as text, without [`TASK_PREFIX`].
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the task, or of the statement, that runs this query.
    #[must_use]
    pub fn task_id(&self) -> String {
        format!("{TASK_PREFIX}{}", self.0)
    }
}

/// Whose query an id names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The caller's.
    Callers(QueryId),
    /// Somebody else's.
    Anothers,
    /// Nobody's: the text has the form of an id, but no gate with this key wrote it.
    Forged,
    /// The text does not have the form of an id.
    NotAnId,
}

/// Writes and reads ids; holds the keys.
#[derive(Clone)]
pub struct QueryIds {
    signs: Arc<IdKey>,
    /// Ids of these are recognized too.
    others: Arc<[IdKey]>,
}

/// One key, which should have 32 bytes or more.
struct IdKey {
    key: hmac::Key,
    id: String,
}

impl IdKey {
    fn new(key: &[u8]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let id = keyed(&key, "key id", &[], KEY_ID_BYTES);
        Self { key, id }
    }

    fn owner_tag(&self, owner: &Identity) -> String {
        keyed(&self.key, "owner", &[owner.issuer().as_bytes(), owner.subject().as_bytes()], PART_BYTES)
    }

    fn mac(&self, signed: &str) -> String {
        keyed(&self.key, "id", &[signed.as_bytes()], PART_BYTES)
    }
}

/// Tells the ids of one caller's queries from all others.
#[derive(Clone)]
pub struct OwnIds {
    ids: QueryIds,
    caller: Identity,
}

impl OwnIds {
    /// Whether the caller submitted the query of this id.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        matches!(self.ids.whose(id, &self.caller), Whose::Callers(_))
    }
}

impl std::fmt::Debug for OwnIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnIds").field("caller", &self.caller).finish_non_exhaustive()
    }
}

impl QueryIds {
    /// `key` signs, and ids that it or one of `others` signed are recognized. Each should have 32 bytes or more.
    #[must_use]
    pub fn new(key: &[u8], others: &[&[u8]]) -> Self {
        let others = others.iter().map(|key| IdKey::new(key)).collect();
        Self { signs: Arc::new(IdKey::new(key)), others }
    }

    /// What tells the caller's own ids.
    #[must_use]
    pub fn of(&self, caller: &Identity) -> OwnIds {
        OwnIds { ids: self.clone(), caller: caller.clone() }
    }

    /// The id of the query that `owner` calls `client_id`; `nonce` stands in where it gave no name.
    #[must_use]
    pub fn mint(&self, owner: &Identity, client_id: Option<&str>, nonce: &[u8]) -> QueryId {
        let key = &self.signs.key;
        let name = client_id.map_or_else(
            || keyed(key, "nonce", &[nonce], PART_BYTES),
            |id| keyed(key, "client id", &[id.as_bytes()], PART_BYTES),
        );
        self.signed(owner, &name)
    }

    /// The name at Druid of the connection that `owner`, while it holds just this, calls `client_id`: with other grants
    /// the same name is another connection, which is not open, so that nothing that was prepared outlives a permission.
    #[must_use]
    pub fn connection(&self, owner: &Identity, held: &Grants, client_id: &str) -> QueryId {
        let held = held.to_lines();
        let fields: Vec<&[u8]> =
            std::iter::once(client_id).chain(held.iter().map(String::as_str)).map(str::as_bytes).collect();
        let name = keyed(&self.signs.key, "connection", &fields, PART_BYTES);
        self.signed(owner, &name)
    }

    fn signed(&self, owner: &Identity, name: &str) -> QueryId {
        let signed = format!("{FORM}.{}.{}.{name}", self.signs.id, self.signs.owner_tag(owner));
        let mac = self.signs.mac(&signed);
        QueryId(format!("{signed}.{mac}"))
    }

    /// Whose query the text names.
    #[must_use]
    pub fn whose(&self, text: &str, caller: &Identity) -> Whose {
        let parts: Vec<&str> = text.split('.').collect();
        let [form, key_id, owner, name, mac] = parts.as_slice() else { return Whose::NotAnId };
        let lengths = [key_id.len(), owner.len(), name.len(), mac.len()];
        if *form != FORM || lengths != [6, 22, 22, 22] {
            return Whose::NotAnId;
        }
        let mut keys = std::iter::once(&*self.signs).chain(self.others.iter());
        let Some(key) = keys.find(|key| key.id == *key_id) else { return Whose::Forged };
        let signed = format!("{form}.{key_id}.{owner}.{name}");
        if !equal(key.mac(&signed).as_bytes(), mac.as_bytes()) {
            return Whose::Forged;
        }
        if equal(key.owner_tag(caller).as_bytes(), owner.as_bytes()) {
            Whose::Callers(QueryId(text.to_owned()))
        } else {
            Whose::Anothers
        }
    }
}

/// A keyed hash of the fields, each with its length before it so that no two lists of fields look alike.
fn keyed(key: &hmac::Key, label: &str, fields: &[&[u8]], bytes: usize) -> String {
    let mut context = hmac::Context::with_key(key);
    for field in std::iter::once(label.as_bytes()).chain(fields.iter().copied()) {
        context.update(&(field.len() as u64).to_be_bytes());
        context.update(field);
    }
    let tag = context.sign();
    URL_SAFE_NO_PAD.encode(tag.as_ref().get(..bytes).unwrap_or_default())
}

fn equal(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    const KEY: &[u8] = &[7; 32];

    fn who(subject: &str) -> Identity {
        Identity::for_tests("dev", subject, &[])
    }

    #[test]
    fn an_id_tells_its_owner() {
        let ids = QueryIds::new(KEY, &[]);
        let id = ids.mint(&who("alice"), Some("mine"), &[]);
        assert_eq!(ids.whose(id.as_str(), &who("alice")), Whose::Callers(id.clone()));
        assert_eq!(ids.whose(id.as_str(), &who("bob")), Whose::Anothers);
        assert!(id.task_id().starts_with("query-1.") && id.task_id().len() <= 120, "{}", id.task_id());
        assert!(id.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b"._~-".contains(&b)));
        // Another gate with the same key agrees; one with another key does not.
        assert_eq!(QueryIds::new(KEY, &[]).whose(id.as_str(), &who("alice")), Whose::Callers(id.clone()));
        assert_eq!(QueryIds::new(&[8; 32], &[]).whose(id.as_str(), &who("alice")), Whose::Forged);
    }

    #[test]
    fn a_key_is_replaced_without_cutting_off_what_it_signed() {
        let (old, new): (&[u8], &[u8]) = (&[7; 32], &[8; 32]);
        let [before, during, after] = [QueryIds::new(old, &[new]), QueryIds::new(new, &[old]), QueryIds::new(new, &[])];
        let signed = |ids: &QueryIds| ids.mint(&who("alice"), Some("mine"), &[]);
        let (by_old, by_new) = (signed(&before), signed(&during));
        assert_ne!(by_old, by_new);
        // Gates that are told one after the other agree all the while.
        for gate in [&before, &during] {
            for id in [&by_old, &by_new] {
                assert_eq!(gate.whose(id.as_str(), &who("alice")), Whose::Callers(id.clone()));
                assert_eq!(gate.whose(id.as_str(), &who("bob")), Whose::Anothers);
                assert!(gate.of(&who("alice")).has(id.as_str()) && !gate.of(&who("bob")).has(id.as_str()));
            }
        }
        assert_eq!(after.whose(by_old.as_str(), &who("alice")), Whose::Forged);
        // One key's id under another key's name is nobody's.
        let key_id = |id: &QueryId| id.as_str().split('.').nth(1).unwrap().to_owned();
        let mixed = by_old.as_str().replacen(&key_id(&by_old), &key_id(&by_new), 1);
        assert_eq!(during.whose(&mixed, &who("alice")), Whose::Forged);
    }

    #[test]
    fn the_same_name_of_the_same_owner_is_the_same_id() {
        let ids = QueryIds::new(KEY, &[]);
        let mint = |owner: &str, name: Option<&str>, nonce: &[u8]| ids.mint(&who(owner), name, nonce);
        assert_eq!(mint("alice", Some("x"), b"1"), mint("alice", Some("x"), b"2"));
        assert_ne!(mint("alice", Some("x"), b""), mint("bob", Some("x"), b""));
        assert_ne!(mint("alice", Some("x"), b""), mint("alice", Some("y"), b""));
        assert_ne!(mint("alice", None, b"1"), mint("alice", None, b"2"));
        assert_ne!(mint("alice", None, b"1"), mint("alice", Some("1"), b""));
        // Two fields never run into each other.
        let of = |issuer: &str, subject: &str| ids.mint(&Identity::for_tests(issuer, subject, &[]), Some("x"), b"");
        assert_ne!(of("ab", "c"), of("a", "bc"));
    }

    fn holding(grants: &[&str]) -> Grants {
        let permissions: Vec<String> = grants.iter().map(|grant| format!("{grant:?}")).collect();
        let text = format!(
            "[roles.r]\npermissions = [{}]\n[[bindings]]\nissuer = \"dev\"\nsubject = \"alice\"\nroles = [\"r\"]\n",
            permissions.join(",")
        );
        Policy::parse(&text, &["dev".to_owned()]).expect("a policy").grants_of(&who("alice"))
    }

    #[test]
    fn a_connection_is_its_owners_while_it_holds_the_same() {
        let ids = QueryIds::new(KEY, &[]);
        let some = holding(&["READ DATASOURCE wiki", "WRITE DATASOURCE taxi"]);
        let name = |owner: &str, held: &Grants, id: &str| ids.connection(&who(owner), held, id);
        let alices = name("alice", &some, "x");
        assert_eq!(QueryIds::new(KEY, &[]).connection(&who("alice"), &some, "x"), alices, "another gate agrees");
        assert_eq!(name("alice", &holding(&["WRITE DATASOURCE taxi", "READ DATASOURCE wiki"]), "x"), alices);
        assert_ne!(name("alice", &holding(&["READ DATASOURCE wiki"]), "x"), alices);
        assert_ne!(name("alice", &Grants::default(), "x"), alices);
        assert_ne!(name("bob", &some, "x"), alices);
        assert_ne!(name("alice", &some, "y"), alices);
        assert_ne!(name("alice", &some, alices.as_str()), alices);
        assert_ne!(ids.mint(&who("alice"), Some("x"), &[]), name("alice", &Grants::default(), "x"));
        assert_eq!(ids.whose(alices.as_str(), &who("alice")), Whose::Callers(alices));
    }

    #[test]
    fn a_changed_id_is_forged() {
        let ids = QueryIds::new(KEY, &[]);
        let id = ids.mint(&who("alice"), Some("mine"), &[]);
        let theirs = ids.mint(&who("bob"), Some("other"), &[]);
        let parts: Vec<&str> = id.as_str().split('.').collect();
        let other: Vec<&str> = theirs.as_str().split('.').collect();
        for place in 2..5 {
            let mut mixed = parts.clone();
            mixed[place] = other[place];
            assert_eq!(ids.whose(&mixed.join("."), &who("alice")), Whose::Forged, "{place}");
        }
    }

    #[test]
    fn other_texts_are_no_ids() {
        let ids = QueryIds::new(KEY, &[]);
        let id = ids.mint(&who("alice"), Some("mine"), &[]);
        for text in
            ["", "mine", "1.a.b.c.d", &format!("{}.", id.as_str()), &id.as_str().replacen("1.", "2.", 1), &id.task_id()]
        {
            assert_eq!(ids.whose(text, &who("alice")), Whose::NotAnId, "{text}");
        }
    }
}

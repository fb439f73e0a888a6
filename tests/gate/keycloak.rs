//! A real Keycloak, with the realm and the issuer that the files for shipping have: its tokens at the gate, its keys over
//! discovery, and what happens when these change.

use std::fs;
use std::time::{Duration, Instant};

use msq_gate_bed::{GateOptions, GateProcess, Keycloak};
use serde_json::{Value, json};

use crate::client::{Answer, Server};
use crate::operations::{admin_on, admin_section, free_port};
use crate::shipping::{Directory, prepared};
use crate::support::{options, own_gate, token};

/// What a gate has heeded after this time: two refreshes, the shortest that can be configured, on a busy machine.
const HEED_BOUND: Duration = Duration::from_secs(40);

struct House {
    files: Directory,
    keycloak: Keycloak,
    server: Server,
}

impl House {
    fn start() -> Self {
        let files = prepared();
        let in_secrets = |name: &str| files.0.join("secrets").join(name);
        let (certificate, key) = (in_secrets("certs/keycloak.pem"), in_secrets("certs/keycloak-key.pem"));
        let keycloak = Keycloak::start(&in_secrets("keycloak-realm.json"), &certificate, &key);
        let keycloak = keycloak.unwrap_or_else(|error| panic!("{error}"));
        let server = Server::new(&keycloak.url, &in_secrets("certs/ca.pem"));
        Self { files, keycloak, server }
    }

    fn secret(&self, name: &str) -> String {
        fs::read_to_string(self.files.0.join("secrets").join(name)).expect("a secret")
    }

    /// The issuer and the policy of the files for shipping; but for Keycloak's address, and how often it is asked.
    fn gate(&self, admin_port: u16) -> (GateProcess, Server) {
        let text = fs::read_to_string(self.files.0.join("gate.toml")).expect("gate.toml");
        let (_, issuer) = text.split_once("[[issuers]]\n").expect("an issuer");
        let ca = self.files.0.join("secrets/certs/ca.pem");
        let issuer = issuer
            .replace("https://keycloak:8444", &self.keycloak.url)
            .replace("secrets/certs/ca.pem", &ca.display().to_string())
            .replace("refresh_seconds = 60", "refresh_seconds = 10\nunknown_key_seconds = 1");
        let more = format!("\n[[issuers]]\n{issuer}{}", admin_section(admin_port));
        let policy_text = fs::read_to_string(self.files.0.join("policy.toml")).expect("policy.toml");
        own_gate(GateOptions { more, policy_text, ..options() })
    }

    fn grant(&self, realm: &str, form: &str) -> Value {
        let target = format!("/realms/{realm}/protocol/openid-connect/token");
        let request = self.server.post(&target).body("application/x-www-form-urlencoded", form);
        request.send().expect(200).json()
    }

    /// What Keycloak gives a person for name and password.
    fn person(&self, name: &str) -> Value {
        let password = self.secret(&format!("{name}-password"));
        let who = format!("username={name}&password={password}&scope=openid");
        self.grant("druid", &format!("grant_type=password&client_id=druid-people&{who}"))
    }

    fn access_token(&self, name: &str) -> String {
        text(&self.person(name)["access_token"])
    }

    fn program(&self) -> String {
        let secret = self.secret("nightly-load-secret");
        let form = format!("grant_type=client_credentials&client_id=nightly-load&client_secret={secret}");
        text(&self.grant("druid", &form)["access_token"])
    }

    /// Asks Keycloak as its administrator.
    fn administer(&self, method: &str, target: &str, body: Option<&Value>) -> Answer {
        let who = format!("username={}&password={}", Keycloak::admin(), self.keycloak.admin_password);
        let grant = self.grant("master", &format!("grant_type=password&client_id=admin-cli&{who}"));
        let target = format!("/admin/realms/druid{target}");
        let request = self.server.request(method, &target).bearer(&text(&grant["access_token"]));
        match body {
            Some(body) => request.json(body).send(),
            None => request.send(),
        }
    }

    /// Makes a key that signs from now on.
    fn add_key(&self) {
        let key = json!({
            "name": "newer", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider",
            "config": {"priority": ["200"], "enabled": ["true"], "active": ["true"], "algorithm": ["RS256"]},
        });
        self.administer("POST", "/components", Some(&key)).expect(201);
    }

    /// Removes all keys that sign but that one.
    fn remove_old_keys(&self) {
        let all = self.administer("GET", "/components?type=org.keycloak.keys.KeyProvider", None).expect(200).json();
        for key in all.as_array().expect("a list") {
            if key["providerId"] == "rsa-generated" && key["name"] != "newer" {
                self.administer("DELETE", &format!("/components/{}", text(&key["id"])), None).expect(204);
            }
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn await_that(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < HEED_BOUND, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn sql(gate: &Server, token: &str, statement: &str) -> Answer {
    gate.post("/druid/v2/sql").bearer(token).json(&json!({"query": statement})).send()
}

/// One Keycloak for all of it: it takes half a minute to start.
#[test]
fn tokens_of_a_real_keycloak_are_accepted_by_discovery_and_its_keys_are_followed() {
    let (mut house, port) = (House::start(), free_port());
    // Keycloak starts; the gate serves others meanwhile, and says that it is not ready.
    let (process, gate) = house.gate(port);
    let admin = admin_on(port);
    let verbose = admin.get("/readyz?verbose").send().expect(503).text();
    assert!(verbose.contains("[-] keys: an issuer has no usable keys\n"), "{verbose}");
    sql(&gate, &token("reader"), "SELECT 1").expect(200);
    let ca = house.files.0.join("secrets/certs/ca.pem");
    house.keycloak.await_realm("druid", &ca).unwrap_or_else(|error| panic!("{error}"));
    await_that("the keys", || admin.get("/readyz").send().status == 200);

    people_and_programs_are_who_keycloak_says(&house, &gate, &process);
    other_tokens_of_keycloak_open_nothing(&house, &gate);
    keys_that_change_are_followed(&house, &gate);

    // Keycloak is gone, its keys are not.
    let (good, server) = (house.access_token("ann"), house.server.clone());
    drop(house);
    await_that("Keycloak's end", || server.connect().is_err());
    for _ in 0..3 {
        sql(&gate, &good, "SELECT 1").expect(200);
    }
}

fn people_and_programs_are_who_keycloak_says(house: &House, gate: &Server, process: &GateProcess) {
    let (ann, joe, program) = (house.access_token("ann"), house.access_token("joe"), house.program());
    let insert = "INSERT INTO wiki SELECT * FROM wiki PARTITIONED BY DAY";
    sql(gate, &ann, "SELECT COUNT(*) FROM wiki").expect(200);
    sql(gate, &joe, "SELECT COUNT(*) FROM wiki").expect(200);
    let denied = sql(gate, &joe, insert).expect(403).json();
    assert_eq!(denied["errorMessage"], "Missing permissions: WRITE DATASOURCE wiki");
    // Who may is told by Druid that the native engine does not insert.
    sql(gate, &program, insert).expect(400);
    let audit = || fs::read_to_string(&process.audit).expect("audit");
    for (name, role) in [("ann", "admin"), ("joe", "analyst"), ("service-account-nightly-load", "loader")] {
        let who = format!(r#""name":"{name}","roles":["{role}"]"#);
        await_that(&who, || audit().contains(&who));
    }
}

fn other_tokens_of_keycloak_open_nothing(house: &House, gate: &Server) {
    let all = house.person("ann");
    let password = house.secret("ann-password");
    let form = format!("grant_type=password&client_id=admin-cli&username=ann&password={password}");
    let of_another_client = house.grant("druid", &form);
    for (what, other) in [
        ("an id token", &all["id_token"]),
        ("a refresh token", &all["refresh_token"]),
        ("another client's", &of_another_client["access_token"]),
    ] {
        assert_eq!(sql(gate, &text(other), "SELECT 1").status, 401, "{what}");
    }
}

fn keys_that_change_are_followed(house: &House, gate: &Server) {
    let before = house.access_token("ann");
    sql(gate, &before, "SELECT 1").expect(200);
    house.add_key();
    let after = house.access_token("ann");
    let kid = |token: &str| token.split('.').next().unwrap_or_default().to_owned();
    assert_ne!(kid(&before), kid(&after), "signed by the new key");
    // Found at its first token, or once the gate may ask again; never refused.
    await_that("the new key", || match sql(gate, &after, "SELECT 1").status {
        200 => true,
        503 => false,
        status => panic!("{status}"),
    });
    sql(gate, &before, "SELECT 1").expect(200);
    house.remove_old_keys();
    await_that("the end of the old key", || match sql(gate, &before, "SELECT 1").status {
        401 => true,
        200 | 503 => false,
        status => panic!("{status}"),
    });
    sql(gate, &after, "SELECT 1").expect(200);
    sql(gate, &house.access_token("ann"), "SELECT 1").expect(200);
}

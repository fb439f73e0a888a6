//! The pages and the files for shipping say what is so. Nothing here needs a Druid.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use msq_gate_bed::{Progress, docker_compose};
use serde_json::Value;

/// The pages that people read.
const PAGES: [&str; 5] = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "deploy/README.md", "certs/README.md"];

/// Where files of this repository are, as the pages write them; what is made there by commands is not in it.
const PLACES: [&str; 6] = ["src/", "tests/", "deploy/", "certs/README", ".ci/", ".cargo/"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A directory, gone when dropped.
pub struct Directory(pub PathBuf);

impl Directory {
    fn new() -> Self {
        let directory = std::env::temp_dir().join(crate::support::unique("msq-gate-shipping-"));
        fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    fn msq_gate(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_msq-gate")).args(words).current_dir(&self.0).output().unwrap()
    }

    #[track_caller]
    fn check(&self) {
        let output = self.msq_gate(&["check", "--config", "gate.toml"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The lines of a mapping's value, by key, where keys stand at this depth; comments left out.
fn blocks(text: &str, depth: usize) -> BTreeMap<String, String> {
    let mut blocks = BTreeMap::<String, String>::new();
    let mut current = String::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')) {
        let indent = line.len() - line.trim_start().len();
        assert!(!line.contains('\t') && indent >= depth, "not read: {line}");
        if indent == depth {
            let (key, value) = line.trim().split_once(':').unwrap_or_else(|| panic!("no key: {line}"));
            current = key.to_owned();
            assert!(blocks.insert(current.clone(), format!("{}\n", value.trim())).is_none(), "{key} comes twice");
        } else {
            blocks.get_mut(&current).expect("a key").push_str(&format!("{line}\n"));
        }
    }
    blocks
}

/// The services of the compose file, each with its keys; those of a merged service among them.
fn services() -> BTreeMap<String, BTreeMap<String, String>> {
    let nested = |text: &str, depth| blocks(text.split_once('\n').expect("a line").1, depth);
    let read: BTreeMap<String, (String, BTreeMap<String, String>)> =
        nested(&blocks(&text("docker-compose.yml"), 0)["services"], 2)
            .into_iter()
            .map(|(name, value)| {
                let anchor = value.lines().next().unwrap_or_default().trim_start_matches('&').to_owned();
                (name, (anchor, nested(&value, 4)))
            })
            .collect();
    let merged = |keys: &BTreeMap<String, String>| {
        let anchor = keys.get("<<").map(|value| value.trim().trim_start_matches('*').to_owned());
        let base = anchor.and_then(|anchor| read.values().find(|(name, _)| *name == anchor));
        let mut all = base.map(|(_, keys)| keys.clone()).unwrap_or_default();
        all.extend(keys.clone());
        all
    };
    read.iter().map(|(name, (_, keys))| (name.clone(), merged(keys))).collect()
}

#[test]
fn nothing_of_druid_is_published() {
    let services = services();
    let names: Vec<&str> = services.keys().map(String::as_str).collect();
    let expected = [
        "accounts",
        "broker",
        "coordinator",
        "gate",
        "historical",
        "keycloak",
        "middlemanager",
        "postgres",
        "router",
        "zookeeper",
    ];
    assert_eq!(names, expected);
    let of_druid = services.values().filter(|keys| keys.get("image").is_some_and(|image| image.contains("/druid:")));
    assert_eq!(of_druid.count(), 5);
    for (name, keys) in &services {
        let published = ["ports", "expose", "network_mode", "extends"].iter().any(|key| keys.contains_key(*key));
        let (may_be_published, networks) = match name.as_str() {
            "gate" => (true, "[front, druid]"),
            "keycloak" => (true, "[front]"),
            _ => (false, "[druid]"),
        };
        assert_eq!(published, may_be_published, "{name}");
        assert_eq!(keys["networks"].trim(), networks, "{name}");
    }
    assert_eq!(services["gate"]["ports"].trim(), "- \"127.0.0.1:8443:8443\"");
    assert_eq!(services["keycloak"]["ports"].trim(), "- \"127.0.0.1:8444:8444\"");
    let networks = &blocks(&text("docker-compose.yml"), 0)["networks"];
    assert!(networks.contains("  druid:\n    internal: true"), "{networks}");
    // Who reaches Druid all the same is asked for an account.
    let common = text("deploy/druid-common.properties");
    for line in [
        "druid.auth.authenticatorChain=[\"basic\"]",
        "druid.auth.authorizers=[\"basic\"]",
        "druid.auth.authorizer.basic.type=basic",
    ] {
        assert!(common.lines().any(|found| found == line), "{line}");
    }
    for extension in ["druid-basic-security", "druid-multi-stage-query"] {
        assert!(common.contains(extension), "{extension}");
    }
}

/// The files of `deploy/`, and what `prepare.sh` makes of them.
pub fn prepared() -> Directory {
    let directory = Directory::new();
    for file in fs::read_dir(root().join("deploy")).unwrap().map(Result::unwrap).filter(|file| file.path().is_file()) {
        fs::copy(file.path(), directory.0.join(file.file_name())).unwrap();
    }
    let made = prepare(&directory);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    directory
}

fn prepare(directory: &Directory) -> Output {
    let mut command = Command::new("sh");
    command.arg(directory.0.join("prepare.sh")).env("MSQ_GATE", env!("CARGO_BIN_EXE_msq-gate"));
    command.output().unwrap()
}

/// What `prepare.sh` makes, the gate's configuration takes; and the compose file hands the gate all of it.
#[test]
fn the_files_for_shipping_pass_check() {
    let directory = prepared();
    assert!(!prepare(&directory).status.success(), "what is there is not made anew");
    directory.check();
    assert!(!fs::read_to_string(directory.0.join("secrets/druid-common.properties")).unwrap().contains("=\n"));
    // The key that could sign tokens of a development issuer is not left behind.
    assert!(!directory.0.join("secrets/certs/token-key.pem").exists());

    let compose = text("docker-compose.yml");
    let mut named = 0;
    for path in compose.split([' ', '\n', ':']).filter_map(|word| word.strip_prefix("./deploy/")) {
        assert!(directory.0.join(path).is_file(), "docker-compose.yml names deploy/{path}");
        named += 1;
    }
    assert!(named >= 10, "{named}");
    let gate = &services()["gate"];
    let mounted = format!("{}{}", gate["volumes"], gate["secrets"]);
    let configuration = text("deploy/gate.toml");
    let files: Vec<&str> = configuration
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" = \"").map(|(_, value)| value.trim_end_matches('"')))
        .filter(|value| directory.0.join(value).is_file())
        .collect();
    assert_eq!(files.len(), 6, "{files:?}");
    for file in files.iter().chain(&["gate.toml"]) {
        let inside = format!("/etc/msq-gate/{file}");
        assert!(mounted.split_whitespace().any(|word| word.contains(&inside)), "{inside} is not mounted");
    }

    // The check is one that can fail.
    fs::remove_file(directory.0.join("secrets/certs/id-key")).unwrap();
    assert_eq!(directory.msq_gate(&["check", "--config", "gate.toml"]).status.code(), Some(1));
}

/// Debian's docker-compose, which needs no Docker for this, takes the file beside what `prepare.sh` makes.
#[test]
fn docker_compose_accepts_the_compose_file() {
    let program = docker_compose(&Progress::start()).unwrap_or_else(|error| panic!("{error}"));
    let (prepared, directory) = (prepared(), Directory::new());
    std::os::unix::fs::symlink(&prepared.0, directory.0.join("deploy")).unwrap();
    let config = |text: &str| {
        directory.write("docker-compose.yml", text);
        Command::new(&program).args(["config", "--quiet"]).current_dir(&directory.0).output().unwrap()
    };
    let compose = text("docker-compose.yml");
    let accepted = config(&compose);
    assert!(accepted.status.success(), "{}", String::from_utf8_lossy(&accepted.stderr));
    assert!(!config(&compose.replace("cap_drop", "cap-drop")).status.success());
}

/// Keycloak's realm is the issuer that the gate trusts: its address, its audience, its clients and its groups.
#[test]
fn the_realm_is_the_gates_issuer() {
    let realm: Value = serde_json::from_str(&text("deploy/keycloak-realm.json")).unwrap();
    let gate: toml::Table = text("deploy/gate.toml").parse().unwrap();
    let policy: toml::Table = text("deploy/policy.toml").parse().unwrap();
    let words = |value: &toml::Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let issuers = gate["issuers"].as_array().unwrap();
    assert_eq!(issuers.len(), 1);
    let issuer = &issuers[0];
    let named = |name: &str| format!("      {name}\n");
    let environment = &services()["keycloak"]["environment"];
    let address = issuer["issuer"].as_str().unwrap().strip_suffix("/realms/druid").expect("Keycloak's form");
    assert_eq!(realm["realm"], "druid");
    assert!(environment.contains(&named(&format!("KC_HOSTNAME: {address}"))), "{environment}");
    assert!(environment.contains(&named("KC_FEATURES_DISABLED: admin,admin-api,account,account-api")));
    assert!(environment.contains(&named("KC_DB: dev-mem")) && !environment.contains("ADMIN_PASSWORD"));
    assert_eq!(services()["keycloak"]["command"].trim(), "[start-dev, --import-realm]");
    assert_eq!((&issuer["discovery"], &issuer["startup"]), (&true.into(), &"serve-unready".into()));

    let clients = realm["clients"].as_array().unwrap();
    let audience = words(&issuer["audiences"]);
    assert!(clients.iter().any(|client| client["clientId"] == audience[0].as_str() && client["bearerOnly"] == true));
    let asking: Vec<&Value> = clients.iter().filter(|client| client["bearerOnly"] != true).collect();
    let names: Vec<&str> = asking.iter().map(|client| client["clientId"].as_str().unwrap()).collect();
    assert_eq!(names, words(&issuer["azp"]));
    for client in asking {
        let mapper = |kind: &str| {
            let found = client["protocolMappers"].as_array().unwrap().iter().find(|it| it["protocolMapper"] == kind);
            found.unwrap_or_else(|| panic!("{client}")).get("config").unwrap().clone()
        };
        assert_eq!(mapper("oidc-audience-mapper")["included.client.audience"], audience[0].as_str());
        // Else an id token would have the gate's audience too.
        assert_eq!(mapper("oidc-audience-mapper")["id.token.claim"], "false");
        let groups = mapper("oidc-group-membership-mapper");
        let claim = format!("/{}", groups["claim.name"].as_str().unwrap());
        assert_eq!((Some(claim.as_str()), &groups["full.path"]), (issuer["groups_claim"].as_str(), &"false".into()));
    }
    let groups: Vec<&str> = realm["groups"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    let bindings = policy["bindings"].as_array().unwrap();
    let bound: Vec<&str> = bindings.iter().map(|binding| binding["group"].as_str().unwrap()).collect();
    assert_eq!(groups, bound);
    for binding in bindings {
        assert_eq!(binding["issuer"], issuer["name"]);
        let role = binding["roles"][0].as_str().unwrap();
        assert!(policy["roles"].get(role).is_some(), "{role}");
    }
    // Nobody's password is in the file; prepare.sh puts one in each place.
    let users = realm["users"].as_array().unwrap();
    let credentials = users.iter().filter_map(|user| user["credentials"][0]["value"].as_str());
    let secrets: Vec<&str> = credentials.chain(clients.iter().filter_map(|client| client["secret"].as_str())).collect();
    assert!(secrets.len() == 3 && secrets.iter().all(|secret| secret.starts_with('@')), "{secrets:?}");
    let made = fs::read_to_string(prepared().0.join("secrets/keycloak-realm.json")).unwrap();
    assert!(secrets.iter().all(|place| !made.contains(place)) && serde_json::from_str::<Value>(&made).is_ok());
}

#[test]
fn the_image_starts_what_it_holds() {
    let dockerfile = text("Dockerfile");
    let lines: Vec<&str> = dockerfile.lines().map(str::trim).collect();
    let has = |line: &str| lines.contains(&line);
    let name = env!("CARGO_PKG_NAME");
    assert!(has(&format!("COPY --from=build /source/target/release/{name} /usr/local/bin/{name}")));
    assert!(has(&format!("ENTRYPOINT [\"/usr/local/bin/{name}\"]")));
    assert!(has("CMD [\"serve\", \"--config\", \"/etc/msq-gate/gate.toml\"]"));
    assert!(has("USER 65532:65532") && has("EXPOSE 8443"));
    let version = format!("org.opencontainers.image.version=\"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(lines.iter().any(|line| line.contains(&version)), "{version}");
    // The toolchain of the image is no older than the one that the sources ask for.
    assert!(lines[1].contains(&format!("rust:{}", env!("CARGO_PKG_RUST_VERSION"))), "{}", lines[1]);
    assert!(text("deploy/gate.toml").contains("listen = \"0.0.0.0:8443\""));
    for kept in text(".dockerignore").lines().filter_map(|line| line.strip_prefix('!')) {
        assert!(root().join(kept).exists(), "{kept}");
    }
}

/// The configuration and the policy that README shows are ones that a gate would serve with.
#[test]
fn the_configuration_in_readme_passes_check() {
    let readme = text("README.md");
    let block = |begins: &str| {
        let fenced = readme.split("```toml\n").skip(1).filter_map(|rest| rest.split_once("```")).map(|(toml, _)| toml);
        fenced.into_iter().find(|toml| toml.starts_with(begins)).unwrap_or_else(|| panic!("no block {begins}"))
    };
    let directory = Directory::new();
    assert!(directory.msq_gate(&["dev-certs"]).status.success());
    directory.write("druid-password", "secret\n");
    directory.write("gate.toml", &format!("{}\n{}", block("[server]"), block("[sql]")));
    directory.write("policy.toml", block("[roles."));
    directory.check();
}

/// README names where endpoints are; each place has some, and each endpoint stands below one.
#[test]
fn readme_lists_what_is_served() {
    let output = Command::new(env!("CARGO_BIN_EXE_msq-gate")).args(["routes", "--json"]).output().unwrap();
    let routes: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let readme = text("README.md");
    let (_, block) = readme.split_once("```text\nBELOW ").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let places: Vec<&str> = block.lines().skip(1).map(|line| line.split_once(' ').unwrap().0).collect();
    let is_below = |path: &str, place: &str| {
        path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || place == "/")
    };
    let place_of = |path: &str| {
        let below = places.iter().filter(|place| is_below(path, place));
        *below.max_by_key(|place| place.len()).unwrap_or_else(|| panic!("README.md has no place for {path}"))
    };
    let served = routes["served"].as_array().unwrap().iter().map(|row| place_of(row["path"].as_str().unwrap()));
    let used: BTreeSet<&str> = served.collect();
    assert_eq!(used, places.iter().copied().collect());
    // What is the console's is not below another place.
    assert_eq!((place_of("/public/{file*}"), place_of("/druid/coordinator/v1/tiers")), ("/", "/druid/coordinator/v1"));
    let table = Command::new(env!("CARGO_BIN_EXE_msq-gate")).arg("routes").output().unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    for list in ["served", "notServed"] {
        for row in routes[list].as_array().unwrap() {
            let path = row["path"].as_str().unwrap();
            assert!(table.lines().any(|line| line.split_whitespace().nth(1) == Some(path)), "{path}");
        }
    }
}

/// Every key of the configuration is explained.
#[test]
fn readme_names_every_key_of_the_configuration() {
    let spans = code_spans(&text("README.md"));
    let mut keys = 0;
    for file in ["limits", "issuers", "druid"] {
        let source = text(format!("src/config/{file}.rs"));
        let (_, list) = source.split_once("const KEYS: [&str; ").expect("its keys");
        let (list, _) = list.split_once("];").expect("their end");
        for key in list.split('"').skip(1).step_by(2) {
            keys += 1;
            let is_named = spans
                .iter()
                .any(|span| span == key || span.ends_with(&format!("]] {key}")) || span.ends_with(&format!("] {key}")));
            assert!(is_named, "README.md does not name `{key}` of {file}");
        }
    }
    assert!(keys >= 50, "{keys}");
}

/// What stands between single backticks, blocks of code left out.
fn code_spans(page: &str) -> Vec<String> {
    let outside: Vec<&str> = page.split("```").step_by(2).collect();
    outside
        .iter()
        .flat_map(|part| part.split('`').skip(1).step_by(2))
        .map(|span| span.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

fn names_a_file(span: &str) -> bool {
    let plain = span.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
    let known = ["Dockerfile", "LICENSE", "Cargo.toml", "deny.toml", "clippy.toml", "docker-compose.yml"];
    plain
        && !span.starts_with("deploy/secrets")
        && (PLACES.iter().any(|place| span.starts_with(place))
            || known.contains(&span)
            || span.ends_with(".rs")
            || span.ends_with(".md"))
}

/// `room::name_of_a_test`; the names of tests have more than one word.
fn names_a_test(span: &str) -> Option<(&str, &str)> {
    let (room, name) = span.split_once("::")?;
    let lower = |word: &str| word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    (lower(room) && lower(name) && name.contains('_')).then_some((room, name))
}

/// Every test of the workspace by its name, with the rooms and files that it is in.
fn tests() -> BTreeMap<String, BTreeSet<String>> {
    let mut tests = BTreeMap::<String, BTreeSet<String>>::new();
    let mut waiting = vec![root().join("src"), root().join("tests")];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let source = text(&path);
        let inside = path.strip_prefix(root()).unwrap();
        let rooms = || inside.iter().map(|part| part.to_string_lossy().trim_end_matches(".rs").to_owned());
        // `#[test]` and `#[tokio::test]`, also with arguments.
        let marks = source.match_indices("#[test]\n").chain(source.match_indices("#[tokio::test"));
        for (_, after) in marks.map(|(at, mark)| source.split_at(at + mark.len())) {
            let name = after.split_once("fn ").and_then(|(_, rest)| rest.split_once('(')).map(|(name, _)| name.trim());
            tests.entry(name.expect("a name").to_owned()).or_default().extend(rooms());
        }
    }
    tests
}

#[test]
fn every_file_and_test_that_the_pages_name_exists() {
    let tests = tests();
    let exists = |room: &str, name: &str| tests.get(name).is_some_and(|rooms| rooms.contains(room));
    let (mut files, mut named, mut faults) = (0, 0, Vec::new());
    for page in PAGES {
        for span in code_spans(&text(page)) {
            if names_a_file(&span) {
                files += 1;
                let beside = Path::new(page).parent().unwrap().join(&span);
                if !root().join(&span).exists() && !root().join(beside).exists() {
                    faults.push(format!("{page}: there is no file {span}"));
                }
            } else if let Some((room, name)) = names_a_test(&span) {
                named += 1;
                if !exists(room, name) {
                    faults.push(format!("{page}: there is no test {span}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    // The search finds what is there, and misses what is not.
    assert!(files >= 60 && named >= 80, "only {files} files and {named} tests");
    assert!(exists("shipping", "nothing_of_druid_is_published") && !exists("doors", "nothing_of_druid_is_published"));
    assert!(names_a_file("src/nope.rs") && !root().join("src/nope.rs").exists());
    assert_eq!(names_a_test("doors::no_such_test"), Some(("doors", "no_such_test")));
}

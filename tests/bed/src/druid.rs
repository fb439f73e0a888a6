//! What the bed says to Druid, as its administrator: accounts and roles, MSQ tasks, questions about readiness.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;

use crate::error::{BedError, Result};
use crate::grant;
use crate::http::{self, Answer};
use crate::progress;
use crate::services::Service;
use crate::state::State;

/// MSQ needs about two seconds for a small task, more while its classes are loaded for the first time.
const TASK_BOUND: Duration = Duration::from_secs(90);
/// From a task's success to an answer of a Broker: a poll, an assignment and a load, each of a second or two.
const QUERYABLE_BOUND: Duration = Duration::from_secs(60);
/// Between healthy services and a first accepted task: leader election, discovery of the Indexer and of the Broker.
const SUBMIT_BOUND: Duration = Duration::from_secs(60);
/// For hashing passwords that nobody chose: they need no slow hash, and each service hashes with each request.
pub const HASH_ITERATIONS: u32 = 10;

/// A client of one bed's Druid.
#[derive(Debug)]
pub struct Druid {
    agent: Agent,
    router: String,
    coordinator: String,
    /// The others, which keep copies of the Coordinator's accounts.
    followers: Vec<String>,
    admin: String,
}

impl Druid {
    /// The client for the bed of this state.
    pub fn of(state: &State) -> Result<Self> {
        let followers = [Service::Indexer, Service::Broker, Service::Router, Service::Historical];
        Ok(Self {
            agent: http::plain(),
            router: base_url(state, Service::Router)?,
            coordinator: base_url(state, Service::Coordinator)?,
            followers: followers.into_iter().map(|service| base_url(state, service)).collect::<Result<_>>()?,
            admin: http::basic("admin", &state.admin_password),
        })
    }

    /// One request as the administrator.
    pub fn ask(&self, method: &str, url: &str, body: Option<&Value>) -> Result<Answer> {
        let text = body.map(Value::to_string);
        http::send(&self.agent, method, url, Some(&self.admin), text.as_deref())
            .map_err(|error| BedError::new(format!("{method} {url}: {error}"), "see `cargo bed status`"))
    }

    /// Makes an account, or changes its password.
    pub fn set_account(&self, name: &str, password: &str) -> Result<()> {
        let user = format!("{}/authentication/db/basic/users/{name}", self.security());
        self.make(&user)?;
        let credentials = json!({"password": password, "iterations": HASH_ITERATIONS});
        self.ask("POST", &format!("{user}/credentials"), Some(&credentials))?.good("set a password").map(drop)
    }

    /// Gives an account exactly these grants, in one role of its own name.
    pub fn set_grants(&self, name: &str, grants: &[impl AsRef<str>]) -> Result<()> {
        let permissions: Vec<Value> =
            grants.iter().map(|grant| grant::to_druid(grant.as_ref())).collect::<Result<_>>()?;
        let base = format!("{}/authorization/db/basic", self.security());
        self.make(&format!("{base}/users/{name}"))?;
        self.make(&format!("{base}/roles/{name}"))?;
        self.make(&format!("{base}/users/{name}/roles/{name}"))?;
        let url = format!("{base}/roles/{name}/permissions");
        self.ask("POST", &url, Some(&Value::Array(permissions)))?.good("set permissions").map(drop)
    }

    /// Hands the Coordinator's accounts and roles to the other services, as its own notifications would some time later:
    /// when this returns, all of them have it.
    pub fn publish_accounts(&self) -> Result<()> {
        for (kind, listener) in [("authorization", "listen/users/basic"), ("authentication", "listen/basic")] {
            let from = format!("{}/{kind}/db/basic/cachedSerializedUserMap", self.security());
            let map = self.bytes("GET", &from, &[])?;
            for follower in &self.followers {
                self.bytes("POST", &format!("{follower}/druid-ext/basic-security/{kind}/{listener}"), &map)?;
            }
        }
        Ok(())
    }

    /// The map is in a binary form of JSON.
    fn bytes(&self, method: &str, url: &str, body: &[u8]) -> Result<Vec<u8>> {
        let exchange = || -> std::result::Result<(u16, Vec<u8>), ureq::Error> {
            let request = ureq::http::Request::builder()
                .method(method)
                .uri(url)
                .header("Authorization", &self.admin)
                .header("Content-Type", "application/json");
            let mut response = if method == "GET" {
                self.agent.run(request.body(())?)?
            } else {
                self.agent.run(request.body(body)?)?
            };
            Ok((response.status().as_u16(), response.body_mut().read_to_vec()?))
        };
        let fault = |what: String| BedError::new(format!("{method} {url}: {what}"), "see `cargo bed status`");
        match exchange() {
            Ok((200, bytes)) => Ok(bytes),
            Ok((status, bytes)) => Err(fault(format!("status {status}")).showing(String::from_utf8_lossy(&bytes))),
            Err(error) => Err(fault(error.to_string())),
        }
    }

    /// Makes what a URL of the security API names; that it exists already is fine.
    fn make(&self, url: &str) -> Result<()> {
        let answer = self.ask("POST", url, None)?;
        if answer.status == 400 && (answer.text.contains("already exists") || answer.text.contains("already has role"))
        {
            return Ok(());
        }
        answer.good(&format!("POST {url}")).map(drop)
    }

    /// Submits a statement to MSQ, as soon as the cluster takes it.
    pub fn submit(&self, sql: &str) -> Result<String> {
        self.accepted("/druid/v2/sql/task", &json!({"query": sql, "context": {"maxNumTasks": 2}}), "/taskId")
    }

    /// Submits a native task, likewise.
    pub fn submit_spec(&self, spec: &Value) -> Result<String> {
        self.accepted("/druid/indexer/v1/task", spec, "/task")
    }

    fn accepted(&self, path: &str, body: &Value, id: &str) -> Result<String> {
        let url = format!("{}{path}", self.router);
        let mut last = String::new();
        let next = "see `cargo bed logs broker` and `coordinator`";
        let accepted = progress::until("Druid to accept a task", SUBMIT_BOUND, next, || {
            let answer = http::send(&self.agent, "POST", &url, Some(&self.admin), Some(&body.to_string()));
            let answer = answer.unwrap_or_else(|error| Answer { status: 0, text: error.to_string() });
            let id = answer.json().pointer(id).and_then(Value::as_str).map(str::to_owned);
            last = answer.text;
            Ok(id.filter(|_| matches!(answer.status, 200 | 202)))
        });
        accepted.map_err(|error| error.showing(last))
    }

    /// Waits for the success of a task.
    pub fn await_task(&self, id: &str) -> Result<()> {
        let url = format!("{}/druid/indexer/v1/task/{id}", self.router);
        let state = progress::until(&format!("task {id}"), TASK_BOUND, "see `cargo bed logs indexer`", || {
            let answer = self.ask("GET", &format!("{url}/status"), None)?.json();
            let state = answer.pointer("/status/statusCode").and_then(Value::as_str).unwrap_or_default();
            Ok((!matches!(state, "" | "RUNNING" | "WAITING" | "PENDING")).then(|| state.to_owned()))
        })?;
        if state == "SUCCESS" {
            return Ok(());
        }
        let report = self.ask("GET", &format!("{url}/reports"), None)?.json();
        let fault = report.pointer("/multiStageQuery/payload/status/errorReport").unwrap_or(&report).to_string();
        Err(BedError::new(format!("task {id} ended in {state}"), "see `cargo bed logs indexer`").showing(fault))
    }

    /// Waits until the Router counts this many rows in a datasource.
    pub fn await_rows(&self, datasource: &str, rows: usize) -> Result<()> {
        let url = format!("{}/druid/v2/sql", self.router);
        let query = json!({"query": format!("SELECT COUNT(*) AS n FROM \"{datasource}\"")});
        let what = format!("the rows of {datasource}");
        progress::until(&what, QUERYABLE_BOUND, "see `cargo bed logs historical` and `broker`", || {
            let counted = self.ask("POST", &url, Some(&query))?.json();
            Ok((counted.pointer("/0/n").and_then(Value::as_u64) == Some(rows as u64)).then_some(()))
        })
    }

    /// Whether the Broker knows a datasource.
    pub fn has_datasource(&self, name: &str) -> Result<bool> {
        let url = format!("{}/druid/v2/sql", self.router);
        let query = json!({"query": format!("EXPLAIN PLAN FOR SELECT * FROM \"{name}\"")});
        Ok(self.ask("POST", &url, Some(&query))?.status == 200)
    }

    /// Waits until the Router finds a Broker that answers.
    pub fn await_broker(&self) -> Result<()> {
        let url = format!("{}/druid/v2/sql", self.router);
        let query = json!({"query": "SELECT 1"});
        progress::until("the Router to find the Broker", QUERYABLE_BOUND, "see `cargo bed logs router`", || {
            Ok((self.ask("POST", &url, Some(&query))?.status == 200).then_some(()))
        })
    }

    fn security(&self) -> String {
        format!("{}/druid-ext/basic-security", self.coordinator)
    }
}

/// The address of one service.
pub fn base_url(state: &State, service: Service) -> Result<String> {
    Ok(format!("http://127.0.0.1:{}", state.port(service.name())?))
}

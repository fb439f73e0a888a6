//! Up, and users: what has to be done, and undone where it fails half-way.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::druid::{self, Druid};
use crate::error::{BedError, Result};
use crate::gate::{self, GateFiles, GateOptions};
use crate::progress::{self, Progress};
use crate::services::{self, Service};
use crate::state::{BedFile, State, StoredUser, User};
use crate::tools;
use crate::{datasets, grant, http, places, process};

/// The gate's name among the services.
pub const GATE: &str = "gate";
/// From start to healthy, for the slowest service on a machine busy with something else too.
const HEALTH_BOUND: Duration = Duration::from_secs(180);
/// How much of a log a failure shows.
const LOG_LINES: usize = 25;

/// Brings up what does not run yet, and signs every token anew.
pub fn up(progress: &Progress) -> Result<BedFile> {
    let _lock = lock()?;
    let mut bed = Bringing::prepare(progress)?;
    let result = bed.run();
    if result.is_err() {
        bed.undo()?;
    }
    result
}

/// Adds a user with these grants at both ends, or changes what it was granted.
pub fn add_user(name: &str, grants: &[String], progress: &Progress) -> Result<User> {
    add_users(&[(name.to_owned(), grants.to_vec())], progress)?.remove(name).ok_or_else(no_bed)
}

/// Adds several at once; gives all users that there are, by name.
pub fn add_users(users: &[(String, Vec<String>)], progress: &Progress) -> Result<BTreeMap<String, User>> {
    for (name, grants) in users {
        grant::check_name(name)?;
        grants.iter().try_for_each(|line| grant::to_druid(line).map(drop))?;
        if grant::SAMPLE_USERS.iter().any(|(sample, _)| sample == name) {
            return Err(BedError::new(format!("{name} is a sample user"), "choose another name"));
        }
    }
    let _lock = lock()?;
    let state = State::load()?.ok_or_else(no_bed)?;
    let before = state.users.clone();
    let mut bed = Bringing { progress, state, started: Vec::new() };
    match bed.set_users(users).and_then(|()| bed.publish()) {
        Ok(file) => Ok(file.users),
        Err(error) => {
            // What the gate refuses must not be in the way of the next user.
            bed.state.users = before;
            bed.state.save()?;
            Err(error)
        }
    }
}

fn no_bed() -> BedError {
    BedError::new("no bed is up", "run `cargo bed up`")
}

/// Ends exactly what was started; says how many processes that was.
pub fn down() -> Result<usize> {
    let _lock = lock()?;
    let Some(state) = State::load()? else { return Ok(0) };
    let running = state.processes.values().filter(|process| process.alive()).count();
    stop(&state.processes)?;
    State::forget()?;
    Ok(running)
}

fn lock() -> Result<std::fs::File> {
    places::lock(&places::bed_dir().join("lock"))
}

/// ZooKeeper last: the others say goodbye to it.
fn stop(processes: &BTreeMap<String, process::ProcessId>) -> Result<()> {
    let zookeeper = Service::ZooKeeper.name();
    let others: Vec<_> = processes.iter().filter(|(name, _)| *name != zookeeper).map(|(_, id)| *id).collect();
    process::stop(&others)?;
    processes.get(zookeeper).map_or(Ok(()), |id| process::stop(&[*id]))
}

struct Bringing<'a> {
    progress: &'a Progress,
    state: State,
    /// What this command started, to be ended if it fails.
    started: Vec<String>,
}

impl<'a> Bringing<'a> {
    /// The state of the bed that runs; where nothing of it runs any more, a new one without its data.
    fn prepare(progress: &'a Progress) -> Result<Self> {
        let left = State::load()?.filter(|state| state.processes.values().any(|process| process.alive()));
        let state = match left {
            Some(state) => state,
            None => {
                for name in ["conf", "var", "log", "certs", "gate", "gates", "state.json", "bed.json"] {
                    places::remove(&places::bed_dir().join(name))?;
                }
                fresh_state()?
            }
        };
        Ok(Self { progress, state, started: Vec::new() })
    }

    fn run(&mut self) -> Result<BedFile> {
        // A gate that does not build should be known before a cluster is up for it.
        gate::ensure_certs(&gate::binary()?)?;
        let class_path = services::class_path(self.progress)?;
        services::write_shared_files(&self.state)?;
        // The others ask the Coordinator for their accounts when they start, and every time in vain makes them wait twice as
        // long: on few cores all are up sooner if it comes first.
        let (first, others) = Service::ALL.split_at(2);
        for services in [first, others] {
            for service in services {
                self.ensure_started(*service, &class_path)?;
            }
            self.await_health(services)?;
        }
        self.ensure_accounts()?;
        if !self.state.loaded {
            datasets::load(&Druid::of(&self.state)?, self.progress)?;
            self.state.loaded = true;
            self.state.save()?;
        }
        self.publish()
    }

    fn ensure_started(&mut self, service: Service, class_path: &str) -> Result<()> {
        let name = service.name();
        let arguments = service.argument_file(&self.state, class_path)?;
        let file = places::bed_dir().join("conf").join(format!("{name}.args"));
        if self.state.running(name) {
            if places::read_if_there(&file)?.as_ref() == Some(&arguments) {
                return Ok(());
            }
            self.progress.step(format!("{name} is configured otherwise than it runs: ending it"));
            self.end(name)?;
        }
        places::write_private(&file, &arguments)?;
        let mut command = Command::new(tools::java(self.progress)?);
        command.arg(format!("@{}", file.display())).current_dir(services::var("tmp"));
        self.start(name, &mut command, &places::log_of(name), &places::log_of(name))
    }

    fn start(&mut self, name: &str, command: &mut Command, stdout: &Path, stderr: &Path) -> Result<()> {
        let process = process::start(command, stdout, stderr)?;
        self.started.push(name.to_owned());
        self.state.processes.insert(name.to_owned(), process);
        self.state.save()?;
        self.progress.step(format!("{name} started (process {})", process.pid));
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<()> {
        if let Some(process) = self.state.processes.remove(name) {
            process::stop(&[process])?;
        }
        self.state.save()
    }

    /// Waits until every service of Druid says that it is healthy, or one has ended.
    fn await_health(&self, services: &[Service]) -> Result<()> {
        let agent = http::plain();
        let mut waiting: Vec<Service> =
            services.iter().copied().filter(|service| *service != Service::ZooKeeper).collect();
        let next = "see `cargo bed logs SERVICE`; `cargo bed down` and `up` start afresh, on other ports";
        let result = progress::until("Druid's health", HEALTH_BOUND, next, || {
            for service in services {
                self.must_run(*service)?;
            }
            waiting.retain(|service| {
                let healthy = druid::base_url(&self.state, *service).is_ok_and(|url| {
                    http::send(&agent, "GET", &format!("{url}/status/health"), None, None)
                        .is_ok_and(|answer| answer.status == 200 && answer.text.trim() == "true")
                });
                if healthy && self.started.iter().any(|name| name == service.name()) {
                    self.progress.step(format!("{} is healthy", service.name()));
                }
                !healthy
            });
            Ok(waiting.is_empty().then_some(()))
        });
        let tails = || -> String { waiting.iter().map(|service| last_words(service.name())).collect() };
        result.map_err(|error| if progress::interrupted() { error } else { error.or_showing(tails) })
    }

    fn must_run(&self, service: Service) -> Result<()> {
        let name = service.name();
        if self.state.running(name) {
            return Ok(());
        }
        let next = format!("read {}; `cargo bed up` starts afresh, on other ports", places::log_of(name).display());
        Err(BedError::new(format!("{name} ended while it started"), next).showing(last_words(name)))
    }

    /// The gate's account and every user, at Druid.
    fn ensure_accounts(&mut self) -> Result<()> {
        let known = self.state.users.len();
        for (name, grants) in grant::SAMPLE_USERS {
            if !self.state.users.contains_key(name) {
                let password = if name == "admin" { self.state.admin_password.clone() } else { places::secret()? };
                let grants = grants.iter().map(ToString::to_string).collect();
                self.state.users.insert(name.to_owned(), StoredUser { password, grants });
            }
        }
        if self.started.is_empty() && self.state.loaded && self.state.users.len() == known {
            return Ok(());
        }
        let druid = Druid::of(&self.state)?;
        druid.set_account(gate::ACCOUNT, &self.state.gate_password)?;
        druid.set_grants(gate::ACCOUNT, &grant::EVERYTHING)?;
        for (name, user) in &self.state.users {
            druid.set_account(name, &user.password)?;
            druid.set_grants(name, &user.grants)?;
        }
        druid.publish_accounts()?;
        druid.await_broker()?;
        self.state.save()?;
        self.progress.step(format!("accounts made: {}, and the gate's", self.state.users.len()));
        Ok(())
    }

    fn set_users(&mut self, users: &[(String, Vec<String>)]) -> Result<()> {
        let druid = Druid::of(&self.state)?;
        for (name, grants) in users {
            let known = self.state.users.get(name).cloned();
            if known.as_ref().is_some_and(|known| known.grants == *grants) {
                continue;
            }
            let password = known.map_or_else(places::secret, |user| Ok(user.password))?;
            druid.set_account(name, &password)?;
            druid.set_grants(name, grants)?;
            self.state.users.insert(name.to_owned(), StoredUser { password, grants: grants.clone() });
        }
        druid.publish_accounts()?;
        self.state.save()
    }

    /// Sees to the gate, and says where everything is.
    fn publish(&mut self) -> Result<BedFile> {
        let binary = gate::binary()?;
        gate::ensure_certs(&binary)?;
        let files = GateFiles { dir: places::bed_dir().join("gate"), port: self.state.port(GATE)? };
        self.ensure_gate(&binary, &files)?;
        let mut users = BTreeMap::new();
        for (name, user) in &self.state.users {
            let token = gate::token(&binary, name, &[name])?;
            users.insert(name.clone(), User { token, password: user.password.clone() });
        }
        let router = druid::base_url(&self.state, Service::Router)?;
        let file = BedFile { gate: files.url(), router, ca: gate::ca_file(), users };
        file.save()?;
        Ok(file)
    }

    /// The gate runs, is of the latest build, and has the policy of today's users.
    fn ensure_gate(&mut self, binary: &Path, files: &GateFiles) -> Result<()> {
        let options = GateOptions {
            router_url: druid::base_url(&self.state, Service::Router)?,
            task_cancel: "READ".to_owned(),
            policy_text: gate::policy(&self.state.users),
            password: self.state.gate_password.clone(),
            sign_in: true,
            id_keys: Vec::new(),
            more: String::new(),
            environment: Vec::new(),
        };
        let old_policy = places::read_if_there(&files.policy())?;
        let changed = files.write(&options)?;
        let build = Some(gate::build_stamp(binary)?);
        let log = places::log_of(GATE);
        if self.state.running(GATE) && !changed && self.state.gate_build == build {
            let process = self.state.processes.get(GATE).copied();
            let stale = old_policy.as_ref() != Some(&options.policy_text);
            return process.filter(|_| stale).map_or(Ok(()), |process| gate::reload(process, &log));
        }
        self.end(GATE)?;
        self.state.gate_build = build;
        self.start(GATE, &mut files.serve(binary), &audit_file(), &log)?;
        let process = self.state.processes.get(GATE).copied();
        process.map_or(Ok(()), |process| files.await_health(process, &log))?;
        self.progress.step(format!("{GATE} is healthy"));
        Ok(())
    }

    /// Ends what this command started; what ran before stays.
    fn undo(&mut self) -> Result<()> {
        if self.started.is_empty() {
            return Ok(());
        }
        let mine = self.state.processes.clone().into_iter().filter(|(name, _)| self.started.contains(name)).collect();
        self.progress.step(format!("ending what was started: {}", self.started.join(", ")));
        stop(&mine)?;
        self.state.processes.retain(|name, _| !mine.contains_key(name));
        if self.state.processes.is_empty() { State::forget() } else { self.state.save() }
    }
}

/// The gate's audit records.
#[must_use]
pub fn audit_file() -> PathBuf {
    places::bed_dir().join("log/audit.jsonl")
}

fn last_words(name: &str) -> String {
    format!("{name}:\n{}\n", places::tail(&places::log_of(name), LOG_LINES))
}

fn fresh_state() -> Result<State> {
    let names = Service::ALL.into_iter().map(Service::name).chain(["derby", GATE]);
    let names: Vec<String> = names.map(str::to_owned).collect();
    let ports = places::free_ports(names.len())?;
    Ok(State {
        ports: names.into_iter().zip(ports).collect(),
        processes: BTreeMap::new(),
        admin_password: places::secret()?,
        internal_password: places::secret()?,
        gate_password: places::secret()?,
        users: BTreeMap::new(),
        loaded: false,
        gate_build: None,
    })
}

//! `msq-gate serve`: the gate itself.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::reload::Reload;
use crate::auth::Authenticator;
use crate::config::{self, Config};
use crate::inspect::Inspector;
use crate::policy::Policy;
use crate::proxy::{Gate, SignIn};
use crate::reading_pool::ReadingPool;
use crate::server::{Admin, AdminServer, Readiness, Server, ServerFault};
use crate::telemetry::{self, AuditLog, Metrics};
use crate::upstream::{Directory, Upstream};

/// Serve, until SIGTERM or SIGINT; files that change are read again, and all of them on SIGHUP
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Serves. Exit code 0 after an orderly end, 1 if the gate cannot start or requests outlived the grace period.
#[must_use]
pub fn run(args: &ServeArgs) -> ExitCode {
    let (config, policy) = match config::check(&args.config) {
        Ok(checked) => checked,
        Err(faults) => {
            return super::fail(&format!(
                "{faults}\nnothing is served; mend the configuration, `msq-gate check` reads it too"
            ));
        }
    };
    telemetry::log_to_stderr();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return super::fail(&format!("cannot start: {error}"));
        }
    };
    let out = match telemetry::audit_out(&config.audit.out) {
        Ok(out) => out,
        Err(error) => return super::fail(&format!("cannot write audit records: {error}; see [audit] file")),
    };
    let (audit, writer) = AuditLog::start(out, config.audit.failure, Metrics::new());
    let code = runtime.block_on(serve(&args.config, config, policy, audit));
    // Connections that outlived the grace period end here, and their records are written.
    drop(runtime);
    writer.finish();
    code
}

async fn serve(file: &Path, config: Config, policy: Policy, audit: AuditLog) -> ExitCode {
    let mut files = config.files;
    files.push(config.policy.file);
    let upstream = Upstream::new(&config.druid, &config.limits);
    let health = tokio::spawn(upstream.routers().watch(upstream.clone()));
    let second = match ReadingPool::start(config.sql.second_reading) {
        Ok(pool) => pool,
        Err(error) => {
            tracing::error!(%error, "cannot serve: no thread for the second reading");
            return ExitCode::FAILURE;
        }
    };
    let inspector = Inspector {
        ids: super::query_ids(&config.ids),
        task_cancel: config.policy.task_cancel,
        statements_by_state: config.policy.statements_by_state,
        external: Arc::new(config.sql.external),
        context_keys: config.sql.context_keys,
        directory: Directory::new(upstream.clone(), config.limits.lookup),
        second: second.clone(),
    };
    let authenticator = Authenticator::new(config.auth);
    let keys = authenticator.keep_keys_fresh();
    let (Ok(hangup), Ok(haste)) = (signal(SignalKind::hangup()), stop_signals()) else {
        tracing::error!("signals cannot be received");
        return ExitCode::FAILURE;
    };
    tokio::select! {
        first = authenticator.first_keys() => if let Err(fault) = first {
            tracing::error!(%fault, "cannot serve");
            return ExitCode::FAILURE;
        },
        () = until(haste.clone(), Haste::Stop) => return ExitCode::SUCCESS,
    }
    let limits = config.limits;
    let sign_in = SignIn::new(config.server.origin.clone());
    let (to_druid, records) = (upstream.clone(), audit.clone());
    let gate = Gate::new(authenticator.clone(), sign_in, policy, inspector, to_druid, records, limits.clone());
    let gate = Arc::new(gate);
    let bound = async {
        let server = Server::bind(config.server, limits, audit.clone()).await?;
        let admin = match config.admin {
            None => None,
            Some(address) => Some(AdminServer::bind(address).await?),
        };
        Ok::<_, ServerFault>((server, admin))
    };
    let (server, admin_server) = match bound.await {
        Ok(bound) => bound,
        Err(fault) => {
            tracing::error!(%fault, "cannot serve");
            return ExitCode::FAILURE;
        }
    };
    let (certificate, metrics) = (server.certificate(), audit.metrics().clone());
    let readiness = Readiness::new(authenticator.clone(), upstream.routers(), certificate.clone(), audit, second);
    let readiness = Arc::new(readiness);
    let mut beside = vec![health];
    if let Some(admin_server) = admin_server {
        let admin = Admin {
            gate: Arc::clone(&gate),
            readiness: Arc::clone(&readiness),
            metrics: metrics.clone(),
            upstream: upstream.clone(),
        };
        beside.push(tokio::spawn(admin_server.run(admin)));
    }
    let (configuration, its_gate) = (file.to_owned(), Arc::clone(&gate));
    let reload = Reload { configuration, files, gate: its_gate, certificate, authenticator, upstream, metrics };
    beside.push(tokio::spawn(reload.run(hangup)));
    match server.local_address() {
        Ok(address) => tracing::info!(%address, "serving"),
        Err(error) => tracing::info!(%error, "serving"),
    }
    let (stop, hurry) = (until(haste.clone(), Haste::Stop), until(haste, Haste::Hurry));
    let orderly = server.run(gate, &readiness, stop, hurry).await;
    drop(keys);
    for task in beside {
        task.abort();
    }
    if orderly {
        tracing::info!("stopped");
        ExitCode::SUCCESS
    } else {
        tracing::warn!("stopped; requests that outlived the grace period were cut off");
        ExitCode::FAILURE
    }
}

/// How much haste the signals ask for: SIGTERM none; SIGINT, from a person at a terminal, and a second SIGTERM do not
/// wait for clients to go elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Haste {
    Serve,
    Stop,
    Hurry,
}

fn stop_signals() -> std::io::Result<watch::Receiver<Haste>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (told, haste) = watch::channel(Haste::Serve);
    tokio::spawn(async move {
        loop {
            let is_terminate = tokio::select! {
                _ = terminate.recv() => true,
                _ = interrupt.recv() => false,
            };
            let is_first = *told.borrow() == Haste::Serve;
            let _ = told.send(if is_terminate && is_first { Haste::Stop } else { Haste::Hurry });
            tracing::info!("stopping");
        }
    });
    Ok(haste)
}

async fn until(mut haste: watch::Receiver<Haste>, wanted: Haste) {
    let _ = haste.wait_for(|haste| *haste >= wanted).await;
}

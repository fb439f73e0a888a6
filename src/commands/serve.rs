//! `msq-gate serve`: the gate itself.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::auth::Authenticator;
use crate::config::{self, Config};
use crate::inspect::Inspector;
use crate::policy::Policy;
use crate::proxy::Gate;
use crate::query_id::QueryIds;
use crate::server::Server;
use crate::telemetry::{self, AuditLog};
use crate::upstream::{Directory, Upstream};

/// Serve, until SIGTERM or SIGINT; SIGHUP reads the policy file again
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// What is needed to read the policy again.
struct PolicySource {
    file: PathBuf,
    issuer_names: Vec<String>,
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
    let (audit, writer) = AuditLog::start(std::io::stdout());
    let code = runtime.block_on(serve(config, policy, audit));
    // Connections that outlived the grace period end here, and their records are written.
    drop(runtime);
    writer.finish();
    code
}

async fn serve(config: Config, policy: Policy, audit: AuditLog) -> ExitCode {
    let source = PolicySource { file: config.policy.file, issuer_names: config.auth.issuer_names() };
    let upstream = Upstream::new(&config.druid, &config.limits);
    let health = tokio::spawn(upstream.routers().watch(upstream.clone()));
    let inspector = Inspector {
        ids: QueryIds::new(config.ids.key.expose()),
        task_cancel: config.policy.task_cancel,
        directory: Directory::new(upstream.clone()),
    };
    let authenticator = Authenticator::new(config.auth);
    let limits = config.limits;
    let gate = Gate::new(authenticator, policy, inspector, upstream, audit.clone(), limits.clone());
    let gate = Arc::new(gate);
    let server = match Server::bind(config.server, limits, audit).await {
        Ok(server) => server,
        Err(fault) => {
            tracing::error!(%fault, "cannot serve");
            return ExitCode::FAILURE;
        }
    };
    let (Ok(hangup), Ok(stop)) = (signal(SignalKind::hangup()), stop_signal()) else {
        tracing::error!("signals cannot be received");
        return ExitCode::FAILURE;
    };
    let reloading = tokio::spawn(reload_on_hangup(hangup, source, Arc::clone(&gate)));
    match server.local_address() {
        Ok(address) => tracing::info!(%address, "serving"),
        Err(error) => tracing::info!(%error, "serving"),
    }
    let orderly = server.run(gate, stop).await;
    reloading.abort();
    health.abort();
    if orderly {
        tracing::info!("stopped");
        ExitCode::SUCCESS
    } else {
        tracing::warn!("stopped; requests that outlived the grace period were cut off");
        ExitCode::FAILURE
    }
}

fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: no more connections are accepted");
    })
}

async fn reload_on_hangup(mut hangup: Signal, source: PolicySource, gate: Arc<Gate>) {
    while hangup.recv().await.is_some() {
        match config::load_policy(&source.file, &source.issuer_names) {
            Ok(policy) => {
                gate.replace_policy(policy);
                tracing::info!("policy reloaded");
            }
            Err(faults) => tracing::error!(%faults, "policy not reloaded, the old one stays in force"),
        }
    }
}

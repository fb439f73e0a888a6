//! `msq-gate explain`: what would become of a request, and why, decided as `serve` decides it.

mod no_druid;
mod people;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use bytes::Bytes;
use clap::{ArgGroup, Args};

use self::no_druid::NoDruid;
use crate::auth::{Authenticator, Supposed};
use crate::config::{self, Config, Limits, PolicySettings, Secret, SqlSettings};
use crate::druid::Rule;
use crate::inspect::Inspector;
use crate::permission::Action;
use crate::policy::Policy;
use crate::proxy::{Explainer, Explanation, Known, Outcome, Question, Who};
use crate::query_id::QueryIds;
use crate::reading_pool::ReadingPool;
use crate::upstream::{Directory, Upstream};

/// The exit code of a request that would be refused.
const REFUSED: u8 = 1;

/// The exit code where nothing can be explained: the command line, or a file that it names, is faulty.
const FAULTY: u8 = 2;

/// The exit code where it depends on what was not asked.
const UNDECIDED: u8 = 3;

/// Bytes of a body's file: past the longest body that any configuration lets in.
const MAX_BODY_FILE: u64 = 64 * 1024 * 1024 + 1;

/// What would become of a request of this caller, and why. Nothing is sent but a look-up of the task or supervisor that it names. Exit code
/// 0: it would be served, 1: it would be refused, 2: a fault of the command line or a file, 3: it depends on what Druid or
/// the configuration says, which was not asked
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("caller").required(true).args(["user", "token"])),
    group(ArgGroup::new("asked").required(true).args(["sql", "request"])),
    group(ArgGroup::new("rules").required(true).multiple(true).args(["config", "policy"])),
)]
pub struct ExplainArgs {
    /// The caller, by the subject that a token would name
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The groups that its token would name, with commas between them
    #[arg(long, value_delimiter = ',', requires = "user")]
    groups: Vec<String>,
    /// Its issuer's name, where there are several
    #[arg(long, value_name = "NAME", requires = "user")]
    issuer: Option<String>,
    /// A file with the caller's token
    #[arg(long, value_name = "FILE", requires = "config")]
    token: Option<PathBuf>,
    /// The configuration file; without one its defaults hold, and nothing is looked up
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The policy, in the place of the configuration's
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// A statement, as if submitted to /druid/v2/sql/task
    #[arg(long, value_name = "TEXT")]
    sql: Option<String>,
    /// A request: `GET /druid/indexer/v1/tasks`
    #[arg(long, value_name = "METHOD PATH")]
    request: Option<String>,
    /// A file with its body
    #[arg(long, value_name = "FILE", requires = "request")]
    body: Option<PathBuf>,
    /// What the body is; application/json if not given
    #[arg(long, value_name = "TYPE", requires = "body")]
    content_type: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Explains.
#[must_use]
pub fn run(args: &ExplainArgs) -> ExitCode {
    match explain(args) {
        Ok(explanation) => {
            let now = SystemTime::now();
            super::say(&if args.json { explanation.json(now).render() } else { people::text(&explanation, now) });
            ExitCode::from(exit_code(&explanation.outcome))
        }
        Err(fault) => {
            super::fail(&fault);
            ExitCode::from(FAULTY)
        }
    }
}

const fn exit_code(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Forwarded { .. } | Outcome::InParts | Outcome::OfTheGate => 0,
        Outcome::Refused { .. } => REFUSED,
        Outcome::Undecided(_) => UNDECIDED,
    }
}

/// The explanation, or what is wrong with the command line or a file.
pub(super) fn explain(args: &ExplainArgs) -> Result<Explanation, String> {
    let question = question(args)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start: {error}"))?;
    match (&args.config, &args.policy) {
        (Some(file), policy) => {
            let (config, policy) = by_config(file, policy.as_deref())?;
            runtime.block_on(with_config(&question, config, &policy))
        }
        (None, Some(file)) => {
            let policy = config::load_policy_alone(file).map_err(|faults| faults.to_string())?;
            runtime.block_on(by_policy(&question, &policy))
        }
        (None, None) => Err("name a configuration or a policy: --config FILE, --policy FILE".to_owned()),
    }
}

/// The configuration, and its policy or the one that takes its place.
fn by_config(file: &Path, policy: Option<&Path>) -> Result<(Config, Policy), String> {
    let checked = match policy {
        None => config::check(file),
        Some(policy) => Config::load(file).and_then(|config| {
            let policy = config::load_policy(policy, &config.auth.issuer_names())?;
            Ok((config, policy))
        }),
    };
    checked.map_err(|faults| faults.to_string())
}

async fn with_config(question: &Question, config: Config, policy: &Policy) -> Result<Explanation, String> {
    let authenticator = Authenticator::new(config.auth);
    if matches!(question.who, Who::Token(_)) {
        authenticator.fetch_due_keys(SystemTime::now()).await;
    }
    let known = Known::by(&question.who, &authenticator, policy, SystemTime::now()).await;
    let known = known.map_err(|fault| fault.to_string())?;
    let directory = Directory::new(Upstream::new(&config.druid, &config.limits), config.limits.lookup);
    let ids = super::query_ids(&config.ids);
    let PolicySettings { task_cancel, statements_by_state, .. } = config.policy;
    let inspector = inspector(ids, (task_cancel, statements_by_state), config.sql, directory)?;
    let explainer = Explainer { policy, inspector: &inspector, limits: &config.limits };
    Ok(explainer.explain(question, known).await)
}

/// By a policy and the defaults of all else. What only Druid, or the key of ids, could tell is left open.
async fn by_policy(question: &Question, policy: &Policy) -> Result<Explanation, String> {
    let Who::Supposed(supposed) = &question.who else {
        return Err("a token is verified by the configuration: --config FILE".to_owned());
    };
    let known = Known::by_policy(supposed, policy).map_err(|fault| fault.to_string())?;
    let ids = QueryIds::new(&[0; 32], &[]);
    let inspector = inspector(ids, (Action::Read, true), SqlSettings::default(), NoDruid::default())?;
    let explainer = Explainer { policy, inspector: &inspector, limits: &Limits::default() };
    let mut explanation = explainer.explain(question, Ok(known)).await;
    let is_refused = matches!(explanation.outcome, Outcome::Refused { .. });
    if let Some(asked) = inspector.directory.asked() {
        let what = format!("the gate would ask Druid for {asked}; with --config FILE it does");
        explanation.outcome = Outcome::Undecided(what);
    } else if explanation
        .row
        .is_some_and(|row| row.rule == Rule::OwnStatement || is_refused && row.rule == Rule::OwnQuery)
    {
        let what = "whose this id is only the key of [ids] tells; --config FILE names it".to_owned();
        explanation.outcome = Outcome::Undecided(what);
    }
    Ok(explanation)
}

fn inspector<D>(
    ids: QueryIds,
    (task_cancel, statements_by_state): (Action, bool),
    sql: SqlSettings,
    directory: D,
) -> Result<Inspector<D>, String> {
    let second = ReadingPool::start(sql.second_reading).map_err(|error| format!("cannot start: {error}"))?;
    let SqlSettings { external, context_keys, .. } = sql;
    let external = external.into();
    Ok(Inspector { ids, task_cancel, statements_by_state, external, context_keys, directory, second })
}

fn question(args: &ExplainArgs) -> Result<Question, String> {
    let who = match (&args.user, &args.token) {
        (Some(user), _) => {
            let (subject, issuer, groups) = (user.clone(), args.issuer.clone(), args.groups.clone());
            Who::Supposed(Supposed { subject, issuer, groups })
        }
        (None, Some(file)) => {
            let text = config::read_text(file).map_err(|fault| format!("{} {fault}", file.display()))?;
            Who::Token(Secret::new(text.trim().to_owned()))
        }
        (None, None) => return Err("name a caller: --user NAME, --token FILE".to_owned()),
    };
    let question = match (&args.sql, &args.request) {
        (Some(statement), _) => Question::sql(who, statement),
        (None, request) => {
            let request = request.as_deref().unwrap_or_default();
            let (method, target) = request.split_once(' ').ok_or("write a request as 'METHOD PATH'")?;
            let body = args.body.as_deref().map(read_body).transpose()?;
            Question::new(who, method, target.trim(), body.map(|body| (args.content_type.as_deref(), body)))
        }
    };
    question.map_err(|fault| fault.to_string())
}

fn read_body(file: &Path) -> Result<Bytes, String> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|file| file.take(MAX_BODY_FILE).read_to_end(&mut bytes));
    read.map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(bytes.into())
}

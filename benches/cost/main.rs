//! What the gate costs beside a hyper proxy that authorizes nothing: `cargo bench --bench cost`, with `-- --json` for
//! machines and `-- --rounds N` for more of it.
//!
//! Both proxies run as processes of their own, with one worker thread each, before one stand-in of a Router and under
//! one load. They take turns in short rounds, so that what else the machine does meets both. It measures and judges
//! nothing: exit code 0, unless something does not start or an answer is not 200.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod load;
mod process;
mod report;
mod router;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use load::{Target, Work};
use process::{Files, Proxy};
use report::{Goal, MB, Memory, Row, Side};
use tokio::runtime::Runtime;

/// Rounds in which processor time is measured.
const ROUNDS: usize = 7;

/// Rounds in which answers come at a fixed rate, and how long each is.
const PACED_ROUNDS: usize = 2;
const PACED: Duration = Duration::from_millis(1000);

/// After a round the proxies have this long to come to rest: records are written, connections closed.
const REST: Duration = Duration::from_millis(50);

/// One row to measure.
struct Plan {
    name: &'static str,
    goal: Goal,
    work: Work,
    /// Requests of a round.
    requests: usize,
    /// Requests per second where the rate is fixed, well below what one core takes.
    per_second: u32,
}

/// Both proxies, with connections to them.
struct Sides {
    gate: (Proxy, Target),
    bare: (Proxy, Target),
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| words.iter().any(|found| found == word);
    // `cargo test --all-targets` runs benches too, unoptimized.
    if !has("--bench") {
        return println!("`cargo bench --bench cost` measures");
    }
    let after = words.iter().position(|word| word == "--rounds").and_then(|at| words.get(at + 1));
    let rounds = after.map_or(ROUNDS, |number| number.parse().expect("--rounds takes a number"));

    let (behind, driver) = (runtime(), runtime());
    let router = behind.block_on(router::start()).expect("a stand-in of a Router");
    let files = Files::new();
    let plans = plans(&files.token());
    let tls = load::tls(&files.path("certs/ca.pem"));
    let (gate, bare) = (Proxy::gate(&files, router), Proxy::bare(&files, router));
    let measured = driver.block_on(async {
        let gate = Target::new(gate.address, &tls).await.map(|target| (gate, target))?;
        let bare = Target::new(bare.address, &tls).await.map(|target| (bare, target))?;
        measure(&mut Sides { gate, bare }, &plans, rounds).await
    });
    match measured {
        Ok((rows, memory)) if has("--json") => report::print_json(&rows, &memory),
        Ok((rows, memory)) => {
            report::print_table(&rows, &memory);
            if let Some(list) = rows.last() {
                report::print_throughput(list, router::tasks().len());
            }
        }
        Err(error) => panic!("a request was not answered with 200: {error}"),
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

async fn measure(sides: &mut Sides, plans: &[Plan], rounds: usize) -> io::Result<(Vec<Row>, Vec<Memory>)> {
    let (mut rows, mut memory) = (Vec::new(), Vec::new());
    for plan in plans {
        eprintln!("{} ...", plan.name);
        let (mut gate, mut bare) = (Side::default(), Side::default());
        for side in [&mut sides.gate, &mut sides.bare] {
            cpu(side, &plan.work, plan.requests / 4).await?;
        }
        for _ in 0..rounds {
            gate.cpu.push(cpu(&mut sides.gate, &plan.work, plan.requests).await?);
            bare.cpu.push(cpu(&mut sides.bare, &plan.work, plan.requests).await?);
        }
        for _ in 0..PACED_ROUNDS {
            gate.took.extend(sides.gate.1.pace(&plan.work, plan.per_second, PACED).await?);
            bare.took.extend(sides.bare.1.pace(&plan.work, plan.per_second, PACED).await?);
        }
        rows.push(Row { name: plan.name, goal: plan.goal, per_second: plan.per_second, gate, bare });
        if memory.is_empty() && rows.len() == SMALL_ROWS {
            memory.push(peak(sides, "32 connections", Some(20 * MB)));
        }
    }
    memory.push(peak(sides, "after all rows", Some(64 * MB)));
    Ok((rows, memory))
}

/// Processor time of one request, in microseconds.
async fn cpu((proxy, target): &mut (Proxy, Target), work: &Work, requests: usize) -> io::Result<f64> {
    let before = proxy.cpu();
    target.drive(work, requests).await?;
    tokio::time::sleep(REST).await;
    Ok((proxy.cpu() - before).as_secs_f64() * 1e6 / requests as f64)
}

fn peak(sides: &Sides, name: &'static str, goal: Option<u64>) -> Memory {
    Memory { name, goal, gate: sides.gate.0.peak_memory(), bare: sides.bare.0.peak_memory() }
}

/// The first rows, after which memory is that of 32 connections and of small requests.
const SMALL_ROWS: usize = 2;

fn plans(token: &str) -> [Plan; 5] {
    let task = format!("/druid/indexer/v1/task/{}/status", router::TASK);
    let task = request(token, &format!("GET {task}"), "");
    let sql = |bytes| {
        let body = serde_json::json!({"query": statement(bytes), "context": {"sqlTimeZone": "Etc/UTC"}}).to_string();
        request(token, "POST /druid/v2/sql", &body)
    };
    let kept = |request| Work { request, is_fresh: false };
    [
        Plan {
            name: "task look-up",
            goal: Goal::Times(1.25),
            work: kept(Arc::clone(&task)),
            requests: 6000,
            per_second: 1000,
        },
        Plan {
            name: "600-byte SQL in JSON",
            goal: Goal::Times(1.6),
            work: kept(sql(600)),
            requests: 6000,
            per_second: 1000,
        },
        Plan {
            name: "100 KB SQL in JSON",
            goal: Goal::Micros(450.0),
            work: kept(sql(100_000)),
            requests: 500,
            per_second: 100,
        },
        Plan {
            name: "new TLS connection",
            goal: Goal::Times(1.2),
            work: Work { request: task, is_fresh: true },
            requests: 500,
            per_second: 100,
        },
        Plan {
            name: "list of 100,000 tasks",
            goal: Goal::None,
            // Kept ones may have been idle for too long by now.
            work: Work { request: request(token, "GET /druid/indexer/v1/tasks", ""), is_fresh: true },
            requests: 4,
            per_second: 1,
        },
    ]
}

fn request(token: &str, line: &str, body: &str) -> Arc<[u8]> {
    let body_head = match body.len() {
        0 => String::new(),
        length => format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"),
    };
    let head = "Host: gate.example\r\nUser-Agent: cost\r\nAccept: application/json\r\n";
    format!("{line} HTTP/1.1\r\n{head}Authorization: Bearer {token}\r\n{body_head}\r\n{body}").into_bytes().into()
}

/// A statement of so many bytes, as a dashboard makes it: aggregates over one table, where a column is one of many.
fn statement(bytes: usize) -> String {
    let mut text = String::from(
        "SELECT TIME_FLOOR(w.__time, 'PT1H') AS \"hour\", w.channel, COUNT(*) AS edits, SUM(w.added) AS added, \
         SUM(w.added) FILTER (WHERE w.isRobot = 'true') AS robots FROM wiki AS w WHERE w.__time >= TIMESTAMP \
         '2016-06-27 00:00:00' AND w.__time < TIMESTAMP '2016-06-28 00:00:00' AND w.page IN ('Main_Page'",
    );
    let end = ") GROUP BY 1, 2 ORDER BY 4 DESC LIMIT 100";
    for number in 0.. {
        let item = format!(", 'Page_{number:06}'");
        if text.len() + item.len() + end.len() > bytes {
            break;
        }
        text.push_str(&item);
    }
    text.push_str(end);
    text
}

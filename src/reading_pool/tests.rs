//! The threads: how long one waits for them, what they survive, and how much stack they take.

use std::sync::mpsc::channel;

use super::*;
use crate::sql::{ExternalRules, read_and_keep};

fn pool(setting: SecondReading) -> ReadingPool {
    ReadingPool::start(setting).expect("threads")
}

async fn compare(pool: &ReadingPool, sql: &str) -> Verdict {
    let (first, query) = read_and_keep(&ExternalRules::default(), sql, &[]).expect("read");
    pool.compare(sql, Vec::new(), query, &first).await
}

/// Work that lasts until the sender of what is given back is dropped, and a word that it began.
fn held(began: SyncSender<()>) -> (SyncSender<()>, Work) {
    let (hold, held) = sync_channel::<()>(0);
    let work = move || {
        let _ = began.send(());
        let _ = held.recv();
        Second::NotParsed
    };
    (hold, Box::new(work))
}

#[tokio::test]
async fn each_verdict_is_reached() {
    let small = pool(SecondReading::UpTo(40));
    assert_eq!(compare(&small, "SELECT * FROM a").await, Verdict::Agreed);
    assert_eq!(compare(&small, "SELECT x FORMAT JSON FROM a").await, Verdict::NotParsed);
    assert_eq!(compare(&small, "SELECT * FROM a WHERE x = 'what is longer'").await, Verdict::TooLong);
    let always = pool(SecondReading::Always);
    assert_eq!(compare(&always, &format!("SELECT * FROM a{}", " ".repeat(100_000))).await, Verdict::Agreed);
    let tokens = crate::sql::MAX_TOKENS_READ_TWICE;
    assert_eq!(compare(&always, &format!("SELECT 1{}", ",1".repeat(tokens / 2))).await, Verdict::TooLong);
    assert_eq!(compare(&pool(SecondReading::Off), "SELECT * FROM a").await, Verdict::Off);
}

/// A defect of the first reading, put in by hand.
#[tokio::test]
async fn what_the_first_reading_lacks_is_told() {
    let sql = "SELECT * FROM a JOIN secret ON TRUE";
    let (mut first, query) = read_and_keep(&ExternalRules::default(), sql, &[]).expect("read");
    first.resources.pop_last();
    let verdict = pool(SecondReading::default()).compare(sql, Vec::new(), query, &first).await;
    let Verdict::Disagreed(found) = verdict else { panic!("{verdict:?}") };
    assert!(found.resources.iter().any(|resource| resource.to_line() == "DATASOURCE|secret|READ"));
}

#[tokio::test]
async fn a_request_waits_no_longer_than_it_has_patience() {
    let pool = pool(SecondReading::Always);
    let (began, _begun) = sync_channel(1);
    let (hold, work) = held(began);
    let start = Instant::now();
    assert_eq!(pool.run(work).await, None);
    assert!(start.elapsed() >= PATIENCE, "{:?}", start.elapsed());
    assert_eq!(pool.stuck(), 0, "busy is not stuck");
    drop(hold);
}

#[tokio::test]
async fn where_all_threads_are_held_and_the_queue_is_full_nobody_waits() {
    let pool = pool(SecondReading::Always);
    let (began, begun) = sync_channel(THREADS);
    let send = |work: Work| {
        let (answer, answered) = oneshot::channel();
        pool.jobs.try_send(Job { work, answer }).is_ok().then_some(answered)
    };
    let (holds, held): (Vec<_>, Vec<_>) =
        (0..THREADS).map(|_| held(began.clone())).map(|(hold, work)| (hold, send(work).expect("a place"))).unzip();
    for _ in 0..THREADS {
        begun.recv().expect("a thread");
    }
    let (ran, runs) = channel();
    let count = |number: usize| {
        let ran = ran.clone();
        Box::new(move || {
            let _ = ran.send(number);
            Second::NotParsed
        })
    };
    let waiting: Vec<_> = (0..MAX_WAITING).map(|number| send(count(number)).expect("a place")).collect();
    assert!(send(count(MAX_WAITING)).is_none(), "the queue is full");
    assert_eq!(compare(&pool, "SELECT * FROM a").await, Verdict::NotWaited);
    // What nobody waits for any more is not read at all.
    drop(waiting);
    drop(holds);
    for answered in held {
        assert_eq!(answered.await, Ok(Second::NotParsed));
    }
    drop(ran);
    assert!(runs.recv().is_err());
    assert_eq!(compare(&pool, "SELECT * FROM a").await, Verdict::Agreed);
}

#[tokio::test]
async fn a_panic_costs_no_thread() {
    let pool = pool(SecondReading::Always);
    for _ in 0..2 * THREADS {
        assert_eq!(
            pool.run(Box::new(|| std::panic::resume_unwind(Box::new("a defect")))).await,
            Some(Second::NotParsed)
        );
    }
    assert_eq!(compare(&pool, "SELECT * FROM a").await, Verdict::Agreed);
}

#[test]
fn a_thread_that_does_not_come_to_an_end_is_told() {
    let (jobs, _waiting) = sync_channel(1);
    let long_ago = Instant::now().checked_sub(STUCK * 2).expect("a clock that runs for a while");
    let busy = Arc::new(Busy { began: long_ago, since: Default::default() });
    let pool = ReadingPool { setting: SecondReading::Always, jobs, busy: Arc::clone(&busy) };
    assert_eq!(pool.stuck(), 0);
    busy.set(0, busy.now());
    assert_eq!(pool.stuck(), 0);
    busy.set(1, 1);
    assert_eq!(pool.stuck(), 1);
    busy.set(1, 0);
    assert_eq!(pool.stuck(), 0);
}

/// Statements that are as deep as they are long, `n` levels each.
fn deep(n: usize) -> Vec<String> {
    let chains = [
        "+a",
        "||a",
        " OR a",
        " IS NULL",
        " IS NOT DISTINCT FROM a",
        " LIKE a",
        " IN (1)",
        " BETWEEN a AND a",
        "->a",
        "[1]",
        ".a",
        " AT TIME ZONE 'a'",
        " OVERLAPS (a)",
        " COLLATE a",
        ",a",
    ];
    let prefixes = ["NOT ", "- ", "case-", "a->", "DATE ", "INTERVAL ", "PRIOR ", "a.", "CASE a WHEN "];
    let tails = [
        " UNION ALL SELECT 1",
        " UNION TABLE a",
        " EXCEPT (SELECT 1)",
        " INTERSECT SELECT 1",
        " UNION SELECT 1 INTERSECT SELECT 1",
    ];
    let joins =
        [" JOIN a ON 1 = 1", " CROSS JOIN a", ", a", " NATURAL JOIN a", " PIVOT (SUM(x) FOR y IN (1))", " JOIN a"];
    let nests = [
        ("(", ")"),
        ("f(", ")"),
        ("f(1, ", ")"),
        ("(SELECT ", ")"),
        ("(a + ", ")"),
        ("a[", "]"),
        ("ARRAY[", "]"),
        ("ROW(", ")"),
        ("CAST(", " AS VARCHAR)"),
        ("TRIM(BOTH FROM ", ")"),
        ("CASE WHEN ", " THEN 1 END"),
        ("CASE WHEN a THEN 1 ELSE ", " END"),
        ("EXISTS (SELECT 1 WHERE ", ")"),
        ("1 = ANY (SELECT ", ")"),
        ("SUM(1) OVER (ORDER BY ", ")"),
        ("(VALUES (", "))"),
        ("SUM(1) FILTER (WHERE ", ")"),
        ("IF(current_time(", "))"),
        ("JSON_VALUE(a, ", ")"),
        ("{fn f(", ")}"),
        ("(SELECT * FROM ", ")"),
    ];
    let tables = [
        ("(", ")"),
        ("(SELECT * FROM ", ")"),
        ("(", " JOIN t ON 1 = 1)"),
        ("TABLE(f(", "))"),
        ("UNNEST(", ")"),
        ("LATERAL (SELECT * FROM ", ")"),
        ("(", " UNION TABLE t)"),
    ];
    let mut all = Vec::new();
    all.extend(chains.map(|chain| format!("SELECT a{}", chain.repeat(n))));
    all.extend(prefixes.map(|prefix| format!("SELECT {}a", prefix.repeat(n))));
    all.extend(tails.map(|tail| format!("SELECT 1{}", tail.repeat(n))));
    all.extend(joins.map(|join| format!("SELECT * FROM a{}", join.repeat(n))));
    all.extend(nests.map(|(open, close)| format!("SELECT {}1{}", open.repeat(n), close.repeat(n))));
    all.extend(tables.map(|(open, close)| format!("SELECT * FROM {}t{}", open.repeat(n), close.repeat(n))));
    all.push(format!("{}SELECT 1{}", "WITH a AS (".repeat(n), ") SELECT 1".repeat(n)));
    all.push(format!("{}SELECT 1{}", "(".repeat(n), ") LIMIT 1".repeat(n)));
    all.push(format!(
        "SELECT * FROM a MATCH_RECOGNIZE (PATTERN ({}a{}) DEFINE a AS TRUE)",
        "(".repeat(n),
        ")".repeat(n)
    ));
    all
}

/// Bytes of this thread's stack that were ever used: those of its mapping that are there.
fn stack_used() -> usize {
    let local = 0_u8;
    let here = std::ptr::from_ref(std::hint::black_box(&local)).addr();
    let maps = std::fs::read_to_string("/proc/self/smaps").expect("Linux");
    let holds = |line: &&str| {
        let range = line.split_once(' ').and_then(|(range, _)| range.split_once('-'));
        let numbers = range.map(|(from, to)| (usize::from_str_radix(from, 16), usize::from_str_radix(to, 16)));
        matches!(numbers, Some((Ok(from), Ok(to))) if (from..to).contains(&here))
    };
    let mapping = maps.lines().skip_while(|line| !holds(line));
    let resident = mapping.skip(1).find_map(|line| line.strip_prefix("Rss:")).expect("a mapping");
    resident.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
}

/// At the bounds of `sqlparser`, of groups within groups, and of tokens.
#[test]
fn no_statement_takes_half_of_a_stack() {
    let (mut read, mut used) = (0, 0);
    for levels in [99, 149, 299, 390, 24_000] {
        for sql in deep(levels) {
            let Ok((_, query)) = read_and_keep(&ExternalRules::default(), &sql, &[]) else { continue };
            let (second, stack) = on_large_stack(|| (query.read(&sql, &[]), stack_used())).expect("a thread");
            read += usize::from(matches!(second, Second::Found(_)));
            used = used.max(stack);
        }
    }
    println!("{read} read");
    assert!(read > 100, "{read} were read");
    println!("{} KiB of {} at most", used / 1024, STACK_BYTES / 1024);
    assert!((1..STACK_BYTES / 2).contains(&used), "{} KiB", used / 1024);
}

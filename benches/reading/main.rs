//! What the readings of a statement cost: `cargo bench --bench reading`. Time by criterion, over sizes from 1 KB to 1 MB
//! and over the texts that cost most for their length; then the memory that the first reading takes, beside its text. Time
//! is the processor's, so that what else the machine does counts little; but for what a request waits for both readings,
//! which are done by two threads.
#![allow(missing_docs, clippy::unwrap_used)]

mod statements;

use std::hint::black_box;
use std::time::Duration;

use cpu_time::ThreadTime;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BenchmarkId, Criterion, Throughput};
use msq_gate::reading_pool::{ReadingPool, Verdict};
use msq_gate::sql::{self, ExternalRules, SecondReading};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Bytes of the texts whose times show the slope.
const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

fn main() {
    // `cargo test --all-targets` runs benches too, unoptimized.
    if !std::env::args().any(|word| word == "--bench") {
        return println!("`cargo bench --bench reading` measures");
    }
    let mut criterion = Criterion::default().with_measurement(ProcessorTime).configure_from_args();
    first_reading(&mut criterion);
    both_readings(&mut criterion);
    criterion.final_summary();
    waiting(&mut Criterion::default().configure_from_args());
    memory();
}

/// Time that this thread spends on a processor.
struct ProcessorTime;

impl Measurement for ProcessorTime {
    type Intermediate = ThreadTime;
    type Value = Duration;

    fn start(&self) -> ThreadTime {
        ThreadTime::now()
    }

    fn end(&self, start: ThreadTime) -> Duration {
        start.elapsed()
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, time: &Duration) -> f64 {
        time.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

fn first_reading(criterion: &mut Criterion<ProcessorTime>) {
    let mut group = criterion.benchmark_group("first reading");
    let mut measure = |name: &str, text: &str| {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::new(name, text.len()), text, |bencher, text| {
            bencher.iter(|| sql::read(black_box(text), &[]).map(|reading| reading.resources.len()));
        });
    };
    measure("dashboard", &statements::dashboard(600));
    for bytes in SIZES {
        measure("report", &statements::report(bytes));
    }
    for (name, text) in statements::worst(100_000) {
        measure(name, &text);
    }
    group.finish();
}

fn both_readings(criterion: &mut Criterion<ProcessorTime>) {
    let (text, rules) = (statements::dashboard(600), ExternalRules::default());
    let mut group = criterion.benchmark_group("both readings");
    group.bench_function(BenchmarkId::new("dashboard", text.len()), |bencher| {
        bencher.iter(|| {
            let (first, query) = sql::read_and_keep(&rules, black_box(&text), &[]).unwrap();
            Verdict::of(&first, query.read(&text, &[]))
        });
    });
    group.finish();
}

/// What a request waits for both, the second by a thread of the pool.
fn waiting(criterion: &mut Criterion) {
    let (text, rules) = (statements::dashboard(600), ExternalRules::default());
    let pool = ReadingPool::start(SecondReading::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut group = criterion.benchmark_group("both readings, as a request waits for them");
    group.bench_function(BenchmarkId::new("dashboard", text.len()), |bencher| {
        bencher.iter(|| {
            let (first, query) = sql::read_and_keep(&rules, black_box(&text), &[]).unwrap();
            let verdict = runtime.block_on(pool.compare(&text, Vec::new(), query, &first));
            assert_eq!(verdict, Verdict::Agreed);
        });
    });
    group.finish();
    criterion.final_summary();
}

/// The most bytes that a reading holds at once, as a multiple of its text's.
fn memory() {
    println!("\nmemory of a reading, as a multiple of its text");
    let mut texts = vec![("dashboard", statements::dashboard(600))];
    texts.extend(SIZES.map(|bytes| ("report", statements::report(bytes))));
    texts.extend(statements::worst(100_000));
    for (name, text) in texts {
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let reading = black_box(sql::read(&text, &[]));
        let held = MEMORY.peak_usage() - before;
        drop(reading);
        println!("{name:12} {:>9} bytes {:>6.2}", text.len(), held as f64 / text.len() as f64);
    }
}

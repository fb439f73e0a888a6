//! What was measured, as a table for people and as JSON.

use std::time::Duration;

use serde_json::{Value, json};

/// What a row may cost.
#[derive(Clone, Copy)]
pub enum Goal {
    /// So many times what the bare proxy costs.
    Times(f64),
    /// So many microseconds.
    Micros(f64),
    /// Whatever it takes.
    None,
}

/// One row of the table.
pub struct Row {
    pub name: &'static str,
    pub goal: Goal,
    pub per_second: u32,
    pub gate: Side,
    pub bare: Side,
}

/// What was measured at one proxy: the processor time of a request in each round, and how long answers took.
#[derive(Default)]
pub struct Side {
    pub cpu: Vec<f64>,
    pub took: Vec<Duration>,
}

/// The most memory of both, in bytes.
pub struct Memory {
    pub name: &'static str,
    pub goal: Option<u64>,
    pub gate: u64,
    pub bare: u64,
}

impl Side {
    fn median(&self) -> f64 {
        median(self.cpu.clone())
    }

    fn min(&self) -> f64 {
        self.cpu.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// In microseconds.
    fn percentile(&self, hundredths: usize) -> f64 {
        let mut took = self.took.clone();
        took.sort();
        took.get(took.len() * hundredths / 100).map_or(f64::NAN, |took| took.as_secs_f64() * 1e6)
    }

    fn json(&self) -> Value {
        json!({
            "cpu_us_median": self.median(),
            "cpu_us_min": self.min(),
            "latency_us_p50": self.percentile(50),
            "latency_us_p99": self.percentile(99),
        })
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Row {
    /// Of the rounds, in each of which both proxies ran one after the other, the one in the middle.
    fn ratio(&self) -> f64 {
        median(self.gate.cpu.iter().zip(&self.bare.cpu).map(|(gate, bare)| gate / bare).collect())
    }

    fn is_met(&self) -> Option<bool> {
        match self.goal {
            Goal::Times(times) => Some(self.ratio() <= times),
            Goal::Micros(micros) => Some(self.gate.median() <= micros),
            Goal::None => None,
        }
    }

    fn json(&self) -> Value {
        let (gate, bare) = (self.gate.json(), self.bare.json());
        let goal = match self.goal {
            Goal::Times(times) => json!({"ratio": times}),
            Goal::Micros(micros) => json!({"cpu_us": micros}),
            Goal::None => Value::Null,
        };
        json!({
            "work": self.name, "ratio": self.ratio(), "goal": goal, "met": self.is_met(),
            "per_second": self.per_second, "gate": gate, "bare": bare,
        })
    }
}

impl Memory {
    fn is_met(&self) -> Option<bool> {
        self.goal.map(|goal| self.gate <= goal)
    }
}

/// Prints everything as JSON.
pub fn print_json(rows: &[Row], memory: &[Memory]) {
    let rows: Vec<Value> = rows.iter().map(Row::json).collect();
    let of =
        |it: &Memory| json!({"work": it.name, "goal": it.goal, "met": it.is_met(), "gate": it.gate, "bare": it.bare});
    let memory: Vec<Value> = memory.iter().map(of).collect();
    println!("{:#}", json!({"rows": rows, "peak_memory_bytes": memory}));
}

/// Prints the table.
pub fn print_table(rows: &[Row], memory: &[Memory]) {
    println!(
        "{:<24} {:>6}  {:<10} {:<6}  {:>15}  {:>15}  {:>6}  {:>13}  {:>13}",
        "", "", "", "", "GATE us CPU", "BARE us CPU", "RATE", "GATE us", "BARE us"
    );
    println!(
        "{:<24} {:>6}  {:<10} {:<6}  {:>7} {:>7}  {:>7} {:>7}  {:>6}  {:>6} {:>6}  {:>6} {:>6}",
        "WORK", "RATIO", "GOAL", "", "median", "min", "median", "min", "1/s", "p50", "p99", "p50", "p99"
    );
    for row in rows {
        let goal = match row.goal {
            Goal::Times(times) => format!("{times:.2}"),
            Goal::Micros(micros) => format!("{micros:.0} us"),
            Goal::None => String::new(),
        };
        println!(
            "{:<24} {:>6.2}  {:<10} {:<6}  {:>7.1} {:>7.1}  {:>7.1} {:>7.1}  {:>6}  {:>6.0} {:>6.0}  {:>6.0} {:>6.0}",
            row.name,
            row.ratio(),
            goal,
            met(row.is_met()),
            row.gate.median(),
            row.gate.min(),
            row.bare.median(),
            row.bare.min(),
            row.per_second,
            row.gate.percentile(50),
            row.gate.percentile(99),
            row.bare.percentile(50),
            row.bare.percentile(99),
        );
    }
    println!();
    println!("{:<24} {:>6}  {:<10} {:<6}  {:>15}  {:>15}", "PEAK MEMORY", "RATIO", "GOAL", "", "GATE MB", "BARE MB");
    for it in memory {
        let goal = it.goal.map_or(String::new(), |goal| format!("{} MB", goal / MB));
        let [gate, bare] = [it.gate, it.bare].map(|bytes| bytes as f64 / MB as f64);
        let (ratio, met) = (gate / bare, met(it.is_met()));
        println!("{:<24} {ratio:>6.2}  {goal:<10} {met:<6}  {gate:>15.1}  {bare:>15.1}", it.name);
    }
}

/// Prints how much of a list passes in a second of processor time, for an answer of so many bytes.
pub fn print_throughput(list: &Row, bytes: usize) {
    let [gate, bare] = [&list.gate, &list.bare].map(|side| bytes as f64 / side.median());
    println!();
    println!("{:<24} {:>6}  {:<10} {:<6}  {:>15}  {:>15}", "THROUGHPUT", "", "", "", "GATE MB/s", "BARE MB/s");
    println!("{:<24} {:>6}  {:<10} {:<6}  {gate:>15.1}  {bare:>15.1}", list.name, "", "", "");
}

pub const MB: u64 = 1_000_000;

const fn met(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "met",
        Some(false) => "missed",
        None => "",
    }
}

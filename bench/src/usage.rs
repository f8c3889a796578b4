//! What a stretch of work cost this process.

use std::fs;

/// Kernel ticks per second in `/proc`; Linux has shown 100 to programs since 2.6.
const TICKS: f64 = 100.0;

/// CPU seconds so far of the process or thread that the file `path` of `/proc` describes. Zero where the system does not say.
fn cpu_seconds(path: &str) -> f64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    // The name in parentheses may hold anything, so count from its end: utime is field 14, stime 15.
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = |field: usize| -> f64 {
        rest.split_whitespace().nth(field - 3).and_then(|word| word.parse().ok()).unwrap_or(0.0)
    };
    (ticks(14) + ticks(15)) / TICKS
}

pub fn process_cpu_seconds() -> f64 {
    cpu_seconds("/proc/self/stat")
}

pub fn thread_cpu_seconds() -> f64 {
    cpu_seconds("/proc/thread-self/stat")
}

/// Of another process.
pub fn cpu_seconds_of(process: u32) -> f64 {
    cpu_seconds(&format!("/proc/{process}/stat"))
}

/// Resident memory in MiB.
pub fn memory_mib() -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    let kib: f64 = line.split_whitespace().nth(1).and_then(|word| word.parse().ok()).unwrap_or(0.0);
    kib / 1_024.0
}

/// The value below which `hundredths` of 100 lie. Sorts.
pub fn percentile(values: &mut [f64], hundredths: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) * hundredths / 100).copied().unwrap_or(0.0)
}

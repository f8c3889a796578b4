//! What a benchmark says, and about what.

use serde::Serialize;
use serde_json::{Map, Value};
use std::fs;

/// One benchmark's outcome. Figures are flat: a name that ends in its unit, and a number.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The benchmark's name, as on the command line.
    pub benchmark: &'static str,
    /// The command that gives this report again.
    pub command: String,
    /// The version of MeshX that was measured.
    pub version: &'static str,
    /// `release` or `debug`: a debug build measures nothing but itself.
    pub build: &'static str,
    /// The machine that it ran on.
    pub hardware: Hardware,
    /// What was asked of it.
    pub load: Map<String, Value>,
    /// How long messages travelled between nodes.
    pub latency_model: String,
    /// What was measured: names that end in their units, and numbers.
    pub results: Map<String, Value>,
    /// What a reader of the figures must know, one sentence each.
    pub notes: Vec<String>,
}

/// The machine, as far as it says.
#[derive(Clone, Debug, Serialize)]
pub struct Hardware {
    /// The processor's name, as `/proc/cpuinfo` gives it.
    pub cpu: String,
    /// Logical cores that this process may use.
    pub cores: usize,
    /// Memory of the machine, in GiB.
    pub memory_gib: f64,
    /// The operating system and the architecture, such as `linux x86_64`.
    pub os: String,
    /// What holds the files of the benchmark: a disk or memory.
    pub files: String,
}

impl Report {
    /// An empty report of this machine; `files` is where the benchmark keeps its files.
    pub fn new(benchmark: &'static str, files: &std::path::Path) -> Self {
        Self {
            benchmark,
            command: std::env::args().collect::<Vec<_>>().join(" "),
            version: env!("CARGO_PKG_VERSION"),
            build: if cfg!(debug_assertions) { "debug" } else { "release" },
            hardware: Hardware::here(files),
            load: Map::new(),
            latency_model: "none: one process, no network".into(),
            results: Map::new(),
            notes: Vec::new(),
        }
    }

    /// Write down what was asked of the benchmark.
    pub fn load(&mut self, name: &str, value: impl Into<Value>) {
        self.load.insert(name.into(), value.into());
    }

    /// Write down something that was measured. See [`Report::figure`] for numbers that need rounding.
    pub fn result(&mut self, name: &str, value: impl Into<Value>) {
        self.results.insert(name.into(), value.into());
    }

    /// Say so if the load that was asked for is more than the machine carried. `held_back` counts the batches of
    /// load that had to wait.
    pub fn rate(&mut self, of: &str, asked: usize, reached: f64, held_back: usize) {
        // A fiftieth is lost where the seconds that count begin and end.
        if reached < asked as f64 * 0.98 {
            self.notes.push(format!(
                "this machine did not carry {asked} {of} a second: it reached {reached:.0}, and {held_back} batches of load had to wait; latencies count the waiting"
            ));
        }
    }

    /// A figure, rounded to what means something.
    pub fn figure(&mut self, name: &str, value: f64) {
        let scale = if value.abs() >= 100.0 { 1.0 } else { 100.0 };
        self.result(name, (value * scale).round() / scale);
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Hardware { cpu, cores, memory_gib, os, files } = &self.hardware;
        writeln!(f, "{} ({} build of {})", self.command, self.build, self.version)?;
        writeln!(f, "on {cpu}, {cores} cores, {memory_gib:.0} GiB, {os}, files on {files}")?;
        writeln!(f, "latency model: {}", self.latency_model)?;
        for (title, values) in [("load", &self.load), ("results", &self.results)] {
            writeln!(f, "{title}")?;
            for (name, value) in values {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                writeln!(f, "  {:<44} {value}", name.replace('_', " "))?;
            }
        }
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        Ok(())
    }
}

impl Hardware {
    fn here(files: &std::path::Path) -> Self {
        let field = |path: &str, name: &str| {
            let text = fs::read_to_string(path).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let memory_kib = field("/proc/meminfo", "MemTotal")
            .and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
        Self {
            cpu: field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".into()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: memory_kib.unwrap_or(0.0) / f64::from(1 << 20),
            os: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            files: file_system(files),
        }
    }
}

/// The type of the file system that holds `path`.
fn file_system(path: &std::path::Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            let (at, kind) = (words.next()?, words.next()?);
            path.starts_with(at).then(|| (at.len(), kind.to_owned()))
        })
        .max()
        .map_or_else(|| "an unknown file system".into(), |(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_that_was_not_reached_is_said() {
        let mut report = Report::new("tx", std::path::Path::new("/"));
        report.rate("transfers", 1_000, 990.0, 0);
        assert!(!report.to_string().contains("note:"));
        report.rate("transfers", 1_000, 612.4, 7);
        let told = report.to_string();
        assert!(told.contains("did not carry 1000 transfers a second: it reached 612"), "{told}");
    }
}

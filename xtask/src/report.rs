//! What came of each step, told as it happens, and summed up in one line at the end.

use std::{process::ExitCode, time::Instant};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// What is wrong, one line per fault.
    Failed(Vec<String>),
    /// Why the step could not be tried on this machine.
    PassedOver(String),
}

#[derive(Debug)]
pub struct Report {
    passed: u32,
    failed: u32,
    skipped: u32,
    /// When the step that is told next was begun.
    begun: Instant,
}

impl Default for Report {
    fn default() -> Self {
        Self { passed: 0, failed: 0, skipped: 0, begun: Instant::now() }
    }
}

impl Report {
    pub fn add(&mut self, step: &str, outcome: Outcome) {
        let took = took(self.begun.elapsed().as_secs());
        self.begun = Instant::now();
        match outcome {
            Outcome::Passed => {
                self.passed += 1;
                println!("ok: {step}{took}");
            }
            Outcome::Failed(faults) => {
                self.failed += 1;
                println!("FAILED: {step}{took}");
                for fault in faults {
                    println!("  {}", fault.replace('\n', "\n  "));
                }
            }
            Outcome::PassedOver(why) => {
                self.skipped += 1;
                println!("passed over: {step} because {why}");
            }
        }
    }

    pub fn summary(&self) -> String {
        format!("{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }

    pub fn finish(&self) -> ExitCode {
        println!("{}", self.summary());
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Steps of a second are not worth a figure.
fn took(seconds: u64) -> String {
    match seconds {
        0 | 1 => String::new(),
        2..=119 => format!(" ({seconds} s)"),
        _ => format!(" ({} min {} s)", seconds / 60, seconds % 60),
    }
}

impl From<Vec<String>> for Outcome {
    fn from(faults: Vec<String>) -> Self {
        if faults.is_empty() { Outcome::Passed } else { Outcome::Failed(faults) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_steps_say_how_long() {
        assert_eq!([1, 2, 119, 120].map(took), ["", " (2 s)", " (119 s)", " (2 min 0 s)"]);
    }

    #[test]
    fn counts_each_kind_once() {
        let mut report = Report::default();
        report.add("a", vec![].into());
        report.add("b", vec!["broken".to_owned()].into());
        report.add("c", Outcome::PassedOver("there is no moon".to_owned()));
        assert_eq!(report.summary(), "1 passed, 1 failed, 1 skipped");
        assert_eq!(report.finish(), ExitCode::FAILURE);
    }
}

//! Figures over many simulations.

use crate::{properties::Property, run::Outcome};
use std::{collections::BTreeMap, fmt};

#[derive(Default)]
struct Row {
    seeds: u64,
    failed: u64,
    heights: u64,
    transactions: u64,
    jobs: u64,
    virtual_ms: u64,
}

impl Row {
    fn add(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        self.failed += u64::from(!outcome.violations.is_empty());
        self.heights += outcome.heights;
        self.transactions += outcome.transactions;
        self.jobs += outcome.jobs;
        self.virtual_ms += outcome.virtual_ms;
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        writeln!(
            f,
            "{name:<14}{:>7}{:>8}{:>9}{:>14}{:>8}{:>14}",
            self.seeds,
            self.failed,
            self.heights,
            self.transactions,
            self.jobs,
            self.virtual_ms / 1_000
        )
    }
}

/// Shown as tables: by size of the committee, faults by kind, checks by property.
#[derive(Default)]
pub struct Tally {
    by_validators: BTreeMap<usize, Row>,
    all: Row,
    faults: BTreeMap<&'static str, u64>,
    checks: BTreeMap<Property, u64>,
}

impl Tally {
    /// Count one more simulation.
    pub fn add(&mut self, outcome: &Outcome) {
        self.by_validators.entry(outcome.validators).or_default().add(outcome);
        self.all.add(outcome);
        for (kind, count) in &outcome.faults {
            *self.faults.entry(kind).or_default() += count;
        }
        for (property, count) in &outcome.checks {
            *self.checks.entry(*property).or_default() += count;
        }
    }

    /// How many simulations were counted.
    pub fn seeds(&self) -> u64 {
        self.all.seeds
    }

    /// How many of them broke a property.
    pub fn failed(&self) -> u64 {
        self.all.failed
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<14}{:>7}{:>8}{:>9}{:>14}{:>8}{:>14}",
            "validators", "seeds", "failed", "heights", "transactions", "jobs", "virtual s"
        )?;
        for (validators, row) in &self.by_validators {
            row.write(f, &validators.to_string())?;
        }
        self.all.write(f, "all")?;
        writeln!(f, "\n{:<26}{:>12}", "faults and lies", "times")?;
        for (kind, count) in &self.faults {
            writeln!(f, "{kind:<26}{count:>12}")?;
        }
        writeln!(f, "\n{:<26}{:>12}", "property", "checked")?;
        for (property, count) in &self.checks {
            writeln!(f, "{:<26}{count:>12}", format!("{property:?}"))?;
        }
        Ok(())
    }
}

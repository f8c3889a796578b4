//! What can be typed.

use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

mod bench;
mod econ;
mod presence;

pub use bench::*;
pub use econ::*;
pub use presence::*;

/// Measure, attack, simulate and test the parts of MeshX.
#[derive(Parser)]
#[command(name = "meshx-lab", version)]
pub struct Args {
    /// How results are printed.
    #[arg(long, global = true, env = "MESHX_OUTPUT", value_enum, default_value_t)]
    pub output: Output,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    #[default]
    Table,
    Json,
}

#[derive(Subcommand)]
pub enum Command {
    /// Measure this build on this machine.
    Bench(BenchCommand),
    /// Plot the supply, or run the price rule on a simulated market.
    Econ(EconCommand),
    /// Test how well proofs of presence work.
    Presence {
        #[command(subcommand)]
        verb: PresenceVerb,
    },
    /// Check folders of evidence whose verdict is known.
    Attest {
        #[command(subcommand)]
        verb: AttestVerb,
    },
}

#[derive(Subcommand)]
pub enum AttestVerb {
    /// Check every case in a folder, and that the changed inputs it lists are refused.
    Conformance { folder: PathBuf },
    /// Flip one bit of each byte of every accepted case in a folder, and check each result.
    Flips { folder: PathBuf },
}

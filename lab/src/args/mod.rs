//! What can be typed.

use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

mod bench;
mod econ;
mod presence;

pub use bench::*;
pub use econ::*;
pub use presence::*;

/// Measure, attack, simulate and try what MeshX is made of.
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
    /// Draw the economy, or try its rules on a simulated market.
    Econ(EconCommand),
    /// Try how well proofs of presence work.
    Presence {
        #[command(subcommand)]
        verb: PresenceVerb,
    },
    /// Judge folders of evidence whose verdict is known.
    Attest {
        #[command(subcommand)]
        verb: AttestVerb,
    },
}

#[derive(Subcommand)]
pub enum AttestVerb {
    /// Judge every case below a folder, with the changes each of them says must be refused.
    Conformance { folder: PathBuf },
    /// Turn over one bit of every byte of every accepted case below a folder.
    Flips { folder: PathBuf },
}

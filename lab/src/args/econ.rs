//! The words for `meshx econ`.

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(ClapArgs)]
pub struct EconCommand {
    #[command(subcommand)]
    pub verb: EconVerb,
}

#[derive(Subcommand)]
pub enum EconVerb {
    /// Draw twenty years of supply by pool.
    Plot {
        /// Where the SVG goes.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// How to read the paper's emission table.
        #[arg(long, value_enum, default_value_t = Preset::Halving)]
        schedule: Preset,
    },
    /// Simulate a seeded market under the chain's price rule, with two demand shocks.
    Sim {
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Number of blocks. The shocks come at one half and at three quarters of them.
        #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(40..=1_000_000))]
        blocks: u64,
        /// Where the price starts: below or above the price at which it settles.
        #[arg(long, value_enum, default_value_t = From::Below)]
        from: From,
        /// Also draw price and utilisation in this file.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum From {
    Below,
    Above,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    Halving,
    PaperTable,
}

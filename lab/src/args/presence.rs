//! The words for `meshx presence evaluate | locate | sybil-cost`.

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use std::path::PathBuf;
use types::NanoMeshx;

#[derive(Subcommand)]
pub enum PresenceVerb {
    /// Test the rule on a measured network: how many claims it accepts, where it locates nodes, how many lies pass.
    Evaluate(PresenceEvaluate),
    /// Locate a node of a measured network by its round-trip times alone, without its own place.
    Locate {
        /// A folder with nodes.csv and rtt.csv.
        #[arg(long, value_name = "DIR")]
        network: PathBuf,
        /// The node's id, or its name.
        #[arg(long, value_name = "ID")]
        target: String,
    },
    /// Show what one more vote costs an attacker with many identities.
    SybilCost(SybilCost),
}

#[derive(ClapArgs)]
pub struct PresenceEvaluate {
    /// A folder with nodes.csv (id, name, lat, lon, continent) and rtt.csv (src, dst, rtt_ms).
    #[arg(long, value_name = "DIR")]
    pub network: PathBuf,
    /// Fractions of all witnesses that lie.
    #[arg(long, value_delimiter = ',', default_value = "0,0.1,0.2,0.33", value_parser = part)]
    pub liars: Vec<f64>,
    /// What lying provers do. In each attack, lying witnesses also frame honest provers.
    #[arg(long, value_enum, default_value_t = AttackName::Mimic)]
    pub attack: AttackName,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Claims of each honest node. Each claim has other liars and other witnesses.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub rounds: u16,
    /// Lies that are tested for each fraction of liars.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub lies: u32,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum AttackName {
    /// Only witnesses lie. Lying provers act as in `mimic`.
    Framing,
    /// Claim another continent, add delays, and let colluding witnesses report what helps most.
    Mimic,
    /// As `mimic`, and claim the place around which most witnesses collude.
    Targeted,
    /// Answer through a proxy at the claimed place; the key is elsewhere.
    Proxy,
}

#[derive(ClapArgs)]
pub struct SybilCost {
    /// All stake of validators that sent a ticket.
    #[arg(long, value_name = "MESHX", default_value = "100000000")]
    pub staked: NanoMeshx,
    /// Seats of the committee.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub seats: u16,
    /// Assumed: what a MESHX costs, in thousandths of a USD.
    #[arg(long, value_name = "MILLIUSD", default_value_t = 10)]
    pub token_milliusd: u64,
    /// Assumed: what a machine with a genuine attestation costs, in USD.
    #[arg(long, value_name = "USD", default_value_t = 1_000)]
    pub machine_usd: u64,
}

fn part(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(part) if (0.0..=1.0).contains(&part) => Ok(part),
        _ => Err("expected a fraction of all witnesses, from 0 to 1".into()),
    }
}

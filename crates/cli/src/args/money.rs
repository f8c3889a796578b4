//! The words for money: faucet, stake, governance, supply.

use clap::{
    Args as ClapArgs, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use std::path::PathBuf;
use types::{
    Address, ChainId, NanoMeshx,
    governance::{LockedPool, VoteOption},
};

/// One of `words`, which are the JSON names of the values of `T`.
fn named<T>(words: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: serde::de::DeserializeOwned + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(words)
        .map(|word| serde_json::from_value(word.into()).expect("each word names a value"))
}

#[derive(ClapArgs)]
pub struct Faucet {
    /// Who gets it; default: you.
    pub address: Option<Address>,
}

#[derive(ClapArgs)]
pub struct GovCommand {
    #[command(subcommand)]
    pub verb: GovVerb,
}

#[derive(Subcommand)]
pub enum GovVerb {
    /// List every parameter that can be changed: its value on the chain of --chain, its bounds, what it is.
    Params,
    /// List proposals.
    List,
    /// Show a proposal.
    Show { id: u64 },
    /// Vote with all your stake. A third of the votes for `veto` rejects, and burns the deposit.
    Vote {
        id: u64,
        #[arg(value_parser = named::<VoteOption>(&["yes", "no", "abstain", "veto"]))]
        option: VoteOption,
    },
    /// Propose a decision. Its deposit comes back unless it is vetoed.
    Propose {
        #[arg(long)]
        title: Option<String>,
        #[command(subcommand)]
        what: Proposed,
    },
}

#[derive(Subcommand)]
pub enum Proposed {
    /// Change parameters on all chains, or on one: `rate_core_second=2000000`, `EU:location=900000`.
    Params {
        #[arg(required = true, value_name = "[CHAIN:]NAME=VALUE")]
        changes: Vec<String>,
    },
    /// Pay out of a pool that only governance opens.
    Spend {
        #[arg(value_parser = named::<LockedPool>(&["ecosystem", "treasury"]))]
        pool: LockedPool,
        to: Address,
        amount: NanoMeshx,
    },
    /// Say who may make blocks of a shard.
    Admission {
        shard: ChainId,
        #[arg(value_parser = named::<types::governance::Admission>(&["presence", "listed", "closed"]))]
        rule: types::governance::Admission,
    },
    /// Put code on the list of what may attest, by its measurement as `meshx attest verify` prints it.
    Measurement {
        #[arg(value_parser = named::<types::attest::Technology>(TECHNOLOGIES))]
        technology: types::attest::Technology,
        /// Hexadecimal.
        measurement: String,
        /// Take it off the list.
        #[arg(long)]
        remove: bool,
    },
    /// Vouch for a platform key (Arm), by the SHA-256 of its SubjectPublicKeyInfo.
    PlatformKey {
        #[arg(value_parser = named::<types::attest::Technology>(TECHNOLOGIES))]
        technology: types::attest::Technology,
        key: types::Hash,
        /// Take it off the list.
        #[arg(long)]
        remove: bool,
    },
    /// Take in no new jobs for a while, on one shard or on all.
    Pause {
        seconds: u64,
        #[arg(long)]
        shard: Option<ChainId>,
    },
}

const TECHNOLOGIES: &[&str] = &[
    "intel-sgx",
    "intel-tdx",
    "amd-sev-snp",
    "aws-nitro",
    "android-key-attestation",
    "apple-app-attest",
    "arm-cca",
    "arm-psa",
    "tpm2",
];

#[derive(ClapArgs)]
pub struct StakeCommand {
    #[command(subcommand)]
    pub verb: StakeVerb,
}

/// Validators are named by their operator's address.
#[derive(Subcommand)]
pub enum StakeVerb {
    /// List validators.
    Validators,
    /// Show what an account has at stake; default: your own.
    Show { address: Option<Address> },
    #[command(flatten)]
    Order(StakeChange),
    /// Show the equivocation proofs that the node has come across, as JSON.
    #[command(alias = "evidence")]
    Equivocations,
    /// Send an equivocation proof, as `equivocations` shows it: its validator loses a part of its stake.
    Report {
        /// A file with one proof or a list of them; `-` reads stdin.
        file: PathBuf,
    },
    /// Development networks only: sign two votes that contradict each other with your own validator's key, to see what
    /// that costs. Prints the proof.
    Misbehave,
}

/// What changes one's own stake.
#[derive(Subcommand)]
pub enum StakeChange {
    /// Begin a validator with your money. It votes with a key of your wallet's.
    Bond {
        amount: NanoMeshx,
        /// What the validator keeps of rewards, in basis points.
        #[arg(long, default_value_t = 500)]
        commission: u16,
    },
    /// Put money behind a validator.
    Delegate { validator: Address, amount: NanoMeshx },
    /// Take stake away; it comes free after the unbonding period.
    Unbond {
        validator: Address,
        /// Default: all of it.
        amount: Option<NanoMeshx>,
    },
    /// Move stake from one validator to another.
    Redelegate { from: Address, to: Address, amount: Option<NanoMeshx> },
    /// Take out what has come free.
    Withdraw { validator: Address },
    /// Take out rewards.
    Claim { validator: Address },
    /// Take out your validator's commission, or change it.
    Commission {
        /// The new one, in basis points. It counts an unbonding period from now.
        #[arg(long)]
        set: Option<u16>,
    },
    /// Bring your validator back from jail.
    Unjail,
    /// Register what your validator draws lots and witnesses with: a key that follows from the one it votes with. It counts
    /// from the next boundary on.
    Vrf,
    /// Let everybody know where your validator's nodes are met, in place of what was known before.
    Announce {
        /// As `meshx node start` prints them after `--join`, at most 4; none: nowhere any more.
        addresses: Vec<overlay::PeerAddress>,
    },
}

#[derive(ClapArgs)]
pub struct Supply {
    /// Years since genesis, of 63,072,000 blocks: one, or several such as 0..21, both ends included.
    #[arg(long, conflicts_with = "height", value_name = "Y|Y..Y")]
    pub year: Option<Years>,
    /// A block of the backbone.
    #[arg(long)]
    pub height: Option<u64>,
    /// The reading of the paper's emission table.
    #[arg(long, value_enum, default_value_t = Preset::Halving)]
    pub schedule: Preset,
}

/// Most rows of a table of years.
const YEARS_MAX: u64 = 1_000;

/// Years from the first to the last, both included.
#[derive(Clone, Debug)]
pub struct Years(pub std::ops::RangeInclusive<u64>);

impl std::str::FromStr for Years {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let year = |text: &str| text.parse().map_err(|_| format!("{text:?} is not a year"));
        let (first, last): (u64, u64) = (year(first)?, year(last)?);
        match last.checked_sub(first) {
            None => Err(format!("{first} comes after {last}")),
            Some(more) if more >= YEARS_MAX => Err(format!("at most {YEARS_MAX} years at once")),
            Some(_) => Ok(Self(first..=last)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    Halving,
    PaperTable,
}

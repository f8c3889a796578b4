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
    /// The address that gets the MESHX. Default: your own.
    pub address: Option<Address>,
}

#[derive(ClapArgs)]
pub struct GovCommand {
    #[command(subcommand)]
    pub verb: GovVerb,
}

#[derive(Subcommand)]
pub enum GovVerb {
    /// List every parameter that votes can change: its value on --chain, its bounds, and what it means.
    Params,
    /// List proposals.
    List,
    /// Show a proposal.
    Show {
        /// Its number, as `meshx gov list` shows it.
        id: u64,
    },
    /// Vote with all your stake. If a third of the votes say `veto`, the proposal is rejected and its deposit burned.
    Vote {
        /// The number of the proposal.
        id: u64,
        /// Your vote.
        #[arg(value_parser = named::<VoteOption>(&["yes", "no", "abstain", "veto"]))]
        option: VoteOption,
    },
    /// Propose a decision. Its deposit comes back unless it is vetoed.
    Propose {
        /// What others read in the list of proposals. Default: words that say what it does.
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
        /// Each with its new value, in the parameter's unit; `meshx gov params` lists names and units.
        #[arg(required = true, value_name = "[CHAIN:]NAME=VALUE")]
        changes: Vec<String>,
    },
    /// Pay from a pool that only governance can spend.
    Spend {
        /// The pool that pays.
        #[arg(value_parser = named::<LockedPool>(&["ecosystem", "treasury"]))]
        pool: LockedPool,
        /// The account on the backbone that gets it.
        to: Address,
        /// How much, in MESHX.
        amount: NanoMeshx,
    },
    /// Decide which validators may vote on the blocks of a shard.
    Admission {
        /// The shard.
        shard: ChainId,
        /// Who may vote: validators that prove their presence there, those that governance lists, or nobody.
        #[arg(value_parser = named::<types::governance::Admission>(&["presence", "listed", "closed"]))]
        rule: types::governance::Admission,
    },
    /// Put code on the list of code that may attest, by the measurement that `meshx attest verify` prints.
    Measurement {
        /// The technology that measures.
        #[arg(value_parser = named::<types::attest::Technology>(TECHNOLOGIES))]
        technology: types::attest::Technology,
        /// The measurement, in hexadecimal.
        measurement: String,
        /// Take the entry off the list.
        #[arg(long)]
        remove: bool,
    },
    /// Put a platform key (Arm) on the list, by the SHA-256 of its SubjectPublicKeyInfo.
    PlatformKey {
        /// The technology that the key attests.
        #[arg(value_parser = named::<types::attest::Technology>(TECHNOLOGIES))]
        technology: types::attest::Technology,
        /// The hash of the key, 64 hex digits.
        key: types::Hash,
        /// Take the entry off the list.
        #[arg(long)]
        remove: bool,
    },
    /// Accept no new jobs for some time, on one shard or on all.
    Pause {
        /// For how long.
        seconds: u64,
        /// The shard. Default: all.
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

/// A validator, named by its operator's address, or by the first characters that no other validator has.
#[derive(Clone, Debug)]
pub struct Operator(pub String);

impl From<&str> for Operator {
    fn from(typed: &str) -> Self {
        Self(typed.to_owned())
    }
}

/// Validators are named by their operator's address, or by its first characters.
#[derive(Subcommand)]
pub enum StakeVerb {
    /// List validators.
    Validators,
    /// Show the stake of an account.
    Show {
        /// The account. Default: your own.
        address: Option<Address>,
    },
    #[command(flatten)]
    Order(StakeChange),
    /// Print the equivocation proofs that the node has collected, as JSON.
    #[command(alias = "evidence")]
    Equivocations,
    /// Send an equivocation proof, as `equivocations` prints it. Its validator loses a part of its stake.
    Report {
        /// A file with one proof or a list of them; `-` reads stdin.
        file: PathBuf,
    },
    /// Development networks only: sign two contradicting votes with your own validator's key, to see what that
    /// costs. Prints the proof.
    Misbehave,
}

/// What changes one's own stake.
#[derive(Subcommand)]
pub enum StakeChange {
    /// Start a validator with your own stake. It votes with a key of your wallet.
    Bond {
        /// How much, in MESHX.
        amount: NanoMeshx,
        /// The share of the rewards that the validator keeps, in basis points.
        #[arg(long, default_value_t = 500)]
        commission: u16,
    },
    /// Delegate stake to a validator.
    Delegate {
        /// The validator.
        validator: Operator,
        /// How much, in MESHX.
        amount: NanoMeshx,
    },
    /// Take stake back. It is free after the unbonding period.
    Unbond {
        /// The validator that it leaves.
        validator: Operator,
        /// How much, in MESHX. Default: all of it.
        amount: Option<NanoMeshx>,
    },
    /// Move stake from one validator to another.
    Redelegate {
        /// The validator that it leaves.
        from: Operator,
        /// The validator that it goes to.
        to: Operator,
        /// How much, in MESHX. Default: all of it.
        amount: Option<NanoMeshx>,
    },
    /// Withdraw stake whose unbonding period has passed.
    Withdraw {
        /// The validator that it has left.
        validator: Operator,
    },
    /// Claim your rewards.
    Claim {
        /// The validator that earned them.
        validator: Operator,
    },
    /// Claim your validator's commission, or change its rate.
    Commission {
        /// The new rate, in basis points. It takes effect after one unbonding period.
        #[arg(long)]
        set: Option<u16>,
    },
    /// Release your validator from jail.
    Unjail,
    /// Register the VRF key with which your validator draws lots and witnesses. It is derived from the key that it
    /// votes with, and takes effect at the next epoch boundary.
    Vrf,
    /// Publish the addresses of your validator's nodes. They replace the addresses published before.
    Announce {
        /// At most 4 addresses, as `meshx node start` prints them after `--join`. Without any, old ones are removed.
        addresses: Vec<overlay::PeerAddress>,
    },
}

#[derive(ClapArgs)]
pub struct Supply {
    /// A year since genesis (63,072,000 blocks), or a range of years such as 0..21, both ends included.
    #[arg(long, conflicts_with = "height", value_name = "Y|Y..Y")]
    pub year: Option<Years>,
    /// The height of a block of the backbone.
    #[arg(long)]
    pub height: Option<u64>,
    /// How to read the paper's emission table.
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

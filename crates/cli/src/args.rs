//! What can be typed.

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use serde::Serialize;
use std::path::PathBuf;
use types::{Address, ChainId, NanoMeshx};

/// An open market for computation.
#[derive(Parser)]
#[command(name = "meshx", version, propagate_version = true)]
pub struct Args {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(ClapArgs, Default)]
pub struct Global {
    /// The node to talk to, such as http://127.0.0.1:8700.
    #[arg(long, global = true, env = "MESHX_NODE", value_name = "URL")]
    pub node: Option<String>,
    /// The chain that accounts and jobs are looked for on: NA, EU, AS, SA, AF, OC, AN.
    #[arg(long, global = true, env = "MESHX_CHAIN")]
    pub chain: Option<ChainId>,
    /// The wallet file to pay with.
    #[arg(long, global = true, env = "MESHX_WALLET", value_name = "FILE")]
    pub wallet: Option<PathBuf>,
    /// How results are printed.
    #[arg(long, global = true, env = "MESHX_OUTPUT", value_enum)]
    pub output: Option<Output>,
    /// Print the settings that flags, environment and files add up to, and stop.
    #[arg(long, global = true)]
    pub show_settings: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Output {
    #[default]
    Table,
    Json,
}

#[derive(Subcommand)]
pub enum Command {
    /// Run a local mesh of eight chains in this process.
    Up(Up),
    /// Run a WebAssembly file as a job: stdin in, stdout out, the job's exit code back.
    Run(Run),
    /// Run a job here, metered, and say what it would cost.
    Quote(Job),
    /// Check a receipt offline.
    Verify(Verify),
    /// Run a receipt's job again here and compare.
    Replay(Replay),
    /// Say which rule, and which worker, decides where a job is.
    Why(Id),
    /// List, show, read or cancel jobs.
    Job(JobCommand),
    /// Make, show, restore and use wallets.
    Wallet(WalletCommand),
    /// Stand for a module: the first to publish it may ask for a part of what jobs that run it pay.
    Publish {
        /// The module.
        file: PathBuf,
        /// The part, in basis points.
        #[arg(long, default_value_t = 0)]
        royalty: u16,
    },
    /// Ask a development network's faucet for money, here and on the backbone.
    Faucet(Faucet),
    /// Put money behind a validator, take it away, run a validator.
    Stake(StakeCommand),
    /// Propose decisions about the network, vote on them, see its parameters.
    Gov(GovCommand),
    /// Say what an account has earned, by how, on every chain.
    Earnings {
        /// Default: your own.
        address: Option<Address>,
    },
    /// Show all chains of a network.
    Status,
    /// Show every pool of the supply at a year or a height.
    Supply(Supply),
    /// Draw the economy, or try its rules on a simulated market.
    Econ(EconCommand),
    /// Run a node of its own, over real sockets.
    Node(NodeCommand),
    /// Measure this build on this machine.
    Bench(BenchCommand),
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
    /// Vote with all your stake.
    Vote { id: u64, option: Vote },
    /// Propose a decision. Its deposit comes back unless it is vetoed.
    Propose {
        #[arg(long)]
        title: Option<String>,
        #[command(subcommand)]
        what: Proposed,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Vote {
    Yes,
    No,
    Abstain,
    /// No; and if a third says so, the deposit is burned.
    Veto,
}

#[derive(Subcommand)]
pub enum Proposed {
    /// Change parameters on all chains, or on one: `rate_core_second=2000000`, `EU:location=900000`.
    Params {
        #[arg(required = true, value_name = "[CHAIN:]NAME=VALUE")]
        changes: Vec<String>,
    },
    /// Pay out of a pool that only governance opens.
    Spend { pool: Pool, to: Address, amount: NanoMeshx },
    /// Say who may make blocks of a shard.
    Admission { shard: ChainId, rule: AdmissionRule },
    /// Take in no new jobs for a while, on one shard or on all.
    Pause {
        seconds: u64,
        #[arg(long)]
        shard: Option<ChainId>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Pool {
    Ecosystem,
    Treasury,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum AdmissionRule {
    Presence,
    Listed,
    Closed,
}

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
    /// Show proofs of double signing that the node has come across, as JSON.
    Evidence,
    /// Send a proof of double signing, as `evidence` shows it: its validator loses a part of its stake.
    Report {
        /// A file with one proof or a list of them; `-` reads stdin.
        file: PathBuf,
    },
    /// Development networks only: sign two votes that contradict each other with your own validator's key, to see what
    /// that costs. Prints the proof.
    Misbehave,
    /// Bring your validator back from jail.
    Unjail,
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
        /// The reading of the paper's emission table.
        #[arg(long, value_enum, default_value_t = Preset::Halving)]
        schedule: Preset,
    },
    /// Run a seeded market under the chain's price rule, with two demand shocks; simulated throughout.
    Sim {
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Blocks; the shocks come at half and at three quarters of them.
        #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(40..=1_000_000))]
        blocks: u64,
        /// Where the price starts: below or above where it will rest.
        #[arg(long, value_enum, default_value_t = From::Below)]
        from: From,
        /// Draw price and utilisation here too.
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

#[derive(ClapArgs)]
pub struct BenchCommand {
    #[command(subcommand)]
    pub what: Bench,
}

#[derive(Subcommand)]
pub enum Bench {
    /// Transfers: how many a second, how soon final, what each costs a validator.
    Tx(BenchTx),
    /// Paid jobs, from submission to settlement.
    Jobs(BenchJobs),
    /// Tiny jobs in the sandbox alone, and what compiling costs.
    Sandbox(BenchSandbox),
    /// Signature checks, one by one and in batches.
    Sign(BenchSign),
    /// Durable updates of the state store, and its proofs.
    State(BenchState),
}

#[derive(ClapArgs)]
pub struct BenchState {
    /// Records in the store.
    #[arg(long, default_value_t = 1_000_000)]
    pub keys: usize,
    /// Updates made durable together, as a block's are.
    #[arg(long, default_value_t = 20_000)]
    pub batch: usize,
    /// Batches that count.
    #[arg(long, default_value_t = 100)]
    pub batches: usize,
    /// Memory for pages of files, in MiB.
    #[arg(long, default_value_t = 256)]
    pub cache: usize,
    /// Where the files go; by default a temporary folder.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub struct BenchJobs {
    /// Validators of the shard, all in this process.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub validators: u16,
    /// Workers of the shard, all in this process.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: u16,
    /// Workers that run each job and must agree.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub replicas: u8,
    /// Jobs per second.
    #[arg(long, default_value_t = 520)]
    pub rate: usize,
    /// Seconds that count.
    #[arg(long, default_value_t = 60)]
    pub seconds: usize,
    /// Seconds of the same load before.
    #[arg(long, default_value_t = 5)]
    pub warmup: usize,
    /// Milliseconds between blocks.
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u64).range(50..=10_000))]
    pub block_ms: u64,
    /// Delays between validators: none, real, or a folder with nodes.csv and rtt.csv.
    #[arg(long, default_value = "none")]
    pub latency: String,
    /// Where the files go; by default a temporary folder.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub struct BenchSandbox {
    /// Threads that run jobs; each should have a core.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: u16,
    /// Seconds that count.
    #[arg(long, default_value_t = 10)]
    pub seconds: usize,
    /// Functions of the module whose compilation is timed.
    #[arg(long, default_value_t = 5_000)]
    pub functions: usize,
}

#[derive(ClapArgs)]
pub struct BenchSign {
    /// Signatures checked together.
    #[arg(long, default_value_t = 1_024)]
    pub batch: usize,
    /// Different keys among them.
    #[arg(long, default_value_t = 1_024)]
    pub keys: usize,
    /// Seconds that count.
    #[arg(long, default_value_t = 6)]
    pub seconds: usize,
}

#[derive(ClapArgs)]
pub struct BenchTx {
    /// Validators per shard, all in this process.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub validators: u16,
    /// Shards that take transfers at the same time.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=7))]
    pub shards: u16,
    /// Transfers per second, over all shards.
    #[arg(long, default_value_t = 10_500)]
    pub rate: usize,
    /// Seconds that count.
    #[arg(long, default_value_t = 60)]
    pub seconds: usize,
    /// Seconds of the same load before.
    #[arg(long, default_value_t = 5)]
    pub warmup: usize,
    /// Accounts that pay, per shard.
    #[arg(long, default_value_t = 1_000)]
    pub senders: usize,
    /// Accounts that are paid, per shard.
    #[arg(long, default_value_t = 10_000)]
    pub accounts: usize,
    /// Milliseconds between blocks.
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u64).range(50..=10_000))]
    pub block_ms: u64,
    /// Delays between validators: none, real, or a folder with nodes.csv and rtt.csv.
    #[arg(long, default_value = "none")]
    pub latency: String,
    /// Where the files go; by default a temporary folder.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub struct Up {
    /// Validators per chain, 1 to 100.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub validators: u16,
    /// Workers per shard.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(0..=256))]
    pub workers: u16,
    /// Delays between nodes: none, real, or a folder with nodes.csv and rtt.csv.
    #[arg(long, default_value = "real")]
    pub latency: String,
    /// Milliseconds between blocks.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(50..=10_000))]
    pub block_ms: u64,
    /// Where the API listens.
    #[arg(long, default_value = "127.0.0.1:8700", env = "MESHX_LISTEN")]
    pub listen: std::net::SocketAddr,
    /// Keep chains, blobs and keys here; without it everything is gone at the end.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[derive(ClapArgs, Clone)]
pub struct Job {
    /// The module: .wasm, or .wat text.
    pub file: PathBuf,
    /// Arguments for the job.
    #[arg(last = true)]
    pub args: Vec<String>,
    /// Read the job's input from here instead of stdin.
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// A read-only file the job finds at /in/NAME.
    #[arg(long = "file", value_name = "NAME=PATH")]
    pub files: Vec<String>,
    /// An environment variable of the job.
    #[arg(long = "env", value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// Most fuel each worker may use.
    #[arg(long, default_value_t = 10_000_000_000)]
    pub fuel: u64,
    /// Most memory in MiB.
    #[arg(long, default_value_t = 256)]
    pub memory: u64,
    /// Most output in MiB.
    #[arg(long, default_value_t = 16)]
    pub output_limit: u64,
    /// Most seconds by the wall clock; a job killed by it has no result.
    #[arg(long, default_value_t = 60)]
    pub wall: u64,
    /// Workers that run the job.
    #[arg(long, default_value_t = 4)]
    pub replicas: u8,
    /// Workers that must give the same result.
    #[arg(long, default_value_t = 3)]
    pub agree: u8,
}

#[derive(ClapArgs)]
pub struct Run {
    #[command(flatten)]
    pub job: Job,
    /// Pay at most this many MESHX; without it, what the job can cost at its limits.
    #[arg(long, value_name = "MESHX")]
    pub max_price: Option<NanoMeshx>,
    /// Blocks until the job ends by itself and the money goes back.
    #[arg(long, default_value_t = 1_200)]
    pub deadline: u64,
    /// Run even if an equal job has been answered before.
    #[arg(long)]
    pub fresh: bool,
    /// Write the receipt here.
    #[arg(long, value_name = "FILE")]
    pub receipt: Option<PathBuf>,
    /// Delays between the nodes of a mesh that this command starts itself.
    #[arg(long, default_value = "real")]
    pub latency: String,
}

#[derive(ClapArgs)]
pub struct Verify {
    /// The receipt.
    pub file: PathBuf,
    /// A network id to trust, beside those this machine has worked with.
    #[arg(long = "network", value_name = "ID")]
    pub networks: Vec<types::Hash>,
}

#[derive(ClapArgs)]
pub struct Replay {
    #[command(flatten)]
    pub verify: Verify,
    /// The module, if it is not among the files kept from earlier runs.
    #[arg(long, value_name = "FILE")]
    pub module: Option<PathBuf>,
    /// The input, likewise.
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub struct Id {
    pub id: types::Hash,
}

#[derive(ClapArgs)]
pub struct JobCommand {
    #[command(subcommand)]
    pub verb: JobVerb,
}

#[derive(Subcommand)]
pub enum JobVerb {
    /// The newest jobs the node has seen.
    List,
    /// One job.
    Show(Id),
    /// What a job wrote to stderr.
    Logs(Id),
    /// Take a job back before workers are drawn for it.
    Cancel(Id),
}

#[derive(ClapArgs)]
pub struct WalletCommand {
    #[command(subcommand)]
    pub verb: WalletVerb,
}

#[derive(Subcommand)]
pub enum WalletVerb {
    /// Make a wallet and print its recovery words once.
    New,
    /// Show the wallet's address, and its balance if a node answers.
    Show,
    /// Restore a wallet from its recovery words, read from stdin.
    Import,
    /// Send MESHX.
    Send { to: types::Address, amount: NanoMeshx },
}

#[derive(ClapArgs)]
pub struct NodeCommand {
    #[command(subcommand)]
    pub verb: NodeVerb,
}

#[derive(Subcommand)]
pub enum NodeVerb {
    /// Deal the keys of a small network (dev dealer) into one folder per node.
    Init {
        /// Processes; each runs one validator of every chain.
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=100))]
        nodes: u16,
        /// Where the folders node-0, node-1, … go.
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// Workers per shard, spread over the nodes.
        #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(0..=256))]
        workers: u16,
        /// The chains to run.
        #[arg(long, value_delimiter = ',', default_value = "EU")]
        chains: Vec<ChainId>,
        /// The first of two ports per node: peers, API.
        #[arg(long, default_value_t = 8710)]
        port: u16,
        /// Milliseconds between blocks.
        #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(50..=10_000))]
        block_ms: u64,
    },
    /// Start the node whose keys are in a folder.
    Start {
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
    },
}

//! The words for `meshx bench`.

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(ClapArgs)]
pub struct BenchCommand {
    #[command(subcommand)]
    pub what: Bench,
}

#[derive(Subcommand)]
pub enum Bench {
    /// Transfers: how many per second, how soon they are final, and what each costs a validator.
    Tx(BenchTx),
    /// Paid jobs, from submission to settlement.
    Jobs(BenchJobs),
    /// The same load for MeshX and for CometBFT with its key-value store, one after the other.
    Compare(BenchCompare),
    /// Tiny jobs in the sandbox alone, and what compiling costs.
    Sandbox(BenchSandbox),
    /// Signature checks, one by one and in batches.
    Sign(BenchSign),
    /// Durable updates of the state store, and its proofs.
    State(BenchState),
    /// Handshakes, messages and bytes of an encrypted link, beside libp2p's own noise.
    Net(BenchNet),
}

#[derive(ClapArgs)]
pub struct BenchCompare {
    /// CometBFT 0.38. `go install github.com/cometbft/cometbft/cmd/cometbft@v0.38.17` makes it.
    #[arg(long, value_name = "PROGRAM", default_value = "cometbft")]
    pub cometbft: PathBuf,
    /// Validators of each network.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub validators: u16,
    /// Transactions per second.
    #[arg(long, default_value_t = 10_500)]
    pub rate: usize,
    /// Seconds that count.
    #[arg(long, default_value_t = 30)]
    pub seconds: usize,
    /// Seconds of the same load before.
    #[arg(long, default_value_t = 5)]
    pub warmup: usize,
    /// Milliseconds between blocks.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(50..=10_000))]
    pub block_ms: u64,
    /// Where the files go; by default a temporary folder.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub struct BenchNet {
    /// Bytes of a message.
    #[arg(long, default_value_t = 200)]
    pub message: usize,
    /// Seconds of each of eleven measurements.
    #[arg(long, default_value_t = 3)]
    pub seconds: usize,
    /// Attack a node instead, with these attacks or all.
    #[arg(long, value_enum, value_delimiter = ',', conflicts_with_all = ["message", "seconds"])]
    pub attack: Vec<AttackArg>,
    /// Attempts of each attack. Default: a number that suits the attack.
    #[arg(long, requires = "attack", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub attempts: Option<u32>,
    /// Honest nodes among sybils.
    #[arg(long, default_value_t = 40, requires = "attack", value_parser = clap::value_parser!(u16).range(8..=250))]
    pub honest: u16,
    /// How often honest nodes among sybils look for each other.
    #[arg(long, default_value_t = 1_000, requires = "attack", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub lookups: u32,
}

#[derive(ClapArgs)]
pub struct BenchState {
    /// Records in the store.
    #[arg(long, default_value_t = 1_000_000)]
    pub keys: usize,
    /// Updates made durable together, as a block's are.
    #[arg(long, default_value_t = 20_000)]
    pub batch: usize,
    /// Measured batches.
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
    /// Measured seconds.
    #[arg(long, default_value_t = 60)]
    pub seconds: usize,
    /// Seconds of warm-up with the same load.
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
    /// Measured seconds.
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
    /// Measured seconds.
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
    /// Measured seconds.
    #[arg(long, default_value_t = 60)]
    pub seconds: usize,
    /// Seconds of warm-up with the same load.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AttackArg {
    /// One after the other.
    All,
    /// An honest handshake, recorded and sent again.
    Replay,
    /// Another static key, another network, no ML-KEM.
    WrongKey,
    /// Truncated, oversized, random and changed frames.
    Frames,
    /// Connections that send a byte from time to time.
    SlowLoris,
    /// As many connections as possible from one range of addresses.
    Flood,
    /// Identities from two ranges of addresses, in a Kademlia network of honest nodes.
    Sybils,
}

//! What can be typed behind `meshx`: commands, options, their defaults and their help texts.

#![expect(
    missing_docs,
    reason = "what is typed is documented by its help, and a comment would become a part of that"
)]

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum, ValueHint};
use serde::Serialize;
use std::{ffi::OsString, path::PathBuf};
use types::{Address, ChainId, NanoMeshx};

mod applies;
mod attest;
mod file;
mod money;
mod node;
mod presence;

pub use applies::command;
pub use attest::*;
pub use file::with_file;
pub use money::*;
pub use node::*;
pub use presence::*;

/// An open market for computation.
#[derive(Parser)]
#[command(
    name = "meshx",
    version,
    propagate_version = true,
    after_help = "MESHX_LOG=info (or debug, or client=debug) writes what happens to stderr, MESHX_LOG_FORMAT=json as one object a line."
)]
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
    /// The chain of your account and jobs: NA, EU, AS, SA, AF, OC, AN. Default: EU.
    #[arg(long, global = true, env = "MESHX_CHAIN", value_name = "CHAIN", value_hint = ValueHint::Other)]
    pub chain: Option<ChainId>,
    /// The wallet file to pay with. Default: wallet in ~/.config/meshx; on a development network, the development wallet.
    #[arg(long, global = true, env = "MESHX_WALLET", value_name = "FILE")]
    pub wallet: Option<PathBuf>,
    /// How results are printed.
    #[arg(long, global = true, env = "MESHX_OUTPUT", value_enum)]
    pub output: Option<Output>,
    /// Print the settings that result from options, environment and files, and exit.
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

impl Output {
    /// As it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
        }
    }
}

#[derive(Subcommand)]
pub enum Command {
    /// Run a local mesh of eight chains in this process.
    Up(Up),
    /// Run a WebAssembly file as a job. It reads stdin and writes stdout; meshx exits with the job's exit code.
    Run(Run),
    /// Run a job on this machine, and print what it would cost on a network.
    Quote(Job),
    /// Check a receipt offline.
    Verify(Verify),
    /// Run the job of a receipt again on this machine, and compare the results.
    Replay(Replay),
    /// Explain the state of a job: which rules and which workers decide it.
    Why(Id),
    /// List, show, read or cancel jobs.
    Job(JobCommand),
    /// Make, show, restore and use wallets.
    Wallet(WalletCommand),
    /// Publish a module. Its first publisher may ask for a share of what jobs pay to run it.
    Publish {
        /// The module.
        file: PathBuf,
        /// Your share, in basis points (hundredths of a percent).
        #[arg(long, default_value_t = 0)]
        royalty: u16,
    },
    /// Get MESHX from a development network's faucet, on --chain and on the backbone.
    Faucet(Faucet),
    /// Delegate stake to a validator, take it back, or run a validator.
    Stake(StakeCommand),
    /// Propose decisions about the network, vote on them, or list its parameters.
    Gov(GovCommand),
    /// Show what an account has earned on each chain, by source.
    Earnings {
        /// The account. Default: your own.
        address: Option<Address>,
    },
    /// Print the hash by which MeshX names a file's content (BLAKE3).
    Hash {
        /// The file; - is stdin.
        file: PathBuf,
    },
    /// Show all chains of a network.
    Status,
    /// List the networks this machine knows, and choose the one that commands talk to.
    Network {
        #[command(subcommand)]
        verb: NetworkVerb,
    },
    /// Show every pool of the supply at a year or a height.
    Supply(Supply),
    /// Plot the supply, or run the price rule on a simulated market.
    Econ(LabWords),
    /// Check hardware evidence offline, or make evidence on this machine and send it.
    Attest(AttestCommand),
    /// Prove where a node is, measure other nodes, or test how well this works.
    Presence(PresenceCommand),
    /// Earn with this machine: run other people's jobs for a network, and be paid for them.
    Provide(Box<Provide>),
    /// Run a node that talks to other nodes over real sockets.
    Node(NodeCommand),
    /// List the peers that a node on this machine is connected to.
    Peers(Peers),
    /// Find what keeps this machine from reaching other nodes or earning, and say what to do.
    Doctor(Doctor),
    /// Measure this build on this machine.
    Bench(LabWords),
    /// Print a script that completes commands and options in a shell.
    #[command(
        after_help = "bash:  meshx completions bash > ~/.local/share/bash-completion/completions/meshx\nzsh:   meshx completions zsh > ~/.zfunc/_meshx, with ~/.zfunc in fpath\nfish:  meshx completions fish > ~/.config/fish/completions/meshx.fish"
    )]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write a manual page for each command into a folder, for man.
    #[command(
        after_help = "meshx man ~/.local/share/man/man1, and then man meshx-run. Where man finds nothing, add ~/.local/share/man to MANPATH."
    )]
    Man {
        /// The folder. It is made if need be.
        dir: PathBuf,
    },
}

#[derive(Subcommand)]
pub enum NetworkVerb {
    /// List the networks this machine has worked with. A star marks the current one.
    List,
    /// Talk to the network of this node from now on. `local` goes back to the mesh that runs on this machine.
    Use {
        /// The node's address, such as http://127.0.0.1:8700, or `local`.
        url: String,
    },
}

/// The words after a command of `meshx-lab`, which has its own help.
#[derive(ClapArgs)]
#[command(disable_help_flag = true)]
pub struct LabWords {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "WORDS")]
    pub words: Vec<OsString>,
}

#[derive(ClapArgs)]
pub struct Peers {
    /// The folder of the node.
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// Ask that node to find another one. That node must have been started with --metrics IP:PORT.
    #[arg(long, value_name = "ID")]
    pub find: Option<String>,
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
    /// Milliseconds between blocks while nobody uses the mesh. With 0, it does not slow down.
    #[arg(long, default_value_t = ::node::mesh::REST_MS, value_parser = clap::value_parser!(u64).range(0..=5_000))]
    pub rest_ms: u64,
    /// Blocks after which a committee hands its key over to the next one.
    #[arg(long, default_value_t = ::node::mesh::TERM_BLOCKS, value_parser = clap::value_parser!(u64).range(types::network::TERM_BLOCKS_MIN..))]
    pub term_blocks: u64,
    /// Where the API listens.
    #[arg(long, default_value = "127.0.0.1:8700", env = "MESHX_LISTEN")]
    pub listen: std::net::SocketAddr,
    /// Where edges join. Default: the port after --listen's.
    #[arg(long, value_name = "IP:PORT")]
    pub edges: Option<std::net::SocketAddr>,
    /// Take no edges.
    #[arg(long, conflicts_with = "edges")]
    pub no_edges: bool,
    /// Keep chains, blobs and keys here. Without it, everything is deleted at the end. Of each chain, the newest 5,000
    /// blocks are kept: ask for the receipt of a job before.
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
    /// Give the job an empty input, and leave stdin alone.
    #[arg(long, short = 'n', conflicts_with = "input")]
    pub no_input: bool,
    /// A read-only file that the job finds at /in/NAME.
    #[arg(long = "file", value_name = "NAME=PATH")]
    pub files: Vec<String>,
    /// A folder that the job finds at /in, with all files in it, read-only. Folders without files are left out.
    #[arg(long = "dir", value_name = "PATH")]
    pub dir: Option<PathBuf>,
    /// An environment variable of the job.
    #[arg(long = "env", value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// Fuel limit of each worker. Fuel counts WebAssembly instructions.
    #[arg(long, default_value_t = 10_000_000_000, value_parser = whole)]
    pub fuel: u64,
    /// Memory limit in MiB.
    #[arg(long, default_value_t = 256)]
    pub memory: u64,
    /// Output limit in MiB: of stderr, and of stdout with the files under /out.
    #[arg(long, default_value_t = 16)]
    pub output_limit: u64,
    /// Wall-clock limit in seconds. A job that reaches it is killed and has no result. Default, and least: what a slow
    /// machine needs for the fuel, six seconds for each 1,000,000,000.
    #[arg(long)]
    pub wall: Option<u64>,
    /// Number of workers that run the job (replicas).
    #[arg(long, default_value_t = 4)]
    pub replicas: u8,
    /// Number of workers that must give the same result. Without it: two thirds of them, rounded up.
    #[arg(long)]
    pub agree: Option<u8>,
}

impl Job {
    /// The wall-clock limit in seconds. Unless another is asked for, a slow machine can burn all of the fuel in it.
    #[must_use]
    pub fn wall(&self) -> u64 {
        let slow = self.fuel.div_ceil(1_000_000_000).saturating_mul(6);
        self.wall.unwrap_or_else(|| slow.clamp(6, 3_600))
    }

    /// Workers that must give the same result: two thirds unless something else is asked for, so always more than half.
    #[must_use]
    pub fn agree(&self) -> u8 {
        let usual = (u16::from(self.replicas) * 2).div_ceil(3);
        self.agree.unwrap_or(u8::try_from(usual).unwrap_or(u8::MAX))
    }
}

/// A whole number, which may have separators between its digits.
fn whole(text: &str) -> Result<u64, String> {
    let digits = text.replace(['_', ','], "");
    digits.parse().map_err(|_| "write digits, such as 10000000000 or 10_000_000_000".to_owned())
}

/// Blocks that a job waits unless its payer says otherwise: ten minutes.
pub const DEADLINE: u64 = 1_200;

#[derive(ClapArgs)]
pub struct Run {
    #[command(flatten)]
    pub job: Job,
    /// Pay at most this many MESHX. Default: what the job can cost at its limits.
    #[arg(long, value_name = "MESHX")]
    pub max_price: Option<NanoMeshx>,
    /// Blocks after which a job without a result ends and the payer gets the money back. The time to run it and to
    /// compile a large module is added.
    #[arg(long, default_value_t = DEADLINE)]
    pub deadline: u64,
    /// Do not wait for the result: print the job's id as soon as it is paid for.
    #[arg(long)]
    pub detach: bool,
    /// Show output on a terminal even if it is not text.
    #[arg(long)]
    pub raw: bool,
    /// Run the job even if the result cache has an answer.
    #[arg(long)]
    pub fresh: bool,
    /// Write the receipt here; - prints it to stdout in place of the output.
    #[arg(long, value_name = "FILE")]
    pub receipt: Option<PathBuf>,
    #[command(flatten)]
    pub save: Save,
    /// Delays between nodes, if this command starts a mesh: none, real, or a folder with nodes.csv and rtt.csv.
    #[arg(long, default_value = "real")]
    pub latency: String,
}

/// Where files are saved that a job left under /out.
#[derive(ClapArgs)]
pub struct Save {
    /// Save the files that the job leaves under /out in this folder, which must be new or empty.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace files in the folder of --out.
    #[arg(long, requires = "out")]
    pub overwrite: bool,
}

/// A receipt, and who is believed.
#[derive(ClapArgs)]
pub struct ReceiptFile {
    /// The receipt.
    pub file: PathBuf,
    /// A network id to trust, in addition to the networks that this machine has used.
    #[arg(long = "network", value_name = "ID")]
    pub networks: Vec<types::Hash>,
}

#[derive(ClapArgs)]
pub struct Verify {
    #[command(flatten)]
    pub receipt: ReceiptFile,
    /// Check that this file is the output that the receipt proves.
    #[arg(long = "result", value_name = "FILE")]
    pub result: Option<PathBuf>,
    /// Check that the files in this folder are those that the receipt proves: what the job left under /out.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub struct Replay {
    #[command(flatten)]
    pub receipt: ReceiptFile,
    /// The module, if it is not among the files kept from earlier runs.
    #[arg(long, value_name = "FILE")]
    pub module: Option<PathBuf>,
    /// The input, if it is not among the files kept from earlier runs.
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// A file that the job was given, if it is not among those kept. Its content says which it is. May be repeated.
    #[arg(long = "file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The folder that the job was given, if it is not among the files kept.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub struct Id {
    /// The id of the job, or its first eight characters or more if no other job the node has seen begins with them.
    #[arg(value_name = "JOB")]
    pub id: String,
}

#[derive(ClapArgs)]
pub struct JobCommand {
    #[command(subcommand)]
    pub verb: JobVerb,
}

#[derive(Subcommand)]
pub enum JobVerb {
    /// List the newest jobs that the node has seen.
    List,
    /// Show one job.
    Show(Id),
    /// Tell what happens to a job until it has ended.
    Follow(Id),
    /// Print what a job wrote to stdout. With --out, save the files that it left instead.
    Output {
        #[command(flatten)]
        id: Id,
        #[command(flatten)]
        save: Save,
        /// Show output on a terminal even if it is not text.
        #[arg(long)]
        raw: bool,
    },
    /// Print what a job wrote to stderr.
    Logs(Id),
    /// Write the receipt of a job to a file.
    Receipt {
        #[command(flatten)]
        id: Id,
        /// The file, which is replaced if it is there; - is stdout. Default: JOB.mxr.
        #[arg(value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Take a job back that still waits for workers. What was set aside for it comes back; the fee does not.
    Cancel(Id),
}

#[derive(ClapArgs)]
pub struct WalletCommand {
    #[command(subcommand)]
    pub verb: WalletVerb,
}

#[derive(Subcommand)]
pub enum WalletVerb {
    /// Make a wallet and print its recovery words once. MESHX_PASSPHRASE or the terminal gives its passphrase.
    New,
    /// Show the wallet's address, and its balance if a node answers.
    Show,
    /// Restore a wallet from its recovery words, read from stdin.
    Import,
    /// Send MESHX to an address on the same chain.
    Send {
        /// The address that gets it.
        to: types::Address,
        /// How much, in MESHX, such as 0.5.
        amount: NanoMeshx,
    },
}

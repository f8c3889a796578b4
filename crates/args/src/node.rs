//! Options and commands for nodes.

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use overlay::{Cell, Multiaddr, PeerAddress, Role, Tor, TurnServer};
use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};
use types::{Address, ChainId, Hash, NanoMeshx};

#[derive(ClapArgs)]
pub struct NodeCommand {
    #[command(subcommand)]
    pub verb: NodeVerb,
}

#[derive(Subcommand)]
pub enum NodeVerb {
    /// Make the keys of a small development network, in one folder for each node.
    Init(NodeInit),
    /// Start the node whose keys are in a folder. With --role edge, start a worker that holds no chain.
    Start(Box<NodeStart>),
    /// Sign a list of nodes for others to connect to first, with the identity in a folder, and print it.
    Bootstrap(NodeBootstrap),
}

#[derive(ClapArgs)]
pub struct NodeBootstrap {
    /// The folder with the identity that signs. If it has none, one is made.
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// The id of the network.
    #[arg(long, value_name = "ID")]
    pub network: Hash,
    /// Addresses of nodes. Each ends in /p2p/ and the node's id.
    #[arg(required = true, value_name = "ADDRESS")]
    pub peers: Vec<PeerAddress>,
}

#[derive(ClapArgs)]
pub struct NodeInit {
    /// Processes that vote; each runs one validator of every chain.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub nodes: u16,
    /// Additional processes that hold all chains and serve the API, but do not vote.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=100))]
    pub aggregators: u16,
    /// The IP address of each process, in order. Its API answers there, too. Default: all on 127.0.0.1.
    #[arg(long, value_delimiter = ',', value_name = "IP")]
    pub hosts: Vec<IpAddr>,
    /// Where the folders node-0, node-1, … go.
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// Workers per shard, spread over the nodes that vote.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(0..=256))]
    pub workers: u16,
    /// A list of witnesses (meshx presence deal) for the first claims. With it, a seat needs a presence certificate.
    #[arg(long, value_name = "FILE")]
    pub witnesses: Option<PathBuf>,
    /// The chains to run. Stake and governance need the backbone.
    #[arg(long, value_delimiter = ',', default_value = "backbone,EU")]
    pub chains: Vec<ChainId>,
    /// The first port. Each node has two ports in order (peers, API); then each node has one for edges.
    #[arg(long, default_value_t = 8710)]
    pub port: u16,
    /// Milliseconds between blocks.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(50..=10_000))]
    pub block_ms: u64,
    /// Blocks after which a committee hands its key over to the next one.
    #[arg(long, default_value_t = 7_200, value_parser = clap::value_parser!(u64).range(types::network::TERM_BLOCKS_MIN..))]
    pub term_blocks: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RoleArg {
    /// Run jobs; hold no chain.
    Edge,
    /// Serve the API to edges.
    Aggregator,
    /// Vote on shards.
    Validator,
    /// Vote on the backbone.
    Backbone,
    /// Forward connections of nodes behind NATs.
    Relay,
}

impl RoleArg {
    pub const fn role(self) -> Role {
        match self {
            Self::Edge => Role::Edge,
            Self::Aggregator => Role::Aggregator,
            Self::Validator => Role::Validator,
            Self::Backbone => Role::Backbone,
            Self::Relay => Role::Relay,
        }
    }
}

#[derive(ClapArgs)]
pub struct NodeStart {
    /// A TOML file with more options, named like these but without dashes in front. Options on the command line win.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder with the node's keys and data.
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// What this node does; several are possible. Default: all that the keys in DIR allow, or edge without keys.
    #[arg(long = "role", value_name = "ROLE")]
    pub roles: Vec<RoleArg>,
    #[command(flatten)]
    pub overlay: OverlayArgs,
    #[command(flatten)]
    pub edge: EdgeArgs,
}

#[derive(ClapArgs)]
pub struct Provide {
    /// The folder with the worker's key and data. Default: one for each network, in the user's data folder.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    #[command(flatten)]
    pub overlay: OverlayArgs,
    #[command(flatten)]
    pub edge: EdgeArgs,
}

#[derive(ClapArgs)]
pub struct OverlayArgs {
    /// An address on which this node accepts connections, such as /ip4/0.0.0.0/tcp/8800.
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Vec<Multiaddr>,
    /// The address at which others reach this node, if it differs from --listen.
    #[arg(long, value_name = "ADDRESS")]
    pub announce: Vec<Multiaddr>,
    /// The address of a node to connect to first; it ends in /p2p/ and the node's id. Several are better than one.
    #[arg(long, value_name = "ADDRESS")]
    pub join: Vec<PeerAddress>,
    /// A signed list of nodes to connect to first, as `meshx node bootstrap` makes it.
    #[arg(long, value_name = "FILE", requires = "bootstrap_key")]
    pub bootstrap: Option<PathBuf>,
    /// The key that the list must be signed by.
    #[arg(long, value_name = "HEX", requires = "bootstrap")]
    pub bootstrap_key: Option<Hash>,
    /// Where this node is: LATITUDE,LONGITUDE in degrees. Others learn it rounded to ten degrees, so that nodes
    /// that are near each other connect first. Default: it is not published.
    #[arg(long, value_name = "PLACE", allow_hyphen_values = true)]
    pub place: Option<Cell>,
    /// The providers (autonomous systems) of IP addresses: lines of FIRST LAST ASN or PREFIX/LENGTH ASN. With it, the
    /// routing table holds at most 40 nodes of one provider. Without it, only ranges of addresses are limited.
    #[arg(long, value_name = "FILE")]
    pub asn_table: Option<PathBuf>,
    /// Look for peers on the local network, too.
    #[arg(long)]
    pub mdns: bool,
    /// Do not ask the router to forward the port (PCP, NAT-PMP, UPnP).
    #[arg(long)]
    pub no_port_mapping: bool,
    #[command(flatten)]
    pub turn: TurnArgs,
    #[command(flatten)]
    pub tor: TorArgs,
    /// Serve metrics and peers over HTTP here, such as 127.0.0.1:9108: /metrics, /peers, /peers/ID.
    #[arg(long, value_name = "IP:PORT")]
    pub metrics: Option<SocketAddr>,
    /// Also accept connections without ML-KEM.
    #[arg(long)]
    pub accept_classic: bool,
}

#[derive(ClapArgs)]
pub struct TurnArgs {
    /// A TURN server (TCP, RFC 6062) that gives this node an address, for peers that would otherwise need a relay.
    #[arg(
        long,
        value_name = "USER:PASSWORD@HOST:PORT",
        env = "MESHX_TURN",
        hide_env_values = true,
        conflicts_with = "tor"
    )]
    pub turn: Option<TurnServer>,
}

#[derive(ClapArgs)]
pub struct TorArgs {
    /// Connect only through the Tor daemon of this machine, and be reached only as an onion service. For nodes that
    /// hold no chain.
    #[arg(long)]
    pub tor: bool,
    /// Also be reached as an onion service, and reach other onion services.
    #[arg(long, conflicts_with = "tor")]
    pub onion: bool,
    /// Tor's SOCKS5 port.
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:9050")]
    pub tor_socks: SocketAddr,
    /// Tor's control port. The login uses nothing, Tor's cookie file, or MESHX_TOR_PASSWORD.
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:9051")]
    pub tor_control: SocketAddr,
    #[arg(skip = std::env::var("MESHX_TOR_PASSWORD").ok())]
    pub tor_password: Option<String>,
}

impl TorArgs {
    /// The daemon, whether it is to be used or not.
    pub fn daemon(&self) -> Tor {
        Tor {
            socks: self.tor_socks,
            control: self.tor_control,
            password: self.tor_password.clone(),
            only: self.tor,
        }
    }

    pub fn used(&self) -> Option<Tor> {
        (self.tor || self.onion).then(|| self.daemon())
    }
}

#[derive(ClapArgs)]
#[command(next_help_heading = "For edges")]
pub struct EdgeArgs {
    /// The network's id, as its nodes print it.
    #[arg(long, value_name = "ID")]
    pub network: Option<Hash>,
    /// Where programs on this machine reach the gateway's API. Default: 127.0.0.1:8700; for provide, any free port.
    #[arg(long, value_name = "IP:PORT")]
    pub api: Option<SocketAddr>,
    /// Send what this worker earns to this account. It must be on the same chain; a little stays for fees.
    #[arg(long, value_name = "ADDRESS")]
    pub payout: Option<Address>,
    /// How many jobs run at once. Default: one per core.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1_024))]
    pub capacity: Option<u16>,
    /// The city of this machine.
    #[arg(long, default_value = "unknown")]
    pub city: String,
    /// The lowest price that this worker accepts: MESHX for a core-second.
    #[arg(long, default_value = "0")]
    pub floor: NanoMeshx,
}

#[derive(ClapArgs)]
pub struct Doctor {
    /// The port to listen on.
    #[arg(long, default_value_t = 8800)]
    pub port: u16,
    /// A STUN server, HOST:PORT. Two servers show the kind of NAT.
    #[arg(long, value_name = "HOST:PORT")]
    pub stun: Vec<String>,
    /// The network to try to join.
    #[arg(long, value_name = "ID")]
    pub network: Option<Hash>,
    /// The address of a node of that network; it ends in /p2p/ and the node's id.
    #[arg(long, value_name = "ADDRESS")]
    pub join: Vec<PeerAddress>,
    /// Where a node would keep its data.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    #[command(flatten)]
    pub turn: TurnArgs,
    #[command(flatten)]
    pub tor: TorArgs,
}

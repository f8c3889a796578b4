//! What can be typed about nodes.

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use overlay::{Cell, Multiaddr, PeerAddress, Role, Tor, TurnServer};
use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};
use types::{ChainId, Hash, NanoMeshx};

#[derive(ClapArgs)]
pub struct NodeCommand {
    #[command(subcommand)]
    pub verb: NodeVerb,
}

#[derive(Subcommand)]
pub enum NodeVerb {
    /// Deal the keys of a small network (dev dealer) into one folder per node.
    Init(NodeInit),
    /// Start the node whose keys are in a folder; with --role edge, a worker without a chain.
    Start(Box<NodeStart>),
    /// Sign a list of nodes that others may begin with, by the identity in a folder; it goes to stdout.
    Bootstrap(NodeBootstrap),
}

#[derive(ClapArgs)]
pub struct NodeBootstrap {
    /// Whose identity signs; without one there, it gets one.
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    #[arg(long, value_name = "ID")]
    pub network: Hash,
    /// Addresses that end in /p2p/ and an id.
    #[arg(required = true, value_name = "ADDRESS")]
    pub peers: Vec<PeerAddress>,
}

#[derive(ClapArgs)]
pub struct NodeInit {
    /// Processes that vote; each runs one validator of every chain.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub nodes: u16,
    /// Processes after those that hold all chains, serve the API, and do not vote.
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
    /// A list of witnesses (meshx presence deal) who measure the first claims. With it a seat takes a certificate of presence.
    #[arg(long, value_name = "FILE")]
    pub witnesses: Option<PathBuf>,
    /// The chains to run.
    #[arg(long, value_delimiter = ',', default_value = "EU")]
    pub chains: Vec<ChainId>,
    /// The first of three ports per node: peers and API of each, then one of each for edges.
    #[arg(long, default_value_t = 8710)]
    pub port: u16,
    /// Milliseconds between blocks.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(50..=10_000))]
    pub block_ms: u64,
    /// Blocks after which a committee hands over to the next.
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
    /// Carry connections of nodes behind NATs.
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
    /// A file that says what is not typed: TOML, names as these flags without dashes in front.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// What this node does; several are possible. Default: all that the keys in DIR allow, or edge where there are none.
    #[arg(long = "role", value_name = "ROLE")]
    pub roles: Vec<RoleArg>,
    #[command(flatten)]
    pub overlay: OverlayArgs,
    #[command(flatten)]
    pub edge: EdgeArgs,
}

#[derive(ClapArgs)]
pub struct OverlayArgs {
    /// Where others of the overlay may dial this node, such as /ip4/0.0.0.0/tcp/8800.
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Vec<Multiaddr>,
    /// Where this node is reached from outside, if that is another address.
    #[arg(long, value_name = "ADDRESS")]
    pub announce: Vec<Multiaddr>,
    /// A node to begin with: its address, which ends in /p2p/ and its id. Several are better than one.
    #[arg(long, value_name = "ADDRESS")]
    pub join: Vec<PeerAddress>,
    /// A signed list of nodes to begin with, as `meshx node bootstrap` makes it.
    #[arg(long, value_name = "FILE", requires = "bootstrap_key")]
    pub bootstrap: Option<PathBuf>,
    /// The key that the list must be signed by.
    #[arg(long, value_name = "HEX", requires = "bootstrap")]
    pub bootstrap_key: Option<Hash>,
    /// Where this node stands, LATITUDE,LONGITUDE in degrees. It is told to others to ten degrees, so that those nearby
    /// find it first, and it looks for others near there. Default: nobody is told.
    #[arg(long, value_name = "PLACE", allow_hyphen_values = true)]
    pub place: Option<Cell>,
    /// Which provider (autonomous system) addresses are of: lines of FIRST LAST ASN or PREFIX/LENGTH ASN. With it at
    /// most 40 nodes of one provider come into the table; without it only neighbourhoods of addresses are counted.
    #[arg(long, value_name = "FILE")]
    pub asn_table: Option<PathBuf>,
    /// Look for peers on the local network, too.
    #[arg(long)]
    pub mdns: bool,
    /// Do not ask the router to pass the port on (PCP, NAT-PMP, UPnP).
    #[arg(long)]
    pub no_port_mapping: bool,
    #[command(flatten)]
    pub turn: TurnArgs,
    #[command(flatten)]
    pub tor: TorArgs,
    /// Serve metrics and peers over HTTP here, such as 127.0.0.1:9108: /metrics, /peers, /peers/ID.
    #[arg(long, value_name = "IP:PORT")]
    pub metrics: Option<SocketAddr>,
    /// Also take connections without ML-KEM.
    #[arg(long)]
    pub accept_classic: bool,
}

#[derive(ClapArgs)]
pub struct TurnArgs {
    /// A TURN server (TCP, RFC 6062) to have an address at, for peers that otherwise come through a relay.
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
    /// Make no connection but through the Tor daemon of this machine, and be reached as an onion service only. For nodes
    /// that hold no chain.
    #[arg(long)]
    pub tor: bool,
    /// Be reached as an onion service, too, and reach others that are.
    #[arg(long, conflicts_with = "tor")]
    pub onion: bool,
    /// Tor's SOCKS5 port.
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:9050")]
    pub tor_socks: SocketAddr,
    /// Tor's control port; authenticates by nothing, its cookie file, or MESHX_TOR_PASSWORD.
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
    /// Where this machine's programs find the API of the gateway.
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8700")]
    pub api: SocketAddr,
    /// Jobs at once. Default: one per core.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1_024))]
    pub capacity: Option<u16>,
    /// Where this machine stands.
    #[arg(long, default_value = "unknown")]
    pub city: String,
    /// The least it works for: MESHX for a core-second.
    #[arg(long, default_value = "0")]
    pub floor: NanoMeshx,
}

#[derive(ClapArgs)]
pub struct Doctor {
    /// The port to listen on.
    #[arg(long, default_value_t = 8800)]
    pub port: u16,
    /// A STUN server, HOST:PORT; two tell the kind of NAT.
    #[arg(long, value_name = "HOST:PORT")]
    pub stun: Vec<String>,
    /// The network to try to join.
    #[arg(long, value_name = "ID")]
    pub network: Option<Hash>,
    /// A node of it: its address, which ends in /p2p/ and its id.
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

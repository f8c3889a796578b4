//! What can be typed about where nodes stand.

use super::LabWords;
use clap::{Args as ClapArgs, Subcommand};
use std::{net::SocketAddr, path::PathBuf};
use types::{Address, ChainId, Hash, Place};

#[derive(ClapArgs)]
pub struct PresenceCommand {
    #[command(subcommand)]
    pub verb: PresenceVerb,
}

#[derive(Subcommand)]
pub enum PresenceVerb {
    /// Claim a place, have a list's witnesses measure it, and keep the certificate. Exit code 1 if it is not certified.
    Prove(PresenceProve),
    /// Check a certificate against a list of witnesses. Exit code 1 if it does not certify.
    Verify {
        certificate: PathBuf,
        #[arg(long, value_name = "FILE")]
        list: PathBuf,
    },
    /// Show where a validator stands by its newest certificate, and the seats it has. Default: your own.
    Show { address: Option<Address> },
    /// Write down the period's witnesses, as the chain has them: what --list of the others reads.
    List {
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Send a certificate of your validator's to the chain.
    Submit { certificate: PathBuf },
    /// Measure whoever asks, as each witness of a list whose key is here.
    Attend {
        /// The period's witnesses. A file that is written anew is read anew.
        #[arg(long, value_name = "FILE", required_unless_present = "follow")]
        list: Option<PathBuf>,
        /// Measure by the chain's list, of each period in turn; --list then says where those are met who have not announced it.
        #[arg(long)]
        follow: bool,
        /// A folder of files that end in .key.
        #[arg(long, value_name = "DIR")]
        keys: PathBuf,
        /// Ask for work too, and sign nothing if its results come later than the quickest answer and so many milliseconds: the
        /// machine is further away than its key. Too few, and a busy machine is taken for one that is far.
        #[arg(long, value_name = "MILLISECONDS", value_parser = clap::value_parser!(u16).range(1..=10_000))]
        work_within: Option<u16>,
    },
    /// Deal keys and a list for a measured network, all on this machine, to try things out.
    Deal {
        #[arg(long, value_name = "DIR")]
        network: PathBuf,
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// Where each witness listens, on an address of its own.
        #[arg(long, default_value_t = 8_790)]
        port: u16,
    },
    /// Try the rule on a measured network: how many are accepted, where they are found, how many lies get through.
    Evaluate(LabWords),
    /// Find a node of a measured network by its round trips alone; its own place and row are not looked at.
    Locate(LabWords),
    /// What one more vote costs whoever has many names.
    SybilCost(LabWords),
}

#[derive(ClapArgs)]
pub struct PresenceProve {
    /// The period's witnesses. Without it, and with --submit or --follow, they are the chain's, and this says where those are met
    /// who have not announced it.
    #[arg(long, value_name = "FILE")]
    pub list: Option<PathBuf>,
    /// The key that is measured, 64 hex digits; made if it is not there. Default: what your wallet's validator votes with.
    #[arg(long, value_name = "FILE", conflicts_with = "dir")]
    pub key: Option<PathBuf>,
    /// Measure the key that the node in this folder votes with, and ask that node.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Send the certificate to the chain at once, unless it proves nothing.
    #[arg(long)]
    pub submit: bool,
    /// Prove it in each period anew, until interrupted.
    #[arg(long)]
    pub follow: bool,
    /// Where this node stands.
    #[arg(long, value_name = "LATITUDE,LONGITUDE", allow_hyphen_values = true)]
    pub place: Place,
    /// Default: the place's own. Within 500 km of another's land that one may be chosen.
    #[arg(long, value_name = "CONTINENT")]
    pub continent: Option<ChainId>,
    /// The attestation that binds the key to a machine. Default: your validator's on the backbone.
    #[arg(long, value_name = "HASH")]
    pub attestation: Option<Hash>,
    #[arg(long, value_name = "FILE", default_value = "presence.mxp")]
    pub out: PathBuf,
    /// Where challenges are answered.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:0")]
    pub listen: SocketAddr,
    /// Simulated: delay answers as if this node stood where a witness of the list does.
    #[arg(long, value_name = "WITNESS")]
    pub simulate_from: Option<usize>,
}

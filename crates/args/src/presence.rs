//! Options and commands for proofs of presence.

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
    /// Claim a place, let witnesses measure it, and save the certificate. Exits with 1 if the claim is not certified.
    Prove(PresenceProve),
    /// Check a certificate against a list of witnesses. Exits with 1 if the claim is not certified.
    Verify {
        /// The certificate.
        certificate: PathBuf,
        /// The witnesses of the period.
        #[arg(long, value_name = "FILE")]
        list: PathBuf,
    },
    /// Show the place in the newest certificate of a validator, and its seats. Default: your own validator.
    Show {
        /// The validator's operator.
        address: Option<Address>,
    },
    /// Write the chain's witnesses of this period to a file, for --list of the other commands.
    List {
        /// The file.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Send a certificate of your validator to the chain.
    Submit {
        /// The certificate.
        certificate: PathBuf,
    },
    /// Measure nodes that ask, as each witness of the list whose key is in --keys.
    Attend {
        /// The witnesses of the period. The file is read again when it changes.
        #[arg(long, value_name = "FILE", required_unless_present = "follow")]
        list: Option<PathBuf>,
        /// Use the chain's list of each period. --list then gives the addresses of witnesses that have announced none.
        #[arg(long)]
        follow: bool,
        /// A folder with the witnesses' keys, in files that end in .key.
        #[arg(long, value_name = "DIR")]
        keys: PathBuf,
        /// Also ask for computation, and sign nothing if its results come more than this many milliseconds after the
        /// quickest answer: the machine is then further away than its key. With too low a value, a busy machine is
        /// taken for a distant one.
        #[arg(long, value_name = "MILLISECONDS", value_parser = clap::value_parser!(u16).range(1..=10_000))]
        work_within: Option<u16>,
    },
    /// Make keys and a list of witnesses for a measured network, all on this machine, for tests.
    Deal {
        /// A folder with nodes.csv and rtt.csv.
        #[arg(long, value_name = "DIR")]
        network: PathBuf,
        /// Where the keys and the list go.
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// The port of each witness, on an address of its own.
        #[arg(long, default_value_t = 8_790)]
        port: u16,
    },
    /// Test the rule on a measured network: how many claims it accepts, where it locates nodes, how many lies pass.
    Evaluate(LabWords),
    /// Locate a node of a measured network by its round-trip times alone, without its own place.
    Locate(LabWords),
    /// Show what one more vote costs an attacker with many identities.
    SybilCost(LabWords),
}

#[derive(ClapArgs)]
pub struct PresenceProve {
    /// The witnesses of the period. Without it, or with --submit or --follow, the chain's list is used; the file then
    /// gives the addresses of witnesses that have announced none.
    #[arg(long, value_name = "FILE")]
    pub list: Option<PathBuf>,
    /// A file with the key that is measured, 64 hex digits. It is made if it does not exist. Default: the key that your
    /// wallet's validator votes with.
    #[arg(long, value_name = "FILE", conflicts_with = "dir")]
    pub key: Option<PathBuf>,
    /// Measure the key that the node in this folder votes with, and ask that node.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Send the certificate to the chain at once, unless the claim is unproven.
    #[arg(long)]
    pub submit: bool,
    /// Prove the place again in each period, until interrupted.
    #[arg(long)]
    pub follow: bool,
    /// Where this node is.
    #[arg(long, value_name = "LATITUDE,LONGITUDE", allow_hyphen_values = true)]
    pub place: Place,
    /// The continent to claim. Default: that of the place. Within 500 km of another continent, that one is allowed.
    #[arg(long, value_name = "CONTINENT")]
    pub continent: Option<ChainId>,
    /// The attestation that binds the key to a machine. Default: your validator's on the backbone.
    #[arg(long, value_name = "HASH")]
    pub attestation: Option<Hash>,
    /// Where the certificate goes.
    #[arg(long, value_name = "FILE", default_value = "presence.mxp")]
    pub out: PathBuf,
    /// The address on which challenges are answered.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:0")]
    pub listen: SocketAddr,
    /// For tests: delay answers as if this node stood where this witness does, by its id or name in nodes.csv.
    #[arg(long, value_name = "WITNESS")]
    pub simulate_from: Option<String>,
}

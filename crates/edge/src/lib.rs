//! A worker without a chain: duties come from a gateway's API, statements go back through it.
//!
//! ```text
//!             ┌─ feed of duties ─▶ work (worker::Shift) ─ orders ─▶ hands: prove, fetch, run, say ─┐
//! gateway ────┤                                                                                  ├──▶ gateway
//!             └─ proofs, blobs ──────────────────────────────────▶                               ─┘
//! ```
//! The gateway is believed in nothing that costs: a duty counts when it is proved to stand in the chain's state, under a
//! header that the committee has signed and that is not long over. Blobs are checked against their hashes. What a
//! gateway can do is to be silent; then another is chosen.
//!
//! [`serve`] blocks; each order has a thread. [`work()`] is all of a node that holds no chain: it meets others, finds a gateway and
//! keeps it, and works behind it; [`carry()`] is a node that only carries connections. What they have in common with nodes that
//! hold chains ([`Meeting`], [`headers`], [`watch`], [`keep_status`]) is here for those, too.

mod carry;
mod gateway;
mod hands;
pub mod headers;
mod known;
mod line;
mod meeting;
mod news;
mod payout;
mod registry;
mod role;
mod status;
pub mod watch;
mod work;

pub use carry::carry;
// Parts of this crate's own interface: the nodes to meet first.
pub use overlay::{BootstrapList, PeerAddress};

pub use known::{NoIdentity, identity};
pub use meeting::{Meeting, NotMet, multiaddr, now};
pub use news::{News, Say, tell, tell_onion};
pub use payout::KEPT;
pub use role::{NotRun, Work, work};
pub use status::keep_status;

use api::Client;
use blobs::Store;
use hands::Hands;
use receipt::Follower;
use std::sync::{Arc, Mutex, atomic::AtomicBool};
use types::{Address, ChainId, City, Hash, JobId, NanoMeshx};
use worker::Worker;

/// What this worker offers.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The shard it works for.
    pub chain: ChainId,
    /// Jobs at once.
    pub capacity: u16,
    /// Where it says it stands.
    pub city: City,
    /// The least it takes for a core-second.
    pub floor: NanoMeshx,
}

/// What a worker without a chain needs.
pub struct Edge {
    /// The gateway's API.
    pub client: Client,
    /// The network's id.
    pub network: Hash,
    /// Who runs the jobs.
    pub worker: Worker,
    /// Where blobs are kept.
    pub store: Store,
    /// What it offers.
    pub offer: Offer,
    /// Where earnings go, on the same chain. `None`: they stay with the worker.
    pub payout: Option<Address>,
    /// On a development network the faucet gives a worker the money for its fees.
    pub development: bool,
    /// What is proved of the chain: a gateway's word is checked against it.
    pub follower: Arc<Mutex<Follower>>,
}

/// What a user may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The chain knows its offer.
    Registered,
    /// It has no money for the fee of its registration.
    NeedsMoney {
        /// The worker's account.
        address: String,
        /// What it needs for its bond and for fees.
        amount: NanoMeshx,
    },
    /// The faucet of a development network gave it money for its fees.
    Funded(NanoMeshx),
    /// Earnings went to the payout address.
    PaidOut {
        /// How much.
        amount: NanoMeshx,
        /// Whose account has it now.
        to: Address,
    },
    /// It has shown a result.
    Ran {
        /// Which job.
        job: JobId,
        /// How much fuel it burned.
        fuel: u64,
    },
    /// Something went wrong and is tried again; in words.
    Trouble(String),
}

/// Work until `cancel` is set. Everything that fails is tried again; `say` hears of it.
pub fn serve(edge: Edge, cancel: Arc<AtomicBool>, say: impl Fn(Said) + Send + Sync + 'static) {
    let hands = Arc::new(Hands::new(edge, cancel, Box::new(say)));
    // One that was stopped before it was on the list of workers has nothing to leave.
    if hands.until_done(Hands::register) {
        work::work(&hands);
    }
}

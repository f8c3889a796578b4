//! Run one chain: agree on blocks, keep its state, answer for it.
//!
//! One engine type runs all eight chains. It wires commonware's parts together and adds what is ours:
//! the leader draw (`elector`), the state transition (`chain::apply_block`) and the gossip of
//! transactions.
//!
//! ```text
//!  network channels
//!   votes, certificates --> simplex --> Deferred --> Stateful --> App --> chain::apply_block
//!   blocks -------------> broadcast --> marshal --------^          |
//!   backfill -----------> resolver ---^                            v
//!   transactions --------> intake --> mempool            QMDB state, outbox log
//!   state, outbox -------> state sync -----------------------^
//!   standing ------------> rejoin: where to begin with an empty disk
//! ```
//!
//! The shell talks to a [`Chain`]: submit a transaction, read and prove state, follow final blocks, and learn
//! which validators signed twice.
//!
//! The first committee's keys are dealt by one process ([`deal`], the *dev dealer*). At the end of each term a committee
//! hands its key over to the next, which the chain's state names (ADR 15):
//!
//! ```text
//!  state (who votes in term E+3) --> successors --> reshare: deals shares, checks logs in blocks --> schemes of each term
//!  final blocks -----------------------------------> orchestrator: ends simplex of term E, starts that of E+1
//! ```
//!
//! Messages between chains are not here yet.

mod app;
mod begun;
mod block;
mod ceremony;
mod clock;
mod dealer;
mod elector;
mod engine;
mod equivocation;
mod guarded;
mod handle;
mod intake;
mod keep;
mod locked;
mod memory;
mod news;
mod old_terms;
mod paced;
mod peers;
mod pooled;
mod quiet;
mod rejoin;
mod reported;
mod schemes;
mod secrets;
mod shared;
mod silence;
mod snapshot;
mod state_store;
mod state_sync;
mod store;
mod successors;
mod transition;
mod voters;

pub use dealer::{BadKeys, Committee, deal, scheme};
pub use engine::{CHANNELS, ChainConfig, Channels, Env, message_bytes_max, start, start_on};
pub use equivocation::EQUIVOCATIONS_MAX;
pub use guarded::{Guarded, VoteSignature};
pub use handle::{Chain, Tip};
pub use keep::Keep;
pub use news::{Fate, Final, SubmitError};
pub use snapshot::Snapshot;
pub use state_store::{Proved, StateStore};
pub use transition::{ApplyBlock, Before, Transition};

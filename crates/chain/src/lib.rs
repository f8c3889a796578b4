//! Turn one state into the next, one block at a time.
//!
//! [`apply_block`] is the only way state changes. It asks a [`Store`] for the records it needs, runs
//! the rules of `ledger`, `jobs`, `staking` and `governance` over them, and returns what to write. The same block on the same
//! state gives the same writes on every validator: no clock, no randomness, no floating point.
//!
//! ```text
//!             +-- itself:   minting; at a boundary, rewards, who was drawn, the period's witnesses
//!             +-- due jobs: reminders that fall due at this height
//! block ------+-- beacons:  jobs of earlier heights meet their workers
//!             +-- txs:      transfers, submissions, commitments, reveals, stake, ...
//!             +-- prices:   base fee and demand of the next block
//!                   |
//!                   v  over records read from the store, one scratch pad per item
//!             writes + events
//! ```
//!
//! A transaction that is refused leaves nothing behind: a proposer leaves it out, and a block that
//! contains one is invalid.
//!
//! Not here: signatures of blocks and beacons (the caller checks them), storage, networking.

mod apply;
mod ballots;
mod challenge;
mod checked;
mod checks;
mod decrees;
mod earned;
mod effects;
mod epoch;
mod gas;
mod genesis;
mod market;
mod period;
mod places;
mod proved;
mod queue;
mod refusal;
mod scratch;
mod seats;
mod spent;
mod term;
mod tx;
mod why;

pub use apply::{Applied, BlockContext, Mode, Proposal, Store, apply_block};
pub use checked::{CheckedTx, check_tx, check_txs};
pub use epoch::{VIEWS_PER_NOTE, is_boundary};
pub use gas::{BLOCK_MAX as GAS_BLOCK_MAX, GasUsed, fee};
pub use genesis::{genesis_writes, local_params};
pub use market::utilisation_bps;
pub use refusal::Refusal;
pub use scratch::Write;
pub use term::term_of;
pub use why::{Reason, why};

#[cfg(test)]
mod tests;

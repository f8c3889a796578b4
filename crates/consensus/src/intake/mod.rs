//! How transactions come in: from clients and from peers, checked in batches, put into the pool, and
//! passed on, so that the next leader has them.
//!
//! One task per validator takes all that waits, up to [`BATCH_TXS`], and checks its signatures together:
//! alone, a signature costs three times as much. When little comes in, a batch is one transaction and
//! nothing waits for it.

mod actor;
mod desk;
mod ingress;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use actor::Intake;
pub(crate) use desk::Desk;
pub(crate) use ingress::{Mailbox, mailbox};

/// Most transactions checked together, and most in one message to peers.
const BATCH_TXS: usize = 1_024;

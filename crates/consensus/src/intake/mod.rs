//! How transactions come in: from clients and from peers, checked in batches, put into the pool, and
//! passed on, so that the next leader has them.
//!
//! One task per validator takes all that waits, up to [`BATCH_TXS`], and checks its signatures together:
//! alone, a signature costs three times as much. When little comes in, a batch is one transaction and
//! nothing waits for it.
//!
//! A client's transaction is rehearsed: it is refused here if the newest state would refuse it. A peer has done that for
//! its own clients. So of a peer's it is asked that their senders can pay, and those that settle are rehearsed, because
//! only they get into the room for seats. When room is short, all that could be next are.

mod actor;
mod desk;
mod ingress;
mod patience;
mod rehearsal;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use actor::Intake;
pub(crate) use desk::Desk;
pub(crate) use ingress::{Mailbox, mailbox};

/// Most transactions checked together, and most in one message to peers.
const BATCH_TXS: usize = 1_024;

//! Benchmarks of MeshX by itself.
//!
//! Each drives the very node, sandbox or store that users run, and returns a [`Report`] that says what
//! was measured, under which load and latency model, on which hardware, and how to do it again.

mod attack;
mod audit;
mod compare;
mod gossip;
mod jobs;
mod kind;
mod link;
mod load;
mod network;
mod pace;
mod peer;
mod report;
mod sandbox;
mod sign;
mod state;
mod sybils;
mod tx;
mod usage;

pub use attack::{Attack, AttackLoad, attack};
pub use compare::{CompareLoad, compare};
pub use jobs::{JobsLoad, jobs};
pub use link::{LinkLoad, link};
pub use report::{Hardware, Report};
pub use sandbox::{SandboxLoad, sandbox};
pub use sign::{SignLoad, sign};
pub use state::{StateLoad, state};
pub use tx::{TxLoad, tx};

//! Benchmarks of MeshX by itself.
//!
//! Each drives the very node, sandbox or store that users run, and returns a [`Report`] that says what
//! was measured, under which load and latency model, on which hardware, and how to do it again.

mod load;
mod report;
mod tx;
mod usage;

pub use report::{Hardware, Report};
pub use tx::{TxLoad, tx};

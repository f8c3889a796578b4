//! Turn an assignment into a receipt.
//!
//! A worker has a key, a sandbox and a blob store. [`Worker::run`] does the work of one seat: collect
//! the module and its inputs, run them, keep the outputs as blobs. [`Worker::reveal`] makes the signed
//! statement, [`duty`] says when which statement is due. Reading the chain and sending transactions
//! is the shell's business.
//!
//! ```text
//! job record --duty--> Run -----> outcome --reveal--> commitment --> Commit tx
//!                 \--> Reveal -----------------------> opening ----> Reveal tx
//! ```
//!
//! The salt of a commitment follows from the worker's key and the job, so a worker that restarts
//! between commit and reveal runs the job again and opens the same commitment.

mod duty;
mod run;

pub use duty::{Duty, duty};
pub use run::{CannotRun, Worker};

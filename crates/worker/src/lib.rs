//! Turn an assignment into a receipt.
//!
//! A worker has a key, a sandbox and a blob store. [`Worker::run`] does the work of one assignment: collect
//! the module and its inputs, run them, keep the outputs as blobs. [`Worker::reveal`] makes the signed
//! statement, [`Asks`] says which statement is due. [`Shift`] keeps all that a worker has taken on: it is
//! told what happens and says what is to be done, and when something that failed is tried again. Reading
//! the chain and sending transactions is the shell's business; [`Tries`] says how often to send.
//!
//! ```text
//! job record --duty--> Run -----> outcome --reveal--> commitment --> Commit tx
//!                 \--> Reveal -----------------------> opening ----> Reveal tx
//! ```
//!
//! The salt of a commitment follows from the worker's key and the job, so a worker that restarts
//! between commit and reveal runs the job again and opens the same commitment.

mod backoff;
mod duty;
mod held;
mod run;
mod shift;
mod statement;

pub use backoff::{PAUSE, PAUSE_MAX, pause};
pub use duty::{Asks, Duty, duty};
pub use run::{CannotRun, Worker};
pub use shift::{Order, Shift, Told};
pub use statement::{AGAIN_AFTER, Next, TRIES_MAX, Tries, Try};

//! Use a MeshX network from a program of your own: pay for jobs, follow them, and check what comes back.
//!
//! ```text
//! core: functions of their arguments                   shell: files, and requests that block
//! Module, Request   a job, complete                    submit   upload, pay, follow
//! Errand            what is to be done next            act      sign, send, wait until final
//! price_max, quote  what it costs                      fetch    outputs and receipts, checked
//! wallet, stake     keys, and what they sign           home     what this machine keeps and trusts
//! check             is that what the chain settled on? again    a job that ended badly, run once more here
//! story, waiting    what happened to it, and what to try
//! units, when       numbers and moments as people read them
//! ```
//!
//! A node is asked through [`api::Client`], and believed in nothing that can be checked here: an output must have the hash
//! that the chain settled on, and a receipt must verify.
//!
//! ```ignore
//! use client::{Module, Request, Resources, dry_run, engine};
//! use types::{Agreement, Limits, Fuel, Millis, Status};
//!
//! let engine = engine()?;
//! let text = b"(module (memory (export \"memory\") 1) (func (export \"_start\")))";
//! let module = Module::read(&engine, "nothing.wat", text)?;
//! let request = Request::new(module, Resources {
//!     limits: Limits {
//!         fuel: Fuel::new(1_000_000),
//!         memory_bytes: 1 << 20,
//!         output_bytes: 1 << 10,
//!         wall: Millis::new(1_000),
//!     },
//!     agreement: Agreement { replicas: 4, agree: 3 },
//!     ..Resources::default()
//! })?;
//! assert_eq!(dry_run(&engine, &request)?.status, Status::Exited(0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Not here: how people are asked and answered (`cli`), and how bytes travel (`api`).

mod accept;
mod again;
mod check;
mod dry_run;
mod errand;
mod fetch;
mod files;
mod find;
pub mod home;
mod outputs;
mod price;
mod request;
mod send;
pub mod stake;
mod story;
mod submit;
mod tree;
pub mod units;
mod waiting;
pub mod wallet;
pub mod when;

pub use accept::{NotTaken, acceptable, enough_workers, runnable};
pub use again::{Again, again};
pub use check::{Distrusted, checked_output, checked_receipt, verify};
pub use dry_run::{NoEngine, NoResult, dry_run, engine, engine_with_places, meter};
pub use errand::{Answer, Errand, Finished, Next, Stuck, Terms, submission};
pub use fetch::{NotFetched, output, receipt};
pub use files::{NotRead, NotWritten, could_write, could_write_in, read_plain, write_whole};
pub use find::{ID_CHARS_MIN, NotFound, find_job};
pub use outputs::{
    Difference, NoFolder, OutputFolder, difference, files_of, output_file, output_list,
};
pub use price::{Dear, Priced, WAIT_BLOCKS, price_max, quote};
pub use receipt::{Failed, Verified};
pub use request::{BadRequest, Module, OtherProfile, Request, Resources};
pub use sandbox::{Engine, binary_of};
pub use send::{act, act_in_turn, came_second, fee_max, intent, signed};
pub use story::{Logs, NoBytes, Story, bytes_of, ending, story};
pub use submit::{LARGE_MODULE_BYTES, NotFinished, Step, phase_words, submit, submit_detached};
pub use tree::{BadTree, TreeBounds, read_tree};
pub use waiting::waiting;

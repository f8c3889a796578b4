//! Check what a network did without asking the network.
//!
//! A [`Receipt`] (`.mxr`) is one file that shows a job, its result, its price and who vouches for it,
//! to anyone who knows the network's id:
//!
//! ```text
//! network id --hash--> network keys --threshold key--> certificate --signs--> header
//!                                                                         | state root
//!                                 worker signatures --agree with--> job record
//! ```
//!
//! [`verify()`] needs no network, clock or file. The same checks serve a light client ([`light`]), and a [`Follower`] keeps
//! the newest header that anybody has proved to it.
//!
//! And [`check_equivocation`] says whether two votes prove that a validator lied.
//!
//! What a receipt cannot show: that the workers were independent of each other. Its assurance says
//! how many agreed; whether that is worth something depends on who they are.

mod before;
mod equivocation;
mod file;
mod follow;
pub mod light;
mod verify;

pub use before::TxBefore;
pub use equivocation::{NotEquivocation, check_equivocation};
pub use file::{MAGIC, RECEIPT_BYTES_MAX, Receipt, Reveals, Unreadable};
pub use follow::{BEHIND_MAX, Follower, Heard};
pub use light::Invalid;
pub use verify::{Assurance, Failed, Verified, assurance, verify};

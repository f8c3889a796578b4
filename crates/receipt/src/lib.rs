//! Check what a network did without asking the network.
//!
//! A [`Receipt`] (`.mxr`) is one file that shows a job, its result, its price and who vouches for it,
//! to anyone who knows the network's id:
//!
//! ```text
//! network id --hash--> anchor --threshold key--> certificate --signs--> header
//!                                                                         | state root
//!                                 worker signatures --agree with--> job record
//! ```
//!
//! [`verify()`] needs no network, clock or file. The same checks serve a light client ([`light`]), and a [`Follower`] keeps
//! the newest header that anybody has proved to it.
//!
//! And [`check_double_signing`] says whether two votes prove that a validator lied.
//!
//! What a receipt cannot show: that the workers were independent of each other. Its evidence tier says
//! how many agreed; whether that is worth something depends on who they are.

mod evidence;
mod file;
mod follow;
pub mod light;
mod verify;

pub use evidence::{BadEvidence, check_double_signing};
pub use file::{MAGIC, RECEIPT_BYTES_MAX, Receipt, Unreadable};
pub use follow::{BEHIND_MAX, Follower, Heard};
pub use light::Invalid;
pub use verify::{Failed, Tier, Verified, tier, verify};

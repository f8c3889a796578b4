//! Move money between accounts without making or losing any.
//!
//! The ledger is a function: accounts and transfers in, accounts out, or a [`Refusal`] and nothing
//! changed. It knows no blocks, jobs or storage; `chain` loads the accounts, calls [`post`], and
//! stores what comes back.
//!
//! ```text
//! accounts --+
//!            +--> post --> accounts', burned     (sum before = sum after + burned)
//! transfers -+
//! ```
//!
//! Emission, vesting and stake are not here.

mod fee;
mod post;

pub use fee::{Split, split};
pub use post::{Accounts, Refusal, post, spend_nonce};

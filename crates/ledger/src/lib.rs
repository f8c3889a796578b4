//! Move money between accounts without making or losing any.
//!
//! The ledger is a function: accounts and transfers in, accounts out, or a [`Refusal`] and nothing
//! changed. It knows no blocks, jobs or storage; `chain` loads the accounts, calls [`post()`], and
//! stores what comes back.
//!
//! ```text
//! accounts --+
//!            +--> post --> accounts', burned     (sum before = sum after + burned)
//! transfers -+
//! ```
//!
//! Where the accounts' money comes from is a function of the height alone: [`Supply::at`] says how
//! much is emitted, vested and locked, and [`next_base_fee`] what a transaction burns. Stake is not here.

/// The README's example is compiled and run like any other.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod base_fee;
mod distribution;
mod emission;
mod fee;
mod post;
mod vesting;

pub use base_fee::{BASE_FEE_MIN, Fee, FeeRefusal, charge, check_base_fee, next_base_fee};
pub use distribution::{BadPlan, Pools, Supply};
pub use emission::{BadSchedule, Emission};
pub use fee::{Split, split};
pub use post::{Accounts, Refusal, post, spend_nonce};
pub use vesting::{VestingRefusal, check_vesting, claim, vested};

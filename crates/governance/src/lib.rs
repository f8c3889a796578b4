//! Change a live network by vote of those whose stake is at risk.
//!
//! Every rule is a function of records: the caller loads them, calls one, stores what it changed and carries out
//! what it asks for. A [`Refusal`] leaves everything as it was.
//!
//! ```text
//!  submit        close, at the end of voting        execute, after the timelock
//! --------> Voting ------------> Queued ----------------------> Executed | Failed
//!              |
//!              +--> NoQuorum | Rejected (deposit back) | Vetoed (deposit burned)
//! ```
//!
//! [`standing()`] is the count against its rules: [`close`] decides by it, and voters see by it what is missing.
//!
//! [`REGISTRY`] lists every parameter that can be changed, with bounds; what they cannot rule out stands in `registry.rs`.
//! [`cast`], [`shrink`] and [`count`] are how votes follow stake without a loop over delegators.

/// The README's example is compiled and run like any other.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod life;
mod refusal;
mod registry;
mod standing;
mod votes;

pub use life::{Deed, check_open, close, execute, is_emergency, obey, pool_address, submit};
pub use refusal::{NotDue, Refusal};
pub use registry::{ParamInfo, REGISTRY, check, get, info, parse, set};
pub use standing::{Standing, Verdict, standing};
pub use votes::{cast, count, shrink, sum};

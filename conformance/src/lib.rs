//! Judge cases of attestation evidence: does the verifier say what a right one must?
//!
//! A case is a folder with a `case.json`: which files to feed, at which pinned time, the verdict
//! and the claims a right verifier gives, and changes of it (`negatives`) that must be refused.
//! [`judge()`] runs all of that; [`flips()`] turns every bit-bearing byte of a sample over;
//! [`cross_feed`] presents a sample as every other technology.

mod case;
pub use case::{Case, Inputs, claims_of};
mod judge;
pub use judge::{Judged, Line, cases, flip_folder, judge, judge_folder};
mod flips;
pub use flips::{Flips, Region, flips};
mod cross;
pub use cross::cross_feed;
mod files;
pub use files::{certificates, key};
mod parts;
pub use parts::{Parts, collateral_of, read};

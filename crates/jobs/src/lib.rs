//! Carry a job from its payment to its settlement.
//!
//! A job's life is one function, [`step()`]: the phase it is in and what happened give the phase it is
//! in next and what must be done about it. Nothing is done here: money moves, reputations change and
//! reminders are set because `chain` carries out the [`Effect`]s.
//!
//! ```text
//!            drawn              all committed              enough agree
//!  Queued ----------> Committing -------------> Revealing --------------> Settled
//!    |                    | until, nobody           | until, too few agree
//!    | cancelled          | has committed           v
//!    +--------------------+---------------------> Ended (what nobody earned goes back)
//! ```
//!
//! Commit, then reveal: a worker that waits to copy another's answer has nothing to copy until it has
//! committed to its own.
//!
//! Not here: who may be a worker (`Draw` asks the caller), private inputs, disputes.

mod availability;
mod bond;
mod check;
mod compile;
mod conclude;
mod draw;
mod price;
mod step;

pub use availability::{availability, recovered};
pub use bond::{Bonded, offer};
pub use check::{Unacceptable, check};
pub use compile::compile_time;
pub use draw::{Ineligible, TRIES_PER_REPLICA, accepts, commit_until, eligible, run_blocks, tries};
pub use price::{
    Asked, BadDemandRule, BadMultiplier, DEMAND_MIN, LOCATION_MAX, LOCATION_MIN, Multipliers,
    Quote, REPUTATION_FULL, Unpriceable, agreed, cap, check_demand, demand_max_after, floor,
    location, multipliers, next_demand, pay, price, price_max, quote, reputation, tee, usage,
    usage_max,
};
pub use step::{Effect, Input, OutOfPhase, step};

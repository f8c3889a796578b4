//! Put money behind a validator, and take it away from one that lies.
//!
//! Every rule is a function of records: the caller loads a [`Position`], calls one, stores the records
//! and carries out the transfers. A [`Refusal`] leaves them as they were.
//!
//! ```text
//!  bond, delegate      undelegate              withdraw
//! account ----> [bonded] ----> [unbonding] ----> account      distribute            claim
//!                 |  ^ |            |                      fees ----> [rewards] ----> account
//!        slash    v  +-+ redelegate v  owed for slashes
//!               burned            burned
//! ```
//!
//! `bonded` = the sum of all validators' tokens; `unbonding` = the sum of all entries; `rewards` = what
//! `rewards.rs` says, to the 2⁻⁶⁴ nano.
//!
//! ```
//! use staking::{Candidate, Moment, Position, bond, delegate};
//! use types::{Address, Height, Millis, NanoMeshx, PublicKey, staking::StakingParams};
//! let meshx = |n: u64| NanoMeshx::new(n * 1_000_000_000);
//! let params = StakingParams {
//!     validator_min: meshx(100_000),
//!     delegator_min: meshx(100),
//!     unbonding_ms: Millis::new(14 * 86_400_000),
//!     slash_bps: 1_000,
//!     commission_max_bps: 2_000,
//!     jail_ms: Millis::new(86_400_000),
//!     validators_max: 100,
//! };
//! let [key, other] = [PublicKey([1; 32]), PublicKey([2; 32])];
//! let ann = Candidate { operator: Address::of(&key), key, commission_bps: 500 };
//! let (own, _) = bond(ann, meshx(100_000), None, None, &params).unwrap();
//! let mut bob = Position { delegator: Address::of(&other), delegation: Default::default(), ..own };
//! let now = Moment { height: Height::new(1), at: Millis::new(500) };
//! delegate(&mut bob, meshx(100), &params, now).unwrap();
//! assert_eq!(bob.validator.tokens, meshx(100_100));
//! ```
//!
//! Proofs of faults are checked elsewhere, silence is no fault, and who may change a key or a parameter is not
//! decided here. A validator's record is never deleted.

mod committee;
mod enter;
mod leave;
mod liable;
mod params;
mod position;
mod refusal;
mod rewards;
mod share;
mod slash;
mod sortition;
mod wide;

pub use committee::{Member, is_eligible};
pub use enter::{Candidate, bond, delegate, unjail};
pub use leave::{Portion, redelegate, settle, undelegate, withdraw};
pub use params::check_params;
pub use position::{Moment, Position, Sources};
pub use refusal::Refusal;
pub use rewards::{claim, claim_commission, commission_at, distribute, divide, set_commission};
pub use slash::{Offence, slash};
pub use sortition::{
    Contender, NoCommittee, TicketWindow, Untimely, Vacancies, draw_seats, seat_weights,
};

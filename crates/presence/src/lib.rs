//! Say where a node stands, by physics, and refuse what physics refutes.
//!
//! A liar can always *add* delay, and witnesses that collude can say anything. So nothing is fitted: each witness's
//! quickest round trip is a disc that the prover is in, and a claim stands if for every piece of land on another continent
//! enough of the witnesses that could have shown "not there" did show it (DESIGN §4).
//!
//! ```text
//! claim ──draw──▶ committee ──probes──▶ minima ──┐
//!   │      VRF      near and far          signed │
//!   │                                            ▼
//!   └──────────────────▶ verify: for all land elsewhere ──▶ Verdict { tier, weakest }
//!                          able ≥ 9, refuted ≥ 45 %
//! ```
//!
//! Everything here is integers and a function of its arguments: two validators cannot disagree. Places are
//! ten-thousandths of a degree, times microseconds, distances metres or whole kilometres.
//!
//! ```
//! use presence::{Direction, land};
//! use types::Place;
//!
//! let berlin: Place = "52.52,13.405".parse().unwrap();
//! let lisbon: Place = "38.72,-9.14".parse().unwrap();
//! assert_eq!(Direction::of_place(berlin).km(&Direction::of_place(lisbon)), 2_312);
//! assert_eq!(land::continent_at(berlin).unwrap().name(), "EU");
//! ```
//!
//! Assumed: at most a third of the witnesses around any place lie. Not shown by latency: that the machine stands where its
//! key answers; a key that can be carried elsewhere answers from there. Sockets, clocks and the chain are elsewhere.

mod committee;
mod expect;
mod judge;
pub mod land;
mod sphere;
mod verify;

pub use committee::{Committee, Witness, draw};
pub use expect::{Reference, UNKNOWN_US};
pub use judge::{Judgement, Sight, Tier, Weakness, is_within_reach, judge};
pub use sphere::{Direction, cosine_of_km};
pub use types::{
    Place,
    presence::{Claim, Minimum, PresenceCertificate, PresenceParams},
};
pub use verify::{Rejected, Tables, Verdict, alpha, consulted, gas_before, verify};

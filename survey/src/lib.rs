//! Try proofs of presence on measured networks, with witnesses that lie.
//!
//! ```text
//! nodes.csv, rtt.csv ──▶ Network ──▶ honest claims ──▶ accepted: all / covered, by tier
//!                           │    ╲─▶ lies, by attack ──▶ accepted falsely, by tier
//!                           └──────▶ locate ──▶ continent, median, p90
//! ```
//!
//! What is judged is the rule of `presence` itself; what is simulated is who lies. Round trips are the measured ones: no
//! model of latency is in between. A node that is judged is left out of the reference that judges it.
//!
//! Not simulated: clocks, lost datagrams, and machines that answer from where their owner's key is not. Float is used for
//! percentages only.

mod dice;
mod lies;
mod locate;
mod made_up;
mod network;
mod run;
mod trial;

pub use lies::Attack;
pub use locate::{Located, Locator, READINGS_MIN, Reading};
pub use made_up::write_made_up;
pub use network::{Network, Unreadable};
pub use run::{AcceptedLie, Asked, LiarsReport, LocatedReport, Rate, Report, TierReport, evaluate};
use trial::Trial;

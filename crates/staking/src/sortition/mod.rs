//! Sortition: who gets the seats of an epoch's committee, by lot and by stake.
//!
//! ```text
//! contenders ── stake alone ──> entitlement: certain, or a chance π of a seat
//!     └──── tickets ──────────> rank: a lot u, weighed with π ──> in order, at most `seats`, keys and operators capped
//! ```
//!
//! A seat is one vote, and nobody sits twice, so what has to follow stake is the chance to be *in*. Races, of which the
//! lowest `-ln u / stake` is the best known, do not give that without replacement: of sixty validators with stake as
//! 1/(i + 10), π up to 0.95, and twenty seats, the first gets 25 % less than its stake's part and the last 18 % more.
//! Pareto order sampling does, but for a term too small to see in 500,000 epochs of the same: each draws
//! `Q = odds(u) / odds(π)` with `odds(p) = p/(1 − p)`, and the smallest `Q` sit. All in integers; comparisons are exact.
//!
//! **Who sends no ticket** has no seat, and its stake counts all the same: π is a function of the stake of all contenders,
//! so no `Q` depends on who else sent a ticket. A withheld ticket only lets the next in order move up. One who withholds
//! loses a seat or changes nothing: it has one bit to choose with, and pays a seat for it.
//!
//! Source: B. Rosén, *On sampling with probability proportional to size*, J. Stat. Plan. Inference 62 (1997) 159–191;
//! DESIGN §4, "Who votes". Not here: whether a ticket is its sender's and of this epoch's seed
//! (`crypto::VrfPublicKey`), who is eligible ([`is_eligible`](crate::is_eligible)), and who proves to own a voting key.

mod contender;
mod draw;
mod entitlement;
mod rank;
mod ticket_window;

pub use contender::{Contender, NoCommittee, Vacancies};
pub use draw::{draw_seats, seat_weights};
pub use ticket_window::{TicketWindow, Untimely};

//! Torture real `meshx` processes, and count what was lost.
//!
//! Each part starts the binary that users run, on a folder of a real disk, drives signed transfers
//! through its HTTP API, does something terrible, starts it again and compares what it then says with
//! what it had acknowledged. What must be true follows from very little: a transfer is a function of its
//! sender and nonce ([`People`]), so the nonces of all accounts decide every balance.
//!
//! ```text
//! people: who pays whom, what they must then hold     mesh: one process: start, kill, watch
//!      \                                                /
//!       load: transfers, and what was acknowledged  audit: acknowledged = served?
//!              \                                    /
//!     kills      flips      folders      flood      wipe      each prints its figures and returns its faults
//! ```
//!
//! Not here: power cuts (a killed process leaves its writes with the kernel), and liars (see `sim`).

mod audit;
mod flips;
mod flood;
mod folders;
mod kills;
mod load;
mod mesh;
mod people;
mod random;
mod wipe;

pub use audit::{Audit, Snapshot};
pub use flips::flips;
pub use flood::flood;
pub use folders::folders;
pub use kills::kills;
pub use load::{Ack, Acks};
pub use mesh::{Binary, Mesh, Start};
pub use people::People;
pub use random::Random;
pub use wipe::wipe;

/// What was wrong, one line each.
pub type Faults = Vec<String>;

//! Run whole networks in one thread, on virtual time, with crashes, partitions and liars.
//!
//! What runs is the engine the node runs ([`consensus::start_on`]) on commonware's deterministic
//! runtime: the same seed gives the same interleaving, the same faults and the same trace.
//!
//! ```text
//! seed --> Scenario --> director --> machines (wrong clocks, slow disks)   validators, traitors,
//!                          |         wire (loss, cuts, delays, lies)  -->  clients, workers
//!                          |                                                     |
//!                       Outcome <-- properties <-- facts <-- audit --------------+
//! ```
//!
//! Not here: execution of modules (workers are simulated by their transactions), sockets and real
//! latencies, messages between chains. `docs/simulation.md` says what that leaves out.

mod audit;
mod books;
mod committee;
mod facts;
mod machine;
mod plants;
mod properties;
mod run;
mod scenario;
mod tally;
mod traffic;
mod treason;
mod truth;
mod watched;
mod wire;
mod world;

pub use committee::Committee;
pub use plants::{MakeTransition, Plants};
pub use properties::{Property, Violation};
pub use run::{Outcome, run};
pub use scenario::{Conduct, Fault, Moment, Scenario, Treason, faulty_max};
pub use tally::Tally;

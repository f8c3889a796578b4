//! One file per verb.

pub mod bench;
pub mod econ;
pub mod job;
pub mod node;
pub mod quote;
pub mod replay;
pub mod run;
pub mod status;
pub mod supply;
pub mod up;
pub mod verify;
pub mod wallet;

//! One file per verb.

pub mod attest;
pub mod doctor;
pub mod earnings;
pub mod faucet;
pub mod gov;
pub mod job;
pub mod lab;
pub mod network;
pub mod node;
pub mod pages;
pub mod presence;
pub mod provide;
pub mod publish;
pub mod quote;
pub mod replay;
pub mod run;
pub mod stake;
pub mod status;
pub mod supply;
pub mod up;
pub mod verify;
pub mod wallet;
pub mod why;

//! Name the things that cross a wire or a disk.
//!
//! Every type here has exactly one byte form (the `commonware-codec` encoding, pinned by
//! `vectors/`) and, where people read it, one text form. Bounds live in the types: a decoded
//! [`Tx`] holds no list or byte string longer than its declared maximum.
//!
//! ```
//! use types::{Address, NanoMeshx};
//! let price: NanoMeshx = "1.5".parse().unwrap();
//! assert_eq!(price.get(), 1_500_000_000);
//! assert!("mesh1notanaddress".parse::<Address>().is_err());
//! ```
//!
//! `#[derive(Wire)]` gives a noun its bytes, and [`describe`] says what they are, for programs in other languages.
//!
//! This crate checks *form* only. Signatures are checked by `crypto`, meaning by the rule crates.

/// The README's example is compiled and run like any other.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
extern crate self as types;

mod address;
pub mod attest;
mod block;
mod code;
pub mod codec;
pub mod committee;
pub mod describe;
mod duty;
mod economy;
mod equivocation;
pub mod folder;
pub mod governance;
mod hash;
mod job;
mod market;
pub mod network;
mod nonce;
mod outputs;
mod params;
mod place;
pub mod presence;
mod proved;
pub mod staking;
pub mod state;
mod supply;
mod tx;
mod units;
mod worker;

pub use ::wire::Wire;
pub use address::{Address, BadAddress, PublicKey, Signature};
pub use block::{
    BODY_BYTES_MAX, BODY_TXS_MAX, Beacon, Block, Body, CEREMONY_BYTES_MAX, CERTIFICATE_BYTES_MAX,
    FinalHeader, Header, LogRoot,
};
pub use code::{Code, Remedy};
pub use codec::{Bytes, List, Text};
pub use duty::Duty;
pub use equivocation::{EquivocationProof, SignedVote, VoteKind};
pub use hash::{BadHash, Hash, domain_hash};
pub use job::{
    ARGS_MAX, Abi, Agreement, ENV_MAX, ExecProfile, Float, INPUT_FILES_MAX, InputFile, JobId,
    JobSpec, Limits, MODULE_BYTES_MAX, Obstacle, Outcome, OutputRef, REPLICAS_MAX, Status, Trap,
};
pub use market::{BaseFeeRule, DemandRule, Ppm, Rates, Tee, Usage};
pub use nonce::{Nonce, ONCE_BLOCKS_MAX, ONCE_OPEN_MAX, Once, Spent};
pub use outputs::{
    BadOutputList, OUTPUT_FILES_MAX, OUTPUT_PATH_BYTES_MAX, OutputFile, OutputFiles, OutputList,
};
pub use params::{GovernanceParams, ParamName, Params};
pub use place::{ChainId, City, UnknownChain};
pub use presence::{BadPlace, Place};
pub use proved::{
    Entry, Import, Imported, Proved, RECORD_BYTES_MAX, Record, STATE_PROOF_BYTES_MAX,
};
pub use supply::{
    Distribution, ERA_BLOCKS, EmissionStep, STEPS_MAX, Schedule, SupplyPlan, Vesting, YEAR_BLOCKS,
};
pub use tx::{Action, Intent, Reveal, SignedForm, Submission, Tx, TxId};
pub use units::{BadAmount, Epoch, Fuel, Height, Millis, NanoMeshx, SUPPLY_MAX, Term};

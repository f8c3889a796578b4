//! The crate from outside: VRF proofs, crafted signatures in batches, keystores under attack.

mod ecvrf;
mod keystore;
mod zip215;

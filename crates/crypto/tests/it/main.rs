//! The crate from outside: VRF proofs, crafted signatures in batches, keystores under attack.

mod ecvrf;
mod ecvrf_batch;
mod keystore;
mod zip215;

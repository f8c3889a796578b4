//! The crate from outside: crafted signatures in batches, keystores under attack.

mod keystore;
mod zip215;

//! Flood.
use crate::{Binary, Faults, Random};
use anyhow::Result;
use std::path::Path;
pub fn flood(_: &Binary, _: &Path, _: u64, _: &Random) -> Result<Faults> {
    Ok(vec![])
}

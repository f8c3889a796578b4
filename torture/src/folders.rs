//! Folders.
use crate::{Binary, Faults};
use anyhow::Result;
use std::path::Path;
pub fn folders(_: &Binary, _: &Path) -> Result<Faults> {
    Ok(vec![])
}

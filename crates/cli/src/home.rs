//! Where meshx keeps things: the XDG base directories.

use anyhow::{Context as _, Result};
use std::{env, fs, path::PathBuf};
use types::{Hash, codec::Encode, network::Anchor};

fn base(variable: &str, fallback: &str) -> Result<PathBuf> {
    if let Some(set) = env::var_os(variable).filter(|value| !value.is_empty()) {
        return Ok(PathBuf::from(set).join("meshx"));
    }
    let home = env::var_os("HOME")
        .filter(|home| !home.is_empty())
        .context("HOME is not set\nhint: set HOME, or the XDG_* variables")?;
    Ok(PathBuf::from(home).join(fallback).join("meshx"))
}

pub fn config() -> Result<PathBuf> {
    base("XDG_CONFIG_HOME", ".config")
}
pub fn data() -> Result<PathBuf> {
    base("XDG_DATA_HOME", ".local/share")
}
pub fn cache() -> Result<PathBuf> {
    base("XDG_CACHE_HOME", ".cache")
}
pub fn state() -> Result<PathBuf> {
    base("XDG_STATE_HOME", ".local/state")
}

pub use client::write_whole;

/// Remember a network this machine has worked with, so that its receipts verify here later.
pub fn trust(anchor: &Anchor) -> Result<()> {
    let path = config()?.join("networks").join(anchor.network().to_string());
    if path.exists() { Ok(()) } else { Ok(write_whole(&path, &anchor.encode(), false)?) }
}

/// Whether this machine has worked with that network.
pub fn trusts(network: &Hash) -> bool {
    config().is_ok_and(|folder| folder.join("networks").join(network.to_string()).exists())
}

/// Keep a blob for a later replay. Losing it costs no more than having to name the file again.
pub fn keep_blob(bytes: &[u8]) {
    let keep = || -> Result<()> {
        let path = cache()?.join("blobs").join(Hash::of_content(bytes).to_string());
        if path.exists() { Ok(()) } else { Ok(write_whole(&path, bytes, false)?) }
    };
    let _ = keep();
}

/// A blob kept from an earlier run, if it is still what its name says.
pub fn kept_blob(hash: &Hash) -> Option<Vec<u8>> {
    let bytes = fs::read(cache().ok()?.join("blobs").join(hash.to_string())).ok()?;
    (Hash::of_content(&bytes) == *hash).then_some(bytes)
}

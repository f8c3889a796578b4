//! What this machine keeps between runs, and which networks it trusts: the XDG base directories.

use crate::{NotWritten, write_whole};
use api::Client;
use std::{env, fs, path::PathBuf};
use types::{Hash, codec::Encode as _, network::NetworkKeys};

/// Neither the variable of the folder is set nor `HOME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("HOME is not set\nhint: set HOME, or the XDG_* variables")]
pub struct NoHome;

/// Why something was not kept.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotKept {
    #[error(transparent)]
    NoHome(#[from] NoHome),
    #[error(transparent)]
    NotWritten(#[from] NotWritten),
}

fn base(variable: &str, fallback: &str) -> Result<PathBuf, NoHome> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set(variable).or_else(|| Some(set("HOME")?.join(fallback)));
    Ok(base.ok_or(NoHome)?.join("meshx"))
}

/// Settings, the wallet, and the networks that are trusted.
///
/// # Errors
/// [`NoHome`].
pub fn config() -> Result<PathBuf, NoHome> {
    base("XDG_CONFIG_HOME", ".config")
}

/// Receipts.
///
/// # Errors
/// [`NoHome`].
pub fn data() -> Result<PathBuf, NoHome> {
    base("XDG_DATA_HOME", ".local/share")
}

/// What may be lost: modules and inputs of earlier jobs.
///
/// # Errors
/// [`NoHome`].
pub fn cache() -> Result<PathBuf, NoHome> {
    base("XDG_CACHE_HOME", ".cache")
}

/// What is so now: the mesh that runs here.
///
/// # Errors
/// [`NoHome`].
pub fn state() -> Result<PathBuf, NoHome> {
    base("XDG_STATE_HOME", ".local/state")
}

/// Remember a network that this machine has worked with, so that its receipts verify here later.
///
/// # Errors
/// [`NotKept`].
pub fn trust(network_keys: &NetworkKeys) -> Result<(), NotKept> {
    let path = config()?.join("networks").join(network_keys.network().to_string());
    if path.exists() { Ok(()) } else { Ok(write_whole(&path, &network_keys.encode(), false)?) }
}

/// Whether this machine has worked with that network.
#[must_use]
pub fn trusts(network: &Hash) -> bool {
    config().is_ok_and(|folder| folder.join("networks").join(network.to_string()).exists())
}

/// Keep a blob for a later replay. Losing it costs no more than having to name the file again.
pub fn keep_blob(bytes: &[u8]) {
    let keep = || -> Result<(), NotKept> {
        let path = cache()?.join("blobs").join(Hash::of_content(bytes).to_string());
        if path.exists() { Ok(()) } else { Ok(write_whole(&path, bytes, false)?) }
    };
    let _ = keep();
}

/// A blob that was kept, if it is still what its name says.
#[must_use]
pub fn kept_blob(hash: &Hash) -> Option<Vec<u8>> {
    let bytes = fs::read(cache().ok()?.join("blobs").join(hash.to_string())).ok()?;
    (Hash::of_content(&bytes) == *hash).then_some(bytes)
}

/// The file that holds the address of the mesh that `meshx up` runs.
///
/// # Errors
/// [`NoHome`].
pub fn running_mesh_file() -> Result<PathBuf, NoHome> {
    Ok(state()?.join("up"))
}

/// The mesh that `meshx up` runs on this machine, if it answers.
#[must_use]
pub fn running_mesh() -> Option<String> {
    let url = fs::read_to_string(running_mesh_file().ok()?).ok()?;
    let url = url.trim().to_owned();
    // A mesh that was killed leaves the file behind.
    Client::new(&url).ok()?.status().ok()?;
    Some(url)
}

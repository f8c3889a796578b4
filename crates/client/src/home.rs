//! What this machine keeps between runs, and which networks it trusts: the XDG base directories.

use crate::{NotWritten, write_whole};
use serde::{Deserialize, Serialize};
use std::{
    env, fs,
    path::{Path, PathBuf},
};
use types::{
    Hash,
    codec::{DecodeExt as _, Encode as _},
    network::NetworkKeys,
};

/// Most bytes of blobs that are kept for replays: a few hundred jobs with inputs of megabytes.
const KEPT_BYTES_MAX: u64 = 1 << 30;

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

/// The networks this machine has worked with.
///
/// # Errors
/// [`NoHome`].
pub fn networks() -> Result<Vec<NetworkKeys>, NoHome> {
    let files = fs::read_dir(config()?.join("networks")).into_iter().flatten().flatten();
    let mut networks: Vec<NetworkKeys> =
        files.filter_map(|file| NetworkKeys::decode(fs::read(file.path()).ok()?).ok()).collect();
    networks.sort_by_key(NetworkKeys::network);
    Ok(networks)
}

/// Passing networks that are remembered; the oldest are forgotten.
const PASSING_MAX: usize = 100;

/// Remember a network that one command of this machine made and took down again. Its receipts verify here, with a note; it
/// is no network that anybody could trust.
///
/// # Errors
/// [`NotKept`].
pub fn remember_passing(network: &Hash) -> Result<(), NotKept> {
    let folder = state()?.join("passing");
    write_whole(&folder.join(network.to_string()), b"", false)?;
    let mut known: Vec<_> = fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|file| Some((file.metadata().ok()?.modified().ok()?, file.path())))
        .collect();
    known.sort_unstable();
    for (_, oldest) in known.iter().rev().skip(PASSING_MAX) {
        // Another process may have been faster.
        let _ = fs::remove_file(oldest);
    }
    Ok(())
}

/// Whether one command of this machine made that network.
#[must_use]
pub fn is_passing(network: &Hash) -> bool {
    state().is_ok_and(|folder| folder.join("passing").join(network.to_string()).exists())
}

/// The network that its user chose with `meshx network use`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// Its id.
    pub network: Hash,
    /// Base URL of a node of it.
    pub node: String,
}

fn chosen_file() -> Result<PathBuf, NoHome> {
    Ok(config()?.join("network.json"))
}

/// The choice that was made last, if any.
#[must_use]
pub fn chosen() -> Option<Chosen> {
    serde_json::from_str(&fs::read_to_string(chosen_file().ok()?).ok()?).ok()
}

/// Choose a network for the commands to come, or none.
///
/// # Errors
/// [`NotKept`].
pub fn choose(chosen: Option<&Chosen>) -> Result<(), NotKept> {
    let path = chosen_file()?;
    match chosen {
        Some(chosen) => {
            let text = serde_json::to_string_pretty(chosen).expect("plain data is JSON");
            write_whole(&path, text.as_bytes(), false)?;
        }
        // No choice was made before, or it is gone now.
        None => drop(fs::remove_file(path)),
    }
    Ok(())
}

/// Keep a blob for a later replay, and forget the oldest where there are too many. Losing one costs no more than having to
/// name the file again.
pub fn keep_blob(bytes: &[u8]) {
    let keep = || -> Result<(), NotKept> {
        let path = cache()?.join("blobs").join(Hash::of_content(bytes).to_string());
        if !path.exists() {
            write_whole(&path, bytes, false)?;
            forget_oldest(path.parent().unwrap_or(Path::new(".")));
        }
        Ok(())
    };
    let _ = keep();
}

/// Remove the oldest blobs as long as they have more than [`KEPT_BYTES_MAX`] together.
fn forget_oldest(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let known = entries.filter_map(|entry| {
        let found = entry.metadata().ok()?;
        Some((found.modified().ok()?, found.len(), entry.path()))
    });
    let mut known: Vec<_> = known.collect();
    known.sort_unstable();
    let mut bytes: u64 = known.iter().map(|(_, len, _)| len).sum();
    for (_, len, path) in known {
        if bytes <= KEPT_BYTES_MAX {
            return;
        }
        // What cannot be removed is tried again with the next blob.
        let _ = fs::remove_file(path);
        bytes -= len;
    }
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

/// What `meshx up` says of the mesh it runs on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningMesh {
    /// Where its node answers, once it is ready.
    pub node: String,
    /// The process, as the system numbers it.
    pub process: u32,
    /// Whether every chain has a final block.
    pub ready: bool,
}

impl RunningMesh {
    /// Whether the process that runs it is still there.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        // Where the system shows no processes as files, a mesh that is gone shows in that it does not answer.
        let shown = Path::new("/proc/self").exists();
        !shown || Path::new("/proc").join(self.process.to_string()).exists()
    }
}

/// Say that a mesh runs here.
///
/// # Errors
/// [`NotKept`].
pub fn say_running(mesh: &RunningMesh) -> Result<(), NotKept> {
    let text = serde_json::to_string(mesh).expect("plain data is JSON");
    Ok(write_whole(&running_mesh_file()?, text.as_bytes(), false)?)
}

/// What the last `meshx up` said, whether it still runs or not.
#[must_use]
pub fn running_mesh() -> Option<RunningMesh> {
    serde_json::from_str(&fs::read_to_string(running_mesh_file().ok()?).ok()?).ok()
}

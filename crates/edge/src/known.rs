//! The peers that a node begins with after a restart, and the key by which others know it: small files in its folder.
//!
//! ```text
//! DIR/identity   the key of a node that has no other, made on the first start
//! DIR/known-peers    the peers it was connected to when it ran last
//! DIR/registry   nodes that stand on the chain
//! ```

use client::{NotWritten, wallet, write_whole};
use crypto::SigningKey;
use overlay::{KNOWN_PEERS_MAX, PeerAddress};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

const IDENTITY: &str = "identity";
const KNOWN_PEERS: &str = "known-peers";
const REGISTRY: &str = "registry";
/// Most addresses of the registry that are kept: of each operator at most four.
pub(crate) const REGISTRY_MAX: usize = 64;
/// Of those kept, how many a node begins with or looks for at once.
const TRIED_MAX: usize = 8;

/// Why a folder gives no identity.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NoIdentity {
    #[error("{} does not hold an identity\nhint: move the file away, and the node makes a new identity", .0.display())]
    Damaged(PathBuf),
    #[error("cannot read {}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error(transparent)]
    NoRandomness(#[from] wallet::NoRandomness),
    #[error(transparent)]
    NotWritten(#[from] NotWritten),
}

/// The identity of a node without keys: made on the first start, kept in `DIR/identity`.
///
/// # Errors
/// [`NoIdentity`].
pub fn identity(dir: &Path) -> Result<SigningKey, NoIdentity> {
    let path = dir.join(IDENTITY);
    let seed = match fs::read_to_string(&path) {
        Ok(text) => hex::decode(text.trim())
            .ok()
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .ok_or(NoIdentity::Damaged(path))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let seed = wallet::random()?;
            write_whole(&path, hex::encode(seed).as_bytes(), true)?;
            seed
        }
        Err(source) => return Err(NoIdentity::Unreadable { path, source }),
    };
    Ok(SigningKey::from_seed(&seed))
}

/// Keep in `DIR/known-peers` the peers to begin with after a restart: peers that cut a node off from all others and end it
/// must not be the first that it meets again. Returns what is kept from now on.
pub(crate) fn keep_known_peers(
    dir: &Path,
    kept: Vec<PeerAddress>,
    now: Vec<PeerAddress>,
) -> Result<Vec<PeerAddress>, NotWritten> {
    // A node that has lost all peers needs the earlier ones most.
    if now.is_empty() || now == kept {
        return Ok(kept);
    }
    write_whole(&dir.join(KNOWN_PEERS), lines(&now).as_bytes(), false)?;
    Ok(now)
}

/// The peers that a node of `dir` was connected to when it ran last. A file that cannot be read counts as empty.
pub(crate) fn known_peers(dir: &Path) -> Vec<PeerAddress> {
    read(&dir.join(KNOWN_PEERS)).into_iter().take(KNOWN_PEERS_MAX).collect()
}

/// Keep nodes of the registry for the next start.
pub(crate) fn keep_registry(dir: &Path, known: &[PeerAddress]) -> Result<(), NotWritten> {
    write_whole(&dir.join(REGISTRY), lines(known).as_bytes(), false)
}

/// What was kept of the registry; beginning with the one at `start`, as far round as it takes.
pub(crate) fn registry(dir: &Path, start: usize) -> Vec<PeerAddress> {
    let mut known = read(&dir.join(REGISTRY));
    known.truncate(REGISTRY_MAX);
    let most = known.len().max(1);
    known.rotate_left(start % most);
    known.truncate(TRIED_MAX);
    known
}

fn lines(addresses: &[PeerAddress]) -> String {
    addresses.iter().map(|address| format!("{address}\n")).collect()
}

/// Lines that are no addresses are passed over: a file that was damaged still helps.
fn read(path: &Path) -> Vec<PeerAddress> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: u8) -> PeerAddress {
        let peer = overlay::peer_id(&SigningKey::from_seed(&[7; 32]).public()).unwrap();
        format!("/ip4/192.0.{host}.1/tcp/8800/p2p/{peer}").parse().unwrap()
    }

    #[test]
    fn known_peers_outlive_the_process_and_a_moment_alone() {
        let dir = tempfile::tempdir().unwrap();
        assert!(known_peers(dir.path()).is_empty());
        let kept = keep_known_peers(dir.path(), Vec::new(), vec![at(1), at(2)]).unwrap();
        assert_eq!(known_peers(dir.path()), kept);
        assert_eq!(keep_known_peers(dir.path(), kept.clone(), Vec::new()).unwrap(), kept);
        assert_eq!(known_peers(dir.path()), kept);
        let damaged = format!("{}\nnonsense\n/ip4/192.0.2.1/tcp/1\n", kept[0]);
        fs::write(dir.path().join(KNOWN_PEERS), damaged).unwrap();
        assert_eq!(known_peers(dir.path()), kept[..1]);
    }

    #[test]
    fn not_every_start_tries_the_same_nodes_of_the_registry() {
        let dir = tempfile::tempdir().unwrap();
        let all: Vec<PeerAddress> = (0..20).map(at).collect();
        keep_registry(dir.path(), &all).unwrap();
        assert_eq!(registry(dir.path(), 0), all[..8]);
        let round = [&all[15..], &all[..3]].concat();
        assert_eq!(registry(dir.path(), 35), round);
    }

    #[test]
    fn an_identity_is_made_once_and_a_damaged_one_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let own = identity(dir.path()).unwrap().public();
        assert_eq!(identity(dir.path()).unwrap().public(), own);
        fs::write(dir.path().join(IDENTITY), "damaged").unwrap();
        assert!(matches!(identity(dir.path()), Err(NoIdentity::Damaged(_))));
    }
}

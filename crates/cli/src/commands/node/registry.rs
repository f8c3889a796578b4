//! Nodes that stand on the chain: validators' operators make them known with their stake behind it. A source of peers
//! that no gateway can invent: each entry is proved to be in the backbone's state.

use crate::home;
use anyhow::{Context as _, Result};
use api::{Client, ProofKey};
use overlay::PeerAddress;
use receipt::{Follower, Shown};
use std::path::Path;
use types::{Address, ChainId, codec::DecodeExt as _, staking::PeerAddresses, state::Key};

const FILE: &str = "registry";
/// Most addresses that are kept: of each operator at most four.
const KEPT_MAX: usize = 64;
/// Of those kept, how many a node begins with or looks for at once.
pub const TRIED_MAX: usize = 8;

/// What the backbone's state says, through a gateway that may leave entries out and can add none.
///
/// # Errors
/// If the gateway does not answer. And what it says and cannot prove ends the reading: then nothing of it counts.
pub fn read(client: &Client, backbone: &mut Follower) -> Result<Vec<PeerAddress>> {
    let mut known = Vec::new();
    let operators = client.validators()?;
    for operator in operators.iter().filter(|view| !view.peers.is_empty()).map(|view| view.operator)
    {
        for address in peers_of(client, backbone, operator)?.iter() {
            known.extend(address.as_str().parse::<PeerAddress>());
        }
        if known.len() >= KEPT_MAX {
            break;
        }
    }
    known.truncate(KEPT_MAX);
    Ok(known)
}

fn peers_of(client: &Client, backbone: &mut Follower, operator: Address) -> Result<PeerAddresses> {
    let view = client.proof(ChainId::Backbone, ProofKey::Peers(operator))?;
    let record = view.value.as_ref().map(|value| value.0.as_slice());
    let (header, certificate, proof) = (&view.header, &view.certificate.0[..], &view.proof.0[..]);
    backbone
        .check(&Key::Peers(operator), Shown { header, certificate, record, proof })
        .context("where nodes are met is not proved")?;
    Ok(record.and_then(|record| PeerAddresses::decode(record.to_vec()).ok()).unwrap_or_default())
}

/// Keep `known` in `dir` for the next start.
pub fn keep(dir: &Path, known: &[PeerAddress]) {
    let text: String = known.iter().map(|address| format!("{address}\n")).collect();
    if let Err(error) = home::write_whole(&dir.join(FILE), text.as_bytes(), false) {
        eprintln!("{error:#}");
    }
}

/// What was kept in `dir`; beginning with the one at `start`, as far round as it takes.
pub fn kept(dir: &Path, start: usize) -> Vec<PeerAddress> {
    let text = std::fs::read_to_string(dir.join(FILE)).unwrap_or_default();
    let mut known: Vec<PeerAddress> =
        text.lines().take(KEPT_MAX).filter_map(|line| line.parse().ok()).collect();
    let most = known.len().max(1);
    known.rotate_left(start % most);
    known.truncate(TRIED_MAX);
    known
}

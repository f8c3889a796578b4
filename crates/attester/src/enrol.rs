//! Evidence for a chain: made for its newest challenge, sent, and recorded.

use crate::{NoEvidence, Source};
use api::{AttestationView, Client, ClientError, Submitted};
use attestation::{Collateral, Statement, Technology, UnixSeconds, evidence_hash};
use client::wallet;
use crypto::Wallet;
use std::{
    error::Error,
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, UNIX_EPOCH},
};
use types::{
    Action, Address, Bytes, ChainId, Hash,
    attest::{ATTESTATION_DEPTH_MAX, Attestation, AttestationRecord},
};

/// How long to wait for a chain's first challenge: it makes one at every boundary.
const CHALLENGE_PATIENCE: Duration = Duration::from_secs(60);

/// Whose attestation comes before the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parent {
    /// Nobody's: a chain of attestations begins.
    Nobody,
    /// One's own, if it still counts.
    Own,
    /// This account's.
    Of(Address),
}

/// Collateral that does not come with the evidence, as a file holds it.
pub type Collaterals<'a> =
    &'a dyn Fn(Technology) -> Result<Collateral, Box<dyn Error + Send + Sync>>;

/// What is stated, and how it is shown.
pub struct Enrolment<'a> {
    /// What is asked for evidence.
    pub source: Source,
    /// The code that runs; its SHA-256 is stated.
    pub code: &'a Path,
    /// Where what vendors publish is found; none where the technology needs none.
    pub collateral: Option<Collaterals<'a>>,
    /// Whose attestation comes before this one.
    pub parent: Parent,
    /// Keep the evidence here, too.
    pub save: Option<&'a Path>,
}

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotEnrolled {
    #[error("cannot read {}", path.display())]
    Code { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Node(#[from] ClientError),
    #[error(
        "chain {0} has made no challenge yet\nhint: it makes one at its first epoch boundary; try again then"
    )]
    NoChallenge(ChainId),
    #[error(
        "{0} has no attestation\nhint: attest the parent first, or begin a new chain with --root"
    )]
    NoParent(Address),
    #[error(transparent)]
    NoEvidence(#[from] NoEvidence),
    #[error(transparent)]
    Collateral(Box<dyn Error + Send + Sync>),
    #[error("cannot write {}", path.display())]
    NotSaved { path: PathBuf, source: io::Error },
    #[error("the {0} is longer than 64 KiB")]
    TooLong(&'static str),
    #[error("the chain accepted the attestation, but the node does not return it")]
    Lost,
}

/// Attest to the machine with the keys of `wallet`.
///
/// # Errors
/// [`NotEnrolled`].
///
/// # Panics
/// Never: a key has a key's length.
pub fn enrol(
    client: &Client,
    wallet: &Wallet,
    chain: ChainId,
    asked: &Enrolment<'_>,
) -> Result<(Submitted, AttestationRecord), NotEnrolled> {
    let key = wallet::paying(wallet);
    let sealing_key = wallet.sealing_key(0).public().to_bytes();
    let address = wallet::address(&key);
    let code = fs::read(asked.code)
        .map_err(|source| NotEnrolled::Code { path: asked.code.to_owned(), source })?;
    let code_hash = Hash(evidence_hash(&code));
    let view = challenge(client, chain, address)?;
    let parent = parent(client, asked.parent, &view)?;
    let stated = UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
    let statement = Statement {
        code_hash: code_hash.0,
        node_key: key.public(),
        sealing_key_hash: evidence_hash(&sealing_key),
        timestamp: UnixSeconds::new(stated),
        nonce: view.challenges.current.0,
        parent: parent.as_ref().map_or([0; 32], |(_, record)| record.evidence.0),
    };
    let (evidence, mut collateral) = asked.source.evidence(&statement)?;
    if let Some(kept) = asked.collateral {
        collateral = kept(evidence.technology()).map_err(NotEnrolled::Collateral)?;
    }
    let wire = evidence.to_bytes();
    if let Some(path) = asked.save {
        let saved = fs::write(path, &wire);
        saved.map_err(|source| NotEnrolled::NotSaved { path: path.to_owned(), source })?;
    }
    let bounded = |bytes, what| Bytes::new(bytes).map_err(|_| NotEnrolled::TooLong(what));
    let attestation = Attestation {
        evidence: bounded(wire, "evidence")?,
        collateral: bounded(collateral.to_bytes(), "collateral")?,
        code_hash,
        sealing_key: Bytes::new(sealing_key).expect("a key has a key's length"),
        stated,
        challenge: view.challenges.current,
        parent: parent.map(|(address, _)| address),
    };
    let done = client::act(client, &key, chain, Action::Attest(attestation))?;
    let record = client.attestation(chain, address)?.record.ok_or(NotEnrolled::Lost)?;
    Ok((done, record))
}

/// The newest challenge; a chain that is younger than an epoch has none yet.
fn challenge(
    client: &Client,
    chain: ChainId,
    address: Address,
) -> Result<AttestationView, NotEnrolled> {
    let patience = Instant::now() + CHALLENGE_PATIENCE;
    loop {
        let view = client.attestation(chain, address)?;
        if view.challenges.current != Hash::ZERO {
            return Ok(view);
        }
        if Instant::now() > patience {
            return Err(NotEnrolled::NoChallenge(chain));
        }
        thread::sleep(Duration::from_millis(500));
    }
}

fn parent(
    client: &Client,
    asked: Parent,
    own: &AttestationView,
) -> Result<Option<(Address, AttestationRecord)>, NotEnrolled> {
    match asked {
        Parent::Nobody => Ok(None),
        Parent::Of(address) => {
            let record = client.attestation(own.chain, address)?.record;
            Ok(Some((address, record.ok_or(NotEnrolled::NoParent(address))?)))
        }
        // A chain that is as long as may be begins anew.
        Parent::Own => Ok(own
            .record
            .clone()
            .filter(|record| own.counts && record.depth + 1 < ATTESTATION_DEPTH_MAX)
            .map(|record| (own.address, record))),
    }
}

//! Light-client rules: from a chain's one stable key to any record of its state.

use commonware_codec::{Decode as _, DecodeExt as _, Encode as _};
use commonware_consensus::{
    simplex::{
        scheme::bls12381_threshold::vrf::{self, Seed},
        types::Finalization as SimplexFinalization,
    },
    types::{Epoch as EngineTerm, Round, View},
};
use commonware_cryptography::{
    Blake3,
    blake3::Digest as Blake3Digest,
    bls12381::primitives::variant::{MinSig, Variant},
    ed25519,
};
use commonware_parallel::Sequential;
use commonware_storage::{
    merkle::mmb,
    qmdb::{any::value::VariableEncoding, current::ordered::proof::constant},
};
use rand::{SeedableRng as _, rngs::StdRng};
use types::{
    Beacon, ChainId, Entry, Hash, Header, Height, Proved, codec::Bytes, domain_hash,
    network::NetworkKeys, state::Key,
};
pub use types::{RECORD_BYTES_MAX, Record};

/// Bytes of one chunk of the state's activity bitmap.
pub const CHUNK_BYTES: usize = 32;
/// Most digests in a proof: a path through 2^64 operations, peaks included.
const PROOF_DIGESTS_MAX: usize = 256;

/// A block's name, as consensus signs it.
pub type Digest = Blake3Digest;
/// How a committee signs: BLS12-381 threshold signatures whose members are named by Ed25519 keys.
pub type Scheme = vrf::Scheme<ed25519::PublicKey, MinSig>;
/// The certificate that makes a block final.
pub type Finalization = SimplexFinalization<Scheme, Digest>;
/// The shape of the authenticated store: a Merkle mountain belt.
pub type Family = mmb::Family;
/// That a key has a value.
pub type Inclusion = constant::KeyValueProof<Family, Digest, Digest, CHUNK_BYTES>;
/// That a key has none.
pub type Exclusion =
    constant::ExclusionProof<Family, Digest, VariableEncoding<Record>, Digest, CHUNK_BYTES>;

/// Why a certificate or proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Invalid {
    #[error("the network keys have no key of chain {0}")]
    UnknownChain(ChainId),
    #[error("the chain's threshold key is not a valid key")]
    BadIdentity,
    #[error("the certificate cannot be read")]
    BadCertificate,
    #[error("the certificate is for another block")]
    OtherBlock,
    #[error("the committee's signature does not verify")]
    BadSignature,
    #[error("the state proof cannot be read")]
    BadProof,
    #[error("the state proof does not lead to the block's state root")]
    ProofMismatch,
    #[error("the proof is about {got}, but {here} was asked for")]
    OtherChain { got: ChainId, here: ChainId },
    #[error("the state of block {got} is too old: block {newest} is already final")]
    Behind { got: Height, newest: Height },
}

impl Invalid {
    /// Whether it is the way from the header to the record that does not hold, and not the header's certificate.
    pub const fn is_of_state(self) -> bool {
        matches!(self, Self::BadProof | Self::ProofMismatch)
    }
}

/// Check that the state of a final block of the network holds what `proved` says at `key`, or holds nothing there if it
/// says so. Of which chain, and how long ago, is the caller's to look at.
///
/// # Errors
/// [`Invalid`], the first check that fails: certificate, then state.
pub fn verify<T: Entry>(
    network_keys: &NetworkKeys,
    key: &Key,
    proved: &Proved<T>,
) -> Result<(), Invalid> {
    let Proved { record, header, certificate, proof } = proved;
    verify_certificate(network_keys, header, certificate.as_slice())?;
    match record.bytes() {
        Some(record) => verify_inclusion(header, key, &record, proof.as_slice()),
        None => verify_exclusion(header, key, proof.as_slice()),
    }
}

/// What every signature of a chain is made under.
pub fn namespace(network: &Hash, chain: ChainId) -> Vec<u8> {
    let mut bytes = b"meshx/consensus/v1".to_vec();
    bytes.extend_from_slice(&network.0);
    bytes.push(chain as u8);
    bytes
}

/// A hash of ours as consensus takes it.
pub fn digest(hash: &Hash) -> Digest {
    Digest::from(hash.0)
}

/// A verifier for the certificates of `chain`.
///
/// # Errors
/// [`Invalid::UnknownChain`] or [`Invalid::BadIdentity`].
pub fn verifier(network_keys: &NetworkKeys, chain: ChainId) -> Result<Scheme, Invalid> {
    let known = network_keys.chain(chain).ok_or(Invalid::UnknownChain(chain))?;
    let identity = <MinSig as Variant>::Public::decode(known.identity.as_slice().to_vec())
        .map_err(|_| Invalid::BadIdentity)?;
    Ok(Scheme::certificate_verifier(&namespace(&network_keys.network(), chain), identity))
}

/// Check that `certificate` finalises the block with this header.
///
/// # Errors
/// [`Invalid`], the first check that fails.
pub fn verify_certificate(
    network_keys: &NetworkKeys,
    header: &Header,
    certificate: &[u8],
) -> Result<(), Invalid> {
    let scheme = verifier(network_keys, header.chain)?;
    let finalization =
        Finalization::decode(certificate.to_vec()).map_err(|_| Invalid::BadCertificate)?;
    let proposal = &finalization.proposal;
    let round = Round::new(EngineTerm::new(header.term.get()), View::new(header.view));
    let same = proposal.payload == digest(&header.id())
        && proposal.round == round
        && proposal.parent == View::new(header.parent_view);
    if !same {
        return Err(Invalid::OtherBlock);
    }
    // The weights of the batch check follow from all it checks, so that nobody can aim at them.
    let seed = domain_hash("meshx/batch-weights/v1", &[certificate, &header.id().0]);
    if finalization.verify(&mut StdRng::from_seed(seed.0), &scheme, &Sequential) {
        Ok(())
    } else {
        Err(Invalid::BadSignature)
    }
}

/// Check that `beacon` is the committee's signature over its round.
pub fn verify_beacon(scheme: &Scheme, beacon: &Beacon) -> bool {
    let round = Round::new(EngineTerm::new(beacon.term.get()), View::new(beacon.view));
    let Ok(signature) =
        <MinSig as Variant>::Signature::decode(beacon.signature.as_slice().to_vec())
    else {
        return false;
    };
    Seed::<MinSig>::new(round, signature).verify(scheme)
}

/// Check that the state under `header` holds `record` at `key`.
///
/// # Errors
/// [`Invalid::BadProof`] or [`Invalid::ProofMismatch`].
pub fn verify_inclusion(
    header: &Header,
    key: &Key,
    record: &[u8],
    proof: &[u8],
) -> Result<(), Invalid> {
    let proof = Inclusion::decode_cfg(proof.to_vec(), &(PROOF_DIGESTS_MAX, ()))
        .map_err(|_| Invalid::BadProof)?;
    let record = Record::new(record.to_vec()).map_err(|_| Invalid::BadProof)?;
    let root = digest(&header.state_root);
    if proof.verify::<Blake3, VariableEncoding<Record>>(digest(&key.path()), record, &root) {
        Ok(())
    } else {
        Err(Invalid::ProofMismatch)
    }
}

/// Check that the state under `header` holds nothing at `key`.
///
/// # Errors
/// [`Invalid::BadProof`] or [`Invalid::ProofMismatch`].
pub fn verify_exclusion(header: &Header, key: &Key, proof: &[u8]) -> Result<(), Invalid> {
    let proof = Exclusion::decode_cfg(proof.to_vec(), &(PROOF_DIGESTS_MAX, ((), ()), ()))
        .map_err(|_| Invalid::BadProof)?;
    if proof.verify::<Blake3>(&digest(&key.path()), &digest(&header.state_root)) {
        Ok(())
    } else {
        Err(Invalid::ProofMismatch)
    }
}

/// The beacon a finalised block's certificate carries.
pub fn beacon_of(header: &Header, finalization: &Finalization) -> Option<Beacon> {
    let signature = finalization.certificate.get()?.seed_signature.encode().to_vec();
    Some(Beacon {
        height: header.height,
        term: header.term,
        view: header.view,
        signature: Bytes::new(signature).ok()?,
    })
}

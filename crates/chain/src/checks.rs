//! Checks: the only place where a block run verifies a signature, a certificate or evidence. Each takes the meter and
//! charges before it looks.
//!
//! A check that went another way would be work that nobody is charged for. So no other file of this crate names what
//! verifies (`tests/it/gas.rs` reads them all), but [`checked`](crate::checked): a sender's signature is checked before a block
//! runs, and every transaction is charged for it.

use crate::{
    Refusal,
    apply::BlockContext,
    gas::{self, Gas, cost},
    proved,
};
use attestation::{Binding, Claims, Collateral, Evidence, Reject, TrustRoots, UnixSeconds};
use crypto::{
    BadSealingKey, BadSignature, BadVrf, SealingPublicKey, VRF_PROOF_BYTES, VrfProof, VrfPublicKey,
    VrfSuite,
};
use presence::{Rejected, Tables, Verdict};
use receipt::NotEquivocation;
use std::collections::BTreeSet;
use types::{
    Entry, EquivocationProof, Hash, Import, PublicKey, Signature,
    presence::{PresenceCertificate, PresenceParams},
    state::Key,
};

/// Whether `signature` is `key`'s over `message`.
pub(crate) fn signature(
    gas: &Gas,
    key: &PublicKey,
    domain: &'static str,
    message: &[u8],
    signature: &Signature,
) -> Result<(), BadSignature> {
    gas.charge(cost::SIGNATURE);
    crypto::verify(&key.0, domain, message, &signature.0)
}

/// A key that can draw lots: a point of the curve, in its one encoding.
pub(crate) fn vrf_key(gas: &Gas, key: &Hash) -> Result<VrfPublicKey, BadVrf> {
    gas.charge(cost::VRF_KEY);
    VrfPublicKey::new(key.0)
}

/// What `key` draws from `alpha`, if `proof` shows it.
pub(crate) fn vrf_output(
    gas: &Gas,
    key: &VrfPublicKey,
    alpha: &Hash,
    proof: &[u8],
) -> Option<[u8; 64]> {
    gas.charge(cost::VRF_PROOF);
    let proof = VrfProof::from_bytes(<&[u8; VRF_PROOF_BYTES]>::try_from(proof).ok()?).ok()?;
    Some(key.verify(VrfSuite::Ell2, &alpha.0, &proof).ok()?.0)
}

/// Whether somebody can seal to this key.
pub(crate) fn sealing_key(gas: &Gas, key: &[u8]) -> Result<(), BadSealingKey> {
    gas.charge(cost::SEALING_KEY);
    SealingPublicKey::from_bytes(key).map(drop)
}

/// Whether both votes are the key's, and contradict each other.
pub(crate) fn equivocation(
    gas: &Gas,
    proof: &EquivocationProof,
    network: &Hash,
) -> Result<(), NotEquivocation> {
    gas.charge(2 * cost::SIGNATURE);
    receipt::check_equivocation(proof, network)
}

/// Whether the backbone holds what is imported at `key`.
pub(crate) fn on_backbone<T: Entry>(
    gas: &Gas,
    import: &Import<T>,
    key: &Key,
    context: &BlockContext,
) -> Result<(), Refusal> {
    gas.charge(cost::CERTIFICATE + cost::INCLUSION);
    proved::check(import, key, context)
}

/// What evidence of hardware says, if its signatures hold.
pub(crate) fn evidence(
    gas: &Gas,
    trust_roots: &TrustRoots,
    evidence: &Evidence,
    collateral: &Collateral,
    binding: &Binding,
    now: UnixSeconds,
) -> Result<Claims, Reject> {
    gas.charge(gas::of_evidence(evidence.technology()));
    attestation::verify_under(trust_roots, evidence, collateral, binding, now)
}

/// The nodes whose measurements a certificate of presence is judged by; its draw is checked for that.
pub(crate) fn consulted(
    gas: &Gas,
    certificate: &PresenceCertificate,
    params: &PresenceParams,
    tables: &Tables<'_>,
) -> Result<BTreeSet<u16>, Rejected> {
    gas.charge(cost::VRF_KEY + cost::VRF_PROOF);
    presence::consulted(certificate, params, tables)
}

/// Judge a certificate of presence.
pub(crate) fn presence(
    gas: &Gas,
    certificate: &PresenceCertificate,
    params: &PresenceParams,
    tables: &Tables<'_>,
) -> Result<Verdict, Rejected> {
    let signatures = presence::gas_before(certificate, tables);
    gas.charge(signatures);
    let verdict = presence::verify(certificate, params, tables)?;
    // Land is looked at last, and how much of it shows only then; there is an end to land.
    gas.charge(verdict.gas.saturating_sub(signatures));
    Ok(verdict)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a check has charged, with any verdict.
    fn charged<T>(check: impl FnOnce(&Gas) -> T) -> u64 {
        let gas = Gas::default();
        check(&gas);
        gas.used()
    }

    #[test]
    fn a_check_that_fails_is_charged_for_all_the_same() {
        let (key, hash) = (PublicKey([1; 32]), Hash([1; 32]));
        let forged = Signature([2; 64]);
        assert_eq!(charged(|gas| signature(gas, &key, "x", b"y", &forged)), cost::SIGNATURE);
        assert_eq!(charged(|gas| vrf_key(gas, &hash)), cost::VRF_KEY);
        assert_eq!(charged(|gas| sealing_key(gas, b"short")), cost::SEALING_KEY);
        let point = VrfPublicKey::new(crypto::VrfKey::from_seed(&[3; 32]).public()).unwrap();
        assert_eq!(charged(|gas| vrf_output(gas, &point, &hash, b"short")), cost::VRF_PROOF);
    }
}

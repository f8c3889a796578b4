//! A committee's scheme in the hand of one validator: it signs only in views after a mark.
//!
//! A validator that lost its disk has forgotten what it signed. Everything else of the scheme is left
//! as it is: certificates made and checked here are those of [`receipt::light`], byte for byte.

use crate::rejoin::Standing;
use commonware_codec::Read;
use commonware_consensus::{
    Viewable as _,
    simplex::{scheme::bls12381_threshold::vrf, types::Subject},
    types::View,
};
use commonware_cryptography::{
    Digest,
    bls12381::primitives::variant::MinSig,
    certificate::{
        AssemblyError, Attestation, Membership, Scheme as SchemeTrait, Verification, Verifier,
    },
    ed25519::PublicKey,
};
use commonware_parallel::Strategy;
use commonware_utils::{N3f1, iter::NonEmpty, ordered::Set};
use rand_core::CryptoRng;
use receipt::light::Scheme;
use std::sync::Arc;

#[derive(Clone)]
pub(crate) struct Guarded {
    inner: Scheme,
    silent_to: View,
    /// Told when the engine asks for a signature for the first time.
    standing: Option<Arc<Standing>>,
}

impl Guarded {
    /// `inner`, which signs nothing in views up to and including `silent_to`.
    pub(crate) const fn new(inner: Scheme, silent_to: View) -> Self {
        Self { inner, silent_to, standing: None }
    }

    /// The engine reports what its journal holds before it signs anything: then `standing` is known.
    pub(crate) fn telling(self, standing: Arc<Standing>) -> Self {
        Self { standing: Some(standing), ..self }
    }
}

impl std::fmt::Debug for Guarded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guarded").field("silent_to", &self.silent_to).finish_non_exhaustive()
    }
}

fn ours(attestation: Attestation<Scheme>) -> Attestation<Guarded> {
    Attestation { signer: attestation.signer, signature: attestation.signature }
}

fn theirs(attestation: Attestation<Guarded>) -> Attestation<Scheme> {
    Attestation { signer: attestation.signer, signature: attestation.signature }
}

fn judged(verification: Verification<Scheme>) -> Verification<Guarded> {
    Verification::new(verification.verified.into_iter().map(ours).collect(), verification.invalid)
}

impl Verifier for Guarded {
    type Subject<'a, D: Digest> = Subject<'a, D>;
    type Faults = N3f1;
    type PublicKey = PublicKey;
    type Certificate = vrf::Certificate<MinSig>;

    fn verify_certificate<R: CryptoRng, D: Digest>(
        &self,
        rng: &mut R,
        subject: Subject<'_, D>,
        certificate: &Self::Certificate,
        strategy: &impl Strategy,
    ) -> bool {
        self.inner.verify_certificate(rng, subject, certificate, strategy)
    }

    fn verify_certificates<'a, R, D, I>(
        &self,
        rng: &mut R,
        certificates: NonEmpty<I>,
        strategy: &impl Strategy,
    ) -> bool
    where
        R: CryptoRng,
        D: Digest,
        I: Iterator<Item = (Subject<'a, D>, &'a Self::Certificate)>,
    {
        self.inner.verify_certificates(rng, certificates, strategy)
    }

    fn is_batchable() -> bool {
        Scheme::is_batchable()
    }
    fn max_certificate_size(participants: u32) -> usize {
        Scheme::max_certificate_size(participants)
    }
    fn certificate_codec_config(&self) -> <Self::Certificate as Read>::Cfg {
        self.inner.certificate_codec_config();
    }
    fn certificate_codec_config_unbounded() -> <Self::Certificate as Read>::Cfg {
        Scheme::certificate_codec_config_unbounded();
    }
}

impl SchemeTrait for Guarded {
    type Signature = vrf::Signature<MinSig>;

    fn me(&self) -> Option<Membership> {
        self.inner.me()
    }

    fn participants(&self) -> &Set<PublicKey> {
        self.inner.participants()
    }

    fn sign<D: Digest>(&self, subject: Subject<'_, D>) -> Option<Attestation<Self>> {
        if let Some(standing) = &self.standing {
            standing.begin();
        }
        if subject.view() <= self.silent_to {
            return None;
        }
        self.inner.sign(subject).map(ours)
    }

    fn verify_attestation<R: CryptoRng, D: Digest>(
        &self,
        rng: &mut R,
        subject: Subject<'_, D>,
        attestation: &Attestation<Self>,
        strategy: &impl Strategy,
    ) -> bool {
        self.inner.verify_attestation(rng, subject, &theirs(attestation.clone()), strategy)
    }

    fn verify_attestations<R, D, I>(
        &self,
        rng: &mut R,
        subject: Subject<'_, D>,
        attestations: I,
        strategy: &impl Strategy,
    ) -> Verification<Self>
    where
        R: CryptoRng,
        D: Digest,
        I: IntoIterator<Item = Attestation<Self>>,
        I::IntoIter: Send,
    {
        let attestations = attestations.into_iter().map(theirs);
        judged(self.inner.verify_attestations(rng, subject, attestations, strategy))
    }

    fn optimistic_assemble<'a, R, D, I, J>(
        &self,
        rng: &mut R,
        subject: Subject<'_, D>,
        pending: I,
        verified: J,
        strategy: &impl Strategy,
    ) -> Result<Self::Certificate, Verification<Self>>
    where
        R: CryptoRng,
        D: Digest,
        I: IntoIterator<Item = Attestation<Self>>,
        I::IntoIter: ExactSizeIterator + Send,
        J: IntoIterator<Item = &'a Attestation<Self>>,
        J::IntoIter: Send,
    {
        let verified: Vec<_> = verified.into_iter().cloned().map(theirs).collect();
        let pending = pending.into_iter().map(theirs);
        self.inner
            .optimistic_assemble(rng, subject, pending, verified.iter(), strategy)
            .map_err(judged)
    }

    fn assemble<I>(
        &self,
        attestations: NonEmpty<I>,
        strategy: &impl Strategy,
    ) -> Result<Self::Certificate, AssemblyError>
    where
        I: Iterator<Item = Attestation<Self>> + Send,
    {
        let attestations: Vec<_> = attestations.into_iter().map(theirs).collect();
        let attestations =
            NonEmpty::try_new(attestations.into_iter()).expect("as many as were handed in");
        self.inner.assemble(attestations, strategy)
    }

    fn is_attributable() -> bool {
        Scheme::is_attributable()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::dealer::{deal, signer};
    use commonware_codec::Encode as _;
    use commonware_consensus::{
        simplex::types::{Nullification, Nullify},
        types::{Epoch, Round},
    };
    use commonware_cryptography::Signer as _;
    use commonware_parallel::Sequential;
    use receipt::light::Digest as Blake3;
    use types::{ChainId, Hash};

    pub(crate) fn committee() -> Vec<Scheme> {
        let keys: Vec<_> = (0..4)
            .map(|seed| commonware_cryptography::ed25519::PrivateKey::from_seed(seed).public_key())
            .collect();
        let set: Set<PublicKey> = Set::from_iter_dedup(keys.iter().cloned());
        let plain: Vec<_> = keys.iter().map(crate::block::plain_key).collect();
        let dealt = deal([7; 32], &plain);
        let sharing = dealt.sharing.as_slice().to_vec();
        dealt
            .shares
            .iter()
            .map(|(_, share)| {
                signer(&Hash::default(), ChainId::Europe, set.clone(), &sharing, share)
                    .expect("the dealer's shares fit")
            })
            .collect()
    }

    #[test]
    fn nothing_is_signed_up_to_the_mark_and_everything_after_it() {
        let guarded = Guarded::new(committee().remove(0), View::new(5));
        let nullify = |view| {
            let round = Round::new(Epoch::zero(), View::new(view));
            Nullify::sign::<Blake3>(&guarded, round)
        };
        assert!((0..=5).all(|view| nullify(view).is_none()));
        assert!((6..9).all(|view| nullify(view).is_some()));
    }

    #[test]
    fn certificates_are_the_committees_own() {
        let committee = committee();
        let round = Round::new(Epoch::zero(), View::new(9));
        let plain: Vec<_> = committee
            .iter()
            .take(3)
            .map(|scheme| Nullify::sign::<Blake3>(scheme, round).expect("members sign"))
            .collect();
        let hands: Vec<_> =
            committee.iter().map(|s| Guarded::new(s.clone(), View::zero())).collect();
        let guarded: Vec<_> = hands
            .iter()
            .take(3)
            .map(|scheme| Nullify::sign::<Blake3>(scheme, round).expect("members sign"))
            .collect();
        let votes = NonEmpty::try_new(plain.iter()).expect("three");
        let expected = Nullification::from_nullifies(&committee[3], votes, &Sequential);
        let votes = NonEmpty::try_new(guarded.iter()).expect("three");
        let made = Nullification::from_nullifies(&hands[3], votes, &Sequential);
        assert_eq!(
            made.expect("a quorum").encode(),
            expected.expect("a quorum").encode(),
            "a light client sees no difference"
        );
    }
}

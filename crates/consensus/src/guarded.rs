//! A committee's scheme in the hand of one validator: it signs in its own name too, and only in rounds after
//! a mark.
//!
//! Partial signatures of a threshold scheme prove to nobody who made them: enough of them give all others.
//! So every vote carries the validator's own Ed25519 signature beside its share, and a vote with only one
//! of the two right does not count. Certificates stay those of [`receipt::light`], byte for byte.
//!
//! A validator that lost its disk has forgotten what it signed; the mark keeps it from contradicting itself.

use crate::{begun::Begun, block::plain_key, silence::BEGINNING};
use commonware_codec::{Buf, Error, FixedSize, Read, ReadExt, Write};
use commonware_consensus::{
    simplex::{scheme::bls12381_threshold::vrf, types::Subject},
    types::{Round, View},
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
use commonware_utils::{N3f1, Participant, iter::NonEmpty, ordered::Set};
use crypto::{Signed, SigningKey, verify_batch};
use rand_core::CryptoRng;
use receipt::light::Scheme;
use std::{collections::BTreeMap, sync::Arc};
use types::{ChainId, Hash, SignedVote, Term, VoteKind};

/// What a validator signs a vote with, twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VoteSignature {
    /// Its part of the committee's signature.
    pub partial: vrf::Signature<MinSig>,
    /// Its own, over [`SignedVote::message`].
    pub own: types::Signature,
}

impl Write for VoteSignature {
    fn write(&self, buf: &mut impl bytes::BufMut) {
        self.partial.write(buf);
        self.own.write(buf);
    }
}
impl FixedSize for VoteSignature {
    const SIZE: usize = vrf::Signature::<MinSig>::SIZE + types::Signature::SIZE;
}
impl Read for VoteSignature {
    type Cfg = ();
    fn read_cfg(buf: &mut impl Buf, _: &()) -> Result<Self, Error> {
        Ok(Self { partial: ReadExt::read(buf)?, own: ReadExt::read(buf)? })
    }
}

/// The scheme that simplex votes with.
#[derive(Clone)]
pub struct Guarded {
    inner: Scheme,
    network: Hash,
    chain: ChainId,
    /// `None`: checks votes and casts none.
    key: Option<Arc<SigningKey>>,
    silent_to: Round,
    /// Told when the engine asks for a signature for the first time.
    begun: Option<Begun>,
}

impl Guarded {
    /// `inner` of `chain` on this network, with the key `key`; it signs in every view.
    ///
    /// The key must be that of the participant whose share `inner` holds: otherwise nobody accepts its
    /// votes. Without one this only verifies.
    pub fn new(
        inner: Scheme,
        network: Hash,
        chain: ChainId,
        key: Option<&network::PrivateKey>,
    ) -> Self {
        let key = key.map(|key| Arc::new(network::signing_key(key)));
        Self { inner, network, chain, key, silent_to: BEGINNING, begun: None }
    }

    /// Signs nothing in rounds up to and including `round`.
    pub(crate) fn silent_to(self, round: Round) -> Self {
        Self { silent_to: round, ..self }
    }

    /// The engine reports what its journal holds before it signs anything: then it has `begun`.
    pub(crate) fn telling(self, begun: Begun) -> Self {
        Self { begun: Some(begun), ..self }
    }

    /// `subject` as an equivocation proof shows it, still unsigned.
    fn vote<D: Digest>(&self, subject: &Subject<'_, D>) -> SignedVote {
        let (kind, round, parent, payload) = match subject {
            Subject::Notarize { proposal } => {
                (VoteKind::Notarize, proposal.round, proposal.parent, fixed(&proposal.payload))
            }
            Subject::Nullify { round } => {
                // Zeros in place of a proposal, so that such a vote has one form and a proof one meaning (ADR 9).
                (VoteKind::Nullify, *round, View::zero(), Hash::default())
            }
            Subject::Finalize { proposal } => {
                (VoteKind::Finalize, proposal.round, proposal.parent, fixed(&proposal.payload))
            }
        };
        SignedVote {
            chain: self.chain,
            kind,
            term: Term::new(round.epoch().get()),
            view: round.view().get(),
            parent: parent.get(),
            payload,
            signature: types::Signature([0; 64]),
        }
    }

    /// The vote behind `attestation` in the form that convinces others, and whose it claims to be; `None` if
    /// it cannot be read or is nobody's here. Nothing is verified.
    pub(crate) fn testimony<D: Digest>(
        &self,
        subject: &Subject<'_, D>,
        attestation: &Attestation<Self>,
    ) -> Option<(types::PublicKey, SignedVote)> {
        let key = plain_key(self.participants().get(usize::from(attestation.signer))?);
        let signature = attestation.signature.get()?.own;
        Some((key, SignedVote { signature, ..self.vote(subject) }))
    }

    /// Sort `attestations` by whether their own signatures are right; checked in one batch.
    fn named<D: Digest>(
        &self,
        subject: &Subject<'_, D>,
        attestations: impl IntoIterator<Item = Attestation<Self>>,
    ) -> Named {
        let message = self.vote(subject).message(&self.network);
        let mut named = Named::default();
        let mut readable = Vec::new();
        for attestation in attestations {
            let signer = attestation.signer;
            let key = self.participants().get(usize::from(signer)).map(plain_key);
            match (key, attestation.signature.get().map(|signature| signature.own)) {
                (Some(key), Some(own)) => readable.push((attestation, key, own)),
                _ => named.invalid.push(signer),
            }
        }
        let signed: Vec<Signed<'_>> = readable
            .iter()
            .map(|(_, key, own)| Signed {
                public: &key.0,
                domain: SignedVote::DOMAIN,
                message: &message,
                signature: &own.0,
            })
            .collect();
        let verdicts = verify_batch(&signed);
        for ((attestation, _, _), verdict) in readable.into_iter().zip(verdicts) {
            match verdict {
                Ok(()) => named.valid.push(attestation),
                Err(_) => named.invalid.push(attestation.signer),
            }
        }
        named
    }

    /// The committee's verdict on those whose own signatures are right, with the others' added to it.
    fn judge<R: CryptoRng, D: Digest>(
        &self,
        rng: &mut R,
        subject: Subject<'_, D>,
        named: Named,
        strategy: &impl Strategy,
    ) -> Verification<Self> {
        let partials: Vec<_> = named.valid.iter().filter_map(partial).collect();
        let verdict = self.inner.verify_attestations(rng, subject, partials, strategy);
        named.with(verdict)
    }
}

const fn round_of<D: Digest>(subject: &Subject<'_, D>) -> Round {
    match subject {
        Subject::Notarize { proposal } | Subject::Finalize { proposal } => proposal.round,
        Subject::Nullify { round } => *round,
    }
}

/// A digest's 32 bytes. The chain's digests all are BLAKE3.
fn fixed<D: Digest>(digest: &D) -> Hash {
    Hash(digest.as_ref().try_into().expect("a block's digest has 32 bytes"))
}

/// Votes by the verdict on their own signatures.
#[derive(Default)]
struct Named {
    valid: Vec<Attestation<Guarded>>,
    invalid: Vec<Participant>,
}

impl Named {
    /// What is left when the committee's scheme has spoken about the valid ones.
    fn with(self, verdict: Verification<Scheme>) -> Verification<Guarded> {
        let mut known: BTreeMap<Participant, Attestation<Guarded>> =
            self.valid.into_iter().map(|attestation| (attestation.signer, attestation)).collect();
        let verified =
            verdict.verified.iter().filter_map(|partial| known.remove(&partial.signer)).collect();
        let mut invalid = self.invalid;
        invalid.extend(verdict.invalid);
        Verification::new(verified, invalid)
    }
}

impl std::fmt::Debug for Guarded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guarded")
            .field("chain", &self.chain)
            .field("silent_to", &self.silent_to)
            .finish_non_exhaustive()
    }
}

/// The committee's part of a vote; `None` if it cannot be read.
fn partial(attestation: &Attestation<Guarded>) -> Option<Attestation<Scheme>> {
    let partial = attestation.signature.get()?.partial.clone();
    Some(Attestation { signer: attestation.signer, signature: partial.into() })
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
    type Signature = VoteSignature;

    fn me(&self) -> Option<Membership> {
        self.inner.me()
    }

    fn participants(&self) -> &Set<PublicKey> {
        self.inner.participants()
    }

    fn sign<D: Digest>(&self, subject: Subject<'_, D>) -> Option<Attestation<Self>> {
        if let Some(begun) = &self.begun {
            // The engine replays its journal before it asks for a signature, so from now on "nothing seen" is the
            // truth.
            begun.set();
        }
        // Here and nowhere else: for every part of the engine, a wiped validator cannot contradict a vote that it
        // forgot (ADR 6).
        if round_of(&subject) <= self.silent_to {
            return None;
        }
        let key = self.key.as_ref()?;
        let message = self.vote(&subject).message(&self.network);
        let attestation = self.inner.sign(subject)?;
        let partial = attestation.signature.get()?.clone();
        let own = types::Signature(key.sign(SignedVote::DOMAIN, &message));
        let signature = VoteSignature { partial, own }.into();
        Some(Attestation { signer: attestation.signer, signature })
    }

    fn verify_attestation<R: CryptoRng, D: Digest>(
        &self,
        rng: &mut R,
        subject: Subject<'_, D>,
        attestation: &Attestation<Self>,
        strategy: &impl Strategy,
    ) -> bool {
        // The cheap check first: 17 µs against a pairing.
        !self.named(&subject, [attestation.clone()]).valid.is_empty()
            && partial(attestation).is_some_and(|partial| {
                self.inner.verify_attestation(rng, subject, &partial, strategy)
            })
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
        let named = self.named(&subject, attestations);
        self.judge(rng, subject, named, strategy)
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
        // A share that is right would complete a certificate, even if its bearer signed something else in its own name.
        // A validator that leaves its name out would then vote without answering for it.
        let named = self.named(&subject, pending);
        if !named.invalid.is_empty() {
            return Err(self.judge(rng, subject, named, strategy));
        }
        let partials: Vec<_> = named.valid.iter().filter_map(partial).collect();
        let verified: Vec<_> = verified.into_iter().filter_map(partial).collect();
        self.inner
            .optimistic_assemble(rng, subject, partials, verified.iter(), strategy)
            .map_err(|verdict| named.with(verdict))
    }

    fn assemble<I>(
        &self,
        attestations: NonEmpty<I>,
        strategy: &impl Strategy,
    ) -> Result<Self::Certificate, AssemblyError>
    where
        I: Iterator<Item = Attestation<Self>> + Send,
    {
        let partials = attestations
            .into_iter()
            .map(|vote| partial(&vote).ok_or(AssemblyError::MalformedSignature(vote.signer)))
            .collect::<Result<Vec<_>, _>>()?;
        let partials = NonEmpty::try_new(partials.into_iter()).expect("as many as were handed in");
        self.inner.assemble(partials, strategy)
    }

    fn is_attributable() -> bool {
        Scheme::is_attributable()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::dealer::{deal, scheme};
    use commonware_codec::{DecodeExt as _, Encode as _};
    use commonware_consensus::{
        simplex::types::{Nullification, Nullify},
        types::Epoch as EngineTerm,
    };
    use commonware_cryptography::Signer as _;
    use commonware_parallel::Sequential;
    use rand::{SeedableRng as _, rngs::StdRng};
    use receipt::light::Digest as Blake3;

    fn rng() -> StdRng {
        StdRng::seed_from_u64(1)
    }

    /// The signing keys of a committee of four, in the order of its participants.
    pub(crate) fn keys() -> Vec<network::PrivateKey> {
        let mut keys: Vec<_> = (0..4).map(network::PrivateKey::from_seed).collect();
        keys.sort_by_key(network::PrivateKey::public_key);
        keys
    }

    pub(crate) fn committee() -> Vec<Scheme> {
        let keys: Vec<_> = keys().iter().map(network::PrivateKey::public_key).collect();
        let set: Set<PublicKey> = Set::from_iter_dedup(keys.iter().cloned());
        let plain: Vec<_> = keys.iter().map(plain_key).collect();
        let dealt = deal([7; 32], &plain);
        let sharing = dealt.sharing.as_slice().to_vec();
        dealt
            .shares
            .iter()
            .map(|(_, share)| {
                scheme(&Hash::default(), ChainId::Europe, set.clone(), &sharing, Some(share))
                    .expect("the dealer's shares fit")
            })
            .collect()
    }

    /// The committee, each in the hand of its validator.
    pub(crate) fn hands() -> Vec<Guarded> {
        let hand =
            |(scheme, key)| Guarded::new(scheme, Hash::default(), ChainId::Europe, Some(key));
        committee().into_iter().zip(&keys()).map(hand).collect()
    }

    pub(crate) fn round(view: u64) -> Round {
        Round::new(EngineTerm::zero(), View::new(view))
    }

    fn nullifies() -> Vec<Attestation<Guarded>> {
        let vote =
            |hand| Nullify::sign::<Blake3>(hand, round(9)).expect("members sign").attestation;
        hands().iter().map(vote).collect()
    }

    const NINTH: Subject<'_, Blake3> =
        Subject::Nullify { round: Round::new(EngineTerm::zero(), View::new(9)) };

    fn with_own(
        vote: &Attestation<Guarded>,
        change: impl Fn(&mut types::Signature),
    ) -> Attestation<Guarded> {
        let mut signature = vote.signature.get().expect("just made").clone();
        change(&mut signature.own);
        Attestation { signer: vote.signer, signature: signature.into() }
    }

    #[test]
    fn nothing_is_signed_up_to_the_mark_and_everything_after_it() {
        let guarded = hands().remove(0).silent_to(round(5));
        let nullify = |view| Nullify::sign::<Blake3>(&guarded, round(view));
        assert!((0..=5).all(|view| nullify(view).is_none()));
        assert!((6..9).all(|view| nullify(view).is_some()));
        let next_term = Round::new(EngineTerm::new(1), View::new(1));
        assert!(Nullify::sign::<Blake3>(&guarded, next_term).is_some());
    }

    #[test]
    fn without_a_key_votes_are_checked_and_none_is_cast() {
        let scheme = committee().remove(0);
        let keyless = Guarded::new(scheme, Hash::default(), ChainId::Europe, None);
        assert!(Nullify::sign::<Blake3>(&keyless, round(9)).is_none());
        let verdict = keyless.verify_attestations(&mut rng(), NINTH, nullifies(), &Sequential);
        assert_eq!((verdict.verified, verdict.invalid), (nullifies(), vec![]));
    }

    #[test]
    fn a_vote_needs_both_signatures_of_its_signer() {
        let hand = hands().remove(3);
        let votes = nullifies();
        let holds = |vote: &Attestation<Guarded>| {
            hand.verify_attestation(&mut rng(), NINTH, vote, &Sequential)
        };
        assert!(votes.iter().all(holds));
        let nameless = with_own(&votes[0], |own| own.0 = [0; 64]);
        let under_another_name =
            with_own(&votes[0], |own| *own = votes[1].signature.get().expect("just made").own);
        let mut without_share = votes[0].clone();
        let mut signature = votes[0].signature.get().expect("just made").clone();
        signature.partial = votes[1].signature.get().expect("just made").partial.clone();
        without_share.signature = signature.into();
        for bad in [nameless, under_another_name, without_share] {
            assert!(!holds(&bad));
            let mixed = [bad.clone(), votes[1].clone(), votes[2].clone()];
            let verdict = hand.verify_attestations(&mut rng(), NINTH, mixed, &Sequential);
            assert_eq!(verdict.verified, votes[1..3]);
            assert_eq!(verdict.invalid, [bad.signer]);
        }
        let unknown = Attestation { signer: Participant::new(9), ..votes[0].clone() };
        assert!(!holds(&unknown));
    }

    #[test]
    fn a_right_share_under_no_name_completes_no_certificate() {
        let hand = hands().remove(3);
        let votes = nullifies();
        let nameless = with_own(&votes[0], |own| own.0[0] ^= 1);
        let pending = vec![nameless.clone(), votes[1].clone()];
        let verdict = hand
            .optimistic_assemble(&mut rng(), NINTH, pending, &votes[2..3], &Sequential)
            .expect_err("two of three are no quorum");
        assert_eq!(verdict.verified, votes[1..2]);
        assert_eq!(verdict.invalid, [nameless.signer]);
        let pending = votes[..2].to_vec();
        let made = hand.optimistic_assemble(&mut rng(), NINTH, pending, &votes[2..3], &Sequential);
        assert!(made.is_ok());
    }

    #[test]
    fn a_signature_reads_back_as_written() {
        let signature = nullifies()[0].signature.get().expect("just made").clone();
        let bytes = signature.encode();
        assert_eq!(bytes.len(), 160);
        assert_eq!(VoteSignature::decode(bytes).ok(), Some(signature));
    }

    #[test]
    fn certificates_are_the_committees_own() {
        let committee = committee();
        let round = round(9);
        let plain: Vec<_> = committee
            .iter()
            .take(3)
            .map(|scheme| Nullify::sign::<Blake3>(scheme, round).expect("members sign"))
            .collect();
        let hands = hands();
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

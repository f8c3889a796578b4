//! Equivocation: what the engine reports of validators that signed twice, in the form that convinces others.

use crate::guarded::Guarded;
use commonware_codec::{Encode as _, ReadExt as _};
use commonware_consensus::simplex::types::{Activity, Finalize, Notarize, Nullify, Subject};
use receipt::light::Digest;
use std::collections::BTreeMap;
use types::{EquivocationProof, PublicKey, SignedVote, Term};

/// Most proofs one chain keeps. A hundred validators bear 33 liars, and a validator that catches one hears no more of it.
pub const EQUIVOCATIONS_MAX: usize = 64;

/// The two votes of a fault that `activity` reports, as far as they can be read; not yet verified.
pub(crate) fn equivocation_of(
    scheme: &Guarded,
    activity: &Activity<Guarded, Digest>,
) -> Option<EquivocationProof> {
    // The library shows the two votes of a fault by their encoding only.
    let (first, second) = match activity {
        Activity::ConflictingNotarize(fault) => {
            let mut bytes = fault.encode();
            (notarize(scheme, &mut bytes)?, notarize(scheme, &mut bytes)?)
        }
        Activity::ConflictingFinalize(fault) => {
            let mut bytes = fault.encode();
            (finalize(scheme, &mut bytes)?, finalize(scheme, &mut bytes)?)
        }
        Activity::NullifyFinalize(fault) => {
            let mut bytes = fault.encode();
            (nullify(scheme, &mut bytes)?, finalize(scheme, &mut bytes)?)
        }
        _ => return None,
    };
    let ((key, first), (other, second)) = (first, second);
    (key == other).then_some(EquivocationProof { key, first, second })
}

type Testimony = Option<(PublicKey, SignedVote)>;

fn notarize(scheme: &Guarded, bytes: &mut bytes::Bytes) -> Testimony {
    let vote = Notarize::<Guarded, Digest>::read(bytes).ok()?;
    scheme.testimony(&Subject::Notarize { proposal: &vote.proposal }, &vote.attestation)
}

fn nullify(scheme: &Guarded, bytes: &mut bytes::Bytes) -> Testimony {
    let vote = Nullify::<Guarded>::read(bytes).ok()?;
    scheme.testimony::<Digest>(&Subject::Nullify { round: vote.round }, &vote.attestation)
}

fn finalize(scheme: &Guarded, bytes: &mut bytes::Bytes) -> Testimony {
    let vote = Finalize::<Guarded, Digest>::read(bytes).ok()?;
    scheme.testimony(&Subject::Finalize { proposal: &vote.proposal }, &vote.attestation)
}

/// Proofs at hand: one per validator and view, at most [`EQUIVOCATIONS_MAX`].
#[derive(Default)]
pub(crate) struct Docket(BTreeMap<(PublicKey, Term, u64), EquivocationProof>);

impl Docket {
    /// Take up a proof that was verified; false if it adds nothing. A full docket makes room only for
    /// a validator it does not know yet, so that one liar's many lies do not hide another's.
    pub(crate) fn add(&mut self, proof: EquivocationProof) -> bool {
        let EquivocationProof { key, first, .. } = proof;
        let place = (key, first.term, first.view);
        if self.0.contains_key(&place) {
            return false;
        }
        if self.0.len() >= EQUIVOCATIONS_MAX {
            let surplus = (!self.knows(&key)).then(|| self.surplus()).flatten();
            let Some(surplus) = surplus else { return false };
            self.0.remove(&surplus);
        }
        self.0.insert(place, proof);
        true
    }

    pub(crate) fn all(&self) -> Vec<EquivocationProof> {
        self.0.values().copied().collect()
    }

    fn knows(&self, key: &PublicKey) -> bool {
        self.0.keys().any(|(known, _, _)| known == key)
    }

    /// A proof whose signer is known by another one too.
    fn surplus(&self) -> Option<(PublicKey, Term, u64)> {
        let mut places = self.0.keys().zip(self.0.keys().skip(1));
        places.find(|(before, place)| before.0 == place.0).map(|(_, place)| *place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarded::tests::{hands, round};
    use commonware_consensus::{
        simplex::types::{ConflictingFinalize, ConflictingNotarize, NullifyFinalize, Proposal},
        types::View,
    };
    use receipt::check_equivocation;
    use types::{ChainId, Hash, Signature, VoteKind};

    fn proposal(payload: u8) -> Proposal<Digest> {
        Proposal::new(round(9), View::new(8), Digest::from([payload; 32]))
    }

    #[test]
    fn each_fault_of_the_library_is_proved() {
        let hand = hands().remove(2);
        let notarize = |payload| Notarize::sign(&hand, proposal(payload)).expect("members sign");
        let finalize = |payload| Finalize::sign(&hand, proposal(payload)).expect("members sign");
        let nullify = Nullify::sign::<Digest>(&hand, round(9)).expect("members sign");
        let faults = [
            Activity::ConflictingNotarize(ConflictingNotarize::new(notarize(1), notarize(2))),
            Activity::ConflictingFinalize(ConflictingFinalize::new(finalize(1), finalize(2))),
            Activity::NullifyFinalize(NullifyFinalize::new(nullify, finalize(1))),
        ];
        let key = crate::guarded::tests::keys().remove(2);
        for fault in faults {
            let proof = equivocation_of(&hand, &fault).expect("a fault");
            assert_eq!(proof.key, network::public_key(&key));
            assert_eq!(proof.first.view, 9);
            assert_eq!(check_equivocation(&proof, &Hash::default()), Ok(()));
            assert!(check_equivocation(&proof, &Hash([1; 32])).is_err());
        }
        assert_eq!(equivocation_of(&hand, &Activity::Notarize(notarize(1))), None);
    }

    fn equivocation_proof(signer: u8, view: u64) -> EquivocationProof {
        let first = SignedVote {
            chain: ChainId::Europe,
            kind: VoteKind::Finalize,
            term: Term::ZERO,
            view,
            parent: 0,
            payload: Hash([1; 32]),
            signature: Signature([0; 64]),
        };
        let second = SignedVote { kind: VoteKind::Nullify, ..first };
        EquivocationProof { key: PublicKey([signer; 32]), first, second }
    }

    #[test]
    fn one_liar_cannot_hide_another() {
        let mut docket = Docket::default();
        assert!(docket.add(equivocation_proof(1, 0)));
        assert!(!docket.add(equivocation_proof(1, 0)), "known");
        for view in 1..1_000 {
            docket.add(equivocation_proof(1, view));
        }
        assert_eq!(docket.all().len(), EQUIVOCATIONS_MAX);
        assert!(docket.add(equivocation_proof(2, 5)) && docket.knows(&PublicKey([2; 32])));
        assert!(docket.knows(&PublicKey([1; 32])));
        assert_eq!(docket.all().len(), EQUIVOCATIONS_MAX);
        assert!(!docket.add(equivocation_proof(2, 6)), "full, and known already");
        for signer in 3..=255 {
            docket.add(equivocation_proof(signer, 5));
        }
        let liars: std::collections::BTreeSet<_> = docket.all().iter().map(|e| e.key).collect();
        assert_eq!(liars.len(), EQUIVOCATIONS_MAX, "one proof each");
    }
}

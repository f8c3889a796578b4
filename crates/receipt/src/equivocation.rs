//! Double signing: whether two votes prove that their signer lied.

use types::{Code, EquivocationProof, Hash, SignedVote, VoteKind};

/// Why two votes prove nothing against the key they name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotEquivocation {
    #[error("the votes are for different chains")]
    DifferentChains,
    #[error("the votes are for different terms or views")]
    DifferentViews,
    #[error("the two votes are the same")]
    SameVote,
    #[error("an honest validator may cast both votes")]
    NotContradictory,
    #[error("a vote was not signed by this key on this network")]
    ForgedSignature,
}

impl NotEquivocation {
    /// A stable name for programs.
    pub const fn code(self) -> Code {
        match self {
            Self::DifferentChains => Code::DifferentChains,
            Self::DifferentViews => Code::DifferentViews,
            Self::SameVote => Code::SameVote,
            Self::NotContradictory => Code::NotContradictory,
            Self::ForgedSignature => Code::ForgedSignature,
        }
    }
}

/// Check that both votes are `proof.key`'s own, on the network with this id, and contradict each other.
///
/// They do in exactly three cases, those in which simplex reports a fault: two notarize votes for different
/// proposals of one view, two finalize votes likewise, and votes to nullify and to finalize one view. A
/// proposal is a parent and a payload. To notarize a proposal and then give its view up is honest.
///
/// The order of the two does not matter. Whether the key is a validator's, and whether it was punished for
/// this before, is the caller's to know.
///
/// # Errors
/// [`NotEquivocation`], the first check that fails; signatures come last. A vote does not carry its network, so
/// one from another network is [`NotEquivocation::ForgedSignature`] here.
pub fn check_equivocation(
    proof: &EquivocationProof,
    network: &Hash,
) -> Result<(), NotEquivocation> {
    contradiction(&proof.first, &proof.second)?;
    let signed = |vote: &SignedVote| {
        let message = vote.message(network);
        crypto::verify(&proof.key.0, SignedVote::DOMAIN, &message, &vote.signature.0)
    };
    signed(&proof.first)
        .and_then(|()| signed(&proof.second))
        .map_err(|_| NotEquivocation::ForgedSignature)
}

fn contradiction(first: &SignedVote, second: &SignedVote) -> Result<(), NotEquivocation> {
    if first.chain != second.chain {
        return Err(NotEquivocation::DifferentChains);
    }
    if (first.term, first.view) != (second.term, second.view) {
        return Err(NotEquivocation::DifferentViews);
    }
    let proposal = |vote: &SignedVote| (vote.parent, vote.payload);
    match (first.kind, second.kind) {
        (VoteKind::Nullify, VoteKind::Nullify) => Err(NotEquivocation::SameVote),
        (VoteKind::Notarize, VoteKind::Notarize) | (VoteKind::Finalize, VoteKind::Finalize) => {
            // Compared without signatures: a validator that signs one vote twice has said nothing new.
            if proposal(first) == proposal(second) {
                Err(NotEquivocation::SameVote)
            } else {
                Ok(())
            }
        }
        (VoteKind::Nullify, VoteKind::Finalize) | (VoteKind::Finalize, VoteKind::Nullify) => Ok(()),
        (VoteKind::Notarize, VoteKind::Nullify | VoteKind::Finalize)
        | (VoteKind::Nullify | VoteKind::Finalize, VoteKind::Notarize) => {
            Err(NotEquivocation::NotContradictory)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crypto::SigningKey;
    use types::{ChainId, PublicKey, Signature, Term};

    const NETWORK: Hash = Hash([3; 32]);

    fn key() -> SigningKey {
        SigningKey::from_seed(&[9; 32])
    }

    fn sign(mut vote: SignedVote) -> SignedVote {
        vote.signature = Signature(key().sign(SignedVote::DOMAIN, &vote.message(&NETWORK)));
        vote
    }

    fn vote(kind: VoteKind, payload: u8) -> SignedVote {
        let parent = if kind == VoteKind::Nullify { 0 } else { 4 };
        sign(SignedVote {
            chain: ChainId::Europe,
            kind,
            term: Term::ZERO,
            view: 5,
            parent,
            payload: Hash([payload; 32]),
            signature: Signature([0; 64]),
        })
    }

    /// The verdict on two votes, which is the same for the two swapped.
    #[track_caller]
    fn check(first: SignedVote, second: SignedVote, expected: Result<(), &str>) {
        let key = PublicKey(key().public());
        for (first, second) in [(first, second), (second, first)] {
            let verdict = check_equivocation(&EquivocationProof { key, first, second }, &NETWORK);
            assert_eq!(verdict.map_err(|bad| bad.code().as_str()), expected);
        }
    }

    #[test]
    fn exactly_simplex_faults_are_contradictions() {
        use VoteKind::{Finalize, Notarize, Nullify};
        let nullify = vote(Nullify, 0);
        check(vote(Notarize, 1), vote(Notarize, 2), Ok(()));
        check(vote(Finalize, 1), vote(Finalize, 2), Ok(()));
        check(nullify, vote(Finalize, 1), Ok(()));
        check(vote(Notarize, 1), nullify, Err("not_contradictory"));
        check(vote(Notarize, 1), vote(Finalize, 1), Err("not_contradictory"));
        check(vote(Notarize, 1), vote(Finalize, 2), Err("not_contradictory"));
    }

    #[test]
    fn another_parent_is_another_proposal() {
        let vote = vote(VoteKind::Notarize, 1);
        check(vote, sign(SignedVote { parent: 3, ..vote }), Ok(()));
    }

    #[test]
    fn one_vote_twice_proves_nothing_even_signed_anew() {
        for kind in [VoteKind::Notarize, VoteKind::Nullify, VoteKind::Finalize] {
            let vote = vote(kind, 0);
            check(vote, vote, Err("same_vote"));
            check(vote, SignedVote { signature: Signature([1; 64]), ..vote }, Err("same_vote"));
        }
    }

    #[test]
    fn votes_of_different_rounds_or_chains_prove_nothing() {
        let (first, second) = (vote(VoteKind::Notarize, 1), vote(VoteKind::Notarize, 2));
        check(first, sign(SignedVote { view: 6, ..second }), Err("different_views"));
        check(first, sign(SignedVote { term: Term::new(1), ..second }), Err("different_views"));
        check(first, sign(SignedVote { chain: ChainId::Asia, ..second }), Err("different_chains"));
    }

    #[test]
    fn what_the_key_did_not_sign_on_this_network_does_not_count() {
        let (first, second) = (vote(VoteKind::Notarize, 1), vote(VoteKind::Notarize, 2));
        check(first, SignedVote { payload: Hash([8; 32]), ..second }, Err("forged_signature"));
        check(first, SignedVote { signature: first.signature, ..second }, Err("forged_signature"));
        // A nullify vote has one form only.
        let nullify = SignedVote { parent: 1, ..vote(VoteKind::Nullify, 0) };
        check(nullify, vote(VoteKind::Finalize, 1), Err("forged_signature"));
        let verdict = |key: [u8; 32], network| {
            let proof = EquivocationProof { key: PublicKey(key), first, second };
            check_equivocation(&proof, &network)
        };
        assert_eq!(verdict(key().public(), NETWORK), Ok(()));
        assert_eq!(verdict(key().public(), Hash([4; 32])), Err(NotEquivocation::ForgedSignature));
        let other = SigningKey::from_seed(&[8; 32]).public();
        assert_eq!(verdict(other, NETWORK), Err(NotEquivocation::ForgedSignature));
    }
}

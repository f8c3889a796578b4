//! Equivocation proofs: two votes under one validator's own key that no honest validator casts both of.

use crate::{ChainId, Hash, PublicKey, Signature, Term, Wire, codec::Encode as _};
use serde::{Deserialize, Serialize};

/// What a vote asks for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Wire,
)]
#[serde(rename_all = "snake_case")]
pub enum VoteKind {
    /// That a proposal be taken up in its view.
    Notarize = 0,
    /// That a view be given up.
    Nullify = 1,
    /// That a notarised proposal be final.
    Finalize = 2,
}

/// One vote of one validator, under its own key instead of its share of the committee's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct SignedVote {
    /// The chain it was cast on.
    pub chain: ChainId,
    /// What the vote asks for.
    pub kind: VoteKind,
    /// The term of the committee that voted.
    pub term: Term,
    /// The view that the vote is about.
    pub view: u64,
    /// The view of the proposal's parent; 0 if the vote is to nullify.
    pub parent: u64,
    /// The proposed block's id; zeros if the vote is to nullify.
    pub payload: Hash,
    /// Under the validator's own key, over [`SignedVote::message`].
    pub signature: Signature,
}

/// Two votes of one validator. What they prove, if anything, says `receipt::check_equivocation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct EquivocationProof {
    /// The key both were signed with: the one genesis names the validator by.
    pub key: PublicKey,
    /// One of the two votes; their order makes no difference.
    pub first: SignedVote,
    /// The other vote.
    pub second: SignedVote,
}

impl SignedVote {
    /// What a vote's signature is made under.
    pub const DOMAIN: &'static str = "meshx/vote/v1";

    /// Exactly what is signed on the network with this id, under [`SignedVote::DOMAIN`].
    ///
    /// All parts have a fixed size, and all but the signature are here, so that nothing of a vote can be
    /// changed without breaking its signature. What a vote to nullify does not have is zero.
    pub fn message(&self, network: &Hash) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(90);
        bytes.extend_from_slice(&network.0);
        bytes.extend_from_slice(&self.chain.encode());
        bytes.extend_from_slice(&self.kind.encode());
        bytes.extend_from_slice(&self.term.get().to_be_bytes());
        bytes.extend_from_slice(&self.view.to_be_bytes());
        bytes.extend_from_slice(&self.parent.to_be_bytes());
        bytes.extend_from_slice(&self.payload.0);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::DecodeExt as _;

    fn vote() -> SignedVote {
        SignedVote {
            chain: ChainId::Asia,
            kind: VoteKind::Finalize,
            term: Term::new(3),
            view: 9,
            parent: 8,
            payload: Hash([7; 32]),
            signature: Signature([5; 64]),
        }
    }

    #[test]
    fn every_part_but_the_signature_is_signed() {
        let network = Hash([1; 32]);
        let known = vote().message(&network);
        assert_eq!(known.len(), 90);
        let others = [
            vote().message(&Hash([2; 32])),
            SignedVote { chain: ChainId::Europe, ..vote() }.message(&network),
            SignedVote { kind: VoteKind::Notarize, ..vote() }.message(&network),
            SignedVote { term: Term::new(4), ..vote() }.message(&network),
            SignedVote { view: 10, ..vote() }.message(&network),
            SignedVote { parent: 7, ..vote() }.message(&network),
            SignedVote { payload: Hash([8; 32]), ..vote() }.message(&network),
        ];
        assert!(others.iter().all(|other| *other != known));
        assert_eq!(SignedVote { signature: Signature([6; 64]), ..vote() }.message(&network), known);
    }

    #[test]
    fn an_equivocation_proof_reads_back_as_written() {
        let second = SignedVote { kind: VoteKind::Nullify, ..vote() };
        let proof = EquivocationProof { key: PublicKey([4; 32]), first: vote(), second };
        assert_eq!(EquivocationProof::decode(proof.encode()).ok(), Some(proof));
    }
}

//! What a validator's operator signs with the keys of its wallet.

use crate::wallet;
use crypto::{Role, SigningKey, VrfKey, VrfSuite, Wallet};
use types::{
    Address, Bytes, EquivocationProof, Hash, Header, NanoMeshx, PublicKey, Signature, SignedVote,
    VoteKind,
    committee::vrf_possession,
    staking::{BOND_DOMAIN, StakeOrder, bond_message},
};

/// The key that a wallet's validator votes with.
#[must_use]
pub fn voting(wallet: &Wallet) -> SigningKey {
    wallet.key(Role::Consensus, 0)
}

/// The order that begins a validator, which votes with a key of the wallet's.
#[must_use]
pub fn bond(wallet: &Wallet, network: &Hash, amount: NanoMeshx, commission_bps: u16) -> StakeOrder {
    let voting = voting(wallet);
    let message = bond_message(network, &wallet::address(&wallet::paying(wallet)));
    StakeOrder::Bond {
        key: PublicKey(voting.public()),
        amount,
        commission_bps,
        proof: Signature(voting.sign(BOND_DOMAIN, &message)),
    }
}

/// The order with which `operator` draws lots beside its voting key.
///
/// # Panics
/// Never: a proof has the length of a proof.
#[must_use]
pub fn register_vrf(voting: &SigningKey, network: &Hash, operator: &Address) -> StakeOrder {
    // Derived, and never the voting key itself: both schemes make nonces of a secret alike, and one nonce under two
    // challenges gives the secret away.
    let lots = VrfKey::beside(voting);
    let proof = lots.prove(VrfSuite::Ell2, &vrf_possession(network, operator).0).to_bytes();
    StakeOrder::RegisterVrf {
        key: Hash(lots.public()),
        proof: Bytes::new(proof.to_vec()).expect("a proof has 80 bytes"),
    }
}

/// Two votes of `voting` to make different blocks final in the view of `header`: what costs a validator a part of its stake.
#[must_use]
pub fn contradiction(voting: &SigningKey, network: &Hash, header: &Header) -> EquivocationProof {
    let vote = |payload| {
        let signature = Signature([0; 64]);
        let (chain, kind, term) = (header.chain, VoteKind::Finalize, header.term);
        let (view, parent) = (header.view, header.parent_view);
        let mut vote = SignedVote { chain, kind, term, view, parent, payload, signature };
        vote.signature = Signature(voting.sign(SignedVote::DOMAIN, &vote.message(network)));
        vote
    };
    let (first, second) = (vote(header.id()), vote(Hash::of_content(b"another block")));
    EquivocationProof { key: PublicKey(voting.public()), first, second }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORK: Hash = Hash([9; 32]);

    #[test]
    fn a_bond_is_of_the_wallet_and_the_network_that_sign_it() {
        let wallet = wallet::development();
        let StakeOrder::Bond { key, proof, .. } = bond(&wallet, &NETWORK, NanoMeshx::new(5), 500)
        else {
            panic!("a bond")
        };
        let holds = |network: &Hash| {
            let message = bond_message(network, &wallet::address(&wallet::paying(&wallet)));
            crypto::verify(&key.0, BOND_DOMAIN, &message, &proof.0).is_ok()
        };
        assert!(holds(&NETWORK));
        assert!(!holds(&Hash([8; 32])));
    }
}

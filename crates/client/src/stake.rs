//! What a validator's operator signs with the keys of its wallet.

use crate::{units::short_address, wallet, when};
use api::{DelegationView, StakeView};
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

/// Stake that cannot be taken out yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing is free yet: {0}\nhint: meshx stake show lists what is unbonding, and until when")]
pub struct NotFree(String);

/// Check before a fee is paid that an order to withdraw takes anything out.
///
/// # Errors
/// [`NotFree`], with the amounts and the moments at which they are free.
pub fn check_withdrawal(order: &StakeOrder, before: &StakeView) -> Result<(), NotFree> {
    let StakeOrder::Withdraw { validator } = order else { return Ok(()) };
    let Some(with) = with(before, validator) else { return Ok(()) };
    if with.unbonding.is_empty() || with.unbonding.iter().any(|part| part.matures <= before.now) {
        return Ok(());
    }
    let parts = with.unbonding.iter();
    let parts = parts.map(|part| format!("{} MESHX {}", part.amount, when::moment(part.matures)));
    Err(NotFree(parts.collect::<Vec<_>>().join(", ")))
}

fn with<'a>(view: &'a StakeView, validator: &Address) -> Option<&'a DelegationView> {
    view.delegations.iter().find(|one| one.validator == *validator)
}

/// What an order has done, for the person who gave it: by the account's stake before and after it.
#[must_use]
pub fn told(order: &StakeOrder, before: &StakeView, after: &StakeView) -> String {
    let all = |amount: &Option<NanoMeshx>| {
        amount.map_or_else(|| "all stake".to_owned(), |amount| format!("{amount} MESHX"))
    };
    match order {
        StakeOrder::Bond { amount, .. } => format!("bonded {amount} MESHX"),
        StakeOrder::Delegate { validator, amount } => {
            format!("delegated {amount} MESHX to {}", short_address(validator))
        }
        StakeOrder::Undelegate { validator, amount } => {
            let newest = with(after, validator).and_then(|with| with.unbonding.last());
            newest.map_or_else(
                || format!("{} leaves {}", all(amount), short_address(validator)),
                |part| {
                    let free = when::moment(part.matures);
                    format!("{} MESHX unbonding, free {free}", part.amount)
                },
            )
        }
        StakeOrder::Redelegate { from, to, amount } => {
            let (from, to) = (short_address(from), short_address(to));
            format!("moved {} from {from} to {to}", all(amount))
        }
        StakeOrder::Withdraw { validator } => {
            let parts = with(before, validator).into_iter().flat_map(|with| &with.unbonding);
            // What became free meanwhile is out, too.
            let out = parts.filter(|part| part.matures <= after.now);
            let sum = out.fold(NanoMeshx::ZERO, |sum, part| sum.saturating_add(part.amount));
            format!("withdrew {sum} MESHX")
        }
        StakeOrder::Claim { validator } => {
            let owed = with(before, validator).map_or(NanoMeshx::ZERO, |with| with.owed);
            format!("claimed {owed} MESHX of rewards")
        }
        StakeOrder::ClaimCommission => "claimed the commission".to_owned(),
        StakeOrder::SetCommission { bps } => format!(
            "the commission will be {} %, after one unbonding period",
            f64::from(*bps) / 100.0
        ),
        StakeOrder::Unjail => "released the validator from jail".to_owned(),
        StakeOrder::RegisterVrf { .. } => {
            "registered the VRF key, which counts from the next epoch boundary on".to_owned()
        }
        StakeOrder::Announce { addresses } => match addresses.len() {
            0 => "removed the announced addresses".to_owned(),
            1 => "announced 1 address".to_owned(),
            count => format!("announced {count} addresses"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::UnbondingView;
    use types::{Height, Millis};

    const NETWORK: Hash = Hash([9; 32]);

    /// An account at this moment, with `owed` to claim and 300 that are free at 5,000.
    fn view(now: u64, owed: u64) -> StakeView {
        let unbonding =
            vec![UnbondingView { amount: NanoMeshx::new(300), matures: Millis::new(5_000) }];
        let delegation = DelegationView {
            validator: validator(),
            worth: NanoMeshx::ZERO,
            owed: NanoMeshx::new(owed),
            unbonding,
        };
        StakeView {
            address: validator(),
            height: Height::new(1),
            now: Millis::new(now),
            delegations: vec![delegation],
        }
    }

    fn validator() -> Address {
        Address::of(&PublicKey([3; 32]))
    }

    #[test]
    fn an_order_is_told_with_its_amount_and_time() {
        let check = |order: StakeOrder, expected: &str| {
            let said = told(&order, &view(4_000, 7_000_000_000), &view(6_000, 0));
            assert!(said.starts_with(expected), "{said}");
        };
        let validator = validator();
        check(StakeOrder::Claim { validator }, "claimed 7 MESHX of rewards");
        check(StakeOrder::Withdraw { validator }, "withdrew 0.0000003 MESHX");
        let unbond = StakeOrder::Undelegate { validator, amount: None };
        check(unbond, "0.0000003 MESHX unbonding, free 1970-01-01 00:00:05 UTC");
        check(StakeOrder::SetCommission { bps: 650 }, "the commission will be 6.5 %");
    }

    #[test]
    fn what_is_not_free_is_not_asked_for() {
        let order = StakeOrder::Withdraw { validator: validator() };
        let refused = check_withdrawal(&order, &view(4_000, 0)).unwrap_err().to_string();
        assert!(refused.contains("0.0000003 MESHX 1970-01-01 00:00:05 UTC"), "{refused}");
        assert!(refused.contains("hint: meshx stake show"), "{refused}");
        assert_eq!(check_withdrawal(&order, &view(6_000, 0)), Ok(()));
    }

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

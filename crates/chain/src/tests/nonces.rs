//! Expiring nonces and fee caps.

use super::*;
use types::{Intent, Nonce, ONCE_BLOCKS_MAX, ONCE_OPEN_MAX, Once, state::Market};

/// A transfer of one nano.
fn transfer(nonce: Nonce, fee_max: NanoMeshx) -> CheckedTx {
    let (key, chain, tip) = (key(CLIENT), ChainId::Europe, NanoMeshx::ZERO);
    let action = Action::Transfer { to: who(1), amount: NanoMeshx::new(1) };
    let intent = Intent { chain, nonce, tip, fee_max, action };
    let sign = |domain: &'static str, message: &[u8]| key.sign(domain, message);
    let tx = Tx::signed(&NETWORK, PublicKey(key.public()), intent, sign);
    check_tx(tx, &NETWORK, chain).unwrap()
}

fn once(until: u64, salt: u64) -> CheckedTx {
    transfer(Nonce::Until(Once { height: Height::new(until), salt }), Tx::ANY_FEE)
}

/// What the next block says to `txs`: the word for each refusal.
#[track_caller]
fn check(net: &Net, txs: &[CheckedTx], expected: &[Option<&str>]) {
    let applied = net.try_block(txs.to_vec(), vec![], Mode::Build).unwrap();
    let word = |tx: &CheckedTx| {
        let refused = applied.refused.iter().find(|(refused, _)| refused.id() == tx.id());
        refused.map(|(_, refusal)| refusal.code().as_str())
    };
    assert_eq!(txs.iter().map(word).collect::<Vec<_>>(), expected);
}

#[test]
fn an_expiring_nonce_counts_once_in_its_window_and_never_after() {
    let mut net = Net::new(1);
    let tx = once(5, 7);
    net.block(vec![tx.clone(), once(5, 6)]);
    // The same salt with another end is another nonce.
    check(&net, &[tx.clone(), once(6, 7)], &[Some("tx_spent"), None]);
    while net.height < 4 {
        net.block(vec![]);
    }
    check(&net, &[tx.clone(), once(5, 8)], &[Some("tx_spent"), None]);
    net.block(vec![]);
    check(&net, &[tx.clone(), once(5, 8)], &[Some("tx_expired"), Some("tx_expired")]);
    // Its place is free once it is needed; it stays refused.
    net.block(vec![once(9, 1)]);
    let spent: types::Spent = net.get(Key::Spent(who(CLIENT))).unwrap();
    assert_eq!(spent.as_slice(), [Once { height: Height::new(9), salt: 1 }]);
    check(&net, &[tx], &[Some("tx_expired")]);
}

#[test]
fn expiring_and_strict_nonces_do_not_touch_each_other() {
    let mut net = Net::new(1);
    let strict = net.tx(CLIENT, Action::Transfer { to: who(1), amount: NanoMeshx::new(1) });
    net.block(vec![once(9, 1), strict, once(9, 0)]);
    let account: Account = net.get(Key::Account(who(CLIENT))).unwrap();
    assert_eq!(account.nonce, 1);
    assert_eq!(net.balance(who(1)), 3);
}

#[test]
fn an_account_has_so_many_expiring_nonces_open_and_none_that_is_far_ahead() {
    let mut net = Net::new(1);
    let far = net.height + 1 + ONCE_BLOCKS_MAX;
    check(&net, &[once(far, 1), once(far + 1, 1)], &[None, Some("until_too_far")]);
    let open = ONCE_OPEN_MAX as u64;
    net.block((0..open).map(|salt| once(3 + salt % 2, salt)).collect());
    check(
        &net,
        &[once(9, 1), transfer(Nonce::strict(0), Tx::ANY_FEE)],
        &[Some("too_many_open"), None],
    );
    net.block(vec![]);
    // Half of them expired with block 3.
    net.block((0..open / 2).map(|salt| once(9, salt)).collect());
    check(&net, &[once(9, open)], &[None]);
}

#[test]
fn nobody_pays_a_higher_base_fee_than_it_said() {
    let mut net = Net::new(1);
    let base_fee = net.get::<Market>(Key::Market).unwrap().base_fee;
    let below = NanoMeshx::new(base_fee.get() - 1);
    let before = net.balance(who(CLIENT));
    check(&net, &[transfer(Nonce::strict(0), below)], &[Some("fee_above_max")]);
    let pays = transfer(Nonce::strict(0), base_fee);
    check(&net, std::slice::from_ref(&pays), &[None]);
    net.block(vec![pays]);
    assert_eq!(before - net.balance(who(CLIENT)), base_fee.get() + 1);
    // What settles is free, so no cap stops it: it is refused for what it says.
    let (key, action) = (key(0), Action::Commit { job: Hash::ZERO, commitment: Hash::ZERO });
    let (chain, nonce, tip) = (ChainId::Europe, Nonce::strict(0), NanoMeshx::ZERO);
    let intent = Intent { chain, nonce, tip, fee_max: NanoMeshx::ZERO, action };
    let sign = |domain: &'static str, message: &[u8]| key.sign(domain, message);
    let tx = Tx::signed(&NETWORK, PublicKey(key.public()), intent, sign);
    check(&net, &[check_tx(tx, &NETWORK, chain).unwrap()], &[Some("unknown_job")]);
}

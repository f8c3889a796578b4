use super::*;
use crate::news::SubmitError;
use chain::check_tx;
use crypto::SigningKey;
use std::collections::BTreeSet;
use types::{
    Action, Address, ChainId, Intent, LogRoot, Millis, NanoMeshx, Nonce, PublicKey, Signature,
    Term, Tx,
};

fn address(from: u8) -> Address {
    Address::of(&PublicKey(SigningKey::from_seed(&[from; 32]).public()))
}

fn tx(from: u8, nonce: u64) -> CheckedTx {
    tipped(from, nonce, 0)
}

fn tipped(from: u8, nonce: u64, tip: u64) -> CheckedTx {
    let key = SigningKey::from_seed(&[from; 32]);
    let action = Action::Transfer { to: address(9), amount: NanoMeshx::new(1) };
    let (chain, tip) = (ChainId::Europe, NanoMeshx::new(tip));
    let nonce = Nonce::strict(nonce);
    let intent = Intent { chain, nonce, tip, fee_max: Tx::ANY_FEE, action };
    let tx = Tx::signed(&Hash::default(), PublicKey(key.public()), intent, |domain, message| {
        key.sign(domain, message)
    });
    check_tx(tx, &Hash::default(), ChainId::Europe).expect("signed")
}

fn header(height: u64) -> Header {
    let log = LogRoot { root: Hash::default(), start: 0, end: 1 };
    Header {
        chain: ChainId::Europe,
        term: Term::ZERO,
        view: height,
        leader: PublicKey([1; 32]),
        parent_view: 0,
        parent: Hash::default(),
        height: Height::new(height),
        timestamp: Millis::ZERO,
        body: Hash::default(),
        state_root: Hash([height as u8; 32]),
        state_log: log,
        outbox: log,
    }
}

fn memory() -> Memory {
    Memory::new(mempool::Limits::default())
}

/// In the state every sender begins at 0, with `funds`.
fn findings(round: u64, txs: &[CheckedTx], funds: u64) -> Findings {
    let standing = Standing { nonce: 0, funds: Some(NanoMeshx::new(funds)) };
    Findings {
        round,
        standings: txs.iter().map(|tx| (tx.from(), standing)).collect(),
        base_fee: NanoMeshx::new(1),
        proven: BTreeSet::new(),
        now: Millis::ZERO,
    }
}

/// What the others came from.
fn brought(from_clients: usize) -> Vec<Option<PublicKey>> {
    let mut brought = vec![None; from_clients];
    brought.resize(10, Some(PublicKey([7; 32])));
    brought
}

/// What becomes of `txs`, of which the first `from_clients` are clients' own.
fn admit(memory: &mut Memory, txs: &[CheckedTx], from_clients: usize) -> Vec<Option<SubmitError>> {
    let mut verdicts: Vec<_> = txs.iter().cloned().map(Ok).collect();
    let findings = findings(memory.round(), txs, 1_000);
    memory.admit(&findings, &mut verdicts, &brought(from_clients)).expect("the round is not over");
    verdicts.into_iter().map(Result::err).collect()
}

fn executed(header: &Header, txs: Vec<CheckedTx>) -> Executed {
    Executed { block: header.id(), txs, events: Vec::new() }
}

#[test]
fn only_a_client_must_not_leave_a_gap() {
    let mut memory = memory();
    let gap = Refusal::nonce(address(1), 0, 1).into();
    assert_eq!(admit(&mut memory, &[tx(1, 1), tx(2, 1)], 1), [Some(gap), None]);
    assert_eq!(memory.waiting(), 1);
}

#[test]
fn peers_hear_of_what_clients_bring_and_only_once() {
    let mut memory = memory();
    let (own, foreign) = (tx(1, 0), tx(2, 0));
    let findings = findings(0, &[own.clone(), foreign.clone()], 1_000);
    let mut verdicts = vec![Ok(own.clone()), Ok(foreign)];
    let news = memory.admit(&findings, &mut verdicts, &brought(1)).expect("round 0");
    assert_eq!(news.spread.iter().map(CheckedTx::id).collect::<Vec<_>>(), [own.id()]);
    let again = memory.admit(&findings, &mut verdicts, &brought(1)).expect("round 0");
    assert!(again.spread.is_empty());
}

#[test]
fn nonces_of_a_state_before_the_last_block_admit_nothing() {
    let mut memory = memory();
    let round = memory.round();
    assert_eq!(memory.next_nonce(round, &address(1), 0), Some(0));
    assert!(memory.finalize(&header(1), &[], &[], Millis::ZERO).is_empty());
    let mut verdicts = vec![Ok(tx(1, 0))];
    let findings = findings(round, &[tx(1, 0)], 1_000);
    assert!(memory.admit(&findings, &mut verdicts, &brought(1)).is_none());
    assert_eq!(memory.waiting(), 0);
    assert_eq!(memory.next_nonce(round, &address(1), 0), None);
}

#[test]
fn what_is_final_waits_no_longer_and_its_watchers_hear_of_it() {
    let mut memory = memory();
    let (mine, other) = (tx(1, 0), tx(2, 0));
    admit(&mut memory, &[mine.clone(), other.clone()], 2);
    let (waits, gone) = (memory.watch(mine.id()), memory.watch(other.id()));
    drop(gone);
    let block = header(3);
    let news = memory.finalize(&block, std::slice::from_ref(&mine), &[], Millis::ZERO);
    let fates: Vec<Fate> = news.into_iter().map(|(_, fate)| fate).collect();
    assert_eq!(fates, [Fate::Final { height: Height::new(3), block: block.id() }]);
    assert_eq!((memory.waiting(), memory.tip()), (1, Some(&block)));
    assert!(memory.watchers.is_empty(), "nobody listens to the other any more");
    drop(waits);
}

#[test]
fn who_was_away_has_caught_up_with_the_newest_block_and_not_with_the_first() {
    let mut memory = memory();
    assert!(!memory.has_caught_up());
    // What it had on disk already.
    memory.finalize(&header(7), &[], &[], Millis::ZERO);
    assert!(!memory.has_caught_up());
    memory.hear_final(0, 9);
    memory.finalize(&header(8), &[], &[], Millis::ZERO);
    assert!(!memory.has_caught_up());
    memory.finalize(&header(9), &[], &[], Millis::ZERO);
    assert!(memory.has_caught_up());
    // The next certificate is ahead of its block, as always.
    memory.hear_final(0, 10);
    assert!(memory.has_caught_up());
}

#[test]
fn what_waits_behind_a_refused_one_is_displaced() {
    let mut memory = memory();
    let txs = [tx(1, 0), tx(1, 1), tx(2, 0)];
    admit(&mut memory, &txs, 3);
    let waiting: Vec<_> = txs.iter().map(|tx| memory.watch(tx.id())).collect();
    let refusal = Refusal::nonce(address(1), 5, 0);
    let fates: Vec<Fate> = memory.refuse(&txs[0], refusal).into_iter().map(|(_, f)| f).collect();
    assert_eq!(fates, [Fate::Refused(refusal), Fate::Displaced]);
    assert_eq!(memory.waiting(), 1);
    drop(waiting);
}

#[test]
fn who_waits_for_one_that_has_to_go_hears_of_it() {
    // Two that are ready; or one that is not.
    let parts = mempool::Limits { txs_max: 3, seats_part: 3, early_part: 3, ..Default::default() };
    let mut memory = Memory::new(mempool::Limits { peer_part: 1, ..parts });
    let fate = |mut heard: oneshot::Receiver<Fate>| heard.try_recv().ok();
    let tell = |news: Vec<News>| {
        for (watcher, fate) in news {
            watcher.send(fate).expect("somebody listens");
        }
    };
    let bring = |memory: &mut Memory, tx: &CheckedTx, now: u64| {
        let findings = Findings {
            now: Millis::new(now),
            ..findings(memory.round(), std::slice::from_ref(tx), 1_000)
        };
        let heard = memory.watch(tx.id());
        let mut verdicts = [Ok(tx.clone())];
        let admitted = memory.admit(&findings, &mut verdicts, &brought(0)).expect("this round");
        assert_eq!(verdicts[0].as_ref().err(), None);
        tell(admitted.news);
        heard
    };
    let early = bring(&mut memory, &tx(1, 1), 0);
    let first = bring(&mut memory, &tipped(2, 0, 1), 60_000);
    assert_eq!(fate(early), Some(Fate::Expired));
    let second = bring(&mut memory, &tipped(3, 0, 2), 60_000);
    let third = bring(&mut memory, &tipped(4, 0, 3), 60_000);
    assert_eq!((fate(first), fate(second)), (Some(Fate::Outbid), None));
    let instead = bring(&mut memory, &tipped(4, 0, 4), 60_000);
    assert_eq!((fate(third), fate(instead)), (Some(Fate::Replaced), None));
}

#[test]
fn what_its_sender_cannot_pay_for_is_refused() {
    let (mut memory, mine) = (memory(), tx(1, 0));
    let findings = findings(0, std::slice::from_ref(&mine), 1);
    let mut verdicts = [Ok(mine)];
    memory.admit(&findings, &mut verdicts, &brought(0)).expect("round 0");
    let unfunded = mempool::Rejected::Unfunded { has: 1, needs: 2 };
    assert_eq!(verdicts[0].as_ref().err(), Some(&unfunded.into()));
    assert_eq!(memory.waiting(), 0);
}

#[test]
fn a_final_block_ends_all_others_at_its_height_and_below() {
    let mut memory = memory();
    let (low, one, high) = (header(1), header(2), header(3));
    let other = Header { view: 9, ..one.clone() };
    for (header, from) in [(&low, 1), (&one, 2), (&other, 3), (&high, 4)] {
        memory.remember(header.height, executed(header, vec![tx(from, 0)]));
    }
    let taken = memory.take_executed(one.height, &one.id()).expect("executed here");
    assert_eq!(taken.txs[0].from(), address(2));
    assert!(memory.take_executed(low.height, &low.id()).is_none());
    let mut ahead = Ahead::default();
    memory.count_ahead(&high, &mut ahead);
    memory.count_ahead(&other, &mut ahead);
    assert_eq!(ahead.next, BTreeMap::from([(address(4), 1)]));
}

#[test]
fn only_what_is_recent_is_kept() {
    let mut memory = memory();
    let seed = Bytes::new(vec![7; 48]).expect("short enough");
    for height in 1..=RECENT_MAX as u64 + 1 {
        memory.remember_seed(0, height, seed.clone());
        memory.remember(Height::new(height), executed(&header(height), vec![]));
        memory.finalize(&header(height), &[], &[], Millis::ZERO);
    }
    assert_eq!((memory.seed(0, 1), memory.seed(0, 2)), (None, Some(seed)));
    assert_eq!((memory.applied.len(), memory.executed.len()), (RECENT_MAX, UNFINISHED_MAX));
    assert_eq!(
        memory.header_of(&header(900).state_root).map(|header| header.state_root),
        Some(header(900).state_root)
    );
}

#[test]
fn a_transaction_that_waits_is_known_by_all_of_its_bytes() {
    let mut memory = memory();
    let known = tx(1, 0);
    admit(&mut memory, std::slice::from_ref(&known), 1);
    let mut forged = known.tx().clone();
    forged.signature = Signature([0; 64]);
    let found = memory.known(&[known.tx().clone(), forged, tx(1, 1).tx().clone()]);
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, false]);
}

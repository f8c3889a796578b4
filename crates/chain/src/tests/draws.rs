//! Draws: who is drawn follows from bonds that were there before the seed.

use super::*;
use types::state::{Moves, PlacesOf, REPUTATION_MIN};

/// Names from 120 on, each with an account that can pay for what a test has it do.
fn rich(net: &mut Net, names: std::ops::Range<u8>) {
    let amount = NanoMeshx::new(3_000_000_000);
    let pay = |net: &mut Net, n| net.tx(CLIENT, Action::Transfer { to: who(n), amount });
    let txs = names.map(|n| pay(net, n)).collect();
    net.block(txs);
}

fn register(net: &mut Net, from: u8, capacity: u16) -> CheckedTx {
    let (city, floor) = (Text::default(), NanoMeshx::ZERO);
    net.tx(from, Action::RegisterWorker { capacity, city, floor })
}

fn seats(net: &Net, id: TxId) -> Vec<Address> {
    match net.job(id).phase {
        Phase::Committing { assignments, .. } => assignments.iter().map(|one| one.worker).collect(),
        other => panic!("not drawn: {other:?}"),
    }
}

/// Take in `txs` without the beacon that is due, as a proposer may that wants a draw to wait.
fn withheld(net: &mut Net, txs: Vec<CheckedTx>) {
    let built = net.try_block(txs, vec![], Mode::Build).unwrap();
    assert!(built.refused.is_empty(), "{:?}", built.refused);
    for (key, value) in built.writes {
        match value {
            Some(bytes) => net.store.0.insert(key, bytes),
            None => net.store.0.remove(&key),
        };
    }
    net.height += 1;
}

#[test]
fn nobody_changes_a_draw_after_its_seed_is_known() {
    let drawn = |late: &dyn Fn(&mut Net) -> Vec<CheckedTx>| {
        let mut net = Net::new(20);
        rich(&mut net, 120..150);
        rich(&mut net, 0..1);
        let mut ids = vec![];
        for seed in 0..40 {
            let mut job = submission(3, 2, net.height + 200);
            (job.spec.seed, job.fresh) = (Hash([seed; 32]), true);
            ids.push(net.tx(CLIENT, Action::SubmitJob(job)));
        }
        net.block(ids.clone());
        // The seed of that block is known to many by now. A proposer leaves it out, and takes in what changes places.
        let txs = late(&mut net);
        withheld(&mut net, txs);
        let waiting = net.get::<Moves>(Key::Moves).unwrap_or_default();
        net.block(vec![]);
        let all: Vec<_> = ids.iter().map(|tx| seats(&net, tx.id())).collect();
        (all, waiting.len())
    };
    let (expected, none) = drawn(&|_| vec![]);
    assert_eq!(none, 0);
    let (joined, waiting) =
        drawn(&|net| (120..150).map(|name| register(net, name, 1)).collect::<Vec<_>>());
    assert_eq!((joined == expected, waiting), (true, 30));
    // Who rests is not drawn, but its places go only after the draw: else all numbers behind them would name others.
    let mut net = Net::new(20);
    rich(&mut net, 0..1);
    net.submit(submission(3, 2, net.height + 200));
    let txs = vec![register(&mut net, 0, 0)];
    withheld(&mut net, txs);
    withheld(&mut net, vec![]);
    assert_eq!(net.get::<u32>(Key::WorkerPlaces), Some(320));
    net.block(vec![]);
    assert_eq!(net.get::<u32>(Key::WorkerPlaces), Some(304));
}

#[test]
fn registrations_count_for_the_next_draw() {
    let mut net = Net::new(0);
    rich(&mut net, 120..123);
    let txs = (120..123).map(|name| register(&mut net, name, 2)).collect();
    net.block(txs);
    let id = net.submit(submission(3, 2, net.height + 100));
    net.block(vec![]);
    assert_eq!(seats(&net, id).len(), 3);
    assert_eq!(net.get::<u32>(Key::WorkerPlaces), Some(6));
    let rest = (120..122).map(|name| register(&mut net, name, 0)).collect();
    net.block(rest);
    net.block(vec![]);
    assert_eq!(net.get::<u32>(Key::WorkerPlaces), Some(2));
    assert_eq!(net.get::<PlacesOf>(Key::PlacesOf(who(122))).map(|own| own.len()), Some(2));
    assert_eq!(net.get::<PlacesOf>(Key::PlacesOf(who(120))), None);
}

#[test]
fn a_place_without_a_bond_is_refused_and_a_bond_comes_back() {
    let mut net = Net::new(0);
    rich(&mut net, 120..121);
    let name = who(120);
    let poor = register(&mut net, 120, 3);
    assert_eq!(
        net.try_block(vec![poor], vec![], Mode::Check).unwrap_err().code(),
        "insufficient_funds"
    );
    *net.nonces.get_mut(&120).unwrap() -= 1;
    let one = register(&mut net, 120, 1);
    net.block(vec![one]);
    assert_eq!(net.balance(pools::places()), 1_000_000_000);
    let rest = register(&mut net, 120, 0);
    net.block(vec![rest]);
    let record: WorkerRecord = net.get(Key::Worker(name)).unwrap();
    assert_eq!(record.leaving.get(), 1_000_000_000);
    while net.height < record.free_at.get() - 1 {
        net.block(vec![]);
    }
    let before = net.balance(name);
    let again = register(&mut net, 120, 0);
    net.block(vec![again]);
    assert_eq!(net.balance(pools::places()), 0);
    assert!(net.balance(name) > before + 999_000_000);
}

#[test]
fn a_silent_worker_leaves_and_comes_back_with_a_heartbeat() {
    let mut net = Net::new(3);
    let most = 4 * net.genesis.params.heartbeat_blocks;
    let fees = Action::Transfer { to: who(0), amount: NanoMeshx::new(100_000) };
    let tx = net.tx(CLIENT, fees);
    net.block(vec![tx]);
    // As if all those blocks had passed.
    net.height += most + 1;
    let tx = net.tx(0, Action::Heartbeat);
    net.block(vec![tx]);
    let id = net.submit(submission(1, 1, net.height + 100));
    net.block(vec![]);
    assert_eq!(seats(&net, id), [who(0)]);
    net.block(vec![]);
    for n in [1, 2] {
        let record: WorkerRecord = net.get(Key::Worker(who(n))).unwrap();
        let places = net.get::<PlacesOf>(Key::PlacesOf(who(n))).unwrap_or_default().len();
        assert_eq!(places, usize::from(record.places()));
    }
    let silent = |net: &Net, n| net.get::<WorkerRecord>(Key::Worker(who(n))).unwrap().silent;
    while !silent(&net, 1) {
        net.submit(Submission { fresh: true, ..submission(1, 1, net.height + 100) });
        net.block(vec![]);
    }
    net.block(vec![]);
    assert_eq!(net.get::<PlacesOf>(Key::PlacesOf(who(1))), None);
    let fees = Action::Transfer { to: who(1), amount: NanoMeshx::new(100_000) };
    let tx = net.tx(CLIENT, fees);
    net.block(vec![tx]);
    let tx = net.tx(1, Action::Heartbeat);
    net.block(vec![tx]);
    net.block(vec![]);
    assert_eq!(net.get::<PlacesOf>(Key::PlacesOf(who(1))).map(|own| own.len()), Some(16));
}

/// How many of 400 jobs of three replicas have two of an attacker's names, whose places are `names` × `capacity`, beside
/// 90 honest places.
fn quorums(names: u32, capacity: u16) -> usize {
    let mut net = Net::new(90);
    for n in 0..90 {
        let mut record: WorkerRecord = net.get(Key::Worker(who(n))).unwrap();
        (record.capacity, record.reputation) = (256, REPUTATION_NEW);
        net.store.0.insert(Key::Worker(who(n)), record.encode().to_vec());
    }
    let mut places: Vec<Address> = (0..90).map(who).collect();
    let name =
        |i: u32| Address::of(&PublicKey(types::domain_hash("attacker", &[&i.to_be_bytes()]).0));
    for i in 0..names {
        let record =
            WorkerRecord { capacity: 256, reputation: REPUTATION_NEW, ..Default::default() };
        net.store.0.insert(Key::Worker(name(i)), record.encode().to_vec());
        places.extend((0..capacity).map(|_| name(i)));
    }
    for (number, worker) in (0..).zip(&places) {
        let place = WorkerPlace { worker: *worker, nth: 0 };
        net.store.0.insert(Key::WorkerPlace(number), place.encode().to_vec());
    }
    let count = u32::try_from(places.len()).unwrap();
    net.store.0.insert(Key::WorkerPlaces, count.encode().to_vec());
    net.store.0.insert(Key::WorkerCount, count.encode().to_vec());
    let mut won = 0;
    for round in 0..8_u8 {
        let job = |net: &mut Net, n: u8| {
            let mut job = submission(3, 2, net.height + 200);
            job.spec.seed = types::domain_hash("job", &[&[round, n]]);
            net.tx(CLIENT, Action::SubmitJob(job))
        };
        let txs: Vec<CheckedTx> = (0..50).map(|n| job(&mut net, n)).collect();
        net.block(txs.clone());
        net.block(vec![]);
        let attacker: Vec<Address> = (0..names).map(name).collect();
        let two = |tx: &&CheckedTx| {
            seats(&net, tx.id()).iter().filter(|seat| attacker.contains(seat)).count() >= 2
        };
        won += txs.iter().filter(two).count();
    }
    won
}

#[test]
fn quorums_follow_bonds_and_not_names() {
    // 10 of 100 places: two of three seats in 2.8 % of all jobs if they are ten names, and never if they are one.
    assert_eq!(quorums(1, 10), 0);
    assert!(quorums(10, 1) <= 400 / 10);
    // A thousand names with one place among them would be a thousand bonds. As many names as places is the most there is.
    assert!(quorums(90, 1) <= 400 * 65 / 100);
}

#[test]
fn nobody_is_brought_below_the_lowest_reputation() {
    let mut net = Net::new(3);
    for n in 0..3 {
        let record: WorkerRecord = net.get(Key::Worker(who(n))).unwrap();
        let record = WorkerRecord { reputation: REPUTATION_MIN + 1, ..record };
        net.store.0.insert(Key::Worker(who(n)), record.encode().to_vec());
    }
    let id = net.submit(submission(3, 2, net.height + 900));
    net.run(id, |seat| Some(outcome(u8::from(seat == 0))));
    let Phase::Settled(settlement) = net.job(id).phase else { panic!("{:?}", net.job(id).phase) };
    let odd = settlement.assignments.as_slice()[0].worker;
    let record: WorkerRecord = net.get(Key::Worker(odd)).unwrap();
    assert_eq!(record.reputation, REPUTATION_MIN);
}

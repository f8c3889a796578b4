//! Committees by ticket: who sits, who does not, and why.

use crate::economy::world::{EPOCH, World, lots, voting, who};
use types::{
    Action, Bytes, ChainId, Epoch, Hash, Height, Import, List, NanoMeshx, Proved, PublicKey, Term,
    Text,
    codec::Encode as _,
    committee::{DrawRecord, SeatsRecord, SortitionParams, TicketRecord},
    network::NetworkKeys,
    staking::{DelegationRecord, StakeOrder},
    state::{Key, Stake, TermRecord},
};

const BY_TICKET: SortitionParams = SortitionParams {
    seats_min: 2,
    ticket_blocks: 3,
    presence_required: 0,
    ..SortitionParams::DEFAULT
};

fn world() -> World {
    World::with(4, BY_TICKET, vec![])
}

fn seats(world: &World, chain: ChainId) -> Option<SeatsRecord> {
    world.get(Key::Seats(chain))
}

/// Who sits on the backbone, by number.
fn seated(world: &World) -> Vec<u8> {
    let record = seats(world, ChainId::Backbone);
    let seats = record.iter().flat_map(|record| record.seats.iter());
    let mut people: Vec<u8> =
        seats.map(|seat| (0..6).find(|n| who(*n) == seat.operator).expect("one of ours")).collect();
    people.sort_unstable();
    people
}

/// A block with the tickets of `people`, all of which count.
fn send(world: &mut World, people: &[u8]) {
    let tickets = people.iter().map(|n| world.tx(*n, 0, world.ticket_by(*n, *n))).collect();
    assert!(world.block(tickets).is_empty());
}

#[test]
fn who_sent_a_ticket_sits_and_nobody_else() {
    let mut world = world();
    world.until_tickets(1);
    send(&mut world, &[0, 1, 3]);
    assert!(world.get::<TicketRecord>(Key::Ticket(who(3))).is_some());
    world.until_boundary(2);
    assert_eq!(seated(&world), [0, 1, 3]);
    let record = seats(&world, ChainId::Backbone).unwrap();
    assert_eq!((record.number, record.chosen), (1, Height::new(2 * EPOCH)));
    for seat in record.seats.iter() {
        let n = (0..4).find(|n| who(*n) == seat.operator).unwrap();
        assert_eq!((seat.key, seat.tokens.get()), (PublicKey(voting(n).public()), 10_000));
    }
    assert_eq!(world.get::<TicketRecord>(Key::Ticket(who(3))), None, "a ticket is for one epoch");
    for chain in ChainId::ALL.into_iter().filter(|chain| chain.is_shard()) {
        assert_eq!(seats(&world, chain), None, "nobody is certified to stand in {chain}");
    }
    // The next epoch has another seed, and its own tickets.
    let draw = |world: &World| world.get::<DrawRecord>(Key::Draw).unwrap();
    assert_eq!((draw(&world).epoch, draw(&world).seed), (Epoch::new(2), Hash::ZERO));
    world.until_tickets(2);
    send(&mut world, &[2, 3]);
    world.until_boundary(3);
    assert_eq!(seated(&world), [2, 3]);
    assert_eq!(seats(&world, ChainId::Backbone).unwrap().number, 2);
}

#[test]
fn too_few_tickets_leave_the_committee_as_it_is() {
    let mut world = world();
    world.until_tickets(1);
    send(&mut world, &[1, 2, 3]);
    world.until_boundary(2);
    let before = seats(&world, ChainId::Backbone);
    for epoch in 2..4 {
        world.until_tickets(epoch);
        send(&mut world, &[0]);
        world.until_boundary(epoch + 1);
        assert_eq!(seats(&world, ChainId::Backbone), before, "one seat is less than two");
    }
    world.until_boundary(6);
    assert_eq!(seats(&world, ChainId::Backbone), before, "and none is less");
}

#[test]
fn a_ticket_that_does_not_count_is_told_why() {
    let mut world = world();
    let refused = |world: &mut World, action: Action| world.block(vec![world.tx(5, 0, action)]);
    // Before anything was drawn from, and in the block of the boundary.
    let early = world.ticket_by(0, 0);
    assert_eq!(refused(&mut world, early), ["ticket_epoch"]);
    world.until_boundary(1);
    let early = world.ticket_by(0, 0);
    assert_eq!(refused(&mut world, early), ["ticket_early"], "the seed comes in this block");
    // Of another's key, of nobody's validator, of another epoch.
    let forged = world.ticket_by(0, 1);
    assert_eq!(refused(&mut world, forged), ["not_its_ticket"]);
    let draw: DrawRecord = world.get(Key::Draw).unwrap();
    let late = world.ticket_by(1, 1);
    assert_eq!((draw.opens, draw.closes.get()), (Height::new(EPOCH + 2), 2 * EPOCH - 1));
    let nobody = world.ticket_by(4, 4);
    let txs = vec![
        world.tx(5, 0, nobody),
        // Carried by somebody else, and then by its owner.
        world.tx(5, 0, world.ticket_by(2, 2)),
        world.tx(2, 0, world.ticket_by(2, 2)),
    ];
    assert_eq!(world.height + 1, draw.closes.get());
    assert_eq!(world.block(txs), ["unknown_validator", "ticket_taken"]);
    assert_eq!(refused(&mut world, late.clone()), ["ticket_epoch"], "the boundary opened another");
    world.block(vec![]);
    assert_eq!(refused(&mut world, late), ["ticket_epoch"]);
    let of_now = world.ticket_by(1, 1);
    world.block(vec![]);
    assert_eq!(refused(&mut world, of_now), ["ticket_epoch"]);
}

#[test]
fn a_ticket_is_late_one_block_after_the_window() {
    let mut world = World::with(4, SortitionParams { ticket_blocks: 2, ..BY_TICKET }, vec![]);
    world.until_tickets(1);
    send(&mut world, &[0, 1]);
    let late = world.ticket_by(2, 2);
    assert_eq!(world.block(vec![world.tx(2, 0, late)]), ["ticket_late"]);
    world.until_boundary(2);
    assert_eq!(seated(&world), [0, 1]);
}

#[test]
fn a_ticket_costs_its_carrier_nothing() {
    let mut world = world();
    world.until_tickets(1);
    let before = world.balance(who(5));
    let ticket = world.ticket_by(0, 0);
    assert!(world.block(vec![world.tx(5, 0, ticket)]).is_empty());
    assert_eq!(world.balance(who(5)), before);
}

#[test]
fn a_validator_that_may_not_sit_has_no_ticket() {
    let mut world = world();
    let leave = StakeOrder::Undelegate { validator: who(3), amount: None };
    assert!(world.block(vec![world.tx(3, 0, Action::Stake(leave))]).is_empty());
    world.until_tickets(1);
    let ticket = world.ticket_by(3, 3);
    assert_eq!(world.block(vec![world.tx(3, 0, ticket)]), ["not_eligible"]);
}

#[test]
fn whoever_loses_its_stake_after_its_ticket_does_not_sit() {
    let mut world = world();
    world.until_tickets(1);
    send(&mut world, &[0, 1, 2]);
    let leave = StakeOrder::Undelegate { validator: who(2), amount: None };
    assert!(world.block(vec![world.tx(2, 0, Action::Stake(leave))]).is_empty());
    world.until_boundary(2);
    assert_eq!(seated(&world), [0, 1]);
}

#[test]
fn a_vrf_key_counts_from_the_boundary_after_it() {
    let mut world = world();
    // Person 4 bonds, and has no key for lots yet.
    let bond = world.bond(4, 4, NanoMeshx::new(20_000));
    assert!(world.block(vec![world.tx(4, 0, Action::Stake(bond))]).is_empty());
    world.until_tickets(1);
    let ticket = world.ticket_by(4, 4);
    assert_eq!(world.block(vec![world.tx(4, 0, ticket)]), ["no_vrf_key"]);
    let register = world.register(4, lots(4).public(), 4);
    assert!(world.block(vec![world.tx(4, 0, register)]).is_empty());
    world.until_boundary(2);
    // In the block that asks for a seed, a key comes too late for it.
    world.until_tickets(2);
    send(&mut world, &[0, 4]);
    world.until_boundary(3);
    assert_eq!(seated(&world), [0, 4]);

    let mut world = self::world();
    while world.height < EPOCH - 1 {
        world.block(vec![]);
    }
    let register = world.register(1, lots(1).public(), 1);
    assert!(world.block(vec![world.tx(1, 0, register)]).is_empty());
    world.until_tickets(1);
    let ticket = world.ticket_by(1, 1);
    assert_eq!(world.block(vec![world.tx(1, 0, ticket)]), ["late_vrf_key"]);
}

#[test]
fn a_vrf_key_is_one_is_its_owners_and_does_nothing_else() {
    let (mut applied, world) = (world(), world());
    let mut small = [0; 32];
    small[0] = 1;
    let mut refused = |action: Action| {
        let tx = applied.tx(0, 0, action);
        applied.block(vec![tx]).pop()
    };
    assert_eq!(refused(world.register(0, small, 0)), Some("bad_vrf_key"), "of small order");
    assert_eq!(refused(world.register(0, [0xff; 32], 0)), Some("bad_vrf_key"), "not canonical");
    let votes = voting(1).public();
    assert_eq!(refused(world.register(0, votes, 0)), Some("vrf_key_signs"));
    let pays = crate::economy::world::spend(0).public();
    assert_eq!(refused(world.register(0, pays, 0)), Some("vrf_key_signs"));
    assert_eq!(refused(world.register(0, lots(3).public(), 0)), Some("vrf_key_not_proved"));
    // A proof is for one account.
    assert_eq!(refused(world.register(1, lots(1).public(), 1)), Some("vrf_key_not_proved"));
    assert_eq!(refused(world.register(0, lots(0).public(), 0)), None);
}

#[test]
fn rewards_go_to_those_who_sat() {
    let mut world = world();
    let owed = |world: &World, n: u8| {
        let own = Stake { delegator: who(n), validator: who(n) };
        let delegation: DelegationRecord = world.get(Key::Delegation(own)).unwrap();
        let validator = world.validator(n);
        let earned = delegation.shares * (validator.rewards_per_share - delegation.paid_up_to);
        u64::try_from(earned >> 64).unwrap() + validator.commission_owed.get()
    };
    world.until_tickets(1);
    send(&mut world, &[0, 1, 2]);
    world.until_boundary(2);
    // Until here the first committee sat, of all four; who was drawn sits three terms later.
    let first: Vec<u64> = (0..4).map(|n| owed(&world, n)).collect();
    assert!(first[3] > 0 && first.iter().all(|owed| owed.abs_diff(first[3]) <= 1), "{first:?}");
    let term =
        |world: &World, term| -> Option<TermRecord> { world.get(Key::Term(Term::new(term))) };
    world.until_boundary(3);
    let of = |people: &[u8]| {
        let mut keys: Vec<_> = people.iter().map(|n| PublicKey(voting(*n).public())).collect();
        keys.sort_unstable();
        keys
    };
    assert_eq!(term(&world, 4).unwrap().keys.as_slice(), of(&[0, 1, 2, 3]));
    assert_eq!(term(&world, 5).unwrap().keys.as_slice(), of(&[0, 1, 2]));
    world.until_boundary(5);
    let first: Vec<u64> = (0..4).map(|n| owed(&world, n)).collect();
    assert!(first[3] > 0 && first.iter().all(|owed| owed.abs_diff(first[3]) <= 2), "{first:?}");
    world.until_boundary(6);
    let second: Vec<u64> = (0..4).map(|n| owed(&world, n)).collect();
    assert_eq!(second[3], first[3], "it had no seat");
    assert!((0..3).all(|n| second[n] > first[n]), "{first:?} {second:?}");
}

/// Seats that nobody has proved.
fn told(seats: SeatsRecord) -> Action {
    let network_keys =
        NetworkKeys { name: Text::default(), dev_dealer: true, chains: List::default() };
    let (certificate, proof) = (Bytes::default(), Bytes::default());
    let proved = Proved { record: seats, header: header(), certificate, proof };
    Action::ImportSeats(Import { network_keys, proved })
}

/// That they are taken when they are proved is shown on running chains, in the node's tests.
#[test]
fn a_shard_believes_newer_seats_of_its_own_that_are_proved() {
    let mut world = world();
    world.until_tickets(1);
    send(&mut world, &[0, 1]);
    world.until_boundary(2);
    let drawn = seats(&world, ChainId::Backbone).unwrap();
    let refused = |world: &mut World, action| world.block(vec![world.tx(0, 0, action)]).pop();
    assert_eq!(refused(&mut world, told(drawn.clone())), Some("own_seats"));

    let ticket = world.ticket_by(0, 0);
    world.chain = ChainId::Europe;
    assert_eq!(refused(&mut world, ticket), Some("no_draw_here"));
    assert_eq!(refused(&mut world, told(drawn.clone())), Some("seats_elsewhere"));
    let ours = |number| SeatsRecord { chain: ChainId::Europe, number, ..drawn.clone() };
    assert_eq!(refused(&mut world, told(ours(3))), Some("not_proved"));
    let key = Key::Seats(ChainId::Europe);
    world.store.0.insert(key, ours(3).encode().to_vec());
    assert_eq!(refused(&mut world, told(ours(3))), Some("seats_known"));
    assert_eq!(refused(&mut world, told(ours(2))), Some("seats_known"));
    assert_eq!(refused(&mut world, told(ours(4))), Some("not_proved"));
    // What it knows is who votes three terms later.
    let term =
        |world: &World| world.get::<TermRecord>(Key::Term(Term::new(world.height / EPOCH + 3)));
    while world.height % EPOCH != EPOCH / 2 {
        world.block(vec![]);
    }
    let mut keys: Vec<PublicKey> = drawn.seats.iter().map(|seat| seat.key).collect();
    keys.sort_unstable();
    assert_eq!(term(&world).unwrap().keys.as_slice(), keys);
}

/// Of no block.
fn header() -> types::Header {
    let log = types::LogRoot { root: Hash::ZERO, start: 0, end: 0 };
    types::Header {
        chain: ChainId::Backbone,
        term: Term::ZERO,
        view: 1,
        leader: PublicKey([0; 32]),
        parent_view: 0,
        parent: Hash::ZERO,
        height: Height::ZERO,
        timestamp: types::Millis::ZERO,
        body: Hash::ZERO,
        state_root: Hash::ZERO,
        state_log: log,
        outbox: log,
    }
}

/// In any blocks, also twice or for others: those with a ticket get the seats, if they are enough.
#[test]
fn in_every_epoch_those_with_a_ticket_sit_or_all_stays() {
    let mut state = 7_u64;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut world = world();
    let (mut before, mut drawn) = (vec![], 0);
    for epoch in 1..40 {
        world.until_tickets(epoch);
        let mut asked = std::collections::BTreeSet::new();
        for _ in 0..2 {
            let mut nonces = [0; 6];
            let mut txs = Vec::new();
            let mut expected = 0;
            for _ in 0..random(4) {
                let operator = u8::try_from(random(5)).unwrap();
                let by = if random(4) == 0 { (operator + 1) % 4 } else { operator };
                let carrier = u8::try_from(random(6)).unwrap();
                let counts = operator < 4 && by == operator && asked.insert(operator);
                let later = &mut nonces[usize::from(carrier)];
                txs.push(world.tx(carrier, *later, world.ticket_by(operator, by)));
                // After one that is refused, the carrier's others have a gap before them.
                if counts {
                    *later += 1;
                } else {
                    expected += 1;
                }
            }
            assert_eq!(world.block(txs).len(), expected);
        }
        world.until_boundary(epoch + 1);
        let asked: Vec<u8> = asked.into_iter().collect();
        let due = if asked.len() < 2 { before.clone() } else { asked };
        assert_eq!(seated(&world), due, "epoch {epoch}");
        drawn += u64::from(due != before);
        before = due;
    }
    assert!(drawn > 10, "the test draws: {drawn}");
}

//! The backbone's money under random orders to bond, move, claim, slash and mint: every nano is
//! accounted for after every block.
//!
//! `MESHX_ECONOMY_SEED=7` and `MESHX_ECONOMY_CASES=100000` look elsewhere and longer.

mod audit;
mod orders;
pub mod world;

use orders::{Random, equivocation_proof};
use std::collections::{BTreeMap, BTreeSet};
use types::{
    Action, ChainId, EquivocationProof, List, Millis, NanoMeshx, ParamName, Params, Text,
    committee::SeatsRecord,
    governance::{Decree, Order, ParamChange, Proposal, ProposalKind, ProposalStatus, VoteOption},
    staking::{PeerAddresses, StakeOrder, Standing},
    state::{Key, OPEN_PROPOSALS_MAX, Supply},
};
use world::{EPOCH, PEOPLE, World, who};

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn every_nano_is_accounted_for_whatever_is_ordered() {
    let (seed, cases) = (setting("MESHX_ECONOMY_SEED", 1), setting("MESHX_ECONOMY_CASES", 60));
    let (mut included, mut refused) = (0, BTreeMap::<&str, u64>::new());
    for case in 0..cases {
        let mut random = Random((seed << 32) + case + 1);
        let mut world = World::new();
        for _ in 0..30 {
            let mut nonces = BTreeMap::<u8, u64>::new();
            let txs = (0..random.below(5))
                .map(|_| {
                    let from = u8::try_from(random.below(u64::from(PEOPLE))).unwrap();
                    let action = world.order(&mut random, from);
                    let later = nonces.entry(from).or_default();
                    *later += 1;
                    world.tx(from, *later - 1, action)
                })
                .collect();
            world.block(txs);
        }
        included += world.included;
        world.refused.iter().for_each(|(code, n)| *refused.entry(code).or_default() += n);
    }
    println!("{cases} cases, {included} orders went through, refused: {refused:#?}");
    if cases >= 60 {
        assert!(included > cases, "orders went through");
        for code in [
            "below_minimum",
            "no_delegation",
            "insufficient_funds",
            "key_not_proved",
            "zero_amount",
            "already_validator",
            "nothing_unbonding",
            "nothing_owed",
            "not_jailed",
            "unknown_validator",
            "forged_signature",
            "vote_closed",
            "unknown_proposal",
            "no_stake",
            "param_out_of_bounds",
            "duplicate_param",
            "bad_amount",
            "pause_too_long",
            "same_vote",
            "commission_too_high",
            "nothing_vests",
            "same_validator",
        ] {
            assert!(refused.contains_key(code), "nothing was refused as {code}: {refused:?}");
        }
    }
}

#[test]
fn a_double_signer_loses_a_tenth_and_its_seat_once() {
    let mut world = World::new();
    let delegate = StakeOrder::Delegate { validator: who(0), amount: NanoMeshx::new(5_000) };
    world.block(vec![world.tx(3, 0, Action::Stake(delegate))]);
    let seated = |world: &World| {
        let key = Key::Seats(ChainId::Backbone);
        let seats: SeatsRecord = world.get(key).expect("tickets were drawn");
        seats.seats.iter().map(|seat| seat.operator).collect::<BTreeSet<_>>()
    };
    world.until_tickets(1);
    let tickets = [0, 1].map(|n| world.tx(n, 0, world.ticket_by(n, n)));
    assert!(world.block(tickets.to_vec()).is_empty());
    world.until_boundary(2);
    assert_eq!(seated(&world), BTreeSet::from([who(0), who(1)]));
    let burned = world.get::<Supply>(Key::Supply).unwrap().burned.get();

    // Anyone may report; here somebody without stake.
    let view = world.height * 90;
    let forged = world.tx(4, 0, Action::Report(equivocation_proof(0, view, 1)));
    assert_eq!(world.block(vec![forged]), ["forged_signature"]);
    let future = world.tx(4, 0, Action::Report(equivocation_proof(0, view * 9, 0)));
    assert_eq!(world.block(vec![future]), ["unknown_view"]);
    let proof = world.tx(4, 0, Action::Report(equivocation_proof(0, view, 0)));
    assert!(world.block(vec![proof]).is_empty());
    let guilty = world.validator(0);
    assert_eq!((guilty.tokens.get(), guilty.standing), (13_500, Standing::Tombstoned));
    let after = world.get::<Supply>(Key::Supply).unwrap().burned.get();
    assert_eq!(after - burned, 1_500 + 2_000, "a tenth of 15,000, and two base fees for its gas");

    // The same again, the other way round, and of another view: refused, and nothing is burned but for fees.
    let again = world.tx(4, 0, Action::Report(equivocation_proof(0, view, 0)));
    assert_eq!(world.block(vec![again]), ["already_punished"]);
    let proof = equivocation_proof(0, view, 0);
    let swapped = EquivocationProof { first: proof.second, second: proof.first, ..proof };
    let swapped = world.tx(4, 0, Action::Report(swapped));
    assert_eq!(world.block(vec![swapped]), ["already_punished"]);
    assert_eq!(world.validator(0).tokens.get(), 13_500);

    let next = world.height / EPOCH + 1;
    world.until_tickets(next);
    let tickets = [0, 1].map(|n| world.tx(n, 0, world.ticket_by(n, n)));
    assert_eq!(world.block(tickets.to_vec()), ["not_eligible"]);
    world.until_boundary(next + 1);
    assert_eq!(seated(&world), BTreeSet::from([who(1)]), "out of the next committee");
}

#[test]
fn nodes_are_made_known_by_those_who_have_stake_to_lose() {
    let mut world = World::new();
    let announce = |addresses: &[&str]| {
        let addresses = addresses.iter().map(|text| Text::new(*text).unwrap()).collect();
        Action::Stake(StakeOrder::Announce { addresses: List::new(addresses).unwrap() })
    };
    let known = |world: &World, n: u8| -> Vec<String> {
        let peers: PeerAddresses = world.get(Key::Peers(who(n))).unwrap_or_default();
        peers.iter().map(|address| address.as_str().to_owned()).collect()
    };
    let (first, second) = ("/ip4/192.0.2.1/tcp/8704/p2p/a", "/dns4/node.example/tcp/1/p2p/b");
    let stranger = world.tx(4, 0, announce(&[first]));
    assert_eq!(world.block(vec![stranger]), ["unknown_validator"]);
    for unreadable in ["nowhere", "", "/ip4/192.0.2.1 /tcp/1", "/dns4/ex\u{e4}mple/tcp/1"] {
        let order = world.tx(0, 0, announce(&[first, unreadable]));
        assert_eq!(world.block(vec![order]), ["peer_address"], "{unreadable:?}");
    }
    let order = world.tx(0, 0, announce(&[first, second]));
    assert!(world.block(vec![order]).is_empty());
    assert_eq!(known(&world, 0), [first, second]);
    // The next order replaces what was known, and an empty one leaves no record.
    let order = world.tx(0, 0, announce(&[second]));
    assert!(world.block(vec![order]).is_empty());
    assert_eq!((known(&world, 0), known(&world, 1)), (vec![second.to_owned()], vec![]));
    let order = world.tx(0, 0, announce(&[]));
    assert!(world.block(vec![order]).is_empty());
    assert_eq!(world.get::<PeerAddresses>(Key::Peers(who(0))), None);

    // A validator that is excluded for ever announces no addresses any more.
    let view = world.height * 90;
    let proof = world.tx(4, 0, Action::Report(equivocation_proof(0, view, 0)));
    assert!(world.block(vec![proof]).is_empty());
    let order = world.tx(0, 0, announce(&[first]));
    assert_eq!(world.block(vec![order]), ["tombstoned"]);
}

#[test]
fn a_proof_older_than_the_unbonding_period_is_refused() {
    let mut world = World::new();
    while world.height < 12 {
        world.block(vec![]);
    }
    // Views are noted in steps of 256, so view 90 is dated to block 3; the period is eight blocks.
    let old = world.tx(4, 0, Action::Report(equivocation_proof(0, 90, 0)));
    assert_eq!(world.block(vec![old]), ["equivocation_too_old"]);
    assert_eq!(world.validator(0).tokens.get(), 10_000);
}

#[test]
fn what_leaves_after_the_fault_is_slashed_too() {
    let mut world = World::new();
    let delegate = StakeOrder::Delegate { validator: who(0), amount: NanoMeshx::new(5_000) };
    world.block(vec![world.tx(3, 0, Action::Stake(delegate))]);
    let view = world.height * 90;
    world.block(vec![]);
    let leave = StakeOrder::Undelegate { validator: who(0), amount: None };
    world.block(vec![world.tx(3, 0, Action::Stake(leave))]);
    world.block(vec![world.tx(4, 0, Action::Report(equivocation_proof(0, view, 0)))]);
    let early = StakeOrder::Withdraw { validator: who(0) };
    assert_eq!(world.block(vec![world.tx(3, 0, Action::Stake(early.clone()))]), ["not_matured"]);
    for _ in 0..8 {
        world.block(vec![]);
    }
    let before = world.balance(who(3));
    assert!(world.block(vec![world.tx(3, 0, Action::Stake(early.clone()))]).is_empty());
    assert_eq!(world.balance(who(3)) - before, 4_500 - 1_000, "a tenth and the fee are gone");
    assert_eq!(world.block(vec![world.tx(3, 0, Action::Stake(early))]), ["nothing_unbonding"]);
}

/// Vote on a change of the slash with `votes` (person, option) and tell how it ended; person 3 has delegated 60,000.
fn decide(votes: &[(u8, VoteOption)]) -> (World, ProposalStatus) {
    let mut world = World::new();
    let delegate = StakeOrder::Delegate { validator: who(0), amount: NanoMeshx::new(60_000) };
    world.block(vec![world.tx(3, 0, Action::Stake(delegate))]);
    let change = ParamChange { chain: None, name: ParamName::StakingSlashBps, value: 700 };
    let kind = ProposalKind::ChangeParams { changes: List::new(vec![change]).unwrap() };
    let title = Text::new("Milder").unwrap();
    assert!(world.block(vec![world.tx(2, 0, Action::Propose { title, kind })]).is_empty());
    for (person, option) in votes {
        let vote = Action::Vote { proposal: 1, option: *option };
        assert!(world.block(vec![world.tx(*person, 0, vote)]).is_empty());
    }
    for _ in 0..20 {
        world.block(vec![]);
    }
    let status = world.get::<Proposal>(Key::Proposal(1)).unwrap().status;
    (world, status)
}

#[test]
fn a_vote_changes_a_parameter_at_a_boundary_and_other_ends_change_none() {
    use VoteOption::{Abstain, No, Veto, Yes};
    let slash = |world: &World| world.get::<Params>(Key::Params).unwrap().staking.slash_bps;
    // The operator's 10,000 and the 60,000 behind it.
    let (world, status) = decide(&[(0, Yes)]);
    assert!(matches!(status, ProposalStatus::Executed { .. }), "{status:?}");
    assert_eq!(slash(&world), 700);
    let decree: Decree = world.get(Key::Decree(1)).unwrap();
    assert!(matches!(decree.order, Order::SetParams { .. }));

    // A delegator's own vote takes its stake out of its operator's.
    let (world, status) = decide(&[(0, Yes), (3, No)]);
    assert_eq!((status, slash(&world)), (ProposalStatus::Rejected, 1_000));
    let Proposal { tally, .. } = world.get(Key::Proposal(1)).unwrap();
    assert_eq!((tally.yes.get(), tally.no.get()), (10_000, 60_000));

    assert_eq!(decide(&[]).1, ProposalStatus::NoQuorum);
    // Half is not more than half.
    assert_eq!(decide(&[(1, Yes), (0, No), (3, Abstain)]).1, ProposalStatus::Rejected);
    let before = World::new().balance(who(2));
    let (world, status) = decide(&[(0, Veto)]);
    assert_eq!(status, ProposalStatus::Vetoed);
    assert_eq!(before - world.balance(who(2)), 50_000 + 1_000, "the deposit is burned");
    let (world, _) = decide(&[(3, No)]);
    assert_eq!(before - world.balance(who(2)), 1_000, "and comes back otherwise");
}

#[test]
fn stake_that_moves_after_its_vote_does_not_vote_twice() {
    let mut world = World::new();
    let delegate = StakeOrder::Delegate { validator: who(0), amount: NanoMeshx::new(60_000) };
    world.block(vec![world.tx(3, 0, Action::Stake(delegate))]);
    let kind = ProposalKind::PauseIntake { chain: None, lasting: Millis::new(1_000) };
    let title = Text::new("Stop").unwrap();
    // A second's voting is two blocks: all of it happens in one.
    let vote = |option| Action::Vote { proposal: 1, option };
    let moved =
        StakeOrder::Redelegate { from: who(0), to: who(1), amount: Some(NanoMeshx::new(50_000)) };
    let refused = world.block(vec![
        world.tx(2, 0, Action::Propose { title, kind }),
        world.tx(3, 0, vote(VoteOption::Yes)),
        world.tx(3, 1, Action::Stake(moved)),
        world.tx(1, 0, vote(VoteOption::No)),
    ]);
    assert!(refused.is_empty(), "{refused:?}");
    while matches!(
        world.get::<Proposal>(Key::Proposal(1)).unwrap().status,
        ProposalStatus::Voting { .. }
    ) {
        world.block(vec![]);
    }
    let Proposal { tally, .. } = world.get(Key::Proposal(1)).unwrap();
    // 10,000 stayed and say yes; 50,000 follow the operator they are behind now.
    assert_eq!((tally.yes.get(), tally.no.get()), (10_000, 60_000));
}

/// A pause, which is voted on for two blocks.
fn pause() -> Action {
    let kind = ProposalKind::PauseIntake { chain: None, lasting: Millis::new(1_000) };
    Action::Propose { title: Text::new("Stop").unwrap(), kind }
}

#[test]
fn an_operator_that_takes_all_its_stake_away_speaks_for_nobody() {
    let mut world = World::new();
    let delegate = StakeOrder::Delegate { validator: who(0), amount: NanoMeshx::new(60_000) };
    world.block(vec![world.tx(3, 0, Action::Stake(delegate))]);
    let leave = StakeOrder::Undelegate { validator: who(0), amount: None };
    let refused = world.block(vec![
        world.tx(2, 0, pause()),
        world.tx(0, 0, Action::Vote { proposal: 1, option: VoteOption::Yes }),
        world.tx(1, 0, Action::Vote { proposal: 1, option: VoteOption::No }),
        world.tx(0, 1, Action::Stake(leave)),
    ]);
    assert!(refused.is_empty(), "{refused:?}");
    for _ in 0..4 {
        world.block(vec![]);
    }
    let Proposal { tally, .. } = world.get(Key::Proposal(1)).unwrap();
    assert_eq!((tally.yes.get(), tally.no.get()), (0, 10_000));
}

#[test]
fn proposals_of_other_kinds_leave_a_place_for_an_emergency() {
    let mut world = World::new();
    let ordinary = || {
        let change = ParamChange { chain: None, name: ParamName::BurnedBps, value: 50 };
        let changes = List::new(vec![change]).unwrap();
        let title = Text::new("Burn less").unwrap();
        Action::Propose { title, kind: ProposalKind::ChangeParams { changes } }
    };
    let most = OPEN_PROPOSALS_MAX as u64 - 1;
    let txs = (0..=most).map(|later| world.tx(2, later, ordinary())).collect();
    assert_eq!(world.block(txs), ["too_many_proposals"]);
    assert!(world.block(vec![world.tx(2, 0, pause())]).is_empty());
    assert_eq!(world.block(vec![world.tx(2, 0, pause())]), ["too_many_proposals"]);
}

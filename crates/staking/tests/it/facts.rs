//! Single facts: attacks that fail, and the moments something turns invalid.

use crate::world::{FAUCET, Operation, World, nano, who};
use staking::{Portion, Refusal, is_eligible};
use types::{
    Millis,
    staking::{Fault, StakingParams, Standing},
    state::pools,
};

const DAY: u64 = 86_400_000;
const MESHX: u64 = 1_000_000_000;
const ANN: u8 = 0;
const BEN: u8 = 1;
const CARL: u8 = 2;

fn params() -> StakingParams {
    StakingParams {
        validator_min: nano(100_000 * MESHX),
        delegator_min: nano(100 * MESHX),
        unbonding_ms: Millis::new(14 * DAY),
        slash_bps: 1_000,
        commission_max_bps: 2_000,
        jail_ms: Millis::new(DAY),
        validators_max: 100,
    }
}

/// Ann and Ben are validators with 100,000 MESHX each, commission 0; Carl has money.
fn world() -> World {
    let mut world = World::new(params(), 3, 1_000_000 * MESHX);
    for v in [ANN, BEN] {
        accept(&mut world, Operation::Bond { v, amount: 100_000 * MESHX, bps: 0 });
    }
    world
}
#[track_caller]
fn accept(world: &mut World, operation: Operation) {
    world.apply(operation).expect("possible").expect("accepted");
}
#[track_caller]
fn refuse(world: &mut World, operation: Operation) -> Refusal {
    let refusal = world.apply(operation).expect("possible").expect_err("refused");
    assert!(refusal.code().as_str().bytes().all(|b| b == b'_' || b.is_ascii_lowercase()));
    refusal
}
fn delegate(d: u8, v: u8, meshx: u64) -> Operation {
    Operation::Delegate { d, v, amount: meshx * MESHX }
}
fn undelegate(d: u8, v: u8, meshx: u64) -> Operation {
    Operation::Undelegate { d, v, portion: Portion::Amount(nano(meshx * MESHX)) }
}
fn all(d: u8, v: u8) -> Operation {
    Operation::Undelegate { d, v, portion: Portion::All }
}
fn redelegate(d: u8, v: u8, to: u8) -> Operation {
    Operation::Redelegate { d, v, to, portion: Portion::All }
}
fn wrong(v: u8, height: u64) -> Operation {
    Operation::Slash { v, fault: Fault::WrongResult, height }
}
fn double(v: u8, height: u64) -> Operation {
    Operation::Slash { v, fault: Fault::DoubleSigning, height }
}
fn pass(world: &mut World, ms: u64) {
    accept(world, Operation::Advance { ms });
}
/// Who may have a seat.
fn seats(world: &World) -> Vec<types::Address> {
    let mut eligible: Vec<_> =
        world.validators.values().filter(|v| is_eligible(v, &world.params)).collect();
    eligible.sort_by_key(|validator| [ANN, BEN].map(|n| who(n) != validator.operator));
    eligible.into_iter().map(|validator| validator.operator).collect()
}
fn worth(world: &World, d: u8, v: u8) -> u64 {
    world.position(d, v).unwrap().worth().get()
}

#[test]
fn minimums_turn_at_the_nano() {
    let mut world = world();
    let one_less = Operation::Delegate { d: CARL, v: ANN, amount: 100 * MESHX - 1 };
    assert_eq!(refuse(&mut world, one_less).code(), "below_minimum");
    accept(&mut world, delegate(CARL, ANN, 100));
    let bond = |amount| Operation::Bond { v: CARL, amount, bps: 0 };
    assert_eq!(refuse(&mut world, bond(100_000 * MESHX - 1)).code(), "below_minimum");
    accept(&mut world, bond(100_000 * MESHX));
    assert_eq!(refuse(&mut world, bond(100_000 * MESHX)), Refusal::AlreadyValidator(who(CARL)));
}

#[test]
fn a_part_that_leaves_leaves_no_dust() {
    let mut world = world();
    accept(&mut world, delegate(CARL, ANN, 150));
    assert_eq!(refuse(&mut world, undelegate(CARL, ANN, 51)).code(), "leaves_too_little");
    assert_eq!(refuse(&mut world, undelegate(CARL, ANN, 151)).code(), "insufficient_stake");
    assert_eq!(refuse(&mut world, undelegate(CARL, ANN, 0)), Refusal::ZeroAmount);
    accept(&mut world, undelegate(CARL, ANN, 50));
    accept(&mut world, undelegate(CARL, ANN, 100));
    assert_eq!(refuse(&mut world, all(CARL, ANN)), Refusal::NoDelegation);
}

#[test]
fn what_leaves_is_paid_once_and_not_before_14_days() {
    let mut world = world();
    accept(&mut world, delegate(CARL, ANN, 200));
    accept(&mut world, all(CARL, ANN));
    let withdraw = Operation::Withdraw { d: CARL, v: ANN };
    pass(&mut world, 14 * DAY - 1);
    assert_eq!(refuse(&mut world, withdraw).code(), "not_matured");
    pass(&mut world, 1);
    accept(&mut world, withdraw);
    assert_eq!(world.balance(who(CARL)), 1_000_000 * MESHX);
    assert_eq!(refuse(&mut world, withdraw), Refusal::NothingUnbonding);
}

#[test]
fn a_reward_is_claimed_once() {
    let mut world = world();
    accept(&mut world, delegate(CARL, ANN, 100_000));
    accept(&mut world, Operation::Reward { v: ANN, amount: 11 });
    let claim = Operation::Claim { d: CARL, v: ANN };
    accept(&mut world, claim);
    assert_eq!(refuse(&mut world, claim), Refusal::NothingOwed);
    assert_eq!(world.balance(who(CARL)), 900_000 * MESHX + 5);
    // The half nano of before is not lost.
    accept(&mut world, Operation::Reward { v: ANN, amount: 2 });
    accept(&mut world, claim);
    assert_eq!(world.balance(who(CARL)), 900_000 * MESHX + 6);
}

#[test]
fn who_comes_after_a_reward_has_no_part_in_it() {
    let mut world = world();
    accept(&mut world, Operation::Reward { v: ANN, amount: 1_000 });
    accept(&mut world, delegate(CARL, ANN, 100_000));
    assert_eq!(refuse(&mut world, Operation::Claim { d: CARL, v: ANN }), Refusal::NothingOwed);
    accept(&mut world, all(CARL, ANN));
    accept(&mut world, Operation::Reward { v: ANN, amount: 1_000 });
    accept(&mut world, delegate(CARL, ANN, 100_000));
    assert_eq!(refuse(&mut world, Operation::Claim { d: CARL, v: ANN }), Refusal::NothingOwed);
}

#[test]
fn an_operator_below_its_minimum_has_no_seat_however_much_others_delegate() {
    let mut world = world();
    accept(&mut world, delegate(CARL, ANN, 500_000));
    assert_eq!(seats(&world), [who(ANN), who(BEN)]);
    accept(&mut world, Operation::Undelegate { d: ANN, v: ANN, portion: Portion::Amount(nano(1)) });
    assert_eq!(seats(&world), [who(BEN)]);
    accept(&mut world, Operation::Delegate { d: ANN, v: ANN, amount: 1 });
    assert_eq!(seats(&world), [who(ANN), who(BEN)]);
    accept(&mut world, redelegate(ANN, ANN, BEN));
    assert_eq!(seats(&world), [who(BEN)]);
}

#[test]
fn a_fault_costs_a_tenth_once_and_jails() {
    let mut world = world();
    accept(&mut world, delegate(CARL, ANN, 100));
    accept(&mut world, wrong(ANN, 0));
    assert_eq!((worth(&world, ANN, ANN), worth(&world, CARL, ANN)), (90_000 * MESHX, 90 * MESHX));
    assert_eq!(world.burned, 10_010 * MESHX);
    assert_eq!(seats(&world), [who(BEN)]);
    assert_eq!(refuse(&mut world, wrong(ANN, 0)).code(), "already_punished");
    let unjail = Operation::Unjail { v: ANN, by: ANN };
    assert_eq!(refuse(&mut world, unjail).code(), "still_jailed");
    pass(&mut world, DAY);
    assert_eq!(refuse(&mut world, unjail).code(), "below_minimum");
    accept(&mut world, delegate(ANN, ANN, 10_000));
    assert_eq!(seats(&world), [who(BEN)]);
    accept(&mut world, unjail);
    assert_eq!(seats(&world), [who(ANN), who(BEN)]);
    assert_eq!(refuse(&mut world, unjail), Refusal::NotJailed);
}

#[test]
fn double_signing_is_for_ever() {
    let mut world = world();
    accept(&mut world, double(ANN, 0));
    pass(&mut world, 365 * DAY);
    assert_eq!(world.validators[&ANN].standing, Standing::Tombstoned);
    assert_eq!(refuse(&mut world, Operation::Unjail { v: ANN, by: ANN }), Refusal::Tombstoned);
    assert_eq!(refuse(&mut world, delegate(CARL, ANN, 100)), Refusal::Tombstoned);
    assert_eq!(refuse(&mut world, wrong(ANN, 1)), Refusal::Tombstoned);
    assert_eq!(refuse(&mut world, double(ANN, 0)).code(), "already_punished");
    let again = Operation::Bond { v: ANN, amount: 100_000 * MESHX, bps: 0 };
    assert_eq!(refuse(&mut world, again).code(), "already_validator");
    accept(&mut world, all(ANN, ANN));
}

#[test]
fn the_eighth_fault_is_for_ever() {
    let mut world = world();
    for height in 0..8 {
        assert_ne!(world.validators[&ANN].standing, Standing::Tombstoned);
        accept(&mut world, wrong(ANN, height));
        pass(&mut world, 1);
    }
    assert_eq!(world.validators[&ANN].standing, Standing::Tombstoned);
}

#[test]
fn equivocation_proofs_age() {
    let mut world = world();
    pass(&mut world, 14 * DAY - 1);
    accept(&mut world, wrong(ANN, 0));
    pass(&mut world, 1);
    assert_eq!(refuse(&mut world, wrong(BEN, 0)).code(), "equivocation_too_old");
    assert_eq!(refuse(&mut world, wrong(BEN, 3)).code(), "equivocation_from_future");
}

#[test]
fn stake_on_its_way_out_pays_for_what_was_done_while_it_was_in() {
    let mut world = world();
    accept(&mut world, delegate(CARL, ANN, 1_000));
    accept(&mut world, undelegate(CARL, ANN, 500));
    pass(&mut world, DAY);
    pass(&mut world, DAY);
    accept(&mut world, undelegate(CARL, ANN, 500));
    accept(&mut world, wrong(ANN, 1));
    pass(&mut world, 365 * DAY);
    accept(&mut world, Operation::Withdraw { d: CARL, v: ANN });
    // The first half had left before, the second had not.
    assert_eq!(world.balance(who(CARL)), (999_000 + 500 + 450) * MESHX);
    assert_eq!(world.balance(pools::unbonding()), 0);
}

#[test]
fn stake_that_moved_pays_for_where_it_was_and_cannot_hop() {
    let mut world = world();
    accept(&mut world, delegate(CARL, ANN, 1_000));
    accept(&mut world, redelegate(CARL, ANN, BEN));
    assert_eq!(refuse(&mut world, redelegate(CARL, BEN, ANN)).code(), "stake_locked");
    assert_eq!(refuse(&mut world, all(CARL, BEN)).code(), "stake_locked");
    accept(&mut world, double(ANN, 0));
    accept(&mut world, Operation::Settle { d: CARL, v: BEN });
    assert_eq!(worth(&world, CARL, BEN), 900 * MESHX);
    assert_eq!(worth(&world, BEN, BEN), 100_000 * MESHX);
    accept(&mut world, Operation::Settle { d: CARL, v: BEN });
    assert_eq!(worth(&world, CARL, BEN), 900 * MESHX);
    pass(&mut world, 14 * DAY);
    accept(&mut world, all(CARL, BEN));
}

#[test]
fn what_is_not_of_the_source_may_leave_at_once() {
    let mut world = world();
    accept(&mut world, delegate(CARL, ANN, 1_000));
    accept(&mut world, delegate(CARL, BEN, 300));
    accept(&mut world, redelegate(CARL, ANN, BEN));
    accept(&mut world, undelegate(CARL, BEN, 300));
    assert_eq!(refuse(&mut world, undelegate(CARL, BEN, 1)).code(), "stake_locked");
}

#[test]
fn who_leaves_too_often_waits() {
    let mut world = world();
    accept(&mut world, delegate(CARL, ANN, 10_000));
    for _ in 0..7 {
        accept(&mut world, undelegate(CARL, ANN, 1));
        // Of one block: one entry.
        accept(&mut world, undelegate(CARL, ANN, 1));
        pass(&mut world, DAY);
    }
    assert_eq!(refuse(&mut world, undelegate(CARL, ANN, 1)).code(), "too_many_unbondings");
    pass(&mut world, 7 * DAY);
    accept(&mut world, Operation::Withdraw { d: CARL, v: ANN });
    accept(&mut world, undelegate(CARL, ANN, 1));
}

#[test]
fn a_raised_commission_counts_when_whoever_dislikes_it_could_have_left() {
    let mut world = world();
    let raise = |bps, by| Operation::SetCommission { v: ANN, by, bps };
    assert_eq!(refuse(&mut world, raise(2_001, ANN)).code(), "commission_too_high");
    assert_eq!(refuse(&mut world, raise(1, BEN)).code(), "not_operator");
    accept(&mut world, raise(2_000, ANN));
    pass(&mut world, 14 * DAY - 1);
    accept(&mut world, Operation::Reward { v: ANN, amount: 100 });
    assert_eq!(world.validators[&ANN].commission_owed, nano(0));
    pass(&mut world, 1);
    accept(&mut world, Operation::Reward { v: ANN, amount: 104 });
    assert_eq!(world.validators[&ANN].commission_owed, nano(20));
}

/// The classic: own the only share, make it dear by a gift, and let the next one's money round to nothing.
#[test]
fn nobody_can_make_a_share_dear() {
    let mut world = world();
    accept(&mut world, all(ANN, ANN));
    accept(&mut world, delegate(ANN, ANN, 100));
    // A reward is no stake: it goes to those who hold shares, and leaves their price alone.
    accept(&mut world, Operation::Reward { v: ANN, amount: 900_000 * MESHX });
    let keep_one =
        Operation::Undelegate { d: ANN, v: ANN, portion: Portion::Amount(nano(100 * MESHX - 1)) };
    assert_eq!(refuse(&mut world, keep_one).code(), "leaves_too_little");
    accept(&mut world, delegate(CARL, ANN, 100));
    assert_eq!(worth(&world, CARL, ANN), 100 * MESHX);
}

#[test]
fn the_largest_amounts_are_refused_and_not_wrapped() {
    let mut world = world();
    let most = Operation::Delegate { d: CARL, v: ANN, amount: u64::MAX };
    assert_eq!(refuse(&mut world, most), Refusal::Overflow);
    accept(&mut world, Operation::Bond { v: CARL, amount: 100_000 * MESHX, bps: 2_000 });
    world.balances.insert(who(FAUCET), u64::MAX);
    accept(&mut world, Operation::Reward { v: CARL, amount: u64::MAX });
    world.balances.insert(pools::rewards(), 0);
    let again = Operation::Reward { v: CARL, amount: u64::MAX };
    world.balances.insert(who(FAUCET), u64::MAX);
    world.apply(again);
    assert_eq!(refuse(&mut world, Operation::Claim { d: CARL, v: CARL }), Refusal::Overflow);
}

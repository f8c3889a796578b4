//! Seats follow stake, measured over 10,000 epochs.
//!
//! Pearson's statistic Σ (seen − expected)² / expected assumes counts that vary as Poisson's. Seats do less: nobody has two
//! in an epoch, and one more for me is one fewer for others. So it is too small, a *conservative* test. Divided by
//! expected · (1 − π) instead, it has (for the sampling of most entropy, which Pareto order sampling comes close to) the
//! chi-square distribution with one degree of freedom less than there are contenders: the *sharp* test, at both ends.

use crate::sortition::{contender, deal, seated};
use staking::Contender;
use std::collections::BTreeMap;
use types::{Address, PublicKey};

const EPOCHS: u64 = 10_000;
const SEATS: u16 = 20;
/// Degrees of freedom, and the 0.1 % and 99.9 % quantiles of chi-square, in thousandths.
const QUANTILES: [(usize, u128, u128); 3] =
    [(39, 17_262, 72_055), (53, 26_765, 90_573), (59, 31_020, 98_324)];

/// Seats of each (operator, key) over all epochs.
fn counts(contenders: &mut [Contender], cap: u16) -> BTreeMap<(Address, PublicKey), u64> {
    let mut counts = BTreeMap::new();
    for epoch in 0..EPOCHS {
        deal(contenders, epoch);
        let members = seated(contenders, epoch, SEATS, cap);
        assert_eq!(members.len(), usize::from(SEATS));
        members.iter().for_each(|m| *counts.entry((m.operator, m.key)).or_default() += 1);
    }
    counts
}

/// Whether `counts` are what π = seats · tokens / (the sum of tokens) leads to expect, by both statistics.
fn check(what: &str, seats: u64, counts: &[(u64, u64)]) {
    let stake: u128 = counts.iter().map(|(tokens, _)| u128::from(*tokens)).sum();
    let (mut plain, mut sharp) = (0, 0);
    for (tokens, seen) in counts {
        let weight = u128::from(seats) * u128::from(*tokens);
        let expected = u128::from(EPOCHS) * weight;
        let square = (u128::from(*seen) * stake).abs_diff(expected).pow(2);
        plain += 1_000 * square / (expected * stake);
        sharp += 1_000 * square / (expected * (stake - weight));
    }
    let freedom = counts.len() - 1;
    let (_, low, high) = QUANTILES.into_iter().find(|row| row.0 == freedom).unwrap();
    let shown = |n: u128| format!("{}.{:03}", n / 1_000, n % 1_000);
    println!(
        "{what}: chi-square {} (conservative), {} (sharp), {freedom} degrees of freedom, 99.9 % critical value {}, 0.1 % {}",
        shown(plain),
        shown(sharp),
        shown(high),
        shown(low),
    );
    assert!(plain < high && sharp < high && low < sharp);
}

#[test]
fn seats_follow_stake() {
    // From π = 0.95 to 0.15.
    let mut contenders: Vec<_> =
        (1..=60).map(|n| contender(n, n, 1_000_000_000 / (u64::from(n) + 10))).collect();
    let counts = counts(&mut contenders, 1);
    let seen: Vec<_> =
        contenders.iter().map(|c| (c.tokens.get(), counts[&(c.operator, c.key)])).collect();
    check("60 validators, 20 seats, none certain", SEATS.into(), &seen);
}

#[test]
fn beside_the_certain_seats_follow_stake() {
    // Zipf's law: 20 seats are too many for the first ones.
    let mut contenders: Vec<_> =
        (1..=60).map(|n| contender(n, n, 1_000_000_000 / u64::from(n))).collect();
    let counts = counts(&mut contenders, 1);
    let mut rest: Vec<_> =
        contenders.iter().map(|c| (c.tokens.get(), counts[&(c.operator, c.key)])).collect();
    // The plain way to the same: the richest, as long as its part of what is left is a seat.
    let mut seats = u64::from(SEATS);
    while seats * rest[0].0 >= rest.iter().map(|(tokens, _)| tokens).sum() {
        assert_eq!(rest.remove(0).1, EPOCHS, "certain");
        seats -= 1;
    }
    let certain = 60 - rest.len();
    check(&format!("60 validators, 20 seats, {certain} certain"), seats, &rest);
}

#[test]
fn beside_a_capped_operator_seats_follow_stake() {
    // Five keys with 30 % of the stake, which would be six seats; the cap is two. 40 others share eighteen.
    let others = || (1..=40).map(|n| contender(n, n, 1_000_000 + 20_000 * u64::from(n)));
    let stake: u64 = others().map(|c| c.tokens.get()).sum();
    let mut contenders: Vec<_> =
        (101..=105).map(|key| contender(100, key, stake * 3 / 35)).collect();
    contenders.extend(others());
    let counts = counts(&mut contenders, 2);
    let seen = |c: &Contender| counts.get(&(c.operator, c.key)).copied().unwrap_or(0);
    let own: u64 = contenders[..5].iter().map(seen).sum();
    assert_eq!(own, 2 * EPOCHS);
    let rest: Vec<_> = contenders[5..].iter().map(|c| (c.tokens.get(), seen(c))).collect();
    check("40 validators beside an operator capped at 2 seats of 20", 18, &rest);
}

//! What withholding a ticket gains: measured with the best choice in every epoch.

use crate::sortition::{contender, deal, seated};
use staking::Contender;

/// Seats over many epochs of an owner of several contenders.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seats {
    /// All tickets are sent.
    sent: u64,
    /// Those tickets are sent that bring most, known after everybody else's.
    best: u64,
    /// Epochs in which withholding a ticket changed who sits.
    choices: u64,
}

/// The contenders at `own` belong together, under any operators they name. Tries every set of tickets in every epoch.
fn measure(what: &str, contenders: &mut [Contender], own: &[usize], seats: u16, cap: u16) -> Seats {
    const EPOCHS: u64 = 500;
    let keys: Vec<_> = own.iter().map(|n| contenders[*n].key).collect();
    let mut sum = Seats::default();
    for epoch in 0..EPOCHS {
        deal(contenders, epoch);
        let draw = |withheld: usize| {
            let mut hand = contenders.to_vec();
            for (_, n) in own.iter().enumerate().filter(|(bit, _)| withheld >> bit & 1 == 1) {
                hand[*n].ticket = None;
            }
            seated(&hand, epoch, seats, cap)
        };
        let count =
            |withheld| draw(withheld).iter().filter(|m| keys.contains(&m.key)).count() as u64;
        let all = draw(0);
        sum.sent += count(0);
        sum.best += (0..1 << own.len()).map(count).max().unwrap();
        sum.choices += u64::from((1..1 << own.len()).any(|withheld| draw(withheld) != all));
    }
    println!(
        "{what}: {} seats in {EPOCHS} epochs sending all, {} with the best choice of tickets, gain {}; a choice existed in {} epochs",
        sum.sent,
        sum.best,
        i128::from(sum.best) - i128::from(sum.sent),
        sum.choices,
    );
    sum
}

/// 30 validators of unequal stake, ten seats.
fn others() -> Vec<Contender> {
    (1..=30).map(|n| contender(n, n, 1_000_000 / (u64::from(n) + 5))).collect()
}

#[test]
fn a_validator_gains_no_seat_by_withholding() {
    for own in [0, 9, 29] {
        let sum = measure(&format!("validator {own}"), &mut others(), &[own], 10, 1);
        assert_eq!(sum.best, sum.sent);
        assert_eq!(sum.choices, sum.sent, "the only thing to choose is to give the seat away");
    }
}

#[test]
fn an_operator_with_four_keys_gains_no_seat_by_withholding_some() {
    for cap in 1..=4 {
        let mut contenders = others();
        contenders.extend((101..=104).map(|key| contender(100, key, 60_000)));
        let what = format!("four keys, cap {cap}");
        let sum = measure(&what, &mut contenders, &[30, 31, 32, 33], 10, cap);
        assert_eq!(sum.best, sum.sent);
    }
}

#[test]
fn allied_operators_gain_no_seat_by_withholding_some() {
    let sum = measure("four allied operators", &mut others(), &[0, 1, 2, 3], 10, 1);
    assert_eq!(sum.best, sum.sent);
}

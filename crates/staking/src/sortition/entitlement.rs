//! Entitlement: who is certain of a seat, and what the others draw lots for. A matter of stake alone.

use super::contender::{Contender, NoCommittee};
use std::collections::{BTreeMap, BTreeSet};
use types::{Address, PublicKey};

/// What stake says before any ticket is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entitlement {
    /// One for each contender, in their order.
    pub certain: Vec<bool>,
    /// Seats that lots decide.
    pub seats: u64,
    /// Stake of those who draw lots, in nano. `seats` times the tokens of one of them is less than this.
    pub stake: u64,
}

/// An operator's keys that are not yet certain: their stake, and the most seats they can get.
#[derive(Default)]
struct Holding {
    stake: u128,
    quota: u128,
}

/// Divide `seats` among `contenders`, all of whom have stake.
///
/// An operator whose stake would earn all the seats it can have (`operator_seats_max`, or its keys if they are fewer) is
/// certain of them, with whichever of its keys come first. So is a key whose own stake earns a seat. What they cannot use
/// goes to the others in proportion, more of which may then be certain; this repeats until no other is.
///
/// A round never gives out more than there is: `seats · stake ≥ quota · total`, added up over those that it settles, says that
/// their quotas are at most the seats. And the others' part per nano only rises, so the order of rounds is no matter.
///
/// # Errors
/// [`NoCommittee::BeyondSupply`] if all stake together does not fit in 64 bits.
pub(super) fn entitle(
    contenders: &[&Contender],
    seats: u16,
    operator_seats_max: u16,
) -> Result<Entitlement, NoCommittee> {
    let total = contenders.iter().map(|c| u128::from(c.tokens.get())).sum();
    if u64::try_from(total).is_err() {
        return Err(NoCommittee::BeyondSupply { total });
    }
    let mut holdings = holdings(contenders, operator_seats_max.into());
    let mut certain = vec![false; contenders.len()];
    let (mut seats, mut stake) = (u128::from(seats), total);
    loop {
        let (round_seats, round_stake) = (seats, stake);
        let earns = |stake: u128, quota: u128| round_seats * stake >= quota * round_stake;
        holdings.retain(|_, holding| {
            let settled = earns(holding.stake, holding.quota);
            if settled {
                seats -= holding.quota;
                stake -= holding.stake;
            }
            !settled
        });
        for (contender, certain) in contenders.iter().zip(&mut certain) {
            let tokens = u128::from(contender.tokens.get());
            let Some(holding) = holdings.get_mut(&contender.operator) else {
                *certain = true;
                continue;
            };
            if !*certain && earns(tokens, 1) {
                *certain = true;
                seats -= 1;
                stake -= tokens;
                // Its operator earns less than its quota, so it has fewer such keys than that.
                holding.quota -= 1;
                holding.stake -= tokens;
            }
        }
        if stake == round_stake {
            break;
        }
    }
    let fits = |n: u128| u64::try_from(n).expect("no more than at the start");
    Ok(Entitlement { certain, seats: fits(seats), stake: fits(stake) })
}

fn holdings(contenders: &[&Contender], quota_max: u128) -> BTreeMap<Address, Holding> {
    let mut keys: BTreeSet<(Address, PublicKey)> = BTreeSet::new();
    let mut holdings: BTreeMap<Address, Holding> = BTreeMap::new();
    for contender in contenders {
        let holding = holdings.entry(contender.operator).or_default();
        holding.stake += u128::from(contender.tokens.get());
        let new = keys.insert((contender.operator, contender.key));
        holding.quota = quota_max.min(holding.quota + u128::from(new));
    }
    holdings
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::NanoMeshx;

    /// `stakes` are (operator, tokens), each with a key of its own. Checks who is certain, and seats and stake that remain.
    #[track_caller]
    fn check(stakes: &[(u8, u64)], seats: u16, cap: u16, certain: &str, rest: (u64, u64)) {
        let contenders: Vec<Contender> = (0..)
            .zip(stakes)
            .map(|(n, (operator, tokens))| Contender {
                operator: Address::of(&PublicKey([*operator; 32])),
                key: PublicKey([n; 32]),
                tokens: NanoMeshx::new(*tokens),
                ticket: None,
            })
            .collect();
        let found = entitle(&contenders.iter().collect::<Vec<_>>(), seats, cap).unwrap();
        let letters: String =
            found.certain.iter().map(|certain| if *certain { 'C' } else { '-' }).collect();
        assert_eq!((letters.as_str(), found.seats, found.stake), (certain, rest.0, rest.1));
    }

    #[test]
    fn the_certain_are_found_again_once_others_are_out() {
        check(&[(1, 50), (2, 30), (3, 30)], 2, 1, "---", (2, 110));
        check(&[(1, 60), (2, 30), (3, 30)], 2, 1, "C--", (1, 60));
        // 2 · 30 is less than 90 + 33, but with the first one out 30 is nearly half.
        check(&[(1, 90), (2, 30), (3, 3)], 2, 1, "C--", (1, 33));
        check(&[(1, 90), (2, 30), (3, 1), (4, 1)], 3, 1, "CC--", (1, 2));
        check(&[(1, 1_000), (2, 100), (3, 10), (4, 1)], 3, 1, "CC--", (1, 11));
    }

    #[test]
    fn with_seats_for_all_everyone_is_certain() {
        check(&[(1, 1)], 1, 1, "C", (0, 0));
        check(&[(1, 7), (2, 7)], 9, 1, "CC", (7, 0));
        check(&[], 9, 1, "", (9, 0));
        check(&[(1, 7), (2, 7)], 0, 1, "--", (0, 14));
    }

    #[test]
    fn an_operator_counts_for_no_more_than_its_cap() {
        // Four of ten seats by stake, but it may have two: the others share eight.
        let mut stakes = vec![(0, 100); 4];
        stakes.extend((1..=12).map(|operator| (operator, 50)));
        check(&stakes, 10, 2, "CCCC------------", (8, 600));
        check(&stakes, 10, 5, "CCCC------------", (6, 600));
        // One key earns its seat, its operator not yet both.
        check(&[(1, 40), (1, 10), (2, 20), (3, 30), (4, 20)], 3, 2, "C----", (2, 80));
    }

    #[test]
    fn stake_beyond_what_there_can_be_is_refused() {
        let whole = Contender {
            operator: Address::pool("any"),
            key: PublicKey([1; 32]),
            tokens: NanoMeshx::new(u64::MAX),
            ticket: None,
        };
        assert!(entitle(&[&whole], u16::MAX, u16::MAX).is_ok());
        let total = 2 * u128::from(u64::MAX);
        assert_eq!(entitle(&[&whole; 2], 1, 1), Err(NoCommittee::BeyondSupply { total }));
    }
}

//! The draw: contenders in the order of their lots, as long as there are seats.

use super::{
    contender::{Contender, NoCommittee, Vacancies},
    entitlement::entitle,
    rank::Rank,
};
use crate::Member;
use std::collections::{BTreeMap, BTreeSet};
use types::{Address, NanoMeshx, committee::SortitionParams};

/// Draw the committee for `vacancies`: its members, the luckiest first, those certain of a seat before all others.
///
/// `contenders` are all eligible validators in any order, also those without a ticket. At most `vacancies.seats`
/// members come back. No two have one voting key, and no operator has more than `operator_seats_max`: of several
/// contenders that cannot sit together, those with the lower rank sit. Stake counts for each of them. An operator gains
/// nothing by splitting its stake over more keys than it may have seats: what two of them win together is one seat too
/// many. And two operators with one key do not happen, since [`bond`](crate::bond) refuses a key that is taken; here
/// the copy could cost the original's operator its seat, but never give the key two votes.
///
/// Takes O(n² log n) for n contenders at worst, and O(n log n) unless stakes are a geometric series.
///
/// # Errors
/// [`NoCommittee`].
///
/// ```
/// use staking::{Contender, NoCommittee, Vacancies, draw_seats};
/// use types::{Address, ChainId, Epoch, NanoMeshx, PublicKey, committee::SortitionParams};
/// let contender = |n: u8, meshx: u64| Contender {
///     operator: Address::of(&PublicKey([n; 32])),
///     key: PublicKey([n; 32]),
///     tokens: NanoMeshx::new(meshx * 1_000_000_000),
///     ticket: Some([n; 64]),
/// };
/// let mut contenders = [contender(1, 900_000), contender(2, 100_000), contender(3, 100_000)];
/// let params = SortitionParams { seats_min: 2, ..SortitionParams::DEFAULT };
/// let vacancies = Vacancies { chain: ChainId::Europe, epoch: Epoch::new(7), seats: 2 };
///
/// // 2 × 900,000 of 1,100,000 is more than one seat: certain of it. The others draw lots for the second.
/// let draws = draw_seats(vacancies, &contenders, &params).unwrap();
/// assert_eq!((draws[0].key, draws.len()), (contenders[0].key, 2));
///
/// // Nobody sits without a ticket, and a committee that is too small is none.
/// contenders[0].ticket = None;
/// contenders[1].ticket = None;
/// assert_eq!(
///     draw_seats(vacancies, &contenders, &params),
///     Err(NoCommittee::TooSmall { seats: 1, min: 2 }),
/// );
/// ```
pub fn draw_seats(
    vacancies: Vacancies,
    contenders: &[Contender],
    params: &SortitionParams,
) -> Result<Vec<Member>, NoCommittee> {
    let funded: Vec<_> = contenders.iter().filter(|c| c.tokens > NanoMeshx::ZERO).collect();
    let entitlement = entitle(&funded, vacancies.seats, params.operator_seats_max)?;
    let mut ranked: Vec<(Rank, Member)> = funded
        .iter()
        .zip(&entitlement.certain)
        .filter_map(|(contender, certain)| {
            let Contender { operator, key, tokens, ticket } = **contender;
            let rank = Rank::new(vacancies, &ticket?, tokens, *certain, &entitlement);
            Some((rank, Member { operator, key, tokens }))
        })
        .collect();
    // Of equal rank, the lower address comes first; the rest of the key only keeps the order of the input out of it.
    ranked.sort_unstable_by(|(a, one), (b, other)| {
        let names = |m: &Member| (m.operator, m.key, m.tokens);
        a.cmp(b).then_with(|| names(one).cmp(&names(other)))
    });
    let members = seat(ranked, vacancies.seats, params.operator_seats_max);
    let (seats, min) = (u16::try_from(members.len()), params.seats_min.max(1));
    let seats = seats.expect("at most as many as `term.seats`");
    if seats < min { Err(NoCommittee::TooSmall { seats, min }) } else { Ok(members) }
}

/// What the seat of each of `contenders` counts when a reward is shared out among those who sat: stake over the chance of a
/// seat, so that what a contender expects follows its stake, however the stake is divided. For a seat that was certain that is
/// its stake; for one that lots decided it is the same for all. In nano, in the order of `contenders`; zero without stake.
///
/// # Errors
/// [`NoCommittee::BeyondSupply`].
pub fn seat_weights(
    contenders: &[Contender],
    seats: u16,
    params: &SortitionParams,
) -> Result<Vec<NanoMeshx>, NoCommittee> {
    let funded: Vec<_> = contenders.iter().filter(|c| c.tokens > NanoMeshx::ZERO).collect();
    let entitlement = entitle(&funded, seats, params.operator_seats_max)?;
    let by_lot = NanoMeshx::new(entitlement.stake.checked_div(entitlement.seats).unwrap_or(0));
    let mut certain = entitlement.certain.iter();
    let weight = |contender: &Contender| match contender.tokens {
        NanoMeshx::ZERO => NanoMeshx::ZERO,
        tokens => match certain.next() {
            Some(true) => tokens,
            _ => by_lot,
        },
    };
    Ok(contenders.iter().map(weight).collect())
}

/// Seats for those in front who may still sit.
fn seat(ranked: Vec<(Rank, Member)>, seats: u16, operator_seats_max: u16) -> Vec<Member> {
    let mut keys = BTreeSet::new();
    let mut taken: BTreeMap<Address, u16> = BTreeMap::new();
    let may_sit = |member: &Member| {
        let taken = taken.entry(member.operator).or_default();
        let sits = *taken < operator_seats_max && keys.insert(member.key);
        *taken += u16::from(sits);
        sits
    };
    ranked.into_iter().map(|(_, member)| member).filter(may_sit).take(seats.into()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{ChainId, Epoch, PublicKey};

    const PARAMS: SortitionParams =
        SortitionParams { seats_min: 1, operator_seats_max: 1, ..SortitionParams::DEFAULT };

    fn contender(operator: u8, key: u8, tokens: u64) -> Contender {
        let operator = Address::of(&PublicKey([operator; 32]));
        let tokens = NanoMeshx::new(tokens);
        Contender { operator, key: PublicKey([key; 32]), tokens, ticket: Some([key; 64]) }
    }

    fn vacancies(epoch: u64, seats: u16) -> Vacancies {
        Vacancies { chain: ChainId::Africa, epoch: Epoch::new(epoch), seats }
    }

    /// In each of 200 epochs: how many sit, and the first byte of their keys in order.
    fn all(contenders: &[Contender], seats: u16, params: &SortitionParams) -> Vec<Vec<u8>> {
        let draw = |epoch| draw_seats(vacancies(epoch, seats), contenders, params).unwrap();
        (0..200).map(|epoch| draw(epoch).iter().map(|m| m.key.0[0]).collect()).collect()
    }

    #[test]
    fn a_seat_counts_by_stake_if_it_was_certain_and_alike_if_lots_decided() {
        let tokens = [900, 0, 30, 20, 50];
        let contenders: Vec<_> = (0..).zip(tokens).map(|(n, t)| contender(n, n, t)).collect();
        let weights = |seats| -> Vec<u64> {
            let weights = seat_weights(&contenders, seats, &PARAMS).unwrap();
            weights.into_iter().map(NanoMeshx::get).collect()
        };
        // With the first one certain, the others share one seat, then two, of which half the stake earns one.
        assert_eq!(weights(2), [900, 0, 100, 100, 100]);
        assert_eq!(weights(3), [900, 0, 50, 50, 50]);
        assert_eq!(weights(5), tokens, "with seats for all, all are certain");
    }

    #[test]
    fn one_contender_sits_alone() {
        assert!(all(&[contender(1, 1, 1)], 5, &PARAMS).iter().all(|keys| keys == &[1]));
    }

    #[test]
    fn equal_stake_and_lots_go_by_address() {
        let mut contenders: Vec<_> = (0..9).map(|n| contender(n, n, 7)).collect();
        contenders.iter_mut().for_each(|contender| contender.ticket = Some([0; 64]));
        let mut operators: Vec<_> = contenders.iter().map(|c| c.operator).collect();
        operators.sort_unstable();
        let drawn = draw_seats(vacancies(1, 4), &contenders, &PARAMS).unwrap();
        assert_eq!(drawn.iter().map(|m| m.operator).collect::<Vec<_>>(), operators[..4]);
    }

    #[test]
    fn without_ticket_or_stake_there_is_no_seat_even_if_one_is_free() {
        let silent = Contender { ticket: None, ..contender(1, 1, 1_000) };
        let contenders = [silent, contender(2, 2, 0), contender(3, 3, 1)];
        assert!(all(&contenders, 3, &PARAMS).iter().all(|keys| keys == &[3]));
    }

    #[test]
    fn a_missing_ticket_leaves_the_order_of_the_others_alone() {
        let mut contenders: Vec<_> = (1..=12).map(|n| contender(n, n, 10 + u64::from(n))).collect();
        let before = all(&contenders, 6, &PARAMS);
        contenders[4].ticket = None;
        for (before, after) in before.iter().zip(all(&contenders, 6, &PARAMS)) {
            let rest: Vec<u8> = before.iter().copied().filter(|key| *key != 5).collect();
            assert_eq!(after[..rest.len()], rest);
            assert_eq!(after.len(), 6);
        }
    }

    #[test]
    fn nobody_sits_twice() {
        // Key 1 bonded by two operators, and operator 3 with two keys.
        let shared = Contender { ticket: Some([9; 64]), ..contender(2, 1, 50) };
        let contenders = [contender(1, 1, 50), shared, contender(3, 3, 50), contender(3, 4, 50)];
        let mut seen = BTreeSet::new();
        for epoch in 0..200 {
            let drawn = draw_seats(vacancies(epoch, 4), &contenders, &PARAMS).unwrap();
            assert_eq!(drawn.len(), 2);
            assert!(drawn[0].key != drawn[1].key && drawn[0].operator != drawn[1].operator);
            seen.extend(drawn.iter().map(|m| (m.operator, m.key)));
        }
        assert_eq!(seen.len(), 4, "each of them sits sometimes");
    }

    #[test]
    fn of_two_with_one_key_the_lower_rank_sits() {
        let shared = Contender { ticket: Some([9; 64]), ..contender(2, 1, 50) };
        let contenders = [contender(1, 1, 50), shared, contender(3, 3, 50)];
        let funded: Vec<_> = contenders.iter().collect();
        let entitlement = entitle(&funded, 2, 1).unwrap();
        assert_eq!(entitlement.certain, [false; 3]);
        for epoch in 0..200 {
            let vacancies = vacancies(epoch, 2);
            let [one, other] = [0, 1].map(|n| {
                let Contender { tokens, ticket, .. } = contenders[n];
                Rank::new(vacancies, &ticket.unwrap(), tokens, false, &entitlement)
            });
            let drawn = draw_seats(vacancies, &contenders, &PARAMS).unwrap();
            let sits = drawn.iter().find(|m| m.key.0[0] == 1).unwrap();
            assert_eq!(sits.operator, contenders[usize::from(other < one)].operator);
        }
    }

    #[test]
    fn an_operator_never_has_more_than_its_cap() {
        let mut contenders: Vec<_> = (1..=5).map(|key| contender(1, key, 1_000)).collect();
        contenders.extend((6..=9).map(|n| contender(n, n, 1)));
        for cap in 0..=5 {
            let params = SortitionParams { seats_min: 0, operator_seats_max: cap, ..PARAMS };
            let Ok(drawn) = draw_seats(vacancies(1, 5), &contenders, &params) else {
                assert_eq!(cap, 0);
                continue;
            };
            let own = drawn.iter().filter(|m| m.operator == contenders[0].operator).count();
            assert_eq!((own, drawn.len()), (cap.into(), 5));
        }
    }

    #[test]
    fn a_committee_turns_too_small_with_one_seat_less_than_it_needs() {
        let mut contenders: Vec<_> = (1..=4).map(|n| contender(n, n, 10)).collect();
        let params = SortitionParams { seats_min: 4, ..PARAMS };
        assert_eq!(draw_seats(vacancies(1, 9), &contenders, &params).unwrap().len(), 4);
        let too_small = |seats| Err(NoCommittee::TooSmall { seats, min: 4 });
        assert_eq!(draw_seats(vacancies(1, 3), &contenders, &params), too_small(3));
        contenders[0].ticket = None;
        assert_eq!(draw_seats(vacancies(1, 9), &contenders, &params), too_small(3));
        // Nobody is never a committee.
        let none = SortitionParams { seats_min: 0, ..PARAMS };
        let nobody = Err(NoCommittee::TooSmall { seats: 0, min: 1 });
        assert_eq!(draw_seats(vacancies(1, 9), &[], &none), nobody);
        assert_eq!(draw_seats(vacancies(1, 0), &contenders, &none), nobody);
        let text = NoCommittee::TooSmall { seats: 3, min: 4 }.to_string();
        assert_eq!(text, "the draw fills 3 seats, but a committee needs 4");
    }
}

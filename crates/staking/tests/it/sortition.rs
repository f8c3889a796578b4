//! Sortition: what holds for all contenders, and the hands that other tests deal.

use proptest::prelude::*;
use staking::{Contender, Member, NoCommittee, Vacancies, draw_seats};
use std::collections::{BTreeMap, BTreeSet};
use types::{
    Address, ChainId, Epoch, Hash, NanoMeshx, PublicKey, committee::SortitionParams, domain_hash,
};

/// A contender with the key `key`; its ticket is missing.
pub fn contender(operator: u16, key: u16, tokens: u64) -> Contender {
    let named = |n: u16| PublicKey(domain_hash("meshx/test-name/v1", &[&n.to_be_bytes()]).0);
    let (operator, key) = (Address::of(&named(operator)), named(key));
    Contender { operator, key, tokens: NanoMeshx::new(tokens), ticket: None }
}

/// A ticket for `epoch` from everybody, as if by VRF.
pub fn deal(contenders: &mut [Contender], epoch: u64) {
    for contender in contenders {
        let Hash(half) =
            domain_hash("meshx/test-ticket/v1", &[&contender.key.0, &epoch.to_be_bytes()]);
        let mut ticket = [0; 64];
        ticket[..32].copy_from_slice(&half);
        contender.ticket = Some(ticket);
    }
}

/// The committee of an epoch. One of nobody is empty here.
pub fn seated(contenders: &[Contender], epoch: u64, seats: u16, cap: u16) -> Vec<Member> {
    let vacancies = Vacancies { chain: ChainId::Europe, epoch: Epoch::new(epoch), seats };
    let params =
        SortitionParams { seats_min: 0, operator_seats_max: cap, ..SortitionParams::DEFAULT };
    match draw_seats(vacancies, contenders, &params) {
        Ok(members) => members,
        Err(NoCommittee::TooSmall { seats: 0, .. }) => vec![],
        Err(other) => panic!("{other}"),
    }
}

/// Few operators and keys, so that they meet; sometimes no ticket, no stake, or equal stakes.
fn hand() -> impl Strategy<Value = Vec<Contender>> {
    let one = (0_u16..6, 0_u16..12, prop_oneof![0_u64..4, 0_u64..1_000_000], 0_u8..6).prop_map(
        |(operator, key, tokens, ticket)| Contender {
            ticket: (ticket > 0).then_some([ticket; 64]),
            ..contender(operator, key, tokens)
        },
    );
    prop::collection::vec(one, 0..24)
}

proptest! {
    #[test]
    fn the_order_of_contenders_does_not_matter(
        (mut hand, shuffled) in hand().prop_flat_map(|hand| (Just(hand.clone()), Just(hand).prop_shuffle())),
        seats in 0_u16..16, cap in 0_u16..4, epoch in 0_u64..9, dealt: bool,
    ) {
        let mut shuffled = shuffled;
        if dealt {
            deal(&mut hand, epoch);
            deal(&mut shuffled, epoch);
        }
        prop_assert_eq!(seated(&hand, epoch, seats, cap), seated(&shuffled, epoch, seats, cap));
    }

    #[test]
    fn seats_stay_empty_only_if_nobody_else_may_sit(
        hand in hand(), seats in 0_u16..16, cap in 0_u16..4, epoch in 0_u64..9,
    ) {
        let members = seated(&hand, epoch, seats, cap);
        let keys: BTreeSet<_> = members.iter().map(|m| m.key).collect();
        prop_assert_eq!(keys.len(), members.len());
        let mut taken: BTreeMap<Address, u16> = BTreeMap::new();
        members.iter().for_each(|m| *taken.entry(m.operator).or_default() += 1);
        prop_assert!(taken.values().all(|taken| *taken <= cap));
        let sat = |c: &Contender| members.iter().any(|m| (m.operator, m.key) == (c.operator, c.key));
        let may = |c: &&Contender| c.ticket.is_some() && c.tokens > NanoMeshx::ZERO;
        let mut others = hand.iter().filter(may).filter(|c| !sat(c));
        let all_barred = others.all(|c| {
            keys.contains(&c.key) || taken.get(&c.operator).copied().unwrap_or(0) >= cap
        });
        prop_assert!(members.len() == usize::from(seats) || all_barred);
    }

    #[test]
    fn there_are_as_many_seats_as_tickets_under_the_caps(
        hand in hand(), seats in 0_u16..16, cap in 0_u16..4, epoch in 0_u64..9,
    ) {
        // Each key has one operator here, as `bond` sees to.
        let mut owners = BTreeMap::new();
        let hand: Vec<_> = hand
            .into_iter()
            .filter(|c| *owners.entry(c.key).or_insert(c.operator) == c.operator)
            .collect();
        let mut keys: BTreeMap<Address, BTreeSet<PublicKey>> = BTreeMap::new();
        for c in hand.iter().filter(|c| c.ticket.is_some() && c.tokens > NanoMeshx::ZERO) {
            keys.entry(c.operator).or_default().insert(c.key);
        }
        let possible: usize = keys.values().map(|keys| keys.len().min(cap.into())).sum();
        let members = seated(&hand, epoch, seats, cap);
        prop_assert_eq!(members.len(), possible.min(seats.into()));
    }

    #[test]
    fn withholding_never_gains_an_operator_a_seat(
        mut hand in hand(), withheld: u32, seats in 0_u16..16, cap in 0_u16..4, epoch in 0_u64..9,
    ) {
        deal(&mut hand, epoch);
        let Some(operator) = hand.first().map(|c| c.operator) else { return Ok(()) };
        let own = |hand: &[Contender]| {
            seated(hand, epoch, seats, cap).iter().filter(|m| m.operator == operator).count()
        };
        let sent = own(&hand);
        for (n, contender) in hand.iter_mut().enumerate().filter(|(_, c)| c.operator == operator) {
            contender.ticket = contender.ticket.filter(|_| withheld >> n & 1 == 0);
        }
        prop_assert!(own(&hand) <= sent);
    }
}

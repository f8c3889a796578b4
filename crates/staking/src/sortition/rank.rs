//! Rank: a contender's lot, weighed with its chance.

use super::{contender::Vacancies, entitlement::Entitlement};
use crate::wide;
use std::cmp::Ordering;
use types::{NanoMeshx, codec::Encode as _, domain_hash};

/// Where a contender stands in the draw. The least sits first.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rank {
    /// Certain of a seat, so the lot only says which of an operator's keys comes first.
    Certain { lot: u64 },
    /// Pareto order sampling: `Q = odds(u) / odds(π)`, times the seats, which are the same for all. Neither is zero.
    Drawn { numerator: u128, denominator: u128 },
}

impl Rank {
    /// With π = seats · tokens / stake and u = lot / 2⁶⁴, `Q` is
    /// lot · (stake − seats · tokens) / ((2⁶⁴ − lot) · seats · tokens): two products of 64-bit numbers, without the `seats`.
    pub(super) fn new(
        vacancies: Vacancies,
        ticket: &[u8; 64],
        tokens: NanoMeshx,
        certain: bool,
        entitlement: &Entitlement,
    ) -> Self {
        let lot = lot(vacancies, ticket);
        if certain {
            return Self::Certain { lot };
        }
        let tokens = u128::from(tokens.get());
        let missing = u128::from(entitlement.stake) - u128::from(entitlement.seats) * tokens;
        Self::Drawn {
            numerator: u128::from(lot) * missing,
            denominator: u128::from(lot.wrapping_neg()) * tokens,
        }
    }
}

/// The lot `ticket` draws for one committee, an odd number: so neither it nor what is left to 2⁶⁴ is zero, and its 63 bits
/// lie evenly. Hashed under chain and epoch, so that luck in one committee says nothing about another.
fn lot(vacancies: Vacancies, ticket: &[u8; 64]) -> u64 {
    let parts: [&[u8]; 3] = [&vacancies.chain.encode(), &vacancies.epoch.encode(), ticket];
    let hash = domain_hash("meshx/sortition/v1", &parts);
    let leading = hash.0.first_chunk().expect("32 bytes have a first eight");
    u64::from_be_bytes(*leading) | 1
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Certain { lot }, Self::Certain { lot: other }) => lot.cmp(other),
            (Self::Certain { .. }, Self::Drawn { .. }) => Ordering::Less,
            (Self::Drawn { .. }, Self::Certain { .. }) => Ordering::Greater,
            (
                Self::Drawn { numerator: a, denominator: b },
                Self::Drawn { numerator: c, denominator: d },
            ) => wide::mul(*a, *d).cmp(&wide::mul(*c, *b)),
        }
    }
}
impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Rank {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Rank {}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;
    use num_rational::Ratio;
    use proptest::prelude::*;
    use types::{ChainId, Epoch};

    fn vacancies(chain: ChainId, epoch: u64) -> Vacancies {
        Vacancies { chain, epoch: Epoch::new(epoch), seats: 2 }
    }

    #[test]
    fn one_ticket_draws_another_lot_in_each_committee() {
        let lots = [
            lot(vacancies(ChainId::Backbone, 1), &[7; 64]),
            lot(vacancies(ChainId::Europe, 1), &[7; 64]),
            lot(vacancies(ChainId::Europe, 2), &[7; 64]),
            lot(vacancies(ChainId::Europe, 2), &[8; 64]),
        ];
        for (index, lot) in lots.iter().enumerate() {
            assert!(lot % 2 == 1 && !lots[..index].contains(lot));
        }
    }

    #[test]
    fn the_certain_come_first() {
        let unlucky = Rank::Certain { lot: u64::MAX };
        let lucky = Rank::Drawn { numerator: 1, denominator: u128::MAX };
        assert_eq!((unlucky.cmp(&lucky), lucky.cmp(&unlucky)), (Ordering::Less, Ordering::Greater));
    }

    proptest! {
        #[test]
        fn drawn_ranks_are_compared_as_fractions(
            stake in 1_u64.., seats in 0_u64..=65_535, tickets: [u8; 2], parts: [u64; 2],
        ) {
            // As many tokens as leave the chance below one.
            let most = (stake - 1).checked_div(seats).unwrap_or(stake);
            prop_assume!(most > 0);
            let entitlement = Entitlement { certain: vec![], seats, stake };
            let [one, other] = [0, 1].map(|index| {
                let (ticket, tokens) = ([tickets[index]; 64], parts[index] % most + 1);
                let vacancies = vacancies(ChainId::Asia, 3);
                let rank = Rank::new(vacancies, &ticket, NanoMeshx::new(tokens), false, &entitlement);
                let lot = u128::from(lot(vacancies, &ticket));
                let ratio = |a: u128, b: u128| Ratio::new(BigUint::from(a), BigUint::from(b));
                let missing = u128::from(stake) - u128::from(seats) * u128::from(tokens);
                (rank, ratio(lot, (1 << 64) - lot) * ratio(missing, tokens.into()))
            });
            prop_assert_eq!(one.0.cmp(&other.0), one.1.cmp(&other.1));
        }
    }
}

//! Splitting a job's payment (DESIGN §6): worker 95 %, validators 3 %, treasury 1 %, burned 1 %; and out of the worker's
//! share the royalty of the module's publisher.

use types::{NanoMeshx, state::Params};

/// One payment, divided. The five parts sum to exactly what was divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// The worker's, after all other shares.
    pub worker: NanoMeshx,
    /// The royalty of the module's author.
    pub author: NanoMeshx,
    /// The validators' share.
    pub validators: NanoMeshx,
    /// The treasury's share, with what rounding leaves over.
    pub treasury: NanoMeshx,
    /// What is destroyed.
    pub burned: NanoMeshx,
}

/// Divide `payment` by the shares in `params`. Every named share is rounded down; what rounding leaves over goes to the
/// treasury. `royalty_bps` of the payment are the author's, at most `royalty_max_bps` and at most what the worker has.
pub fn split(payment: NanoMeshx, royalty_bps: u16, params: &Params) -> Split {
    let share = |bps: u64| {
        let part = u128::from(payment.get()) * u128::from(bps) / 10_000;
        u64::try_from(part)
            .expect("a share of at most 10,000 basis points fits where the whole did")
    };
    let shared = [params.validators_bps, params.treasury_bps, params.burned_bps].map(u64::from);
    let worker_bps = 10_000_u64
        .checked_sub(shared.iter().sum())
        .expect("genesis and governance checked that shares leave the worker something");
    let (both, validators, burned) = (share(worker_bps), share(shared[0]), share(shared[2]));
    let treasury = payment.get() - both - validators - burned;
    let author = share(royalty_bps.min(params.royalty_max_bps).into()).min(both);
    let [worker, author, validators, treasury, burned] =
        [both - author, author, validators, treasury, burned].map(NanoMeshx::new);
    Split { worker, author, validators, treasury, burned }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PARAMS: Params = Params::DEFAULT;

    fn sum(s: Split) -> u128 {
        let parts = [s.worker, s.author, s.validators, s.treasury, s.burned];
        parts.iter().map(|part| u128::from(part.get())).sum()
    }

    #[test]
    fn every_nano_of_a_payment_goes_somewhere() {
        for payment in (0..5_000).chain([u64::MAX - 1, u64::MAX]) {
            let s = split(NanoMeshx::new(payment), 250, &PARAMS);
            assert_eq!(sum(s), u128::from(payment));
        }
    }

    #[test]
    fn a_round_payment_splits_as_the_design_says() {
        let of = |royalty_bps| {
            let s = split(NanoMeshx::new(10_000), royalty_bps, &PARAMS);
            [s.worker, s.author, s.validators, s.treasury, s.burned].map(NanoMeshx::get)
        };
        assert_eq!(of(0), [9_500, 0, 300, 100, 100]);
        assert_eq!(of(1_000), [8_500, 1_000, 300, 100, 100]);
        assert_eq!(of(u16::MAX), [6_500, 3_000, 300, 100, 100], "at most the most there may be");
    }

    proptest! {
        #[test]
        fn any_payment_under_any_shares_splits_exactly(
            payment: u64, validators in 0..=3_000_u16, treasury in 0..=3_000_u16, burned in 0..=3_000_u16,
            royalty: u16, most in 0..=10_000_u16,
        ) {
            let params = Params {
                validators_bps: validators, treasury_bps: treasury, burned_bps: burned, royalty_max_bps: most, ..PARAMS
            };
            prop_assert_eq!(sum(split(NanoMeshx::new(payment), royalty, &params)), u128::from(payment));
        }
    }
}

//! Splitting a job's payment (DESIGN §6): worker 95 %, validators 3 %, treasury 1 %, burned 1 %.

use types::{NanoMeshx, state::Params};

/// One payment, divided. The four parts sum to exactly what was divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    pub worker: NanoMeshx,
    pub validators: NanoMeshx,
    pub treasury: NanoMeshx,
    pub burned: NanoMeshx,
}

/// Divide `payment` by the shares in `params`. Every named share is rounded down; what rounding
/// leaves over goes to the treasury.
pub fn split(payment: NanoMeshx, params: &Params) -> Split {
    let share = |bps: u64| {
        let part = u128::from(payment.get()) * u128::from(bps) / 10_000;
        u64::try_from(part)
            .expect("a share of at most 10,000 basis points fits where the whole did")
    };
    let shared = [params.validators_bps, params.treasury_bps, params.burned_bps].map(u64::from);
    let worker_bps = 10_000_u64
        .checked_sub(shared.iter().sum())
        .expect("genesis checked that shares leave the worker something");
    let (worker, validators, burned) = (share(worker_bps), share(shared[0]), share(shared[2]));
    let treasury = payment.get() - worker - validators - burned;
    let [worker, validators, treasury, burned] =
        [worker, validators, treasury, burned].map(NanoMeshx::new);
    Split { worker, validators, treasury, burned }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn params() -> Params {
        Params::DEFAULT
    }

    #[test]
    fn every_nano_of_a_payment_goes_somewhere() {
        for payment in (0..5_000).chain([u64::MAX - 1, u64::MAX]) {
            let s = split(NanoMeshx::new(payment), &params());
            let sum: u128 = [s.worker, s.validators, s.treasury, s.burned]
                .iter()
                .map(|p| u128::from(p.get()))
                .sum();
            assert_eq!(sum, u128::from(payment));
        }
    }

    #[test]
    fn a_round_payment_splits_as_the_design_says() {
        let s = split(NanoMeshx::new(10_000), &params());
        assert_eq!(
            [s.worker, s.validators, s.treasury, s.burned].map(NanoMeshx::get),
            [9_500, 300, 100, 100]
        );
    }

    proptest! {
        #[test]
        fn any_payment_under_any_shares_splits_exactly(
            payment: u64, validators in 0..=3_000_u16, treasury in 0..=3_000_u16, burned in 0..=3_000_u16,
        ) {
            let params = Params {
                validators_bps: validators, treasury_bps: treasury, burned_bps: burned, ..params()
            };
            let s = split(NanoMeshx::new(payment), &params);
            let parts = [s.worker, s.validators, s.treasury, s.burned];
            let sum: u128 = parts.iter().map(|part| u128::from(part.get())).sum();
            prop_assert_eq!(sum, u128::from(payment));
        }
    }
}

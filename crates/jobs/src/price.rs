//! What a job costs. Payers round up.

use types::{Agreement, Fuel, NanoMeshx, state::Params};

/// The price of one replica that used `fuel`: ⌈fuel / `fuel_per_nano`⌉, at least one nano.
pub fn price_of(fuel: Fuel, params: &Params) -> NanoMeshx {
    NanoMeshx::new(fuel.get().div_ceil(params.fuel_per_nano).max(1))
}

/// The most a job can cost: every replica uses the whole fuel limit. `None` if no amount is that large.
pub fn price_max(fuel: Fuel, agreement: &Agreement, params: &Params) -> Option<NanoMeshx> {
    price_of(fuel, params).get().checked_mul(u64::from(agreement.replicas)).map(NanoMeshx::new)
}

//! What a job costs. Payers round up.

mod demand;
mod metered;
mod multipliers;
mod quote;
mod wide;

pub use demand::{BadDemandRule, DEMAND_MIN, check_demand, demand_max_after, next_demand};
pub use metered::{Unpriceable, agreed, core_ms_of, price};
pub use multipliers::{
    BadMultiplier, LOCATION_MAX, LOCATION_MIN, Multipliers, REPUTATION_FULL, location, reputation,
    tee,
};
pub use quote::{Asked, Quote, quote};

use types::{Agreement, Fuel, NanoMeshx, state::Params};

/// The price of one replica that used `fuel`: ⌈fuel / `fuel_per_nano`⌉, at least one nano.
pub fn price_of(fuel: Fuel, params: &Params) -> NanoMeshx {
    NanoMeshx::new(fuel.get().div_ceil(params.fuel_per_nano).max(1))
}

/// The most a job can cost: every replica uses the whole fuel limit. `None` if no amount is that large.
pub fn price_max(fuel: Fuel, agreement: &Agreement, params: &Params) -> Option<NanoMeshx> {
    price_of(fuel, params).get().checked_mul(u64::from(agreement.replicas)).map(NanoMeshx::new)
}

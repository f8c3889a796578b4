//! What a job costs. Payers round up.

mod demand;
mod metered;
mod multipliers;
mod quote;
mod usage;
mod wide;

pub use demand::{BadDemandRule, DEMAND_MIN, check_demand, demand_max_after, next_demand};
pub use metered::{Unpriceable, agreed, price};
pub use multipliers::{
    BadMultiplier, LOCATION_MAX, LOCATION_MIN, Multipliers, REPUTATION_FULL, location, reputation,
    tee,
};
pub use quote::{Asked, Quote, quote};
pub use usage::{cap, floor, multipliers, pay, price_max, usage, usage_max};

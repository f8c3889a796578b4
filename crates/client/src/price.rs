//! What a job costs: at most, and likely.

use crate::Request;
use jobs::{Asked, Multipliers, Quote, Unpriceable};
use types::{
    NanoMeshx, Outcome, Ppm, Usage,
    state::{Params, REPUTATION_NEW},
};

/// Blocks between asking for a price and the block a job is taken in: demand may rise by an eighth in each.
pub const WAIT_BLOCKS: u64 = 8;

/// No amount pays for the job's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the limits of the job cost more than can be paid\nhint: lower --fuel or --memory")]
pub struct Dear(#[source] Unpriceable);

/// What a job may cost at its limits, should demand rise until it is taken in.
///
/// # Errors
/// [`Dear`].
pub fn price_max(request: &Request, demand: Ppm, params: &Params) -> Result<NanoMeshx, Dear> {
    let demand = jobs::demand_max_after(demand, WAIT_BLOCKS, &params.demand);
    jobs::price_max(&request.spec, &request.agreement, demand, params).map_err(Dear)
}

/// What a metered job costs.
#[derive(Clone, Copy, Debug)]
pub struct Priced {
    /// What one replica used.
    pub metered: Usage,
    /// What the base price was multiplied by.
    pub multipliers: Multipliers,
    /// The price and its parts.
    pub quote: Quote,
}

/// What `request` will cost, whose run here had this `outcome`.
///
/// # Errors
/// [`Unpriceable`] if no amount pays for its limits.
pub fn quote(
    request: &Request,
    outcome: &Outcome,
    demand: Ppm,
    params: &Params,
) -> Result<Priced, Unpriceable> {
    let replicas = request.agreement.replicas;
    // Half of the best reputation: what a new worker has.
    let multipliers = jobs::multipliers(demand, REPUTATION_NEW, params);
    let metered = jobs::usage(&request.spec, outcome, params)?;
    let limits = jobs::usage_max(&request.spec, params)?;
    let asked = Asked { metered, limits, replicas, wait_blocks: WAIT_BLOCKS };
    let quote = jobs::quote(&asked, &params.rates, multipliers, &params.demand)?;
    Ok(Priced { metered, multipliers, quote })
}

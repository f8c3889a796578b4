//! `meshx quote`: run a job here, metered, and say what it would cost.

use crate::{
    args::Job,
    network::{self, Current},
    request,
    settings::Settings,
};
use anyhow::Result;
use client::{Priced, WAIT_BLOCKS};
use serde_json::json;
use types::{Ppm, Status, state::Params};

/// What prices follow from.
struct Rules {
    params: Params,
    demand: Ppm,
    from_network: bool,
}

/// The rules of the network that is named, or of a local mesh.
fn rules(settings: &Settings) -> Result<Rules> {
    if let Some(Current { client, .. }) = network::find(settings)? {
        let params = client.params(settings.chain)?;
        let demand = client.market(settings.chain)?.demand;
        return Ok(Rules { params, demand, from_network: true });
    }
    let params = node::mesh::usual_params();
    Ok(Rules { params, demand: Ppm::ONE, from_network: false })
}

pub fn quote(settings: &Settings, job: &Job) -> Result<()> {
    let request = request::read(job)?;
    let outcome = client::dry_run(&client::engine()?, &request)?;
    let Rules { params, demand, from_network } = rules(settings)?;
    let replicas = request.agreement.replicas;
    let Priced { metered, multipliers, quote } =
        client::quote(&request, &outcome, demand, &params)?;
    let status = match outcome.status {
        Status::Exited(0) => None,
        other => Some(other),
    };
    if settings.json() {
        let object = json!({
            "fuel": outcome.fuel, "fuel_max": request.spec.limits.fuel, "usage": metered,
            "multipliers": multipliers, "rates": params.rates, "price_low": quote.low,
            "price_likely": quote.likely, "price_max": quote.max, "status": outcome.status,
            "output_hash": outcome.stdout.hash, "from_network": from_network,
        });
        println!("{object}");
        return Ok(());
    }
    let rates = &params.rates;
    println!("fuel       {} (limit {})", outcome.fuel, request.spec.limits.fuel);
    println!("core       {} us at {} MESHX a core-second", metered.core_us, rates.core_second);
    println!("memory     {} kB us at {} MESHX a GB-second", metered.ram_kb_us, rates.ram_gb_second);
    println!(
        "storage    {} kB s at {} MESHX a GB-hour",
        metered.storage_kb_s, rates.storage_gb_hour
    );
    println!("bandwidth  {} bytes at {} MESHX a GB", metered.bandwidth_bytes, rates.bandwidth_gb);
    println!(
        "times      demand {} · location {} · TEE {} · reputation {}, and {replicas} replicas",
        multipliers.demand, multipliers.location, multipliers.tee, multipliers.reputation
    );
    println!(
        "low        {} MESHX  in the cheapest place, by workers of the least reputation",
        quote.low
    );
    println!("likely     {} MESHX", quote.likely);
    println!(
        "max        {} MESHX  at the limits, if demand rises for {WAIT_BLOCKS} blocks",
        quote.max
    );
    if let Some(status) = status {
        eprintln!("note: the job does not succeed on this input: {status:?}");
    }
    if !from_network {
        eprintln!("note: prices of a local mesh; name a network with --node");
    }
    Ok(())
}

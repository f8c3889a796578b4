//! `meshx quote`: run a job here, metered, and say what it would cost.

use super::run::text_or_base64;
use crate::{
    network::{self, Current},
    request,
    settings::Settings,
};
use anyhow::Result;
use args::{DEADLINE, Job};
use client::{
    LARGE_MODULE_BYTES, Logs, Priced, Request, Terms, WAIT_BLOCKS,
    units::{bytes, grouped, short},
};
use serde_json::json;
use types::{NanoMeshx, Outcome, Ppm, state::Params};

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
    // What happens here is told as exactly as a machine can.
    let engine = client::engine_with_places()?;
    let request = request::read(&engine, job)?;
    let Rules { params, demand, from_network } = rules(settings)?;
    let terms = Terms { chain: settings.chain, max_price: None, deadline: DEADLINE, fresh: false };
    client::acceptable(&request, &terms, demand, &params)?;
    let megabytes = request.spec.module_len / 1_000_000;
    if request.spec.module_len >= LARGE_MODULE_BYTES {
        eprintln!("compiling {megabytes} MB on this machine, which may take minutes");
    }
    let run = client::meter(&engine, &request)?;
    let outcome = run.outcome();
    let Priced { metered, multipliers, quote } =
        client::quote(&request, &outcome, demand, &params)?;
    let story =
        client::ending(&outcome, &request.spec.limits, run.trap.as_ref(), Logs::shown(&run.stderr));
    if settings.json() {
        let object = json!({
            "fuel": outcome.fuel, "fuel_max": request.spec.limits.fuel, "usage": metered,
            "multipliers": multipliers, "rates": params.rates, "price_low": quote.low,
            "price_likely": quote.likely, "price_max": quote.max, "status": outcome.status,
            "what": story.as_ref().map(|story| &story.what),
            "hint": story.as_ref().map(|story| &story.hint),
            "logs": text_or_base64(&run.stderr), "output_hash": outcome.stdout.hash, "files": outcome.status.files(), "from_network": from_network,
        });
        println!("{object}");
        return Ok(());
    }
    if let Some(files) = outcome.status.files() {
        println!("files      {} under /out", bytes(files.bytes.into()));
    }
    print(&request, &outcome, &params, &Priced { metered, multipliers, quote });
    if let Some(story) = story {
        talk::to_stderr(&run.stderr);
        eprintln!("note: on this input, the job fails: {}\nhint: {}", story.what, story.hint);
    }
    if !from_network {
        eprintln!(
            "note: prices of a new local network, where demand is {demand}; it falls to {} while nobody uses it, and prices with it; --node names another network",
            params.demand.min
        );
    }
    Ok(())
}

/// What the job uses, what that costs, and what is set aside for it.
fn print(request: &Request, outcome: &Outcome, params: &Params, priced: &Priced) {
    let Priced { metered, multipliers, quote } = priced;
    let (rates, limits) = (&params.rates, &request.spec.limits);
    let replicas = request.agreement.replicas;
    let mebibyte_seconds = |kilobytes: u64, seconds: f64| {
        short(kilobytes as f64 * 1_000.0 / f64::from(1_u32 << 20) * seconds)
    };
    println!("fuel       {} (limit {})", grouped(outcome.fuel.get()), grouped(limits.fuel.get()));
    println!(
        "core       {} s at {} MESHX a second",
        short(metered.core_us as f64 / 1e6),
        rates.core_second
    );
    let run_us = outcome.fuel.get().div_ceil(params.fuel_per_core_us.max(1));
    println!(
        "           {} s for the fuel, {} s to compile {}",
        short(run_us as f64 / 1e6),
        short(metered.core_us.saturating_sub(run_us) as f64 / 1e6),
        bytes(request.spec.module_len.into())
    );
    println!(
        "memory     {} MiB s at {} MESHX for 1 GB and a second",
        mebibyte_seconds(metered.ram_kb_us, 1e-6),
        rates.ram_gb_second
    );
    println!(
        "storage    {} MiB s at {} MESHX for 1 GB and an hour",
        mebibyte_seconds(metered.storage_kb_s, 1.0),
        rates.storage_gb_hour
    );
    println!(
        "bandwidth  {} at {} MESHX for 1 GB",
        bytes(metered.bandwidth_bytes.into()),
        rates.bandwidth_gb
    );
    println!(
        "times      demand {} · location {} · TEE {} · reputation {}, and {replicas} replicas",
        multipliers.demand, multipliers.location, multipliers.tee, multipliers.reputation
    );
    println!("likely     {} MESHX", quote.likely);
    println!(
        "at least   {} MESHX, in the cheapest place, by workers of the least reputation",
        quote.low
    );
    println!("escrow     {} MESHX{}", quote.max, times(quote.max, quote.likely));
    println!(
        "           The escrow is set aside first and pays for all that the job may use: {} fuel, {} of memory,",
        grouped(limits.fuel.get()),
        bytes(limits.memory_bytes.into())
    );
    println!(
        "           {} of output, at the prices after {WAIT_BLOCKS} blocks of rising demand. What is not used comes back",
        bytes(limits.output_bytes.into())
    );
    println!(
        "           with the result. Lower --fuel, --memory and --output-limit make it smaller."
    );
}

/// How many times one amount is of the other, in words.
fn times(more: NanoMeshx, less: NanoMeshx) -> String {
    match more.get().checked_div(less.get()) {
        Some(times @ 2..) => format!(", {} times the likely price", grouped(times)),
        _ => String::new(),
    }
}

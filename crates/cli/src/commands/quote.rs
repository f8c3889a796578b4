//! `meshx quote`: run a job here, metered, and say what it would cost.

use crate::{
    args::Job,
    settings::Settings,
    submit::{self, Request, WAIT_BLOCKS},
};
use anyhow::Result;
use sandbox::{Ended, Job as SandboxJob};
use serde_json::json;
use types::{
    Float, Hash, Outcome, OutputRef, Ppm, Status,
    state::{Params, REPUTATION_NEW},
};

/// A dry run of a request on this machine.
pub fn dry_run(request: &Request) -> Result<(Outcome, Vec<u8>)> {
    let spec = &request.spec;
    let args: Vec<&str> = spec.args.iter().map(|arg| arg.as_str()).collect();
    let env: Vec<&str> = spec.env.iter().map(|variable| variable.as_str()).collect();
    let files: Vec<(&str, &[u8])> =
        request.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let job = SandboxJob {
        module: &request.module,
        abi: spec.abi,
        float: spec.float,
        input: &request.input,
        args: &args,
        env: &env,
        files: &files,
        limits: spec.limits,
        seed: spec.seed,
        clock: spec.clock,
    };
    match submit::engine()?.run(&job, &|_chunk| {}, &false.into())? {
        Ended::Done(run) => {
            let kept =
                |bytes: &[u8]| OutputRef { hash: Hash::of_content(bytes), len: bytes.len() as u64 };
            let outcome = Outcome {
                status: run.status,
                stdout: kept(&run.stdout),
                stderr: kept(&run.stderr),
                fuel: run.fuel,
                memory_bytes: run.memory_bytes,
            };
            Ok((outcome, run.stdout))
        }
        Ended::Killed { after } => {
            anyhow::bail!(
                "the job was killed by its wall-clock limit after {after} ms\nhint: raise --wall; a job killed by the clock has no result"
            )
        }
        Ended::Cancelled => anyhow::bail!("the run was cancelled"),
    }
}

/// What prices follow from.
struct Rules {
    params: Params,
    demand: Ppm,
    from_network: bool,
}

/// The rules of the network that is named, or of a local mesh.
fn rules(settings: &Settings) -> Result<Rules> {
    if let Some(url) = settings.node.clone().or_else(submit::running_mesh) {
        let client = api::Client::new(url)?;
        let params = client.params(settings.chain)?;
        let demand = client.market(settings.chain)?.demand;
        return Ok(Rules { params, demand, from_network: true });
    }
    let profile = sandbox::profile;
    let params = chain::local_params(profile(Float::Strict), profile(Float::ArchClass), 500);
    Ok(Rules { params, demand: Ppm::ONE, from_network: false })
}

pub fn quote(settings: &Settings, job: &Job) -> Result<()> {
    let request = Request::read(job)?;
    let (outcome, _) = dry_run(&request)?;
    let Rules { params, demand, from_network } = rules(settings)?;
    let (spec, replicas) = (&request.spec, request.agreement.replicas);
    // Half of the best reputation: what a new worker has.
    let multipliers = jobs::multipliers(demand, REPUTATION_NEW, &params);
    let metered = jobs::usage(spec, &outcome, &params)?;
    let limits = jobs::usage_max(spec, &params)?;
    let asked = jobs::Asked { metered, limits, replicas, wait_blocks: WAIT_BLOCKS };
    let quote = jobs::quote(&asked, &params.rates, multipliers, &params.demand)?;
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
        "max        {} MESHX  to the limits, should demand rise for {WAIT_BLOCKS} blocks",
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

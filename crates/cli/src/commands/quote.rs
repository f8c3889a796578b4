//! `meshx quote`: run a job here, metered, and say what it would cost.

use crate::{args::Job, settings::Settings, submit, submit::Request};
use anyhow::{Context as _, Result};
use sandbox::{Ended, Job as SandboxJob};
use serde_json::json;
use types::{Float, Fuel, Hash, NanoMeshx, Outcome, OutputRef, Status, state::Params};

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

/// The rules of the network that is named, or of a local mesh.
fn params(settings: &Settings) -> Result<(Params, bool)> {
    match settings.node.clone().or_else(submit::running_mesh) {
        Some(url) => Ok((api::Client::new(url)?.params(settings.chain)?, true)),
        None => Ok((
            chain::local_params(
                sandbox::profile(Float::Strict),
                sandbox::profile(Float::ArchClass),
                500,
            ),
            false,
        )),
    }
}

pub fn quote(settings: &Settings, job: &Job) -> Result<()> {
    let request = Request::read(job)?;
    let (outcome, _) = dry_run(&request)?;
    let (params, from_network) = params(settings)?;
    let price = |fuel: Fuel, replicas: u8| -> Result<NanoMeshx> {
        let agreement = types::Agreement { replicas, ..request.agreement };
        jobs::price_max(fuel, &agreement, &params).context("no amount of MESHX pays for this")
    };
    // The run is deterministic, so its fuel is known; what is not is how many workers will agree.
    let low = price(outcome.fuel, request.agreement.agree)?;
    let likely = price(outcome.fuel, request.agreement.replicas)?;
    let max = price(request.spec.limits.fuel, request.agreement.replicas)?;
    let status = match outcome.status {
        Status::Exited(0) => None,
        other => Some(other),
    };
    if settings.json() {
        let object = json!({
            "fuel": outcome.fuel, "fuel_max": request.spec.limits.fuel, "price_low": low, "price_likely": likely,
            "price_max": max, "status": outcome.status, "output_hash": outcome.stdout.hash, "from_network": from_network,
        });
        println!("{object}");
        return Ok(());
    }
    println!("fuel    {} (limit {})", outcome.fuel, request.spec.limits.fuel);
    println!(
        "low     {low} MESHX  if {} of {} workers agree in time",
        request.agreement.agree, request.agreement.replicas
    );
    println!("likely  {likely} MESHX  if all do");
    println!("max     {max} MESHX  goes into escrow; what is not used comes back");
    if let Some(status) = status {
        eprintln!("note: the job does not succeed on this input: {status:?}");
    }
    if !from_network {
        eprintln!("note: prices of a local mesh; name a network with --node");
    }
    Ok(())
}

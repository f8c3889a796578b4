//! `meshx bench …`: measure this build on this machine.

use crate::args::{AttackArg, Bench, BenchJobs, BenchTx, Output};
use ::bench::{
    Attack, AttackLoad, CompareLoad, JobsLoad, LinkLoad, Report, SandboxLoad, SignLoad, StateLoad,
    TxLoad,
};
use anyhow::Result;
use network::Latency;

pub fn bench(output: Output, what: &Bench) -> Result<()> {
    if cfg!(debug_assertions) {
        talk::note("note: a debug build; its figures say nothing about a release");
    }
    if let Some((warmup, seconds)) = load(what) {
        talk::note(&format!(
            "starting what is measured; then {warmup} s to warm up, {seconds} s of load, and an audit"
        ));
    }
    let report = match what {
        Bench::Tx(asked) => tx(asked)?,
        Bench::Jobs(asked) => jobs(asked)?,
        Bench::Compare(asked) => ::bench::compare(&CompareLoad {
            cometbft: asked.cometbft.clone(),
            validators: usize::from(asked.validators),
            rate: asked.rate,
            seconds: asked.seconds,
            warmup: asked.warmup,
            block_ms: asked.block_ms,
            data: asked.data.clone(),
        })?,
        Bench::Sandbox(asked) => ::bench::sandbox(&SandboxLoad {
            threads: usize::from(asked.threads),
            seconds: asked.seconds,
            functions: asked.functions,
        })?,
        Bench::Sign(asked) => ::bench::sign(&SignLoad {
            batch: asked.batch,
            keys: asked.keys,
            seconds: asked.seconds,
        })?,
        Bench::State(asked) => ::bench::state(&StateLoad {
            keys: asked.keys,
            batch: asked.batch,
            batches: asked.batches,
            cache_mib: asked.cache,
            data: asked.data.clone(),
        })?,
        Bench::Net(asked) if !asked.attack.is_empty() => ::bench::attack(&AttackLoad {
            attacks: attacks(&asked.attack),
            attempts: asked.attempts.map(usize::try_from).transpose()?,
            honest: usize::from(asked.honest),
            lookups: usize::try_from(asked.lookups)?,
        })?,
        Bench::Net(asked) => {
            ::bench::link(&LinkLoad { message_bytes: asked.message, seconds: asked.seconds })?
        }
    };
    show(output, &report)
}

/// How long load is given before what counts, and how long what counts takes, in seconds.
const fn load(what: &Bench) -> Option<(usize, usize)> {
    match what {
        Bench::Tx(asked) => Some((asked.warmup, asked.seconds)),
        Bench::Jobs(asked) => Some((asked.warmup, asked.seconds)),
        Bench::Compare(asked) => Some((asked.warmup, asked.seconds)),
        _ => None,
    }
}

fn attacks(asked: &[AttackArg]) -> Vec<Attack> {
    let one = |asked: &AttackArg| match asked {
        AttackArg::All => Attack::ALL.to_vec(),
        AttackArg::Replay => vec![Attack::Replay],
        AttackArg::WrongKey => vec![Attack::WrongKey],
        AttackArg::Frames => vec![Attack::Frames],
        AttackArg::SlowLoris => vec![Attack::SlowLoris],
        AttackArg::Flood => vec![Attack::Flood],
        AttackArg::Sybils => vec![Attack::Sybils],
    };
    asked.iter().flat_map(one).collect()
}

/// What a report calls a latency model.
fn model(asked: &str) -> String {
    match asked {
        "none" => "none: validators in one process, messages pass at once".into(),
        "real" => "real: validators in one process, each message waits as long as between two measured cities".into(),
        folder => format!("the measurements in {folder}"),
    }
}

fn tx(asked: &BenchTx) -> Result<Report> {
    ::bench::tx(&TxLoad {
        validators: usize::from(asked.validators),
        shards: usize::from(asked.shards),
        rate: asked.rate,
        seconds: asked.seconds,
        warmup: asked.warmup,
        senders: asked.senders,
        accounts: asked.accounts,
        block_ms: asked.block_ms,
        latency: Latency::named(&asked.latency)?,
        latency_model: model(&asked.latency),
        data: asked.data.clone(),
    })
}

fn jobs(asked: &BenchJobs) -> Result<Report> {
    ::bench::jobs(&JobsLoad {
        validators: usize::from(asked.validators),
        workers: usize::from(asked.workers),
        replicas: asked.replicas,
        rate: asked.rate,
        seconds: asked.seconds,
        warmup: asked.warmup,
        block_ms: asked.block_ms,
        latency: Latency::named(&asked.latency)?,
        latency_model: model(&asked.latency),
        data: asked.data.clone(),
    })
}

fn show(output: Output, report: &Report) -> Result<()> {
    match output {
        Output::Json => println!("{}", serde_json::to_string_pretty(report)?),
        Output::Table => println!("{}", report.to_string().trim_end()),
    }
    Ok(())
}

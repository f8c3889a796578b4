//! `meshx bench …`: measure this build on this machine.

use crate::{
    args::{Bench, BenchTx, Output},
    local,
    settings::Settings,
};
use anyhow::Result;
use bench::{Report, TxLoad};

pub fn bench(settings: &Settings, what: &Bench) -> Result<()> {
    if cfg!(debug_assertions) {
        eprintln!("note: a debug build; its figures say nothing about a release");
    }
    let report = match what {
        Bench::Tx(asked) => tx(asked)?,
    };
    show(settings, &report)
}

fn tx(asked: &BenchTx) -> Result<Report> {
    let latency = local::latency(&asked.latency)?;
    let latency_model = match asked.latency.as_str() {
        "none" => "none: validators in one process, messages pass at once".to_owned(),
        "real" => "real: validators in one process, each message waits as long as between two measured cities".to_owned(),
        folder => format!("the measurements in {folder}"),
    };
    bench::tx(&TxLoad {
        validators: usize::from(asked.validators),
        shards: usize::from(asked.shards),
        rate: asked.rate,
        seconds: asked.seconds,
        warmup: asked.warmup,
        senders: asked.senders,
        accounts: asked.accounts,
        block_ms: asked.block_ms,
        latency,
        latency_model,
        data: asked.data.clone(),
    })
}

fn show(settings: &Settings, report: &Report) -> Result<()> {
    match settings.output {
        Output::Json => println!("{}", serde_json::to_string_pretty(report)?),
        Output::Table => println!("{}", report.to_string().trim_end()),
    }
    Ok(())
}

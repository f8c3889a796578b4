//! `meshx up`: a local mesh of eight chains that stays until it is stopped.

use crate::{args::Up, settings::Settings};
use anyhow::{Context as _, Result};
use client::home;
use node::mesh::{self, Latency, Shape};
use serde_json::json;
use std::{fs, io, time::Instant};

pub fn up(settings: &Settings, args: &Up) -> Result<()> {
    let started = Instant::now();
    let shape = Shape {
        validators: usize::from(args.validators),
        workers: usize::from(args.workers),
        latency: Latency::named(&args.latency)?,
        block_ms: args.block_ms,
        term_blocks: args.term_blocks,
        rest_ms: args.rest_ms,
        listen: args.listen,
        data: args.data.clone(),
    };
    mesh::with_mesh(&shape, |ready| async move {
        let seconds = started.elapsed().as_secs_f32();
        let network = ready.node.network_keys().network();
        let mark = home::running_mesh_file()?;
        client::write_whole(&mark, ready.url.as_bytes(), false)?;
        if settings.json() {
            println!(
                "{}",
                json!({ "ready": true, "node": ready.url, "network": network, "seconds": seconds })
            );
        } else {
            println!(
                "ready in {seconds:.1} s: eight chains, {} validators and {} workers a chain, latency {}",
                args.validators, args.workers, args.latency
            );
            println!("node      {}", ready.url);
            println!("network   {network} (development keys: this process is the whole network)");
            println!(
                "wallet    {} holds 1000000 MESHX on every shard and is everyone's",
                mesh::development_address()
            );
            println!("try       meshx run examples/wordcount.wasm < README.md");
            println!("stop      Ctrl-C");
        }
        stop_signal().await.context("cannot listen for signals")?;
        eprintln!("stopping");
        let _ = fs::remove_file(mark);
        Ok(())
    })
}

/// Wait for Ctrl-C, or for the polite end a service manager asks for.
pub async fn stop_signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}

//! `meshx up`: a local mesh of eight chains that stays until it is stopped.

use crate::{
    settings::Settings,
    watch::{SIGNALLED, interrupt},
};
use anyhow::{Context as _, Result};
use args::Up;
use client::home::{self, RunningMesh};
use node::mesh::{self, Latency, Shape};
use serde_json::json;
use std::{
    fs, io,
    net::SocketAddr,
    process,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use talk::Progress;

/// How long chains that are stopped may take: a worker that compiles a large module does not hear that it should stop.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

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
        edges: args.edges.or_else(|| beside(args.listen)).filter(|_| !args.no_edges),
        data: args.data.clone(),
        passing: false,
        starting: tell_start,
    };
    let mesh = RunningMesh {
        node: format!("http://{}", args.listen),
        process: process::id(),
        ready: false,
    };
    end_in_time();
    if shape.edges.is_none() && !args.no_edges {
        eprintln!("no edges can join: there is no port after that of --listen; --edges names one");
    }
    // One that runs already keeps its place until this one is ready: this one may find its port taken.
    if !home::running_mesh().is_some_and(|other| other.is_alive()) {
        home::say_running(&mesh)?;
    }
    let _gone = Gone;
    progress().say("starting eight chains");
    mesh::with_mesh(&shape, |ready| async move {
        let seconds = started.elapsed().as_secs_f32();
        let id = ready.node.network_keys().network();
        progress().say("");
        home::say_running(&RunningMesh { node: ready.url.clone(), ready: true, ..mesh })?;
        READY.store(true, Ordering::Relaxed);
        if settings.json() {
            println!(
                "{}",
                json!({ "ready": true, "node": ready.url, "network": id, "seconds": seconds })
            );
        } else {
            println!(
                "ready in {seconds:.1} s: eight chains, {} validators and {} workers a chain, latency {}",
                args.validators, args.workers, args.latency
            );
            println!("node      {}", ready.url);
            println!("network   {id} (development keys: this process is the whole network)");
            println!(
                "wallet    {} holds 1,000,000 MESHX on every shard and is everyone's",
                mesh::development_address()
            );
            if !ready.node.join().is_empty() {
                println!("earn      meshx provide --payout ADDRESS");
            }
            println!("try       meshx run examples/wordcount.wasm < README.md");
            println!("stop      Ctrl-C");
        }
        stop_signal().await.context("cannot listen for signals")?;
        eprintln!("stopping");
        Ok(())
    })
}

/// Whether every chain has a final block.
static READY: AtomicBool = AtomicBool::new(false);

/// End this process after a signal: at once if the mesh is not ready, and otherwise if it takes too long to stop, or at the
/// second signal. What is on the disk bears that as it bears a power cut.
fn end_in_time() {
    let wait = async || -> io::Result<i32> {
        let signal = interrupt().await?;
        // Nobody is to look for this mesh any more.
        drop(Gone);
        if !READY.load(Ordering::Relaxed) {
            eprintln!("stopped while it was starting");
            return Ok(SIGNALLED + signal);
        }
        let _second_or_late = tokio::time::timeout(STOP_PATIENCE, interrupt()).await;
        Ok(0)
    };
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        if let Ok(code) = runtime.and_then(|runtime| runtime.block_on(wait())) {
            mesh::remove_passing_folder();
            process::exit(code);
        }
    });
}

/// The one line that says how far the start is.
fn progress() -> &'static Progress {
    static LINE: OnceLock<Progress> = OnceLock::new();
    LINE.get_or_init(Progress::new)
}

/// Say how far the start of a mesh is.
pub fn tell_start(ready: usize, of: usize) {
    progress().say(&format!("starting: {ready} of {of} chains have a final block"));
}

/// Where edges join, unless something else is asked for: the port after the API's.
fn beside(api: SocketAddr) -> Option<SocketAddr> {
    let port = match api.port() {
        0 => 0,
        port => port.checked_add(1)?,
    };
    Some(SocketAddr::new(api.ip(), port))
}

/// When it is dropped, no mesh runs here any more.
struct Gone;

impl Drop for Gone {
    fn drop(&mut self) {
        // A later `up` may have written its own.
        let ours = home::running_mesh().is_some_and(|mesh| mesh.process == process::id());
        if let (true, Ok(file)) = (ours, home::running_mesh_file()) {
            let _ = fs::remove_file(file);
        }
    }
}

/// Wait for Ctrl-C, for the polite end a service manager asks for, or for the terminal to go.
pub async fn stop_signal() -> io::Result<()> {
    interrupt().await.map(drop)
}

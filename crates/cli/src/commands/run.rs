//! `meshx run`: a WebAssembly file as a job, here or on a network.

use crate::{
    args::Run,
    ending, network, request,
    settings::Settings,
    user,
    watch::{End, Watch},
};
use anyhow::{Result, bail};
use api::{Client, NetworkStatus, Output};
use client::{Request, Step, Terms, home};
use node::mesh::{self, Latency, Shape};
use serde_json::json;
use std::{
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
};
use talk::{Progress, to_stdout};
use types::{
    ChainId, JobId,
    state::{Phase, Settlement},
};

pub fn run(settings: &Settings, args: &Run) -> Result<ExitCode> {
    // A job that can never run is refused here, before a mesh is started or money moves.
    let request = request::read(&args.job)?;
    let progress = Progress::new();
    if let Some(current) = network::find(settings)? {
        check_workers(&current.status, settings.chain, &request)?;
        return on(settings, args, &current.client, &request, &progress, End::GoesOn);
    }
    if args.detach {
        bail!("there is no network that could go on with the job\nhint: meshx up starts one");
    }
    eprintln!("no network is configured and none answers, so this command starts its own");
    progress.say("starting a local network of eight chains");
    let shape = Shape::ephemeral(Latency::named(&args.latency)?);
    mesh::with_mesh(&shape, |ready| async move {
        let client = Client::new(&ready.url)?;
        let over = End::With(mesh::remove_passing_folder);
        tokio::task::block_in_place(|| on(settings, args, &client, &request, &progress, over))
    })
}

fn on(
    settings: &Settings,
    args: &Run,
    client: &Client,
    request: &Request,
    progress: &Progress,
    end: End,
) -> Result<ExitCode> {
    let key = user::paying_key(settings, client)?;
    let terms = Terms {
        chain: settings.chain,
        max_price: args.max_price,
        deadline: args.deadline,
        fresh: args.fresh,
    };
    let watch = Watch::start(client, end);
    let tell = |step: Step<'_>| match step {
        Step::Doing(text) => {
            progress.say(text);
            watch.doing(text);
        }
        Step::Submitted(chain, job) => watch.submitted(chain, job),
    };
    if args.detach {
        client::submit_detached(client, &key, request, &terms, &tell)?;
        watch.over();
        progress.say("");
        print_detached(settings, watch.job());
        return Ok(ExitCode::SUCCESS);
    }
    let finished = client::submit(client, &key, request, &terms, &tell)?;
    watch.over();
    let view = &finished.view;
    let Phase::Settled(settlement) = &view.record.phase else {
        let why = client.why(Some(view.chain), view.job)?;
        bail!(
            "the job ended without a result: {}\nhint: meshx why {} names the workers and rules",
            why.verdict,
            view.job
        );
    };
    progress.say("checking the receipt");
    let stdout = client::output(client, view, Output::Stdout)?;
    let stderr = client::output(client, view, Output::Stderr)?;
    let (receipt, verified) = client::receipt(client, &finished)?;
    let path = match &args.receipt {
        Some(path) => path.clone(),
        None => home::data()?.join("receipts").join(format!("{}.mxr", view.job)),
    };
    client::write_whole(&path, &receipt, false)?;
    progress.say("");
    let facts = Facts {
        view,
        settlement,
        assurance: verified.assurance().to_string(),
        simulated: verified.dev_dealer(),
        path,
    };
    if settings.json() {
        facts.print_json(&stdout, &stderr)?;
    } else {
        show_stdout(&stdout, args.raw)?;
        to_stderr(&stderr);
        facts.print_summary();
    }
    Ok(ending::exit_code(&settlement.outcome.status))
}

fn print_detached(settings: &Settings, job: Option<(ChainId, JobId)>) {
    let Some((chain, job)) = job else { return };
    if settings.json() {
        println!("{}", json!({ "job": job, "chain": chain }));
    } else {
        println!("{job}");
        eprintln!("hint: meshx job follow {job} tells how far it is");
    }
}

/// As many workers as are asked for must be there; others would only wait for the deadline.
fn check_workers(status: &NetworkStatus, chain: ChainId, request: &Request) -> Result<()> {
    let replicas = request.agreement.replicas;
    let Some(found) = status.chains.iter().find(|found| found.chain == chain) else {
        return Ok(());
    };
    if found.ready && u32::from(replicas) > found.workers {
        bail!(
            "{replicas} workers are asked for, but {chain} has {}\nhint: ask for fewer with --replicas and --agree, or for another --chain",
            found.workers
        );
    }
    Ok(())
}

/// Show the job's output. A terminal is not sent what would upset it.
pub fn show_stdout(bytes: &[u8], raw: bool) -> Result<()> {
    let terminal = std::io::stdout().is_terminal();
    let is_binary = || bytes.contains(&0) || std::str::from_utf8(bytes).is_err();
    if terminal && !raw && is_binary() {
        eprintln!(
            "the output is {} bytes that are not text\nhint: save them with > FILE, or show them with --raw",
            bytes.len()
        );
        return Ok(());
    }
    to_stdout(bytes)?;
    if terminal && bytes.last().is_some_and(|last| *last != b'\n') {
        eprintln!();
    }
    Ok(())
}

/// Pass on what the job wrote there, byte for byte. What we say ourselves begins a line of its own.
fn to_stderr(bytes: &[u8]) {
    let mut stderr = std::io::stderr().lock();
    // Nobody reads it, if it cannot be written.
    let _ = stderr.write_all(bytes);
    if bytes.last().is_some_and(|last| *last != b'\n') {
        let _ = stderr.write_all(b"\n");
    }
}

/// What is said about a result.
struct Facts<'a> {
    view: &'a api::JobView,
    settlement: &'a Settlement,
    assurance: String,
    simulated: bool,
    path: PathBuf,
}

impl Facts<'_> {
    fn print_summary(&self) {
        let Settlement { outcome, paid, cached_from, .. } = self.settlement;
        let cached = if cached_from.is_some() {
            " (answered from the result cache, nobody ran it again)"
        } else {
            ""
        };
        let simulated =
            if self.simulated { ", on development keys: one process dealt them all" } else { "" };
        let limits = &self.view.record.submission.spec.limits;
        if let Some((what, hint)) = ending::words(&outcome.status, limits) {
            eprintln!("{what}");
            if let Some(hint) = hint {
                eprintln!("hint: {hint}");
            }
        }
        eprintln!("price {paid} MESHX for {} fuel{cached}", outcome.fuel);
        eprintln!("assurance {}{simulated}", self.assurance);
        eprintln!("receipt {}", self.path.display());
    }

    fn print_json(&self, stdout: &[u8], stderr: &[u8]) -> Result<()> {
        use base64::Engine as _;
        let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
            Ok(text) => json!({ "text": text }),
            Err(_) => json!({ "base64": base64::engine::general_purpose::STANDARD.encode(bytes) }),
        };
        let Settlement { outcome, paid, refunded, assignments, agreed, cached_from, height } =
            self.settlement;
        let object = json!({
            "job": self.view.job,
            "chain": self.view.chain,
            "height": height,
            "status": outcome.status,
            "output_hash": outcome.stdout.hash,
            "output": text(stdout),
            "logs": text(stderr),
            "fuel": outcome.fuel,
            "price": paid,
            "refunded": refunded,
            "workers": assignments.iter().filter(|one| one.outcome.as_ref() == Some(outcome)).map(|one| one.worker).collect::<Vec<_>>(),
            "agreed": agreed,
            "assurance": self.assurance,
            "simulated": self.simulated,
            "cached_from": cached_from,
            "receipt": self.path,
        });
        println!("{object}");
        Ok(())
    }
}

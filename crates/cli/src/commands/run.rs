//! `meshx run`: a WebAssembly file as a job, here or on a network.

use crate::{args::Run, network, request, settings::Settings, user};
use anyhow::{Result, bail};
use api::{Client, Output};
use client::{Request, Terms, home};
use node::mesh::{self, Latency, Shape};
use serde_json::json;
use std::{path::PathBuf, process::ExitCode};
use talk::{Progress, to_stdout};
use types::{
    Status,
    state::{Phase, Settlement},
};

/// What `run` exits with when the job trapped, as a shell would after an abort.
const TRAPPED: u8 = 134;

pub fn run(settings: &Settings, args: &Run) -> Result<ExitCode> {
    // A job that can never run is refused here, before a mesh is started or money moves.
    let request = request::read(&args.job)?;
    let progress = Progress::new();
    if let Some(current) = network::find(settings)? {
        return on(settings, args, &current.client, &request, &progress);
    }
    eprintln!("network of this command alone: none is configured, and none answers");
    progress.say("starting a local network of eight chains");
    let shape = Shape::ephemeral(Latency::named(&args.latency)?);
    mesh::with_mesh(&shape, |ready| async move {
        let client = Client::new(&ready.url)?;
        tokio::task::block_in_place(|| on(settings, args, &client, &request, &progress))
    })
}

fn on(
    settings: &Settings,
    args: &Run,
    client: &Client,
    request: &Request,
    progress: &Progress,
) -> Result<ExitCode> {
    let key = user::paying_key(settings, client)?;
    let terms = Terms {
        chain: settings.chain,
        max_price: args.max_price,
        deadline: args.deadline,
        fresh: args.fresh,
    };
    let finished = client::submit(client, &key, request, &terms, &|text| progress.say(text))?;
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
        to_stdout(&stdout)?;
        eprint!("{}", String::from_utf8_lossy(&stderr));
        facts.print_summary();
    }
    Ok(exit_code(&settlement.outcome.status))
}

fn exit_code(status: &Status) -> ExitCode {
    match status {
        // As an operating system does: the low eight bits.
        Status::Exited(code) => ExitCode::from(code.to_le_bytes()[0]),
        Status::Trapped(_) => ExitCode::from(TRAPPED),
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
        let ending = match outcome.status {
            Status::Exited(0) => String::new(),
            Status::Exited(code) => format!("exit code {code}, "),
            Status::Trapped(trap) => format!("trapped ({trap:?}), "),
        };
        let cached = if cached_from.is_some() {
            " (answered from the result cache, nobody ran it again)"
        } else {
            ""
        };
        let simulated =
            if self.simulated { ", on development keys: one process dealt them all" } else { "" };
        eprintln!("{ending}price {paid} MESHX for {} fuel{cached}", outcome.fuel);
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

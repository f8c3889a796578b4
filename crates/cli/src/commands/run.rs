//! `meshx run`: a WebAssembly file as a job, here or on a network.

use super::{up::tell_start, why};
use crate::{
    ending, network, outputs, request,
    settings::Settings,
    units::{grouped, short_id},
    user,
    watch::{End, Watch},
};
use anyhow::{Context as _, Result, bail};
use api::{Client, NetworkStatus, Output};
use args::Run;
use client::{Request, Step, Story, Terms, home};
use node::mesh::{self, Latency, Shape};
use serde_json::{Value, json};
use std::{path::Path, process::ExitCode};
use talk::{Progress, show_stdout, to_stderr, to_stdout};
use types::{
    ChainId, JobId, OutputList, Ppm,
    state::{Phase, Settlement},
};

pub fn run(settings: &Settings, args: &Run) -> Result<ExitCode> {
    // A job that can never run is refused here, before a mesh is started or money moves.
    let engine = client::engine()?;
    let request = request::read(&engine, &args.job)?;
    client::runnable(&engine, &request)?;
    drop(engine);
    if args.detach && args.save.out.is_some() {
        bail!(
            "--detach does not wait for files\nhint: meshx job output ID --out DIR saves them later"
        );
    }
    if args.detach && args.receipt.is_some() {
        bail!(
            "--detach does not wait for the receipt\nhint: meshx job receipt ID FILE saves it later"
        );
    }
    outputs::folder(&args.save)?;
    if let Some(path) = args.receipt.as_deref().filter(|path| *path != Path::new("-")) {
        client::could_write(path)?;
    }
    let (progress, terms) = (Progress::new(), terms(settings, args));
    if let Some(current) = network::find(settings)? {
        check_workers(&current.status, settings.chain, &request)?;
        // A node that is starting cannot say yet; it is waited for later.
        if let Ok(params) = current.client.params(settings.chain) {
            let demand = current.client.market(settings.chain)?.demand;
            client::acceptable(&request, &terms, demand, &params)?;
        }
        return on(settings, args, &current.client, &request, &progress, End::GoesOn);
    }
    if args.detach {
        bail!("there is no network that could go on with the job\nhint: meshx up starts one");
    }
    client::acceptable(&request, &terms, Ppm::ONE, &mesh::usual_params())?;
    eprintln!("no network is configured and none answers, so this command starts its own");
    progress.say("starting a local network of eight chains");
    let latency = Latency::named(&args.latency)?;
    let shape = Shape { starting: tell_start, ..Shape::ephemeral(latency) };
    mesh::with_mesh(&shape, |ready| async move {
        let client = Client::new(&ready.url)?;
        let over = End::With(mesh::remove_passing_folder);
        tokio::task::block_in_place(|| on(settings, args, &client, &request, &progress, over))
    })
}

const fn terms(settings: &Settings, args: &Run) -> Terms {
    let Run { max_price, deadline, fresh, .. } = args;
    Terms { chain: settings.chain, max_price: *max_price, deadline: *deadline, fresh: *fresh }
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
    let terms = terms(settings, args);
    let watch = Watch::start(client, end);
    let tell = |step: Step<'_>| match step {
        Step::Doing(text) => {
            progress.say(text);
            watch.doing(text);
        }
        Step::Paying(_, job) => watch.paying(job),
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
        progress.say("");
        let (what, hint) = match why::story(client, view, Some(request)) {
            Some(Story { what, hint, .. }) => (what, format!("\nhint: {hint}")),
            None => (client.why(Some(view.chain), view.job)?.verdict, String::new()),
        };
        bail!(
            "the job ended without a result, and everything was refunded: {what}{hint}\nhint: meshx why {} names the workers and rules",
            short_id(&view.job)
        );
    };
    let story = why::story(client, view, Some(request));
    progress.say("checking the receipt");
    let stdout = client::output(client, view, Output::Stdout)?;
    let stderr = client::output(client, view, Output::Stderr)?;
    let (receipt, verified) = client::receipt(client, &finished)?;
    progress.say("");
    // The job is paid for: what cannot be saved must not keep its result from the user.
    let path = match &args.receipt {
        Some(path) => Ok(path.clone()),
        None => home::data().map(|data| data.join("receipts").join(format!("{}.mxr", view.job))),
    };
    let receipt =
        path.map_err(Into::into).and_then(|path| write_receipt(&path, &receipt, settings.json()));
    let folder = outputs::folder(&args.save);
    let files =
        folder.and_then(|folder| Ok((outputs::save(client, view, folder.as_ref())?, folder)));
    let facts = Facts {
        view,
        settlement,
        story,
        assurance: verified.assurance().to_string(),
        simulated: verified.dev_dealer(),
        receipt: receipt.as_ref().cloned().unwrap_or_default(),
    };
    if settings.json() {
        facts.print_json(
            &stdout,
            &stderr,
            files.as_ref().ok().and_then(|(list, _)| list.as_ref()),
        )?;
    } else {
        if args.receipt.as_deref() == Some(Path::new("-")) {
            eprintln!(
                "the receipt is on stdout; meshx job output {} has the output",
                short_id(&view.job)
            );
        } else {
            show_stdout(&stdout, args.raw)?;
        }
        to_stderr(&stderr);
        if let Ok((Some(list), folder)) = &files {
            outputs::tell(view, list, folder.as_ref());
        }
        facts.print_summary();
    }
    let job = short_id(&view.job);
    files.with_context(|| {
        format!(
            "the job is done and paid for\nhint: meshx job output {job} --out DIR saves its files"
        )
    })?;
    receipt.with_context(|| {
        format!(
            "the job is done and paid for\nhint: meshx job receipt {job} FILE saves its receipt"
        )
    })?;
    Ok(ending::exit_code(&settlement.outcome.status))
}

fn print_detached(settings: &Settings, job: Option<(ChainId, JobId)>) {
    let Some((chain, job)) = job else { return };
    if settings.json() {
        println!("{}", json!({ "job": job, "chain": chain }));
    } else {
        println!("{job}");
        eprintln!("hint: meshx job follow {} tells how far it is", short_id(&job));
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

/// Write a receipt where it is wanted, and say where that is. `-` is stdout; for programs it is a part of the JSON there.
pub fn write_receipt(to: &Path, receipt: &[u8], json: bool) -> Result<Value> {
    if to != Path::new("-") {
        client::write_whole(to, receipt, false)?;
        return Ok(json!(to));
    }
    if json {
        return Ok(text_or_base64(receipt));
    }
    to_stdout(receipt)?;
    Ok(json!("-"))
}

/// Bytes in JSON: as text where they are text.
pub fn text_or_base64(bytes: &[u8]) -> Value {
    use base64::Engine as _;
    match std::str::from_utf8(bytes) {
        Ok(text) => json!({ "text": text }),
        Err(_) => json!({ "base64": base64::engine::general_purpose::STANDARD.encode(bytes) }),
    }
}

/// What is said about a result.
struct Facts<'a> {
    view: &'a api::JobView,
    settlement: &'a Settlement,
    story: Option<Story>,
    assurance: String,
    simulated: bool,
    /// Where it is.
    receipt: Value,
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
        match &self.story {
            // A program's own code is its own matter.
            Some(Story { kind: "exit_code", what, .. }) => eprintln!("{what}"),
            Some(Story { what, hint, .. }) => eprintln!("{what}\nhint: {hint}"),
            None => {}
        }
        eprintln!("price {paid} MESHX for {} fuel{cached}", grouped(outcome.fuel.get()));
        eprintln!("assurance {}{simulated}", self.assurance);
        if let Some(path) = self.receipt.as_str() {
            eprintln!("receipt {path}");
        }
    }

    fn print_json(&self, stdout: &[u8], stderr: &[u8], files: Option<&OutputList>) -> Result<()> {
        let Settlement { outcome, paid, refunded, assignments, agreed, cached_from, height } =
            self.settlement;
        let agreeing = assignments.iter().filter(|one| one.outcome.as_ref() == Some(outcome));
        let object = json!({
            "job": self.view.job,
            "chain": self.view.chain,
            "height": height,
            "status": outcome.status,
            "what": self.story.as_ref().map(|story| &story.what),
            "hint": self.story.as_ref().map(|story| &story.hint),
            "output_hash": outcome.stdout.hash,
            "output": text_or_base64(stdout),
            "logs": text_or_base64(stderr),
            "files": outputs::as_json(files),
            "fuel": outcome.fuel,
            "price": paid,
            "refunded": refunded,
            "workers": agreeing.map(|one| one.worker).collect::<Vec<_>>(),
            "agreed": agreed,
            "assurance": self.assurance,
            "simulated": self.simulated,
            "cached_from": cached_from,
            "receipt": self.receipt,
        });
        Ok(to_stdout(format!("{object}\n").as_bytes())?)
    }
}

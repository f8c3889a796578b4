//! `meshx run`: a WebAssembly file as a job, here or on a network.

use super::{up::tell_start, why};
use crate::{
    ending, network, outputs, request,
    settings::Settings,
    user,
    watch::{End, Watch},
};
use anyhow::{Context as _, Result, bail};
use api::{Client, Output};
use args::Run;
use client::{
    Finished, LARGE_MODULE_BYTES, Logs, Request, Step, Story, Terms, home,
    units::{grouped, short_id},
};
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
        client::enough_workers(&current.status, settings.chain, &request)?;
        // A node that is starting cannot say yet; it is waited for later.
        if let Ok(params) = current.client.params(settings.chain) {
            let demand = current.client.market(settings.chain)?.demand;
            client::acceptable(&request, &terms, demand, &params)?;
            if demand > Ppm::ONE && terms.max_price.is_none() {
                eprintln!(
                    "demand is {demand}: prices are so many times the usual ones (--max-price limits what is paid)"
                );
            }
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
    if request.spec.module_len >= LARGE_MODULE_BYTES {
        eprintln!(
            "the module has {} MB: workers that have not run it before compile it first, which may take minutes",
            request.spec.module_len / 1_000_000
        );
    }
    let tell = |step: Step<'_>| match step {
        Step::Doing(text) => {
            progress.say(text);
            watch.doing(text);
        }
        Step::NotKept(error) => {
            eprintln!(
                "note: {}, so receipts of this network need --network to verify here",
                brief(error)
            );
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
    let finished = client::submit(client, &key, request, &terms, &tell);
    watch.over();
    // Once it is paid for, what is lost is only the sight of it.
    let finished = finished.map_err(|error| match watch.job() {
        Some((_, job)) => anyhow::Error::new(error).context(lost(&job)),
        None => error.into(),
    })?;
    show(settings, args, client, request, (progress, &finished))
}

/// Check what the job came to, print it, and save what is to be kept of it.
fn show(
    settings: &Settings,
    args: &Run,
    client: &Client,
    request: &Request,
    (progress, finished): (&Progress, &Finished),
) -> Result<ExitCode> {
    let view = &finished.view;
    let Phase::Settled(settlement) = &view.record.phase else {
        progress.say("");
        let (what, hint) = match why::story(client, view, Some(request), Logs::Of(view.job)) {
            Some(Story { what, hint, .. }) => (what, format!("\nhint: {hint}")),
            None => (client.why(Some(view.chain), view.job)?.verdict, String::new()),
        };
        bail!(
            "the job ended without a result, and everything was refunded: {what}{hint}\nhint: meshx why {} names the workers and rules",
            short_id(&view.job)
        );
    };
    progress.say("checking the receipt");
    let stdout = client::output(client, view, Output::Stdout)?;
    let stderr = client::output(client, view, Output::Stderr)?;
    let logs = if settings.json() { Logs::Of(view.job) } else { Logs::shown(&stderr) };
    let story = why::story(client, view, Some(request), logs);
    let (receipt, verified) = client::receipt(client, finished)?;
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
    match receipt {
        // Nobody has asked for that one.
        Err(error) if args.receipt.is_none() => {
            eprintln!(
                "note: no receipt is kept: {error:#}\nhint: meshx job receipt {job} FILE saves it"
            );
        }
        receipt => drop(receipt.with_context(|| {
            format!(
                "the job is done and paid for\nhint: meshx job receipt {job} FILE saves its receipt"
            )
        })?),
    }
    Ok(ending::exit_code(&settlement.outcome.status))
}

/// What is told of a job that its node no longer tells of.
fn lost(job: &JobId) -> String {
    let job = short_id(job);
    format!(
        "the node no longer tells of job {job}, which is paid for and may go on\nhint: once a node of the network answers, meshx job follow {job} tells how far it is; what a meshx up without --data held is gone with it"
    )
}

/// What an error says first, without what to try.
fn brief(error: &dyn std::error::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
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
        let demand = match cached_from {
            Some(_) => String::new(),
            None => format!(", at demand {}", self.view.record.demand),
        };
        eprintln!("price {paid} MESHX for {} fuel{demand}{cached}", grouped(outcome.fuel.get()));
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
            "demand": self.view.record.demand,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_not_lost_with_the_sight_of_it() {
        let said = lost(&types::Hash([0xcd; 32]));
        assert!(said.starts_with("the node no longer tells of job cdcdcdcdcdcd,"), "{said}");
        assert!(said.contains("meshx job follow cdcdcdcdcdcd tells how far it is"), "{said}");
    }
}

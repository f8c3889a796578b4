//! `meshx job …`: looking at jobs, and taking them back.

use super::run::{text_or_base64, write_receipt};
use crate::{outputs, settings::Settings, user};
use anyhow::{Result, bail};
use api::{JobEvent, JobsQuery, Output};
use args::{JobCommand, JobVerb, Save};
use client::{
    Finished, ID_CHARS_MIN, Logs, find_job as find, phase_words,
    units::{bytes as human, grouped, short_id, unique_len},
    when,
};
use serde_json::json;
use std::path::PathBuf;
use talk::{show_stdout, to_stdout};
use types::{Action, Status, codec::DecodeExt, network::NetworkKeys, state::Phase};

const LISTED: usize = 20;

pub fn job(settings: &Settings, command: &JobCommand) -> Result<()> {
    match &command.verb {
        JobVerb::List => list(settings),
        JobVerb::Show(id) => show(settings, &id.id),
        JobVerb::Follow(id) => follow(settings, &id.id),
        JobVerb::Output { id, save, raw } => output(settings, &id.id, save, *raw),
        JobVerb::Logs(id) => logs(settings, &id.id),
        JobVerb::Receipt { id, to } => receipt(settings, &id.id, to.as_ref()),
        JobVerb::Cancel(id) => cancel(settings, &id.id),
    }
}

fn list(settings: &Settings) -> Result<()> {
    let query = JobsQuery { limit: LISTED, ..JobsQuery::default() };
    let page = user::client(settings)?.jobs(&query)?;
    if settings.json() {
        println!("{}", serde_json::to_string(&page)?);
        return Ok(());
    }
    let ids: Vec<String> = page.items.iter().map(|view| view.job.to_string()).collect();
    let len = unique_len(&ids, ID_CHARS_MIN);
    println!("{:len$}  {:5}  {:>8}  {:19}  {:8}  PRICE", "JOB", "CHAIN", "AGE", "PHASE", "ENDING");
    for (view, id) in page.items.iter().zip(&ids) {
        let (ending, price) = match &view.record.phase {
            Phase::Settled(settlement) => {
                let ending = match settlement.outcome.status {
                    Status::Exited(code) | Status::ExitedWithFiles { code, .. } => {
                        format!("exit {code}")
                    }
                    Status::Trapped(_) => "trapped".to_owned(),
                    Status::CannotRun(_) => "not run".to_owned(),
                };
                (ending, format!("{} MESHX", settlement.paid))
            }
            _ => Default::default(),
        };
        let age = view.submitted_at.map_or_else(|| "-".to_owned(), when::age);
        println!(
            "{}  {:5}  {age:>8}  {:19}  {ending:8}  {price}",
            id.get(..len).unwrap_or(id),
            view.chain,
            phase_words(&view.record.phase)
        );
    }
    Ok(())
}

fn show(settings: &Settings, id: &str) -> Result<()> {
    let view = find(&user::client(settings)?, id)?;
    if settings.json() {
        println!("{}", serde_json::to_string(&view)?);
        return Ok(());
    }
    let submission = &view.record.submission;
    println!("job       {} on {}", view.job, view.chain);
    println!("payer     {}", view.record.payer);
    let at = view.submitted_at.map(|at| format!(", {}", when::moment(at))).unwrap_or_default();
    println!("submitted in block {}{at}", view.record.submitted);
    println!("module    {}", submission.spec.module);
    println!(
        "replicas  {} of {} must agree",
        submission.agreement.agree, submission.agreement.replicas
    );
    println!("escrow    {} MESHX, until block {}", submission.price_max, submission.deadline);
    println!("phase     {}", phase_words(&view.record.phase));
    if let Phase::Settled(settlement) = &view.record.phase {
        let ending = match client::story(&view.record, None, Logs::Of(view.job)) {
            Some(story) => story.what,
            None => "exit code 0".to_owned(),
        };
        println!("result    {ending}");
        println!("output    {}", settlement.outcome.stdout.hash);
        if let Some(files) = settlement.outcome.status.files() {
            println!(
                "files     {} under /out, list {}",
                human(files.bytes.into()),
                files.list.hash
            );
        }
        println!(
            "price     {} MESHX for {} fuel, {} refunded",
            settlement.paid,
            grouped(settlement.outcome.fuel.get()),
            settlement.refunded
        );
        println!("assurance {}", view.assurance.level);
    }
    Ok(())
}

fn follow(settings: &Settings, id: &str) -> Result<()> {
    let client = user::client(settings)?;
    let view = find(&client, id)?;
    let mut told = "";
    for event in client.job_events(Some(view.chain), view.job) {
        let JobEvent::Phase(view) = event? else { continue };
        let words = phase_words(&view.record.phase);
        if settings.json() {
            println!("{}", serde_json::to_string(&view)?);
        } else if words != told {
            println!("block {:>8}  {words}", view.height);
            told = words;
        }
    }
    Ok(())
}

fn output(settings: &Settings, id: &str, save: &Save, raw: bool) -> Result<()> {
    let folder = outputs::folder(save)?;
    let client = user::client(settings)?;
    let view = find(&client, id)?;
    if folder.is_some() {
        let Some(files) = outputs::save(&client, &view, folder.as_ref())? else {
            // A job without a result is told from one that left nothing.
            client::output(&client, &view, Output::Stdout)?;
            bail!(
                "the job left no files under /out\nhint: meshx job output {id} prints its stdout"
            );
        };
        if settings.json() {
            println!("{}", json!({ "job": view.job, "files": outputs::as_json(Some(&files)) }));
        } else {
            outputs::tell(&view, &files, folder.as_ref());
        }
        return Ok(());
    }
    let bytes = client::output(&client, &view, Output::Stdout)?;
    if settings.json() {
        println!("{}", json!({ "job": view.job, "output": text_or_base64(&bytes) }));
        return Ok(());
    }
    Ok(show_stdout(&bytes, raw)?)
}

fn receipt(settings: &Settings, id: &str, to: Option<&PathBuf>) -> Result<()> {
    let client = user::client(settings)?;
    let view = find(&client, id)?;
    let to = &to.cloned().unwrap_or_else(|| format!("{}.mxr", short_id(&view.job)).into());
    let (job, network) = (view.job, NetworkKeys::decode(client.genesis()?)?.network());
    let finished = Finished { view, network };
    let (bytes, verified) = client::receipt(&client, &finished)?;
    let files = outputs::save(&client, &finished.view, None)?;
    let assurance = verified.assurance().to_string();
    if settings.json() {
        let written = write_receipt(to, &bytes, true)?;
        println!(
            "{}",
            json!({ "job": job, "receipt": written, "assurance": assurance, "files": outputs::as_json(files.as_ref()) })
        );
        return Ok(());
    }
    write_receipt(to, &bytes, false)?;
    eprintln!("receipt {} (assurance {assurance})", to.display());
    if let Some(files) = &files {
        outputs::tell(&finished.view, files, None);
    }
    Ok(())
}

fn logs(settings: &Settings, id: &str) -> Result<()> {
    let client = user::client(settings)?;
    let view = find(&client, id)?;
    let bytes = client::output(&client, &view, Output::Stderr)?;
    if settings.json() {
        println!("{}", json!({ "job": view.job, "logs": text_or_base64(&bytes) }));
        return Ok(());
    }
    Ok(to_stdout(&bytes)?)
}

fn cancel(settings: &Settings, id: &str) -> Result<()> {
    let client = user::client(settings)?;
    let key = user::paying_key(settings, &client)?;
    let view = find(&client, id)?;
    let (id, phase) = (view.job, &view.record.phase);
    if !matches!(phase, Phase::Queued { .. }) {
        let short = short_id(&id);
        bail!(
            "job {short} can no longer be cancelled: {}\nhint: meshx job show {short} tells how it ended or is going",
            phase_words(phase)
        );
    }
    let done = client::act_in_turn(&client, &key, view.chain, &Action::CancelJob { job: id })?;
    if settings.json() {
        println!("{}", json!({ "job": id, "tx": done.tx, "height": done.height }));
    } else {
        println!(
            "cancelled {} in block {}: {} MESHX came back",
            short_id(&id),
            done.height.unwrap_or_default(),
            view.record.submission.price_max
        );
    }
    Ok(())
}

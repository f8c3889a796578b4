//! `meshx job …`: looking at jobs, and taking them back.

use super::run::{text_or_base64, write_receipt};
use crate::{
    outputs,
    settings::Settings,
    units::{grouped, short_id, unique_len},
    user, when,
};
use anyhow::{Result, bail};
use api::{Client, JobEvent, JobView, JobsQuery, Output};
use args::{JobCommand, JobVerb, Save};
use client::Finished;
use serde_json::json;
use std::path::Path;
use talk::{show_stdout, to_stdout};
use types::{Action, codec::DecodeExt, network::NetworkKeys, state::Phase};

const LISTED: usize = 20;
/// Jobs that are asked for at once.
const PAGE: usize = 100;
/// The fewest characters of an id that are taken for it.
const SHORT_MIN: usize = 8;

pub fn job(settings: &Settings, command: &JobCommand) -> Result<()> {
    match &command.verb {
        JobVerb::List => list(settings),
        JobVerb::Show(id) => show(settings, &id.id),
        JobVerb::Follow(id) => follow(settings, &id.id),
        JobVerb::Output { id, save, raw } => output(settings, &id.id, save, *raw),
        JobVerb::Logs(id) => logs(settings, &id.id),
        JobVerb::Receipt { id, to } => receipt(settings, &id.id, to),
        JobVerb::Cancel(id) => cancel(settings, &id.id),
    }
}

/// The job with this id, or the only one among the node's newest that begins so.
pub fn find(client: &Client, typed: &str) -> Result<JobView> {
    if let Ok(id) = typed.parse() {
        return Ok(client.job(None, id)?);
    }
    if typed.len() < SHORT_MIN || !typed.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        bail!(
            "{typed:?} is not the id of a job\nhint: an id has 64 hex digits; its first {SHORT_MIN} or more will do"
        );
    }
    let begins = typed.to_ascii_lowercase();
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = client.jobs(&JobsQuery { limit: PAGE, cursor, ..JobsQuery::default() })?;
        found.extend(
            page.items.into_iter().filter(|view| view.job.to_string().starts_with(&begins)),
        );
        cursor = page.next;
        if cursor.is_none() || found.len() > 1 {
            break;
        }
    }
    only(found, typed)
}

/// The one that was found.
fn only<T>(mut found: Vec<T>, typed: &str) -> Result<T> {
    match (found.pop(), found.is_empty()) {
        (Some(found), true) => Ok(found),
        (None, _) => bail!(
            "no job that this node has seen begins with {typed}\nhint: meshx job list shows the newest; an older one is found by its whole id"
        ),
        (Some(_), false) => {
            bail!("several jobs begin with {typed}\nhint: type more of the id")
        }
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
    let len = unique_len(&ids, SHORT_MIN);
    println!("{:len$}  {:5}  {:>8}  {:19}  PRICE", "JOB", "CHAIN", "AGE", "PHASE");
    for (view, id) in page.items.iter().zip(&ids) {
        let price = match &view.record.phase {
            Phase::Settled(settlement) => format!("{} MESHX", settlement.paid),
            _ => String::new(),
        };
        let age = view.submitted_at.map_or_else(|| "-".to_owned(), when::age);
        println!(
            "{}  {:5}  {age:>8}  {:19}  {price}",
            id.get(..len).unwrap_or(id),
            view.chain,
            client::phase_words(&view.record.phase)
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
    println!("phase     {}", client::phase_words(&view.record.phase));
    if let Phase::Settled(settlement) = &view.record.phase {
        let ending = match client::story(&view.record, None) {
            Some(story) => story.what,
            None => "exit code 0".to_owned(),
        };
        println!("result    {ending}");
        println!("output    {}", settlement.outcome.stdout.hash);
        if let Some(files) = settlement.outcome.status.files() {
            println!("files     {} bytes under /out, list {}", files.bytes, files.list.hash);
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
        let words = client::phase_words(&view.record.phase);
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

fn receipt(settings: &Settings, id: &str, to: &Path) -> Result<()> {
    let client = user::client(settings)?;
    let view = find(&client, id)?;
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
    let id = view.job;
    let done = client::act_in_turn(&client, &key, view.chain, &Action::CancelJob { job: id })?;
    if settings.json() {
        println!("{}", json!({ "job": id, "tx": done.tx, "height": done.height }));
    } else {
        println!("cancelled {}, block {}", short_id(&id), done.height.unwrap_or_default());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_job_that_begins_so_is_meant() {
        assert_eq!(only(vec![7], "ab").unwrap(), 7);
        let refused = |found: Vec<u8>| only(found, "ab").unwrap_err().to_string();
        assert!(refused(vec![]).contains("hint: meshx job list"));
        assert!(refused(vec![1, 2]).contains("hint: type more of the id"));
    }
}

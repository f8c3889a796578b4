//! `meshx job …` and `meshx why`: looking at jobs, and taking them back.

use crate::{
    args::{JobCommand, JobVerb},
    settings::Settings,
    user,
};
use anyhow::{Result, bail};
use api::{Client, JobEvent, JobView, JobsQuery, Output, Wait};
use client::Finished;
use std::path::Path;
use talk::to_stdout;
use types::{Action, codec::DecodeExt, network::NetworkKeys, state::Phase};

use super::run::show_stdout;

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
        JobVerb::Output { id, raw } => output(settings, &id.id, *raw),
        JobVerb::Logs(id) => logs(settings, &id.id),
        JobVerb::Receipt { id, to } => receipt(settings, &id.id, to),
        JobVerb::Cancel(id) => cancel(settings, &id.id),
    }
}

/// The job with this id, or the only one among the node's newest that begins so.
fn find(client: &Client, typed: &str) -> Result<JobView> {
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
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => bail!(
            "no job that this node has seen begins with {typed}\nhint: meshx job list shows the newest; an older one is found by its whole id"
        ),
        _ => bail!("several jobs begin with {typed}\nhint: type more of the id"),
    }
}

/// The fewest first characters, [`SHORT_MIN`] or more, that tell each of these ids from the others.
fn short_len(ids: &[String]) -> usize {
    let differ = |len: usize| {
        let mut cut: Vec<&str> = ids.iter().filter_map(|id| id.get(..len)).collect();
        cut.sort_unstable();
        cut.windows(2).all(|pair| pair[0] != pair[1])
    };
    (SHORT_MIN..64).find(|len| differ(*len)).unwrap_or(64)
}

fn list(settings: &Settings) -> Result<()> {
    let query = JobsQuery { limit: LISTED, ..JobsQuery::default() };
    let page = user::client(settings)?.jobs(&query)?;
    if settings.json() {
        println!("{}", serde_json::to_string(&page)?);
        return Ok(());
    }
    let ids: Vec<String> = page.items.iter().map(|view| view.job.to_string()).collect();
    let len = short_len(&ids);
    println!("{:len$}  {:5}  {:19}  PRICE", "JOB", "CHAIN", "PHASE");
    for (view, id) in page.items.iter().zip(&ids) {
        let price = match &view.record.phase {
            Phase::Settled(settlement) => format!("{} MESHX", settlement.paid),
            _ => String::new(),
        };
        println!(
            "{}  {:5}  {:19}  {price}",
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
    println!("module    {}", submission.spec.module);
    println!(
        "replicas  {} of {} must agree",
        submission.agreement.agree, submission.agreement.replicas
    );
    println!("escrow    {} MESHX, until block {}", submission.price_max, submission.deadline);
    println!("phase     {}", client::phase_words(&view.record.phase));
    if let Phase::Settled(settlement) = &view.record.phase {
        println!(
            "result    {:?}, output {}",
            settlement.outcome.status, settlement.outcome.stdout.hash
        );
        println!(
            "price     {} MESHX for {} fuel, {} refunded",
            settlement.paid, settlement.outcome.fuel, settlement.refunded
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

fn output(settings: &Settings, id: &str, raw: bool) -> Result<()> {
    let client = user::client(settings)?;
    let view = find(&client, id)?;
    show_stdout(&client::output(&client, &view, Output::Stdout)?, raw)
}

fn receipt(settings: &Settings, id: &str, to: &Path) -> Result<()> {
    let client = user::client(settings)?;
    let view = find(&client, id)?;
    let network = NetworkKeys::decode(client.genesis()?)?.network();
    let (bytes, verified) = client::receipt(&client, &Finished { view, network })?;
    client::write_whole(to, &bytes, false)?;
    eprintln!("receipt {} (assurance {})", to.display(), verified.assurance());
    Ok(())
}

fn logs(settings: &Settings, id: &str) -> Result<()> {
    let client = user::client(settings)?;
    let view = find(&client, id)?;
    Ok(to_stdout(&client::output(&client, &view, Output::Stderr)?)?)
}

fn cancel(settings: &Settings, id: &str) -> Result<()> {
    let client = user::client(settings)?;
    let key = user::paying_key(settings, &client)?;
    let view = find(&client, id)?;
    let id = view.job;
    let network = NetworkKeys::decode(client.genesis()?)?.network();
    let nonce = client.account(view.chain, client::wallet::address(&key))?.nonce;
    let tx = client::signed(&key, &network, view.chain, nonce, Action::CancelJob { job: id });
    let done = client.submit(&tx, Wait::Final)?;
    println!("cancelled {id}, block {}", done.height.unwrap_or_default());
    Ok(())
}

pub fn why(settings: &Settings, id: &str) -> Result<()> {
    let client = user::client(settings)?;
    let view = find(&client, id)?;
    let why = client.why(Some(view.chain), view.job)?;
    if settings.json() {
        println!("{}", serde_json::to_string(&why)?);
        return Ok(());
    }
    println!("{}", why.verdict);
    for reason in &why.reasons {
        let who =
            reason.worker.map_or_else(|| "the job".to_owned(), |worker| format!("worker {worker}"));
        println!("  {:14} {who} {}", reason.rule, reason.detail);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ids_tell_jobs_apart() {
        let ids = |ids: &[&str]| {
            short_len(&ids.iter().map(|id| format!("{id:0<64}")).collect::<Vec<_>>())
        };
        assert_eq!(ids(&[]), SHORT_MIN);
        assert_eq!(ids(&["12345678aa", "02345678aa"]), SHORT_MIN);
        assert_eq!(ids(&["12345678aa", "12345678ab"]), 10);
    }
}

//! `meshx job …` and `meshx why`: looking at jobs, and taking them back.

use crate::{
    args::{JobCommand, JobVerb},
    settings::Settings,
    user,
};
use anyhow::Result;
use api::{JobView, JobsQuery, Output, Wait};
use talk::to_stdout;
use types::{Action, Hash, JobId, codec::DecodeExt, network::NetworkKeys, state::Phase};

const LISTED: usize = 20;

pub fn job(settings: &Settings, command: &JobCommand) -> Result<()> {
    match &command.verb {
        JobVerb::List => list(settings),
        JobVerb::Show(id) => show(settings, id.id),
        JobVerb::Logs(id) => logs(settings, id.id),
        JobVerb::Cancel(id) => cancel(settings, id.id),
    }
}

fn list(settings: &Settings) -> Result<()> {
    let query = JobsQuery { limit: LISTED, ..JobsQuery::default() };
    let page = user::client(settings)?.jobs(&query)?;
    if settings.json() {
        println!("{}", serde_json::to_string(&page)?);
        return Ok(());
    }
    println!("{:64}  {:5}  {:19}  PRICE", "JOB", "CHAIN", "PHASE");
    for view in &page.items {
        let price = match &view.record.phase {
            Phase::Settled(settlement) => format!("{} MESHX", settlement.paid),
            _ => String::new(),
        };
        println!(
            "{}  {:5}  {:19}  {price}",
            view.job,
            view.chain,
            client::phase_words(&view.record.phase)
        );
    }
    Ok(())
}

fn show(settings: &Settings, id: JobId) -> Result<()> {
    let view: JobView = user::client(settings)?.job(None, id)?;
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

fn logs(settings: &Settings, id: JobId) -> Result<()> {
    let client = user::client(settings)?;
    let view = client.job(None, id)?;
    Ok(to_stdout(&client::output(&client, &view, Output::Stderr)?)?)
}

fn cancel(settings: &Settings, id: JobId) -> Result<()> {
    let client = user::client(settings)?;
    let key = user::paying_key(settings, &client)?;
    let view = client.job(None, id)?;
    let network = NetworkKeys::decode(client.genesis()?)?.network();
    let nonce = client.account(view.chain, client::wallet::address(&key))?.nonce;
    let tx = client::signed(&key, &network, view.chain, nonce, Action::CancelJob { job: id });
    let done = client.submit(&tx, Wait::Final)?;
    println!("cancelled {id}, block {}", done.height.unwrap_or_default());
    Ok(())
}

pub fn why(settings: &Settings, id: &Hash) -> Result<()> {
    let why = user::client(settings)?.why(None, *id)?;
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

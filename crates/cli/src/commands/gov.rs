//! `meshx gov …`: propose decisions about the network, vote on them, see its parameters.

use crate::{
    args::{GovCommand, GovVerb, Proposed},
    settings::Settings,
    user,
};
use anyhow::{Context as _, Result, bail};
use api::Client;
use serde_json::json;
use types::{
    Action, Bytes, ChainId, List, Millis, NanoMeshx, Text,
    attest::Listed,
    governance::{LockedPool, ParamChange, Proposal, ProposalKind, ProposalStatus},
};

pub fn gov(settings: &Settings, command: &GovCommand) -> Result<()> {
    let client = user::client(settings)?;
    let action = match &command.verb {
        GovVerb::Params => return params(settings, &client),
        GovVerb::List => return list(settings, &client),
        GovVerb::Show { id } => return show(settings, &client, *id),
        GovVerb::Vote { id, option } => Action::Vote { proposal: *id, option: *option },
        GovVerb::Propose { title, what } => {
            let (usual, kind) = proposed(what)?;
            let title = title.clone().unwrap_or(usual);
            Action::Propose { title: Text::new(title).context("the title is too long")?, kind }
        }
    };
    let proposes = matches!(action, Action::Propose { .. });
    let key = user::paying_key(settings, &client)?;
    let done = client::act(&client, &key, ChainId::Backbone, action)?;
    let height = done.height.unwrap_or_default();
    // The chain numbers proposals: ours is the newest that is ours.
    let id = if proposes {
        let me = client::wallet::address(&key);
        client.proposals()?.into_iter().find(|made| made.proposer == me).map(|made| made.id)
    } else {
        None
    };
    if settings.json() {
        println!("{}", json!({ "tx": done.tx, "height": height, "proposal": id }));
    } else {
        match id {
            Some(id) => println!("proposal {id}, in block {height} of the backbone"),
            None => println!("done in block {height} of the backbone"),
        }
    }
    Ok(())
}

/// A title that says it, and the proposal.
fn proposed(what: &Proposed) -> Result<(String, ProposalKind)> {
    Ok(match what {
        Proposed::Params { changes } => {
            let read = changes.iter().map(|text| change(text)).collect::<Result<_>>()?;
            let changes_list = List::new(read).context("too many changes for one proposal")?;
            let title: String = format!("Set {}", changes.join(", ")).chars().take(100).collect();
            (title, ProposalKind::ChangeParams { changes: changes_list })
        }
        Proposed::Spend { pool, to, amount } => {
            let name = match pool {
                LockedPool::Ecosystem => "ecosystem",
                LockedPool::Treasury => "treasury",
            };
            let title = format!("Pay {amount} MESHX from the {name} pool");
            (title, ProposalKind::Spend { pool: *pool, to: *to, amount: *amount })
        }
        Proposed::Admission { shard, rule } => {
            let kind = ProposalKind::ShardAdmission { chain: *shard, rule: *rule };
            (format!("Admission to {shard}"), kind)
        }
        Proposed::Measurement { technology, measurement, remove } => {
            let bytes = hex::decode(measurement).context("the measurement is not hexadecimal")?;
            let bytes = Bytes::new(bytes).context("a measurement has at most 64 bytes")?;
            let entry = Listed::Measurement { technology: *technology, measurement: bytes };
            listed(entry, *remove, &format!("{} code {measurement:.24}", technology.name()))
        }
        Proposed::PlatformKey { technology, key, remove } => {
            let entry = Listed::PlatformKey { technology: *technology, key: *key };
            let key = key.to_string();
            listed(entry, *remove, &format!("{} key {key:.24}", technology.name()))
        }
        Proposed::Pause { seconds, shard } => {
            let title = format!("Take in no jobs for {seconds} s");
            let lasting = Millis::new(seconds.saturating_mul(1_000));
            (title, ProposalKind::PauseIntake { chain: *shard, lasting })
        }
    })
}

fn listed(entry: Listed, remove: bool, what: &str) -> (String, ProposalKind) {
    let title = if remove { format!("Take off the list: {what}") } else { format!("List {what}") };
    (title, ProposalKind::List { entry, allowed: !remove })
}

/// `[CHAIN:]NAME=VALUE`, the value in the parameter's unit.
fn change(text: &str) -> Result<ParamChange> {
    let expected =
        || format!("{text:?} is not [CHAIN:]NAME=VALUE, such as rate_core_second=2000000");
    let (name, value) = text.split_once('=').with_context(expected)?;
    let (chain, name) = match name.split_once(':') {
        Some((chain, name)) => (Some(chain.parse()?), name),
        None => (None, name),
    };
    let Some(name) = governance::parse(name) else {
        bail!("no parameter is called {name:?}\nhint: meshx gov params lists them");
    };
    let info = governance::info(name);
    let value = value
        .parse()
        .with_context(|| format!("{value:?} is not a whole number of {}", info.unit))?;
    Ok(ParamChange { chain, name, value })
}

fn params(settings: &Settings, client: &Client) -> Result<()> {
    let params = client.params(settings.chain)?;
    if settings.json() {
        let all: Vec<_> = governance::REGISTRY
            .iter()
            .map(|info| {
                let value = governance::get(&params, info.name);
                json!({ "name": info.text, "value": value, "unit": info.unit, "min": info.min,
                    "max": info.max, "doc": info.doc })
            })
            .collect();
        println!("{}", json!({ "chain": settings.chain, "params": all }));
        return Ok(());
    }
    println!(
        "{:<28} {:>16} {:<7} {:>16} {:>20}  on {}",
        "name", "value", "unit", "least", "most", settings.chain
    );
    for info in governance::REGISTRY {
        let value = governance::get(&params, info.name);
        println!(
            "{:<28} {value:>16} {:<7} {:>16} {:>20}  {}",
            info.text, info.unit, info.min, info.max, info.doc
        );
    }
    Ok(())
}

fn list(settings: &Settings, client: &Client) -> Result<()> {
    let proposals = client.proposals()?;
    if settings.json() {
        println!("{}", serde_json::to_string(&proposals)?);
        return Ok(());
    }
    if proposals.is_empty() {
        println!("there are no proposals");
    }
    for proposal in proposals {
        println!("{:<5} {:<10} {}", proposal.id, state(&proposal), proposal.title.as_str());
    }
    Ok(())
}

const fn state(proposal: &Proposal) -> &'static str {
    match proposal.status {
        ProposalStatus::Voting { .. } => "voting",
        ProposalStatus::Queued { .. } => "passed",
        ProposalStatus::Executed { .. } => "executed",
        ProposalStatus::Rejected => "rejected",
        ProposalStatus::NoQuorum => "no quorum",
        ProposalStatus::Vetoed => "vetoed",
        ProposalStatus::Failed => "failed",
    }
}

fn show(settings: &Settings, client: &Client, id: u64) -> Result<()> {
    let proposal = client.proposals()?.into_iter().find(|proposal| proposal.id == id);
    let proposal = proposal.with_context(|| format!("no proposal has number {id}"))?;
    if settings.json() {
        println!("{}", serde_json::to_string(&proposal)?);
        return Ok(());
    }
    println!("{} {}", proposal.id, proposal.title.as_str());
    println!("by        {}", proposal.proposer);
    println!("what      {}", serde_json::to_string(&proposal.kind)?);
    println!("deposit   {} MESHX", proposal.deposit);
    let when = match proposal.status {
        ProposalStatus::Voting { closes } => {
            format!(", votes are taken until {closes} ms since 1970")
        }
        ProposalStatus::Queued { executes } => {
            format!(", takes effect at {executes} ms since 1970")
        }
        _ => String::new(),
    };
    println!("status    {}{when}", state(&proposal));
    let tally = proposal.tally;
    if tally.yes.max(tally.no).max(tally.abstain).max(tally.veto) > NanoMeshx::ZERO {
        println!(
            "yes {} · no {} · abstain {} · veto {} MESHX",
            tally.yes, tally.no, tally.abstain, tally.veto
        );
    }
    Ok(())
}

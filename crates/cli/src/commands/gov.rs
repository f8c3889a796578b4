//! `meshx gov …`: propose decisions about the network, vote on them, see its parameters.

use crate::{settings::Settings, user};
use anyhow::{Context as _, Result, bail};
use api::Client;
use args::{GovCommand, GovVerb, Proposed};
use client::{units::short_address, when};
use governance::{Standing, Verdict};
use serde_json::json;
use types::{
    Action, Bytes, ChainId, List, Millis, NanoMeshx, Text,
    attest::Listed,
    governance::{
        Admission, LockedPool, ParamChange, Proposal, ProposalKind, ProposalStatus, Tally,
    },
    state::pools,
};

pub fn gov(settings: &Settings, command: &GovCommand) -> Result<()> {
    let client = user::client(settings)?;
    let action = match &command.verb {
        GovVerb::Params => return params(settings, &client),
        GovVerb::List => return list(settings, &client),
        GovVerb::Show { id } => return show(settings, &client, *id),
        GovVerb::Vote { id, option } => Action::Vote { proposal: *id, option: *option },
        GovVerb::Propose { title, what } => {
            let kind = proposed(what)?;
            let usual = || words(&kind).chars().take(100).collect();
            let title = title.clone().unwrap_or_else(usual);
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

fn proposed(what: &Proposed) -> Result<ProposalKind> {
    let list = |entry, remove: bool| ProposalKind::List { entry, allowed: !remove };
    Ok(match what {
        Proposed::Params { changes } => {
            let changes = changes.iter().map(|text| change(text)).collect::<Result<_>>()?;
            let changes = List::new(changes).context("too many changes for one proposal")?;
            ProposalKind::ChangeParams { changes }
        }
        Proposed::Spend { pool, to, amount } => {
            ProposalKind::Spend { pool: *pool, to: *to, amount: *amount }
        }
        Proposed::Admission { shard, rule } => {
            ProposalKind::ShardAdmission { chain: *shard, rule: *rule }
        }
        Proposed::Measurement { technology, measurement, remove } => {
            let bytes = hex::decode(measurement).context("the measurement is not hexadecimal")?;
            let bytes = Bytes::new(bytes).context("a measurement has at most 64 bytes")?;
            let entry = Listed::Measurement { technology: *technology, measurement: bytes };
            list(entry, *remove)
        }
        Proposed::PlatformKey { technology, key, remove } => {
            list(Listed::PlatformKey { technology: *technology, key: *key }, *remove)
        }
        Proposed::Pause { seconds, shard } => {
            let lasting = Millis::new(seconds.saturating_mul(1_000));
            ProposalKind::PauseIntake { chain: *shard, lasting }
        }
    })
}

/// What a proposal decides.
fn words(kind: &ProposalKind) -> String {
    match kind {
        ProposalKind::ChangeParams { changes } => {
            let on = |chain: Option<ChainId>| chain.map(|chain| format!("{chain}:"));
            let change = |one: &ParamChange| {
                let name = governance::info(one.name).text;
                format!("{}{name}={}", on(one.chain).unwrap_or_default(), one.value)
            };
            format!("Set {}", changes.iter().map(change).collect::<Vec<_>>().join(", "))
        }
        ProposalKind::Spend { pool, to, amount } => {
            let pool = match pool {
                LockedPool::Ecosystem => "ecosystem",
                LockedPool::Treasury => "treasury",
            };
            format!("Pay {amount} MESHX from the {pool} pool to {}", short_address(to))
        }
        ProposalKind::ShardAdmission { chain, rule } => {
            let who = match rule {
                Admission::Presence => "validators that prove their presence",
                Admission::Listed => "validators that governance lists",
                Admission::Closed => "nobody",
            };
            format!("Admission to {chain}: {who}")
        }
        ProposalKind::List { entry, allowed } => {
            let what = match entry {
                Listed::Measurement { technology, measurement } => {
                    format!("{} code {}", technology.name(), hex::encode(measurement.as_slice()))
                }
                Listed::PlatformKey { technology, key } => {
                    format!("{} key {key}", technology.name())
                }
            };
            if *allowed { format!("List {what}") } else { format!("Take off the list: {what}") }
        }
        ProposalKind::PauseIntake { chain, lasting } => {
            let on = chain.map(|chain| format!(" on {chain}")).unwrap_or_default();
            format!("Take in no jobs for {}{on}", when::span(*lasting))
        }
    }
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
    let proposal = proposal
        .with_context(|| format!("no proposal has number {id}\nhint: meshx gov list shows all"))?;
    let rules = client.params(ChainId::Backbone)?.governance;
    let bonded = client.account(ChainId::Backbone, pools::bonded())?.balance;
    let emergency = governance::is_emergency(&proposal.kind);
    let standing = governance::standing(&proposal.tally, bonded, emergency, &rules);
    if settings.json() {
        let mut object = serde_json::to_value(&proposal)?;
        object["standing"] = json!({ "bonded": bonded, "voted": standing.voted, "quorum": standing.quorum,
            "quorum_reached": standing.voted >= standing.quorum, "threshold": standing.threshold,
            "threshold_reached": proposal.tally.yes >= standing.threshold, "veto": standing.veto,
            "verdict": verdict_name(standing.verdict) });
        println!("{object}");
        return Ok(());
    }
    println!("{} {}", proposal.id, proposal.title.as_str());
    println!("by        {}", proposal.proposer);
    println!("what      {}", words(&proposal.kind));
    if let ProposalKind::Spend { to, .. } = &proposal.kind {
        println!("to        {to}");
    }
    println!("deposit   {} MESHX", proposal.deposit);
    println!("submitted {}", when::moment(proposal.submitted));
    let next = match proposal.status {
        ProposalStatus::Voting { closes } => format!(", closes {}", when::moment(closes)),
        ProposalStatus::Queued { executes } => format!(", takes effect {}", when::moment(executes)),
        ProposalStatus::Executed { at } => format!(" {}", when::moment(at)),
        _ => String::new(),
    };
    println!("status    {}{next}", state(&proposal));
    print!("{}", tally(&proposal, &standing, bonded));
    Ok(())
}

const fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Rejected => "rejected",
        Verdict::NoQuorum => "no_quorum",
        Verdict::Vetoed => "vetoed",
    }
}

/// The votes, and while votes are taken what is missing.
fn tally(proposal: &Proposal, standing: &Standing, bonded: NanoMeshx) -> String {
    let Tally { yes, no, abstain, veto } = proposal.tally;
    let mut text = format!(
        "for       {yes} MESHX\nagainst   {no} MESHX\nabstain   {abstain} MESHX\nveto      {veto} MESHX\n"
    );
    if !matches!(proposal.status, ProposalStatus::Voting { .. }) {
        return text;
    }
    let reached = |stake: NanoMeshx, least: NanoMeshx| match least.checked_sub(stake) {
        None | Some(NanoMeshx::ZERO) => "reached".to_owned(),
        Some(missing) => format!("missing {missing} MESHX"),
    };
    text += &format!(
        "quorum    {}: {} of at least {} MESHX have voted, of {bonded} staked\n",
        reached(standing.voted, standing.quorum),
        standing.voted,
        standing.quorum
    );
    let counted = yes.saturating_add(no).saturating_add(veto);
    if counted == NanoMeshx::ZERO {
        return text
            + "threshold not reached: nobody says yes, no or veto yet\n"
            + outlook(standing);
    }
    text += &format!(
        "threshold {}: {yes} of at least {} MESHX are for it, of {} that say yes, no or veto\n",
        reached(yes, standing.threshold),
        standing.threshold,
        counted
    );
    text + outlook(standing)
}

const fn outlook(standing: &Standing) -> &'static str {
    match standing.verdict {
        Verdict::Passed => "if nobody votes any more, it passes\n",
        Verdict::Rejected => "if nobody votes any more, it is rejected\n",
        Verdict::NoQuorum => "if nobody votes any more, too little stake has voted to decide it\n",
        Verdict::Vetoed => "if nobody votes any more, it is vetoed, and its deposit is burned\n",
    }
}

//! `meshx stake …`: put money behind a validator, take it away, run a validator.

use crate::{
    args::{StakeCommand, StakeVerb},
    settings::Settings,
    submit, wallet,
};
use anyhow::{Context as _, Result, bail};
use api::{Client, StakeView};
use serde_json::json;
use std::{fs::File, io::Read as _, path::Path};
use types::{
    Action, Address, ChainId, DoubleSigning, Hash, Millis, PublicKey, Signature, SignedVote,
    VoteKind,
    codec::DecodeExt,
    network::Anchor,
    staking::{BOND_DOMAIN, StakeOrder, Standing, bond_message},
};

pub fn stake(settings: &Settings, command: &StakeCommand) -> Result<()> {
    let client = submit::client(settings)?;
    let order = match &command.verb {
        StakeVerb::Validators => return validators(settings, &client),
        StakeVerb::Show { address } => return show(settings, &client, *address),
        StakeVerb::Bond { amount, commission } => {
            let key = wallet::consensus(settings, client.status()?.dev_dealer)?;
            let operator = wallet::address(&submit::paying_key(settings, &client)?);
            let network = Anchor::decode(client.genesis()?)?.network();
            let proof = Signature(key.sign(BOND_DOMAIN, &bond_message(&network, &operator)));
            let (key, commission_bps) = (PublicKey(key.public()), *commission);
            StakeOrder::Bond { key, amount: *amount, commission_bps, proof }
        }
        StakeVerb::Delegate { validator, amount } => {
            StakeOrder::Delegate { validator: *validator, amount: *amount }
        }
        StakeVerb::Unbond { validator, amount } => {
            StakeOrder::Undelegate { validator: *validator, amount: *amount }
        }
        StakeVerb::Redelegate { from, to, amount } => {
            StakeOrder::Redelegate { from: *from, to: *to, amount: *amount }
        }
        StakeVerb::Withdraw { validator } => StakeOrder::Withdraw { validator: *validator },
        StakeVerb::Claim { validator } => StakeOrder::Claim { validator: *validator },
        StakeVerb::Commission { set: None } => StakeOrder::ClaimCommission,
        StakeVerb::Commission { set: Some(bps) } => StakeOrder::SetCommission { bps: *bps },
        StakeVerb::Unjail => StakeOrder::Unjail,
        StakeVerb::Evidence => {
            println!("{}", serde_json::to_string_pretty(&client.evidence()?)?);
            return Ok(());
        }
        StakeVerb::Report { file } => return report(settings, &client, file),
        StakeVerb::Misbehave => {
            println!("{}", serde_json::to_string_pretty(&misbehave(settings, &client)?)?);
            return Ok(());
        }
    };
    let done = submit::act(settings, &client, ChainId::Backbone, Action::Stake(order))?;
    if settings.json() {
        println!("{}", serde_json::to_string(&done)?);
    } else {
        println!("done in block {} of the backbone", done.height.unwrap_or_default());
    }
    Ok(())
}

/// One proof, or several.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Proofs {
    One(Box<DoubleSigning>),
    Many(Vec<DoubleSigning>),
}

/// Longest file of proofs that is read: each takes less than 2 kB.
const PROOFS_BYTES_MAX: u64 = 1 << 20;

fn report(settings: &Settings, client: &Client, file: &Path) -> Result<()> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().take(PROOFS_BYTES_MAX).read_to_string(&mut text)
    } else {
        File::open(file).and_then(|file| file.take(PROOFS_BYTES_MAX).read_to_string(&mut text))
    };
    read.with_context(|| format!("cannot read {}", file.display()))?;
    let proofs = match serde_json::from_str(&text) {
        Ok(Proofs::One(proof)) => vec![*proof],
        Ok(Proofs::Many(proofs)) => proofs,
        Err(_) => bail!(
            "{} holds no proof of double signing\nhint: meshx stake evidence shows those that a node has",
            file.display()
        ),
    };
    if proofs.is_empty() {
        bail!("{} holds an empty list: there is nothing to report", file.display());
    }
    for proof in proofs {
        let key = proof.key;
        let done = submit::act(settings, client, ChainId::Backbone, Action::Report(proof))?;
        if settings.json() {
            println!("{}", serde_json::to_string(&done)?);
        } else {
            let height = done.height.unwrap_or_default();
            println!("the validator that votes with {key} is slashed in block {height}");
        }
    }
    Ok(())
}

/// Sign two votes to make different blocks final in the newest view of the backbone.
fn misbehave(settings: &Settings, client: &Client) -> Result<DoubleSigning> {
    let status = client.status()?;
    if !status.dev_dealer {
        bail!("only a development network has a use for this: elsewhere it costs real stake");
    }
    let key = wallet::consensus(settings, true)?;
    let chains = status.chains.iter();
    let height = chains.filter(|chain| chain.chain == ChainId::Backbone).map(|chain| chain.height);
    let height = height.max().context("the node does not follow the backbone")?;
    let header = client.block(ChainId::Backbone, height)?.header;
    let vote = |payload| {
        let signature = Signature([0; 64]);
        let (chain, kind, epoch) = (ChainId::Backbone, VoteKind::Finalize, header.epoch);
        let (view, parent) = (header.view, header.parent_view);
        let mut vote = SignedVote { chain, kind, epoch, view, parent, payload, signature };
        let message = vote.message(&status.network);
        vote.signature = Signature(key.sign(SignedVote::DOMAIN, &message));
        vote
    };
    let (first, second) = (vote(header.id()), vote(Hash::of_content(b"another block")));
    Ok(DoubleSigning { key: PublicKey(key.public()), first, second })
}

fn validators(settings: &Settings, client: &Client) -> Result<()> {
    let validators = client.validators()?;
    if settings.json() {
        println!("{}", serde_json::to_string(&validators)?);
        return Ok(());
    }
    println!("{:<64} {:>20} {:>10}  standing", "operator", "stake", "commission");
    for validator in validators {
        let standing = match validator.standing {
            Standing::Active if validator.seated => "seated".to_owned(),
            Standing::Active => "active".to_owned(),
            Standing::Jailed { until } => format!("in jail until {until} ms since 1970"),
            Standing::Tombstoned => "out for ever".to_owned(),
        };
        let commission = f64::from(validator.commission_bps) / 100.0;
        println!(
            "{:<64} {:>20} {commission:>8.2} %  {standing}",
            validator.operator.to_string(),
            validator.tokens.to_string()
        );
    }
    Ok(())
}

fn show(settings: &Settings, client: &Client, address: Option<Address>) -> Result<()> {
    let address = match address {
        Some(address) => address,
        None => wallet::address(&submit::paying_key(settings, client)?),
    };
    let view: StakeView = client.stake(address)?;
    if settings.json() {
        println!("{}", json!(view));
        return Ok(());
    }
    println!("{address} at block {} of the backbone", view.height);
    for delegation in &view.delegations {
        println!("behind {}", delegation.validator);
        println!("  worth {} MESHX, rewards to claim {} MESHX", delegation.worth, delegation.owed);
        for leaving in &delegation.unbonding {
            println!("  {} MESHX leaving, {}", leaving.amount, when(leaving.matures, view.now));
        }
    }
    if view.delegations.is_empty() {
        println!("nothing at stake");
    }
    Ok(())
}

fn when(matures: Millis, now: Millis) -> String {
    match matures.saturating_sub(now).get().div_ceil(1_000) {
        0 => "free: meshx stake withdraw takes it out".to_owned(),
        seconds => format!("free in {seconds} s"),
    }
}

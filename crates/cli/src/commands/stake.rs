//! `meshx stake …`: delegate stake to a validator, take it back, run a validator.

use crate::{settings::Settings, user};
use anyhow::{Context as _, Result, bail};
use api::{Client, StakeView};
use args::{Operator, StakeChange, StakeCommand, StakeVerb};
use client::{stake, units::unique_len, wallet, when};
use serde_json::json;
use std::{fs::File, io::Read as _, path::Path};
use types::{
    Action, Address, BadAddress, ChainId, EquivocationProof, Millis, Text,
    staking::{PEER_ADDRESSES_MAX, PeerAddresses, StakeOrder, Standing},
};

/// The first characters of an address that are taken for it, with `meshx1` and the scheme's own.
const OPERATOR_CHARS_MIN: usize = 14;
/// Characters of a whole address.
const OPERATOR_CHARS: usize = 65;

pub fn stake(settings: &Settings, command: &StakeCommand) -> Result<()> {
    let client = user::client(settings)?;
    match &command.verb {
        StakeVerb::Validators => validators(settings, &client),
        StakeVerb::Show { address } => show(settings, &client, *address),
        StakeVerb::Equivocations => print(&client.equivocations()?),
        StakeVerb::Report { file } => report(settings, &client, file),
        StakeVerb::Misbehave => print(&misbehave(settings, &client)?),
        StakeVerb::Order(change) => order(settings, &client, change),
    }
}

fn print(value: &impl serde::Serialize) -> Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

fn order(settings: &Settings, client: &Client, change: &StakeChange) -> Result<()> {
    let status = client.status()?;
    let wallet = user::keys_on(settings, status.dev_dealer)?;
    let paying = wallet::paying(&wallet);
    let of = |named: &Operator| operator(client, named);
    let order = match change {
        StakeChange::Bond { amount, commission } => {
            stake::bond(&wallet, &status.network, *amount, *commission)
        }
        StakeChange::Delegate { validator, amount } => {
            StakeOrder::Delegate { validator: of(validator)?, amount: *amount }
        }
        StakeChange::Unbond { validator, amount } => {
            StakeOrder::Undelegate { validator: of(validator)?, amount: *amount }
        }
        StakeChange::Redelegate { from, to, amount } => {
            StakeOrder::Redelegate { from: of(from)?, to: of(to)?, amount: *amount }
        }
        StakeChange::Withdraw { validator } => StakeOrder::Withdraw { validator: of(validator)? },
        StakeChange::Claim { validator } => StakeOrder::Claim { validator: of(validator)? },
        StakeChange::Commission { set: None } => StakeOrder::ClaimCommission,
        StakeChange::Commission { set: Some(bps) } => StakeOrder::SetCommission { bps: *bps },
        StakeChange::Unjail => StakeOrder::Unjail,
        StakeChange::Vrf => {
            let operator = wallet::address(&paying);
            stake::register_vrf(&stake::voting(&wallet), &status.network, &operator)
        }
        StakeChange::Announce { addresses } => {
            StakeOrder::Announce { addresses: named(addresses)? }
        }
    };
    let own = wallet::address(&paying);
    let before = client.stake(own)?;
    stake::check_withdrawal(&order, &before)?;
    let done = client::act(client, &paying, ChainId::Backbone, Action::Stake(order.clone()))?;
    if settings.json() {
        println!("{}", serde_json::to_string(&done)?);
    } else {
        let told = stake::told(&order, &before, &client.stake(own)?);
        println!("{told} (block {} of the backbone)", done.height.unwrap_or_default());
    }
    Ok(())
}

/// The address that is typed, or the only validator's that begins so.
fn operator(client: &Client, Operator(typed): &Operator) -> Result<Address> {
    let bad = match typed.parse() {
        Ok(address) => return Ok(address),
        Err(bad) => bad,
    };
    if typed.len() < OPERATOR_CHARS_MIN {
        return Err(bad.into());
    }
    let operators = client.validators()?.into_iter().map(|validator| validator.operator);
    only(operators, typed, bad)
}

/// The only one that begins so.
fn only(
    operators: impl IntoIterator<Item = Address>,
    typed: &str,
    bad: BadAddress,
) -> Result<Address> {
    let begins = |operator: &Address| operator.to_string().starts_with(typed);
    let mut found = operators.into_iter().filter(begins);
    match (found.next(), found.next()) {
        (Some(operator), None) => Ok(operator),
        (Some(_), Some(_)) => {
            bail!("several validators begin with {typed}\nhint: type more of the address")
        }
        // A whole address with a mistake in it.
        (None, _) if typed.len() >= OPERATOR_CHARS => Err(bad.into()),
        (None, _) => {
            bail!("no validator begins with {typed}\nhint: meshx stake validators lists all")
        }
    }
}

fn named(addresses: &[edge::PeerAddress]) -> Result<PeerAddresses> {
    let text = |address: &edge::PeerAddress| {
        Text::new(address.to_string())
            .with_context(|| format!("{address} is longer than 160 bytes"))
    };
    let addresses = addresses.iter().map(text).collect::<Result<Vec<_>>>()?;
    PeerAddresses::new(addresses)
        .ok()
        .with_context(|| format!("a validator can announce at most {PEER_ADDRESSES_MAX} addresses"))
}

/// One proof, or several.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Proofs {
    One(Box<EquivocationProof>),
    Many(Vec<EquivocationProof>),
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
            "{} does not hold an equivocation proof\nhint: meshx stake equivocations shows those that a node has",
            file.display()
        ),
    };
    if proofs.is_empty() {
        bail!("{} holds an empty list: there is nothing to report", file.display());
    }
    let paying = user::paying_key(settings, client)?;
    for proof in proofs {
        let key = proof.key;
        let done = client::act(client, &paying, ChainId::Backbone, Action::Report(proof))?;
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
fn misbehave(settings: &Settings, client: &Client) -> Result<EquivocationProof> {
    let status = client.status()?;
    if !status.dev_dealer {
        bail!("this works on development networks only: on others it would cost real stake");
    }
    let wallet = user::keys_on(settings, true)?;
    let chains = status.chains.iter();
    let height = chains.filter(|chain| chain.chain == ChainId::Backbone).map(|chain| chain.height);
    let height = height.max().context("the node does not follow the backbone")?;
    let header = client.block(ChainId::Backbone, height)?.header;
    Ok(stake::contradiction(&stake::voting(&wallet), &status.network, &header))
}

fn validators(settings: &Settings, client: &Client) -> Result<()> {
    let validators = client.validators()?;
    if settings.json() {
        println!("{}", serde_json::to_string(&validators)?);
        return Ok(());
    }
    let operators: Vec<String> =
        validators.iter().map(|validator| validator.operator.to_string()).collect();
    let len = unique_len(&operators, OPERATOR_CHARS_MIN);
    println!("{:<len$} {:>20} {:>10}  standing", "operator", "stake", "commission");
    for (validator, operator) in validators.iter().zip(&operators) {
        let standing = match validator.standing {
            Standing::Active if validator.seated => "seated".to_owned(),
            Standing::Active => "active".to_owned(),
            Standing::Jailed { until } => format!("in jail until {}", when::moment(until)),
            Standing::Tombstoned => "excluded for ever".to_owned(),
        };
        let commission = f64::from(validator.commission_bps) / 100.0;
        println!(
            "{:<len$} {:>20} {commission:>8.2} %  {standing}",
            operator.get(..len).unwrap_or(operator),
            validator.tokens.to_string()
        );
    }
    Ok(())
}

fn show(settings: &Settings, client: &Client, address: Option<Address>) -> Result<()> {
    let address = user::address_or_own(settings, client, address)?;
    let view: StakeView = client.stake(address)?;
    if settings.json() {
        println!("{}", json!(view));
        return Ok(());
    }
    println!("{address} at block {} of the backbone", view.height);
    for delegation in &view.delegations {
        println!("with validator {}", delegation.validator);
        println!("  worth {} MESHX, rewards to claim {} MESHX", delegation.worth, delegation.owed);
        for leaving in &delegation.unbonding {
            println!("  {} MESHX unbonding, {}", leaving.amount, free(leaving.matures, view.now));
        }
    }
    if view.delegations.is_empty() {
        println!("no stake");
    }
    Ok(())
}

fn free(matures: Millis, now: Millis) -> String {
    if matures <= now {
        "free: meshx stake withdraw takes it out".to_owned()
    } else {
        format!("free {}", when::moment(matures))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::PublicKey;

    #[test]
    fn the_only_validator_that_begins_so_is_meant() {
        let [one, other] = [1, 2].map(|n| Address::of(&PublicKey([n; 32])));
        let bad = || BadAddress::Length(3);
        let begin = |len: usize| one.to_string()[..len].to_owned();
        assert_eq!(only([one, other], &begin(20), bad()).unwrap(), one);
        let refused = |typed: &str| only([one, other], typed, bad()).unwrap_err().to_string();
        assert!(refused(&begin(7)).contains("hint: type more of the address"));
        assert!(refused("meshx1x").contains("hint: meshx stake validators"));
        assert_eq!(refused(&"x".repeat(OPERATOR_CHARS)), bad().to_string());
    }
}

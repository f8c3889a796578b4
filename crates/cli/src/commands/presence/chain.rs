//! `meshx presence show | list | register | submit`: what the backbone knows of where validators stand.

use super::{list, live};
use crate::{
    args::StakeChange,
    commands::stake,
    settings::Settings,
    submit::{self, address_or_own},
};
use anyhow::Result;
use api::PresenceView;
use serde_json::json;
use std::path::Path;
use types::{Action, Address, ChainId, presence::PresenceTier};

pub fn show(settings: &Settings, address: Option<Address>) -> Result<()> {
    let client = submit::client(settings)?;
    let address = address_or_own(settings, &client, address)?;
    let view = client.presence(address)?;
    if settings.json() {
        println!("{}", json!(view));
        return Ok(());
    }
    println!("{address}");
    print!("{}", words(&view));
    Ok(())
}

fn words(view: &PresenceView) -> String {
    let mut words = match &view.record {
        None => "  no certificate of presence\n".to_owned(),
        Some(record) => {
            let tier = match record.tier {
                PresenceTier::Certified => "certified",
                PresenceTier::Provisional => "provisional",
            };
            let left = record.expires.saturating_sub(view.now).get().div_ceil(1_000);
            let expires = match left {
                0 => "run out".to_owned(),
                seconds => format!("for {seconds} s more"),
            };
            let (place, continent) = (record.place, record.continent);
            format!("  {tier} at {place}, {continent}, {expires}\n")
        }
    };
    if view.vrf.is_none() {
        words += "  no VRF key: meshx stake vrf registers one\n";
    }
    for seat in &view.seats {
        words += &format!("  a seat on {}, committee {}\n", seat.chain, seat.number);
    }
    if let Some(draw) = view.draw {
        let ticket = if view.ticket { "a" } else { "no" };
        words += &format!("  {ticket} ticket for epoch {}\n", draw.epoch);
    }
    words
}

pub fn list(settings: &Settings, out: &Path) -> Result<()> {
    let period = submit::client(settings)?.period()?;
    let (number, count) = (period.period.number, period.witnesses.len());
    let reached = list::write(period, out)?;
    if settings.json() {
        println!("{}", json!({ "period": number, "witnesses": count, "reached": reached }));
    } else {
        println!("period {number}: {count} witnesses, of whom {reached} say where they are met");
    }
    Ok(())
}

pub fn register(settings: &Settings) -> Result<()> {
    stake::order(settings, &submit::client(settings)?, &StakeChange::Vrf)
}

pub fn submit(settings: &Settings, certificate: &Path) -> Result<()> {
    let certificate = live::read(certificate)?;
    let client = submit::client(settings)?;
    let paying = submit::paying_key(settings, &client)?;
    let done = submit::act(&client, &paying, ChainId::Backbone, Action::Certify(certificate))?;
    let address = crate::wallet::address(&paying);
    let view = client.presence(address)?;
    if settings.json() {
        println!("{}", json!({ "tx": done.tx, "height": done.height, "presence": view }));
    } else {
        println!("recorded in block {} of the backbone", done.height.unwrap_or_default());
        print!("{}", words(&view));
    }
    Ok(())
}

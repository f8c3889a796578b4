//! `meshx presence show | list | submit`: what the backbone knows of where validators stand.

use crate::{settings::Settings, user};
use anyhow::{Context as _, Result};
use api::{Client, PresenceView};
use client::when;
use node::measuring::{operator, read_certificate, write};
use serde_json::json;
use std::path::Path;
use types::{
    Action, Address, ChainId,
    presence::{PresenceCertificate, PresenceTier},
};

pub fn show(settings: &Settings, address: Option<Address>) -> Result<()> {
    let client = user::client(settings)?;
    let address = user::address_or_own(settings, &client, address)?;
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
        None => "  no presence certificate\n".to_owned(),
        Some(record) => {
            let tier = match record.tier {
                PresenceTier::Certified => "certified",
                PresenceTier::Provisional => "provisional",
            };
            let expires = when::moment(record.expires);
            let expires = if record.expires <= view.now {
                format!("expired {expires}")
            } else {
                format!("until {expires}")
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
    let period = user::client(settings)?.period()?;
    let (number, count) = (period.period.number, period.witnesses.len());
    let reached = write(period, out)?;
    if settings.json() {
        println!("{}", json!({ "period": number, "witnesses": count, "reached": reached }));
    } else {
        println!("period {number}: {count} witnesses, {reached} of them with an address");
    }
    Ok(())
}

pub fn submit(settings: &Settings, certificate: &Path) -> Result<()> {
    send(settings, &user::client(settings)?, read_certificate(certificate)?)
}

/// Send a certificate, paid for by one's own wallet, and say where its validator stands by it.
pub fn send(settings: &Settings, client: &Client, certificate: PresenceCertificate) -> Result<()> {
    let prover = certificate.claim.prover;
    let paying = user::paying_key(settings, client)?;
    // Several nodes may pay from one wallet.
    let action = Action::Certify(certificate);
    let done = client::act_in_turn(client, &paying, ChainId::Backbone, &action)?;
    let operator =
        operator(client, &prover)?.context("no validator votes with the measured key any more")?;
    let view = client.presence(operator)?;
    if settings.json() {
        println!("{}", json!({ "tx": done.tx, "height": done.height, "presence": view }));
    } else {
        println!("recorded in block {} of the backbone", done.height.unwrap_or_default());
        print!("{}", words(&view));
    }
    Ok(())
}

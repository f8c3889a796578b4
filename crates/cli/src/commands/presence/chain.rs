//! `meshx presence show | list | register | submit`: what the backbone knows of where validators stand.

use super::{list, live};
use crate::{
    settings::Settings,
    submit::{self, address_or_own},
};
use anyhow::{Context as _, Result};
use api::{Client, ClientError, Code, PresenceView};
use serde_json::json;
use std::{path::Path, thread, time::Duration};
use types::{
    Action, Address, ChainId, PublicKey,
    presence::{PresenceCertificate, PresenceTier},
};

/// How often a certificate is sent again because another transaction of the same wallet came first.
const TRIES: u8 = 40;

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

pub fn submit(settings: &Settings, certificate: &Path) -> Result<()> {
    send(settings, &submit::client(settings)?, live::read(certificate)?)
}

/// Whose validator votes with `key`, if any is known to.
pub fn operator(client: &Client, key: &PublicKey) -> Result<Option<Address>> {
    let validators = client.validators()?;
    Ok(validators.iter().find(|validator| validator.key == *key).map(|found| found.operator))
}

/// Whether another transaction of the same wallet came first: several nodes may have one.
fn came_second(error: &anyhow::Error) -> bool {
    let problem = error.downcast_ref::<ClientError>().and_then(ClientError::problem);
    let code = problem.map(|problem| problem.code);
    matches!(code, Some(Code::NonceUsed | Code::NonceOccupied | Code::NonceGap))
}

/// Send a certificate, paid for by one's own wallet, and say where its validator stands by it.
pub fn send(settings: &Settings, client: &Client, certificate: PresenceCertificate) -> Result<()> {
    let prover = certificate.claim.prover;
    let paying = submit::paying_key(settings, client)?;
    let mut tries = 0;
    let done = loop {
        let action = Action::Certify(certificate.clone());
        match submit::act(client, &paying, ChainId::Backbone, action) {
            Err(error) if tries < TRIES && came_second(&error) => tries += 1,
            done => break done?,
        }
        thread::sleep(Duration::from_millis(500));
    };
    let operator = operator(client, &prover)?.context("its validator is gone")?;
    let view = client.presence(operator)?;
    if settings.json() {
        println!("{}", json!({ "tx": done.tx, "height": done.height, "presence": view }));
    } else {
        println!("recorded in block {} of the backbone", done.height.unwrap_or_default());
        print!("{}", words(&view));
    }
    Ok(())
}

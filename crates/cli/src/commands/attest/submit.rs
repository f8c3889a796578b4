//! `meshx attest submit`: make evidence for the chain's newest challenge, and send it. `show`: what was proved.

use crate::{settings::Settings, user};
use anyhow::{Context as _, Result};
use args::AttestSubmit;
use attester::{Collaterals, Enrolment, Parent, Source, enrol};
use client::when;
use types::{Address, attest::AttestationRecord};

pub fn submit(settings: &Settings, args: &AttestSubmit) -> Result<()> {
    let client = user::client(settings)?;
    let keys = user::keys(settings, &client)?;
    let own = || std::env::current_exe().context("this program cannot find itself");
    let code = args.code.clone().map_or_else(own, Ok)?;
    let kept: Collaterals<'_> = &|technology| {
        let file = args.collateral.as_deref().map(conformance::read).transpose();
        Ok(file.and_then(|bytes| conformance::collateral_of(technology, bytes))?)
    };
    let source = match &args.source.tpm {
        Some(place) => Source::Tpm(place.clone()),
        None if args.source.gramine => Source::Gramine,
        None => Source::Tsm,
    };
    let parent = match args.parent {
        _ if args.root => Parent::Nobody,
        Some(address) => Parent::Of(address),
        None => Parent::Own,
    };
    let collateral = args.collateral.is_some().then_some(kept);
    let save = args.save.as_deref();
    let asked = Enrolment { source, code: &code, collateral, parent, save };
    let (done, record) = enrol(&client, &keys, settings.chain, &asked)?;
    if settings.json() {
        println!(
            "{}",
            serde_json::json!({ "tx": done.tx, "height": done.height, "record": record })
        );
    } else {
        println!("attested in block {} of {}", done.height.unwrap_or_default(), settings.chain);
        print_record(&record);
    }
    Ok(())
}

pub fn show(settings: &Settings, address: Option<Address>) -> Result<()> {
    let client = user::client(settings)?;
    let address = user::address_or_own(settings, &client, address)?;
    let view = client.attestation(settings.chain, address)?;
    if settings.json() {
        println!("{}", serde_json::to_string(&view)?);
        return Ok(());
    }
    println!("account      {address} on {}", view.chain);
    println!("challenge    {} of block {}", view.challenges.current, view.challenges.height);
    match &view.record {
        None => println!("nothing was attested"),
        Some(record) => {
            print_record(record);
            if !view.counts {
                println!("it has ended: attest anew");
            }
        }
    }
    Ok(())
}

fn print_record(record: &AttestationRecord) {
    println!("class        {} ({})", record.class.name(), record.technology.name());
    println!("root         {}", record.root);
    println!("TCB          {}", record.tcb_status.name());
    println!("measurement  {}", hex::encode(record.measurement.as_slice()));
    println!("code         {}", record.code_hash);
    println!("evidence     {}", record.evidence);
    match record.sealing_key.as_slice() {
        [] => println!("sealing key  none: no private job can be sent here"),
        key => println!("sealing key  {} (SHA-256)", hex::encode(attester::evidence_hash(key))),
    }
    println!("depth        {}", record.depth);
    println!("until        {}", when::moment(record.until));
}

//! `meshx presence prove | verify | attend | deal`: have a claim measured, check a certificate, measure others.

use super::chain;
use crate::{settings::Settings, user};
use anyhow::{Context as _, Result};
use args::PresenceProve;
use client::{stake, write_whole};
use node::measuring::{
    self, Attended, Attending, Claimed, Dealt, List, Prover, Tier, Verdict, Weakness, judge,
    read_certificate,
};
use serde_json::json;
use std::{path::Path, process::ExitCode, sync::Arc};
use survey::Network;
use types::{codec::Encode as _, presence::PresenceCertificate};

/// Silent witnesses that are named.
const NAMED_MAX: usize = 5;

pub fn prove(settings: &Settings, asked: &PresenceProve) -> Result<ExitCode> {
    let mut settings = settings.clone();
    let of_node = asked.dir.as_deref().map(node::read_node).transpose()?;
    if let Some((files, _)) = &of_node {
        settings.node.get_or_insert_with(|| format!("http://{}", files.api));
    }
    let file = asked.list.as_deref().map(List::read).transpose()?;
    let by_chain = asked.submit || asked.follow || file.is_none();
    let key = match (of_node, &asked.key) {
        (Some((_, secrets)), _) => secrets.signing_key(),
        (None, Some(file)) if file.exists() => measuring::key(file)?,
        (None, Some(file)) => measuring::new_key(file)?,
        (None, None) => stake::voting(&user::keys(&settings, &user::client(&settings)?)?),
    };
    let needs_chain = by_chain || asked.key.is_none();
    let client = if needs_chain { Some(user::client(&settings)?) } else { None };
    let claimed = Claimed {
        place: asked.place,
        continent: asked.continent,
        attestation: asked.attestation,
        listen: asked.listen,
        simulate_from: asked.simulate_from.clone(),
    };
    let prover = Prover { claimed, key, file, client, say: &|text| eprintln!("{text}") };
    if asked.follow {
        eprintln!("ready: {} is proved again in each period", asked.place);
        prover.follow(|| {
            now(&settings, asked, &prover)?;
            // What is not sent is proved once.
            anyhow::Ok(!asked.submit)
        });
    }
    if by_chain {
        return now(&settings, asked, &prover);
    }
    let list = prover.file.as_ref().expect("read above");
    keep(&settings, asked, &prover.once(list)?, list).map(code)
}

/// By the chain's list of now, and sent if that is asked for.
fn now(settings: &Settings, asked: &PresenceProve, prover: &Prover<'_>) -> Result<ExitCode> {
    let (list, proved) = prover.by_chain()?;
    let tier = keep(settings, asked, &proved, &list)?;
    if let Some(client) = prover.client.as_ref().filter(|_| asked.submit && tier != Tier::Unproven)
    {
        chain::send(settings, client, proved.certificate)?;
    }
    Ok(code(tier))
}

/// Write the certificate down, and say what it is worth.
fn keep(
    settings: &Settings,
    asked: &PresenceProve,
    proved: &measuring::Proved,
    list: &List,
) -> Result<Tier> {
    write_whole(&asked.out, &proved.certificate.encode(), false)?;
    eprintln!("certificate {}", asked.out.display());
    for (witness, why) in proved.silent.iter().take(NAMED_MAX) {
        eprintln!("  silent: witness {witness}: {why}");
    }
    if proved.silent.len() > NAMED_MAX {
        eprintln!("  and {} more", proved.silent.len() - NAMED_MAX);
    }
    judged(settings, &proved.certificate, list)
}

pub fn verify(settings: &Settings, certificate: &Path, list: &Path) -> Result<ExitCode> {
    let list = List::read(list)?;
    judged(settings, &read_certificate(certificate)?, &list).map(code)
}

/// Certified or not is the exit code.
fn code(tier: Tier) -> ExitCode {
    ExitCode::from(u8::from(tier != Tier::Certified))
}

/// Print the verdict.
fn judged(settings: &Settings, certificate: &PresenceCertificate, list: &List) -> Result<Tier> {
    let verdict = judge(certificate, list)?;
    if settings.json() {
        println!("{}", serde_json::to_string(&verdict)?);
    } else {
        show(&verdict, certificate);
    }
    Ok(verdict.tier)
}

fn show(verdict: &Verdict, certificate: &PresenceCertificate) {
    println!("{} at {}, {}", verdict.tier.name(), verdict.place, verdict.continent);
    println!(
        "  {} of {} witnesses measured; {} bytes; gas {}",
        verdict.measured,
        verdict.drawn,
        certificate.encode().len(),
        verdict.gas
    );
    let land = |what: &str, weakness: &Option<Weakness>| {
        if let Some(Weakness { cell, continent, able, refuted }) = weakness {
            println!(
                "  not {what}: it may be at {cell}, {continent}: {refuted} of the {able} witnesses that could exclude this place do so"
            );
        }
    };
    land("certified", &verdict.not_certified);
    land("provisional", &verdict.not_provisional);
    if !verdict.faster_than_light.is_empty() {
        println!("  faster than light: witnesses {:?}", verdict.faster_than_light);
    }
    let nearest = certificate.minima.iter().min_by_key(|minimum| minimum.rtt_us);
    if let Some(nearest) = nearest {
        println!("  shortest: {} µs, by witness {}", nearest.rtt_us, nearest.witness);
    }
}

/// Attend until the process is ended.
pub fn attend(settings: &Settings, asked: Attending<'_>) -> Result<()> {
    let json = settings.json();
    let say = move |attended| match attended {
        Attended::Ready(count) if json => {
            println!("{}", json!({ "ready": true, "witnesses": count }))
        }
        Attended::Ready(count) => println!("ready: {count} witnesses attend"),
        Attended::Unmet(key) => eprintln!(
            "no address of witness {key} is known\nhint: its operator publishes one with meshx stake announce"
        ),
        Attended::Period { number, witnesses } => {
            eprintln!("period {number}: {witnesses} witnesses");
        }
    };
    Ok(measuring::attend(asked, Arc::new(say), tokio::signal::ctrl_c)?)
}

/// A witness for each node of a measured network, all on this machine.
pub fn deal(settings: &Settings, network: &Path, dir: &Path, port: u16) -> Result<()> {
    let network = Network::read(network).with_context(|| {
        format!(
            "{} is not a measured network\nhint: it needs nodes.csv (id,name,lat,lon,continent) and rtt.csv (src,dst,rtt_ms)",
            network.display()
        )
    })?;
    let called = network.nodes.iter().map(|node| {
        let (id, name) = (node.id.clone(), node.name.clone());
        Dealt { id, name, place: node.place }
    });
    let nodes: Vec<Dealt> = called.collect();
    let count = measuring::deal(&nodes, |a, b| network.rtt_us(a, b), dir, port)?;
    let path = dir.join(measuring::DEALT);
    if settings.json() {
        println!("{}", json!({ "witnesses": count, "list": path }));
    } else {
        eprintln!("made keys for {count} witnesses on 127.1.0.0/16, for tests: {}", path.display());
    }
    Ok(())
}

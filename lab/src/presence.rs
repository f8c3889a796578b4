//! `meshx presence evaluate`: the rule tried on a measured network, with witnesses and provers that lie.

use crate::args::{AttackName, Output, PresenceEvaluate};
use ::presence::PresenceParams;
use anyhow::{Context as _, Result};
use std::path::Path;
use survey::{Asked, Attack, Network, Rate, Report};

pub fn read(folder: &Path) -> Result<Network> {
    Network::read(folder).with_context(|| {
        format!(
            "{} is not a measured network\nhint: it needs nodes.csv (id,name,lat,lon,continent) and rtt.csv (src,dst,rtt_ms)",
            folder.display()
        )
    })
}

pub fn evaluate(output: Output, asked: &PresenceEvaluate) -> Result<()> {
    let network = read(&asked.network)?;
    let attack = match asked.attack {
        AttackName::Framing => Attack::Framing,
        AttackName::Mimic => Attack::Mimic,
        AttackName::Targeted => Attack::Targeted,
        AttackName::Proxy => Attack::Proxy,
    };
    let asked = Asked {
        liars: asked.liars.clone(),
        attack,
        seed: asked.seed,
        rounds: asked.rounds.into(),
        lies: usize::try_from(asked.lies).expect("32 bits fit"),
    };
    let report = survey::evaluate(&network, asked, PresenceParams::DEFAULT);
    if output == Output::Json {
        println!("{}", serde_json::to_string(&report)?);
        return Ok(());
    }
    show(&report);
    Ok(())
}

fn show(report: &Report) {
    let Report { nodes, covered, asked, .. } = report;
    println!(
        "{nodes} nodes, {covered} of them covered (9 others within 25 ms); attack {}, seed {}",
        asked.attack.name(),
        asked.seed
    );
    println!(
        "{:>6}  {:>9}  {:>7}  {:>7}  {:<11}  {:>8}  {:>8}  {:>8}  lies accepted",
        "liars", "continent", "median", "p90", "tier", "accepted", "covered", "falsely"
    );
    for result in &report.results {
        let located = &result.located;
        for (index, tier) in result.tiers.iter().enumerate() {
            let head = match index {
                0 => format!(
                    "{:>5.0}%  {:>8.1}%  {:>4} km  {:>4} km",
                    result.liars * 100.0,
                    located.continent.percent,
                    located.median_km,
                    located.p90_km
                ),
                _ => " ".repeat(6 + 2 + 9 + 2 + 7 + 2 + 7),
            };
            let Rate { count, of, percent } = tier.accepted_falsely;
            println!(
                "{head}  {:<11}  {:>7.1}%  {:>7.1}%  {percent:>7.3}%  {count} of {of}",
                tier.tier.name(),
                tier.accepted_all.percent,
                tier.accepted_covered.percent,
            );
        }
    }
    if report.results.iter().all(|result| result.tiers[0].accepted_all.of == 0) {
        println!("nothing could be tested: a node needs round-trip times to twelve others");
    } else if report.results.iter().all(|result| result.tiers[0].accepted_falsely.of == 0) {
        println!(
            "no lies were tested: no node is more than 2,500 km from a node of another continent"
        );
    }
    for result in &report.results {
        for lie in result.tiers.iter().take(1).flat_map(|tier| &tier.some_accepted) {
            println!("certified falsely: {} beside {}", lie.prover, lie.claimed);
        }
    }
    println!("simulated: the liars. Round-trip times are measured, and no node is its own witness");
}

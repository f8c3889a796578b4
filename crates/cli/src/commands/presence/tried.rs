//! `meshx presence evaluate | locate | sybil-cost`: the rule tried on measured networks, and what a vote costs.

use crate::{
    args::{AttackName, PresenceEvaluate, SybilCost},
    settings::Settings,
};
use anyhow::{Context as _, Result, ensure};
use presence::{Direction, Locator, PresenceParams, Reading};
use serde::Serialize;
use std::path::Path;
use survey::{Asked, Attack, Network, Rate, Report};
use types::{ChainId, NanoMeshx, Place};

pub fn read(folder: &Path) -> Result<Network> {
    Network::read(folder).with_context(|| {
        format!(
            "{} is no measured network\nhint: it needs nodes.csv (id,name,lat,lon,continent) and rtt.csv (src,dst,rtt_ms)",
            folder.display()
        )
    })
}

pub fn evaluate(settings: &Settings, asked: &PresenceEvaluate) -> Result<()> {
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
    if settings.json() {
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
        println!("nothing could be tried: a node needs round trips to twelve others");
    } else if report.results.iter().all(|result| result.tiers[0].accepted_falsely.of == 0) {
        println!("no lies were tried: nobody is over 2,500 km from a node of another continent");
    }
    for result in &report.results {
        for lie in result.tiers.iter().take(1).flat_map(|tier| &tier.some_accepted) {
            println!("certified falsely: {} beside {}", lie.prover, lie.claimed);
        }
    }
    println!(
        "simulated: who lies; round trips are the measured ones, and nobody speaks for himself"
    );
}

#[derive(Serialize)]
struct Found<'a> {
    target: &'a str,
    name: &'a str,
    place: Place,
    continent: ChainId,
    readings: usize,
    believed: usize,
    /// What nodes.csv says, and how far the answer is from that.
    known_place: Place,
    known_continent: ChainId,
    away_km: u32,
}

pub fn locate(settings: &Settings, folder: &Path, target: &str) -> Result<()> {
    let network = read(folder)?;
    let node = network.find(target).with_context(|| {
        format!("{} has no node {target:?}\nhint: ids and names are in nodes.csv", folder.display())
    })?;
    let continents: Vec<ChainId> = network.nodes.iter().map(|node| node.continent).collect();
    let readings: Vec<Reading> = network
        .measured_with(node)
        .filter_map(|witness| Some(Reading { witness, rtt_us: network.rtt_us(node, witness)? }))
        .collect();
    let located = Locator::new(&network.reference, &continents).locate(&readings, Some(node));
    let located = located.with_context(|| {
        format!(
            "{target:?} was measured with {} others\nhint: at least {} are needed",
            readings.len(),
            presence::READINGS_MIN
        )
    })?;
    let known = &network.nodes[node];
    let found = Found {
        target: &known.id,
        name: &known.name,
        place: located.place,
        continent: located.continent,
        readings: readings.len(),
        believed: located.believed,
        known_place: known.place,
        known_continent: known.continent,
        away_km: Direction::of_place(located.place).km(network.direction(node)),
    };
    if settings.json() {
        println!("{}", serde_json::to_string(&found)?);
    } else {
        println!("{} seems to stand at {}, {}", found.name, found.place, found.continent);
        println!(
            "  by {} of {} round trips; the others look like lies",
            found.believed, found.readings
        );
        println!(
            "  nodes.csv has {}, {}: {} km away",
            found.known_place, found.known_continent, found.away_km
        );
    }
    Ok(())
}

#[derive(Serialize)]
struct Cost {
    staked: NanoMeshx,
    seats: u16,
    /// Stake that is expected to have one seat of a term, and more than a third of them.
    one_seat: NanoMeshx,
    third: NanoMeshx,
    /// Keys that each need their own machine and place, since one key has at most one seat.
    machines_one_seat: u64,
    machines_third: u64,
    usd_one_seat: u64,
    usd_third: u64,
    slashed_if_caught: NanoMeshx,
}

/// One more vote is one more seat. A seat is drawn by stake, and one key has at most one.
pub fn sybil_cost(settings: &Settings, asked: &SybilCost) -> Result<()> {
    let params = types::Params::DEFAULT;
    let staked = u128::from(asked.staked.get());
    let seats = u128::from(asked.seats);
    let least = u128::from(params.staking.validator_min.get());
    ensure!(
        staked >= least,
        "less is staked than one validator needs ({})",
        params.staking.validator_min
    );
    // With x beside what others have, x / (others + x) of the seats are expected: of n seats k need x = others · k / (n − k).
    let expected = |k: u128| (staked * k).div_ceil(seats - k).max(least * k);
    let third_seats = seats / 3 + 1;
    ensure!(third_seats < seats, "a committee of {seats} has no minority\nhint: --seats 4 or more");
    let amount = |nano: u128| u64::try_from(nano).map(NanoMeshx::new).context("more than there is");
    let usd = |stake: u128, machines: u128| {
        let tokens = stake * u128::from(asked.token_milliusd) / 1_000 / 1_000_000_000;
        u64::try_from(tokens + machines * u128::from(asked.machine_usd))
            .context("more than there is")
    };
    let (one, third) = (expected(1), expected(third_seats));
    let bps = u128::from(params.staking.slash_bps);
    let cost = Cost {
        staked: asked.staked,
        seats: asked.seats,
        one_seat: amount(one)?,
        third: amount(third)?,
        machines_one_seat: 1,
        machines_third: u64::try_from(third_seats)?,
        usd_one_seat: usd(one, 1)?,
        usd_third: usd(third, third_seats)?,
        slashed_if_caught: amount(third * bps / 10_000)?,
    };
    if settings.json() {
        println!("{}", serde_json::to_string(&cost)?);
        return Ok(());
    }
    println!("{:<26}  {:>22}  {:>22}", "", "one more seat", "more than a third");
    println!(
        "{:<26}  {:>22}  {:>22}",
        "stake, MESHX",
        cost.one_seat.to_string(),
        cost.third.to_string()
    );
    println!(
        "{:<26}  {:>22}  {:>22}",
        "attested machines, placed", cost.machines_one_seat, cost.machines_third
    );
    println!(
        "{:<26}  {:>22}  {:>22}",
        "USD at the assumed prices", cost.usd_one_seat, cost.usd_third
    );
    println!("caught signing twice, it loses {} MESHX", cost.slashed_if_caught);
    println!(
        "assumed: {} MESHX staked by others for {} seats, {} thousandths of a USD a MESHX, {} USD a machine",
        asked.staked, asked.seats, asked.token_milliusd, asked.machine_usd
    );
    Ok(())
}

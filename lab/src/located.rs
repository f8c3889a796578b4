//! `meshx presence locate`: a node of a measured network, found by its round trips alone.

use crate::{args::Output, presence::read};
use ::presence::Direction;
use anyhow::{Context as _, Result};
use serde::Serialize;
use std::path::Path;
use survey::{Locator, READINGS_MIN, Reading};
use types::{ChainId, Place};

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

pub fn locate(output: Output, folder: &Path, target: &str) -> Result<()> {
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
            READINGS_MIN
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
    if output == Output::Json {
        println!("{}", serde_json::to_string(&found)?);
    } else {
        println!("{} seems to be at {}, {}", found.name, found.place, found.continent);
        println!(
            "  by {} of {} round-trip times; the others look like lies",
            found.believed, found.readings
        );
        println!(
            "  nodes.csv has {}, {}: {} km away",
            found.known_place, found.known_continent, found.away_km
        );
    }
    Ok(())
}

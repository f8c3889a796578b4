//! How long a message travels between two cities.
//!
//! [`Latency::real`] is a small table of measured round trips (`rtt.tsv` names its source). Pairs it
//! lacks, and all of Antarctica, which has no public vantage point, are estimated: the great circle at
//! two thirds of the speed of light, times 1.5 for the detours cables take.

mod files;

use std::{collections::BTreeMap, sync::Arc, time::Duration};
use types::ChainId;

/// A city a node stands in.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The city, as the table spells it.
    pub city: String,
    /// The continent it is on.
    pub shard: ChainId,
    latitude: f64,
    longitude: f64,
}

/// A latency table that cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum BadLatency {
    #[error(
        "cannot read {path}: {source}; --latency takes none, real or a folder with nodes.csv and rtt.csv"
    )]
    Unreadable { path: String, source: std::io::Error },
    #[error("{path}, line {line}: {what}")]
    Malformed { path: String, line: usize, what: &'static str },
    #[error("{path} has no city on {chain}, so no validator can stand there")]
    NoCity { path: String, chain: ChainId },
}

/// One-way delays between cities. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Latency {
    model: Arc<Model>,
}

#[derive(Debug, Default)]
struct Model {
    name: String,
    /// No delay at all.
    instant: bool,
    places: Vec<Place>,
    round_trip_us: BTreeMap<(String, String), u64>,
}

impl Latency {
    /// No delay.
    pub fn none() -> Self {
        let real = files::builtin();
        Self { model: Arc::new(Model { name: "none".into(), instant: true, ..real }) }
    }

    /// The table that comes with MeshX.
    pub fn real() -> Self {
        Self { model: Arc::new(files::builtin()) }
    }

    /// A folder with `nodes.csv` (id, name, lat, lon, continent) and `rtt.csv` (src, dst, rtt_ms).
    ///
    /// # Errors
    /// [`BadLatency`] with file and line.
    pub fn from_folder(folder: &std::path::Path) -> Result<Self, BadLatency> {
        Ok(Self { model: Arc::new(files::folder(folder)?) })
    }

    /// What a user names: `none`, `real`, or a folder of measurements.
    ///
    /// # Errors
    /// [`BadLatency`] with file and line.
    pub fn named(name: &str) -> Result<Self, BadLatency> {
        match name {
            "none" => Ok(Self::none()),
            "real" => Ok(Self::real()),
            folder => Self::from_folder(std::path::Path::new(folder)),
        }
    }

    /// What was chosen: `none`, `real` or the folder.
    pub fn name(&self) -> &str {
        &self.model.name
    }

    /// The city of this name; none if the table does not have it.
    pub fn place(&self, city: &str) -> Option<Place> {
        self.model.places.iter().find(|place| place.city == city).cloned()
    }

    /// Where validator or worker number `index` of `chain` stands. The backbone's take turns among the
    /// continents; a chain with more nodes than cities puts several in one.
    pub fn place_of(&self, chain: ChainId, index: usize) -> Place {
        let (shard, index) = if chain.is_shard() {
            (chain, index)
        } else {
            const TURNS: [ChainId; 6] = [
                ChainId::Europe,
                ChainId::NorthAmerica,
                ChainId::Asia,
                ChainId::SouthAmerica,
                ChainId::Africa,
                ChainId::Oceania,
            ];
            (TURNS[index % TURNS.len()], index / TURNS.len())
        };
        let cities: Vec<&Place> =
            self.model.places.iter().filter(|place| place.shard == shard).collect();
        cities[index % cities.len()].clone()
    }

    /// How long a message from `a` to `b` travels.
    pub fn one_way(&self, a: &Place, b: &Place) -> Duration {
        if self.model.instant {
            return Duration::ZERO;
        }
        if a.city == b.city {
            return Duration::from_micros(250);
        }
        let key = if a.city < b.city {
            (a.city.clone(), b.city.clone())
        } else {
            (b.city.clone(), a.city.clone())
        };
        let round_trip =
            self.model.round_trip_us.get(&key).copied().unwrap_or_else(|| estimate_us(a, b));
        Duration::from_micros(round_trip / 2)
    }
}

/// The estimated round trip in microseconds: great circle, 2/3 c, detour factor 1.5.
fn estimate_us(a: &Place, b: &Place) -> u64 {
    const EARTH_RADIUS_KM: f64 = 6_371.0;
    const FIBRE_KM_PER_US: f64 = 0.199_86;
    let rad = f64::to_radians;
    let (d_lat, d_lon) = (rad(b.latitude - a.latitude), rad(b.longitude - a.longitude));
    let h = (d_lat / 2.0).sin().powi(2)
        + rad(a.latitude).cos() * rad(b.latitude).cos() * (d_lon / 2.0).sin().powi(2);
    let distance_km = 2.0 * EARTH_RADIUS_KM * h.sqrt().min(1.0).asin();
    (2.0 * 1.5 * distance_km / FIBRE_KM_PER_US) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chain_has_places_for_a_hundred() {
        for latency in [Latency::real(), Latency::none()] {
            for chain in ChainId::ALL {
                for index in 0..100 {
                    let place = latency.place_of(chain, index);
                    assert!(chain == ChainId::Backbone || place.shard == chain);
                }
            }
        }
    }

    #[test]
    fn nothing_is_faster_than_light() {
        let latency = Latency::real();
        let places = &latency.model.places;
        for a in places {
            for b in places {
                let vacuum_us = estimate_us(a, b) as f64 / 2.0 / 1.5 * 2.0 / 3.0;
                let us = latency.one_way(a, b).as_micros() as f64;
                assert!(
                    us >= vacuum_us * 0.99,
                    "{} to {}: {us} us, light needs {vacuum_us}",
                    a.city,
                    b.city
                );
            }
        }
    }

    #[test]
    fn the_same_both_ways() {
        let latency = Latency::real();
        let (a, b) = (latency.place("Lagos").unwrap(), latency.place("Cairo").unwrap());
        assert_eq!(latency.one_way(&a, &b), latency.one_way(&b, &a));
        assert_eq!(latency.one_way(&a, &b).as_micros(), 125_500);
    }
}

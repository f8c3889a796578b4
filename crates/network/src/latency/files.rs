//! Reading latency tables: the one compiled in, and folders of measurements.

use super::{BadLatency, Model, Place};
use std::{collections::BTreeMap, path::Path};
use types::ChainId;

pub(super) fn builtin() -> Model {
    let rows = |text: &'static str| {
        text.lines().filter(|l| !l.starts_with('#')).map(|l| l.split('\t').collect())
    };
    let place = |row: Vec<&str>| Place {
        city: row[0].to_owned(),
        shard: row[1].parse().expect("cities.tsv names shards"),
        latitude: row[2].parse().expect("cities.tsv has coordinates"),
        longitude: row[3].parse().expect("cities.tsv has coordinates"),
    };
    let pair = |row: Vec<&str>| {
        let milliseconds: u64 = row[2].parse().expect("rtt.tsv has whole milliseconds");
        (ordered(row[0], row[1]), milliseconds * 1_000)
    };
    Model {
        name: "real".into(),
        instant: false,
        places: rows(include_str!("cities.tsv")).map(place).collect(),
        round_trip_us: rows(include_str!("rtt.tsv")).map(pair).collect(),
    }
}

fn ordered(a: &str, b: &str) -> (String, String) {
    let (a, b) = if a < b { (a, b) } else { (b, a) };
    (a.to_owned(), b.to_owned())
}

pub(super) fn folder(folder: &Path) -> Result<Model, BadLatency> {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut places = Vec::new();
    let nodes = Table::read(&folder.join("nodes.csv"), &["id", "name", "lat", "lon", "continent"])?;
    for (line, row) in &nodes.rows {
        let number = |text: &str| text.parse::<f64>().ok().filter(|n| n.is_finite());
        let (Some(latitude), Some(longitude)) = (number(&row[2]), number(&row[3])) else {
            return Err(nodes.malformed(*line, "lat and lon must be numbers"));
        };
        let shard = row[4].parse::<ChainId>().ok().filter(|chain| chain.is_shard());
        let shard = shard.ok_or_else(|| {
            nodes.malformed(*line, "continent must be one of NA EU AS SA AF OC AN")
        })?;
        names.insert(row[0].clone(), row[1].clone());
        places.push(Place { city: row[1].clone(), shard, latitude, longitude });
    }
    let rtt = Table::read(&folder.join("rtt.csv"), &["src", "dst", "rtt_ms"])?;
    let mut round_trip_us = BTreeMap::new();
    for (line, row) in &rtt.rows {
        let (Some(a), Some(b)) = (names.get(&row[0]), names.get(&row[1])) else {
            return Err(rtt.malformed(*line, "src and dst must be ids of nodes.csv"));
        };
        let ms = row[2].parse::<f64>().ok().filter(|ms| (0.0..60_000.0).contains(ms));
        let ms = ms.ok_or_else(|| rtt.malformed(*line, "rtt_ms must be 0 to 60000"))?;
        // Both directions may be measured; the smaller is nearer to the path's own delay.
        let entry = round_trip_us.entry(ordered(a, b)).or_insert(u64::MAX);
        *entry = (*entry).min((ms * 1_000.0) as u64);
    }
    let builtin = builtin();
    for chain in ChainId::ALL.into_iter().filter(|chain| chain.is_shard()) {
        if places.iter().any(|place| place.shard == chain) {
            continue;
        }
        // No data set has vantage points in Antarctica; a shard without any would stop the mesh.
        let fallback: Vec<Place> =
            builtin.places.iter().filter(|p| p.shard == chain).cloned().collect();
        if chain != ChainId::Antarctica {
            return Err(BadLatency::NoCity { path: nodes.path.clone(), chain });
        }
        places.extend(fallback);
    }
    Ok(Model { name: folder.display().to_string(), instant: false, places, round_trip_us })
}

/// A CSV file with the columns asked for, in the order asked for.
struct Table {
    path: String,
    rows: Vec<(usize, Vec<String>)>,
}

impl Table {
    fn read(path: &Path, columns: &[&str]) -> Result<Self, BadLatency> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| BadLatency::Unreadable { path: name.clone(), source })?;
        let mut lines = text.lines().enumerate();
        let malformed =
            |line: usize, what| BadLatency::Malformed { path: name.clone(), line: line + 1, what };
        let header = lines
            .next()
            .map(|(_, line)| cells(line))
            .ok_or_else(|| malformed(0, "the file is empty"))?;
        let places: Option<Vec<usize>> =
            columns.iter().map(|column| header.iter().position(|cell| cell == column)).collect();
        let places = places
            .ok_or_else(|| malformed(0, "a column is missing; see the README of the data set"))?;
        let mut rows = Vec::new();
        for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
            let cells = cells(line);
            let row: Option<Vec<String>> =
                places.iter().map(|place| cells.get(*place).cloned()).collect();
            rows.push((number, row.ok_or_else(|| malformed(number, "too few columns"))?));
        }
        Ok(Self { path: name, rows })
    }

    fn malformed(&self, line: usize, what: &'static str) -> BadLatency {
        BadLatency::Malformed { path: self.path.clone(), line: line + 1, what }
    }
}

/// The cells of one CSV line; a cell in double quotes may hold commas.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            letter => cells.last_mut().expect("never empty").push(letter),
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_cell_keeps_its_comma() {
        assert_eq!(cells(r#"1,"Sao Paulo, Brazil",2"#), ["1", "Sao Paulo, Brazil", "2"]);
    }

    #[test]
    fn published_measurements_load() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/latency/wn2020");
        if !folder.exists() {
            eprintln!("passed over: {} is missing", folder.display());
            return;
        }
        let model = super::folder(&folder).unwrap();
        assert_eq!(model.places.len(), 245 + 4);
        assert!(model.round_trip_us.len() > 29_000);
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = super::folder(Path::new("/nowhere")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/nodes.csv"), "{error}");
    }
}

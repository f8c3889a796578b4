//! A folder of measurements: nodes whose places are known, and round trips between them.

use presence::{Direction, Place, Reference};
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};
use types::ChainId;

/// Most nodes of a network: pairs are kept in a table.
const NODES_MAX: usize = 4_000;
const FILE_BYTES_MAX: u64 = 1 << 30;

/// Nodes whose places are known, and what was measured between them.
#[derive(Debug)]
pub struct Network {
    /// In the order of `nodes.csv`. All else numbers a node by its place here.
    pub nodes: Vec<Node>,
    /// Where nodes stand, and the round-trip times between them.
    pub reference: Reference,
}

/// A node of a measured network.
#[derive(Clone, Debug)]
pub struct Node {
    /// What `rtt.csv` calls it; no other node has this id.
    pub id: String,
    /// What people call it, without control characters.
    pub name: String,
    /// Where it stands, as its measurers say.
    pub place: Place,
    /// The shard of its continent, as its measurers say.
    pub continent: ChainId,
}

/// Why a folder is no network.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Unreadable {
    #[error("cannot read {file}: {error}")]
    File { file: String, error: csv::Error },
    #[error("{file} is larger than {FILE_BYTES_MAX} bytes")]
    Large { file: String },
    #[error("{file}, line {line}: {what}")]
    Line { file: String, line: u64, what: String },
    #[error("{file} has {nodes} nodes; expected 3 to {NODES_MAX}")]
    Nodes { file: String, nodes: usize },
}

#[derive(Deserialize)]
struct NodeRow {
    id: String,
    name: String,
    lat: f64,
    lon: f64,
    continent: String,
}

#[derive(Deserialize)]
struct RttRow {
    src: String,
    dst: String,
    rtt_ms: f64,
}

impl Network {
    /// Read `nodes.csv` (id, name, lat, lon, continent) and `rtt.csv` (src, dst, rtt_ms) of a folder; other columns are
    /// passed over, and so is their order. Ids that differ name different nodes, even if their names are equal. Of a pair
    /// that is there more than once, either way, the shortest time counts; a pair that is not there was not measured.
    ///
    /// # Errors
    /// [`Unreadable`], with file and line.
    pub fn read(folder: &Path) -> Result<Self, Unreadable> {
        let mut nodes = Vec::new();
        let mut indices = BTreeMap::new();
        let file = folder.join("nodes.csv");
        let bad = |file: &Path, line, what: String| Unreadable::Line {
            file: file.display().to_string(),
            line,
            what,
        };
        for (line, row) in rows::<NodeRow>(&file)? {
            let degrees = |value: f64| {
                // NaN and what is too large are caught by the bounds of a place.
                let scaled = (value * 10_000.0).round();
                if scaled.abs() <= 1_800_000.0 { Some(scaled as i32) } else { None }
            };
            let place = degrees(row.lat).zip(degrees(row.lon)).and_then(|(lat, lon)| {
                Place::new(lat, if lon == 1_800_000 { -1_800_000 } else { lon }).ok()
            });
            let place = place.ok_or_else(|| {
                bad(&file, line, format!("{}, {} is not a place", row.lat, row.lon))
            })?;
            let continent = row.continent.parse::<ChainId>().ok().filter(|chain| chain.is_shard());
            let continent = continent.ok_or_else(|| {
                bad(
                    &file,
                    line,
                    format!(
                        "{:?} is not a continent; expected NA EU AS SA AF OC AN",
                        row.continent
                    ),
                )
            })?;
            if indices.insert(row.id.clone(), nodes.len()).is_some() {
                return Err(bad(&file, line, format!("the id {:?} appears twice", row.id)));
            }
            // Names are shown to people: nothing that moves a terminal's cursor.
            let name = row.name.chars().filter(|char| !char.is_control()).collect();
            nodes.push(Node { id: row.id, name, place, continent });
        }
        if !(3..=NODES_MAX).contains(&nodes.len()) {
            let file = file.display().to_string();
            return Err(Unreadable::Nodes { file, nodes: nodes.len() });
        }
        let file = folder.join("rtt.csv");
        let mut pairs = Vec::new();
        for (line, row) in rows::<RttRow>(&file)? {
            let node = |id: &str| {
                let found = indices.get(id).copied();
                found.ok_or_else(|| bad(&file, line, format!("nodes.csv has no id {id:?}")))
            };
            let (a, b) = (node(&row.src)?, node(&row.dst)?);
            if !(0.0..60_000.0).contains(&row.rtt_ms) {
                let what = format!(
                    "a round-trip time of {} ms is out of range; expected 0 to 60000",
                    row.rtt_ms
                );
                return Err(bad(&file, line, what));
            }
            pairs.push((a, b, (row.rtt_ms * 1_000.0).round() as u32));
        }
        let directions = nodes.iter().map(|node| Direction::of_place(node.place)).collect();
        Ok(Self { reference: Reference::new(directions, pairs), nodes })
    }

    /// The shortest round trip between two nodes, in microseconds; `None` if it was not measured.
    #[must_use]
    pub fn rtt_us(&self, a: usize, b: usize) -> Option<u32> {
        self.reference.rtt_us(a, b)
    }

    /// The point of the globe where `node` stands.
    #[must_use]
    pub fn direction(&self, node: usize) -> &Direction {
        &self.reference.directions()[node]
    }

    /// The distance between two nodes along the surface, in kilometres.
    #[must_use]
    pub fn km(&self, a: usize, b: usize) -> u32 {
        self.direction(a).km(self.direction(b))
    }

    /// The nodes that measured `node`, or it them.
    pub fn measured_with(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.nodes.len()).filter(move |other| self.rtt_us(node, *other).is_some())
    }

    /// The node of an id, or, where there is none, the one of a name.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<usize> {
        let by_id = self.nodes.iter().position(|node| node.id == id);
        by_id.or_else(|| self.nodes.iter().position(|node| node.name == id))
    }
}

fn rows<T: serde::de::DeserializeOwned>(file: &Path) -> Result<Vec<(u64, T)>, Unreadable> {
    let name = || file.display().to_string();
    let unreadable = |error| Unreadable::File { file: name(), error };
    let bytes = std::fs::metadata(file).map_err(|error| unreadable(error.into()))?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(Unreadable::Large { file: name() });
    }
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(file).map_err(unreadable)?;
    let headers = reader.headers().map_err(unreadable)?.clone();
    let mut record = csv::StringRecord::new();
    let mut rows = Vec::new();
    while reader.read_record(&mut record).map_err(unreadable)? {
        let line = record.position().map_or(0, csv::Position::line);
        let row = record.deserialize(Some(&headers)).map_err(|error| match error.kind() {
            csv::ErrorKind::Deserialize { err, .. } => {
                let column =
                    err.field().and_then(|field| headers.get(usize::try_from(field).ok()?));
                let column = column.map_or(String::new(), |name| format!("column {name:?}: "));
                Unreadable::Line { file: name(), line, what: format!("{column}{}", err.kind()) }
            }
            _ => unreadable(error),
        })?;
        rows.push((line, row));
    }
    Ok(rows)
}

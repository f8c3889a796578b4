//! `cargo xtask geo FILE`: which continent each quarter of a degree is part of, from Natural Earth's countries.
//!
//! FILE is `countries-50m.json` of the npm package world-atlas 2.0.2: Natural Earth 4.1.0 at 1:50m (public domain) as
//! TopoJSON. Writes `crates/presence/data/continents.bin`, which is committed; its hash is pinned by a test there.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::{fs, path::Path};

const ROWS: usize = 720;
const COLUMNS: usize = 1_440;
const TO: &str = "crates/presence/data/continents.bin";

// The numbers of `types::ChainId`; 0 is the sea.
const NA: u8 = 1;
const EU: u8 = 2;
const AS: u8 = 3;
const SA: u8 = 4;
const AF: u8 = 5;
const OC: u8 = 6;
const AN: u8 = 7;

/// Countries by ISO 3166-1 number and continent, as the UN's M49 has them; all others are Asia's. Turkey, Cyprus and the
/// Caucasus are Asia's there, too.
const M49: &[(u8, &str)] = &[
    (
        AF,
        "012 024 072 086 108 120 132 140 148 174 175 178 180 204 226 231 232 262 266 270 288 324 384 404 426 430 434 450 454 466 478 480 504 508 516 562 566 624 638 646 654 678 686 690 694 706 710 716 728 729 732 748 768 788 800 818 834 854 894",
    ),
    (
        NA,
        "028 044 052 060 084 092 124 136 188 192 212 214 222 304 308 312 320 332 340 388 474 484 500 531 533 534 535 558 591 630 652 659 660 662 663 666 670 780 796 840 850",
    ),
    (SA, "032 068 076 152 170 218 238 254 328 600 604 740 858 862"),
    (
        OC,
        "016 036 090 162 166 184 242 258 296 316 520 540 548 554 570 574 580 581 583 584 585 598 612 772 776 798 876 882",
    ),
    (
        EU,
        "008 020 040 056 070 100 112 191 203 208 233 234 246 248 250 276 292 300 336 348 352 372 380 428 438 440 442 470 492 498 499 528 578 616 620 642 643 674 688 703 705 724 744 752 756 804 807 826 831 832 833",
    ),
    (AN, "010 074 239 260 334"),
];

struct Country {
    number: String,
    name: String,
}

impl Country {
    /// The continent of its land at this place: some countries have land on several.
    fn continent(&self, lat: f64, lon: f64) -> u8 {
        match self.name.as_str() {
            _ if lat < -60.0 => AN,
            "Russia" if (19.0..60.0).contains(&lon) => EU,
            "Russia" => AS,
            "France" if lon < -45.0 && lat < 6.5 && lon > -55.0 => SA,
            "France" if lon < -45.0 => NA,
            "France" if lat < 0.0 => AF,
            "United States of America" if lat < 24.0 && lon < -154.0 => OC,
            "Spain" if lat < 30.0 => AF,
            "Portugal" if lon < -15.0 && lat < 34.0 => AF,
            "Netherlands" if lon < -40.0 => NA,
            "Chile" if lon < -100.0 => OC,
            "Indonesia" if lon > 134.0 => OC,
            "Norway" if lat < 0.0 => AN,
            "South Africa" if lat < -40.0 => AN,
            "Kosovo" => EU,
            "Somaliland" => AF,
            _ => {
                let named = M49
                    .iter()
                    .find(|(_, numbers)| numbers.split(' ').any(|number| number == self.number));
                named.map_or(AS, |(continent, _)| *continent)
            }
        }
    }
}

pub fn run(root: &Path, atlas: &str) -> Result<()> {
    let text = fs::read_to_string(atlas).with_context(|| format!("cannot read {atlas}"))?;
    let cells = cells_of(&serde_json::from_str(&text).context("the atlas is no JSON")?)?;
    let bytes = packed(&cells);
    fs::write(root.join(TO), &bytes)?;
    let land = cells.iter().filter(|cell| **cell != 0).count();
    println!("{TO}: {land} of {} cells are land, {} bytes", cells.len(), bytes.len());
    println!("blake3 {}", blake3::hash(&bytes));
    Ok(())
}

/// Rows from the south, cells of a row from 180° W.
fn cells_of(atlas: &Value) -> Result<Vec<u8>> {
    let number = |value: &Value| value.as_f64().context("a number is missing");
    let pair = |value: &Value| Ok::<_, anyhow::Error>((number(&value[0])?, number(&value[1])?));
    let (scale, shift) =
        (pair(&atlas["transform"]["scale"])?, pair(&atlas["transform"]["translate"])?);
    let mut arcs = Vec::new();
    for arc in atlas["arcs"].as_array().context("no arcs")? {
        let (mut x, mut y) = (0.0, 0.0);
        let mut points = Vec::new();
        for step in arc.as_array().context("an arc is a list")? {
            let (dx, dy) = pair(step)?;
            (x, y) = (x + dx, y + dy);
            points.push((x * scale.0 + shift.0, y * scale.1 + shift.1));
        }
        arcs.push(points);
    }
    let mut cells = vec![0; ROWS * COLUMNS];
    let mut coast = Vec::new();
    for geometry in
        atlas["objects"]["countries"]["geometries"].as_array().context("no countries")?
    {
        let name = |field: &Value| field.as_str().unwrap_or_default().to_owned();
        let country =
            Country { number: name(&geometry["id"]), name: name(&geometry["properties"]["name"]) };
        let one = [geometry["arcs"].clone()];
        let polygons = match geometry["type"].as_str() {
            Some("Polygon") => &one[..],
            Some("MultiPolygon") => geometry["arcs"].as_array().context("no polygons")?,
            // A country without land in the atlas.
            None => continue,
            Some(other) => bail!("{} is a {other}", country.name),
        };
        for polygon in polygons {
            let rings = polygon.as_array().context("a polygon is a list")?;
            let rings =
                rings.iter().map(|ring| points_of(ring, &arcs)).collect::<Result<Vec<_>>>()?;
            fill(&mut cells, &rings, &country);
            coast.extend(
                rings.into_iter().flatten().map(|(lon, lat)| {
                    (row(lat) * COLUMNS + column(lon), country.continent(lat, lon))
                }),
            );
        }
    }
    // What is smaller than a cell is not lost.
    for (cell, continent) in coast {
        if cells[cell] == 0 {
            cells[cell] = continent;
        }
    }
    Ok(cells)
}

fn points_of(ring: &Value, arcs: &[Vec<(f64, f64)>]) -> Result<Vec<(f64, f64)>> {
    let mut points = Vec::new();
    for index in ring.as_array().context("a ring is a list")? {
        let index = index.as_i64().context("an arc's number")?;
        let turned = index < 0;
        let arc = usize::try_from(if turned { !index } else { index })?;
        let arc = arcs.get(arc).context("an arc that is not there")?;
        if turned {
            points.extend(arc.iter().rev());
        } else {
            points.extend(arc);
        }
    }
    Ok(points)
}

fn row(lat: f64) -> usize {
    (((lat + 90.0) * 4.0) as usize).min(ROWS - 1)
}

fn column(lon: f64) -> usize {
    (((lon + 180.0) * 4.0) as usize).min(COLUMNS - 1)
}

/// Mark the cells whose middle is inside, by the even-odd rule along the middle of each column, from the north.
///
/// Along meridians, because rings cross the date line (Chukotka) and one goes around the south pole: an edge spans less than
/// half the circle, whichever way its ends are written, and what is left open in the south is land to the pole.
fn fill(cells: &mut [u8], rings: &[Vec<(f64, f64)>], country: &Country) {
    let mut crossings: Vec<Vec<f64>> = vec![Vec::new(); COLUMNS];
    for ring in rings {
        for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
            let around = (b.0 - a.0 + 180.0).rem_euclid(360.0) - 180.0;
            let (west, east) = if around < 0.0 { (b, a) } else { (a, b) };
            let span = around.abs();
            // Middles of columns are at halves: those in [west, west + span).
            let first = ((west.0 + 180.0) * 4.0 - 0.5).ceil();
            let mut at = first;
            while (at + 0.5) / 4.0 - 180.0 < west.0 + span {
                let part = ((at + 0.5) / 4.0 - 180.0 - west.0) / span;
                let column = at.rem_euclid(COLUMNS as f64) as usize;
                crossings[column].push(west.1 + part * (east.1 - west.1));
                at += 1.0;
            }
        }
    }
    for (column, lats) in crossings.iter_mut().enumerate() {
        lats.sort_by(|a, b| b.total_cmp(a));
        let lon = (column as f64 + 0.5) / 4.0 - 180.0;
        for pair in lats.chunks(2) {
            let (north, south) = (pair[0], pair.get(1).copied().unwrap_or(-90.0));
            for row in (0..ROWS).rev() {
                let lat = (row as f64 + 0.5) / 4.0 - 90.0;
                if lat < north && lat >= south {
                    cells[row * COLUMNS + column] = country.continent(lat, lon);
                }
            }
        }
    }
}

/// Runs of equal cells along all rows: five bits of length less one and three bits of continent, or, where the five bits
/// are all set, the length less one in the two bytes that follow.
fn packed(cells: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for run in cells.chunk_by(|a, b| a == b) {
        for part in run.chunks(usize::from(u16::MAX)) {
            let (length, continent) = (part.len() - 1, part[0]);
            match u8::try_from(length) {
                Ok(short @ 0..31) => bytes.push(short << 3 | continent),
                _ => {
                    bytes.push(31 << 3 | continent);
                    let length = u16::try_from(length).expect("a part is no longer");
                    bytes.extend(length.to_be_bytes());
                }
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_with_a_lake_is_filled_and_an_islet_is_not_lost() {
        let square = |west: f64, south: f64, size: f64| {
            vec![
                (west, south),
                (west + size, south),
                (west + size, south + size),
                (west, south + size),
            ]
        };
        let mut cells = vec![0; ROWS * COLUMNS];
        let country = Country { number: "276".into(), name: "Germany".into() };
        fill(&mut cells, &[square(10.0, 50.0, 2.0), square(10.5, 50.5, 1.0)], &country);
        let land = cells.iter().filter(|cell| **cell == EU).count();
        assert_eq!(land, 8 * 8 - 4 * 4);
        assert_eq!(cells[row(50.1) * COLUMNS + column(10.1)], EU);
        assert_eq!(cells[row(51.0) * COLUMNS + column(11.0)], 0, "the lake");
        let mut cells = vec![0; ROWS * COLUMNS];
        let across = vec![(179.0, 60.0), (-179.0, 60.0), (-179.0, 62.0), (179.0, 62.0)];
        fill(&mut cells, &[across], &country);
        assert_eq!(cells.iter().filter(|cell| **cell == EU).count(), 8 * 8, "across the date line");
        let around: Vec<_> = (-18..18).map(|ten| (f64::from(ten) * 10.0, -80.0)).collect();
        fill(&mut cells, &[around], &country);
        assert!((0..40 * COLUMNS).all(|cell| cells[cell] == AN), "around the pole");
        assert_eq!(packed(&[1, 1, 2]), [1 << 3 | 1, 2]);
        assert_eq!(packed(&[0; 300]), [31 << 3, 1, 43]);
    }

    #[test]
    fn borders_are_where_the_rules_say() {
        let at = |number: &str, name: &str, lat, lon| {
            Country { number: number.into(), name: name.into() }.continent(lat, lon)
        };
        assert_eq!((at("643", "Russia", 55.7, 37.6), at("643", "Russia", 55.0, 82.9)), (EU, AS));
        assert_eq!((at("792", "Turkey", 41.0, 29.0), at("818", "Egypt", 30.0, 31.2)), (AS, AF));
        assert_eq!(
            (at("304", "Greenland", 64.2, -51.7), at("591", "Panama", 9.0, -79.5)),
            (NA, NA)
        );
        let states = "United States of America";
        assert_eq!((at("840", states, 21.3, -157.8), at("840", states, 40.7, -74.0)), (OC, NA));
        assert_eq!((at("250", "France", 4.9, -52.3), at("250", "France", -20.9, 55.5)), (SA, AF));
        assert_eq!(at("032", "Argentina", -64.0, -60.0), AN);
    }
}

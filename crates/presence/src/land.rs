//! Which continent a place is part of, and the cells of land that a claim is weighed against.
//!
//! The map has a quarter of a degree, from Natural Earth with the borders of the UN's M49 (`cargo xtask geo` makes it).

use crate::Direction;
use std::{collections::BTreeMap, sync::OnceLock};
use types::{ChainId, Place};

const ROWS: usize = 720;
const COLUMNS: usize = 1_440;
/// Ten-thousandths of a degree to a cell of the map.
const STEP: i32 = 2_500;
static PACKED: &[u8] = include_bytes!("../data/continents.bin");

/// No point of a [`Cell`] is further from its middle.
pub const CELL_RADIUS_KM: u32 = 92;

/// A piece of land about 1° wide, for one continent that has land in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Its middle.
    pub place: Place,
    /// Its middle, as a direction from the centre of the earth.
    pub direction: Direction,
    /// The continent it belongs to.
    pub continent: ChainId,
}

/// The map, row by row from the south, each from 180° W: the numbers of chains, 0 for the sea.
fn map() -> &'static [u8] {
    static MAP: OnceLock<Vec<u8>> = OnceLock::new();
    MAP.get_or_init(|| {
        let mut cells = Vec::with_capacity(ROWS * COLUMNS);
        let mut bytes = PACKED.iter();
        while let Some(head) = bytes.next() {
            let length = match head >> 3 {
                31 => {
                    let mut next = || bytes.next().copied().expect("a length has two bytes");
                    usize::from(u16::from_be_bytes([next(), next()]))
                }
                short => usize::from(short),
            };
            cells.resize(cells.len() + length + 1, head & 7);
        }
        assert_eq!(cells.len(), ROWS * COLUMNS, "the map is whole");
        cells
    })
}

fn row(place: Place) -> usize {
    usize::try_from((place.lat() + 900_000) / STEP).expect("not below −90°").min(ROWS - 1)
}

fn column(place: Place) -> usize {
    usize::try_from((place.lon() + 1_800_000) / STEP).expect("not below −180°")
}

/// The middle of a cell of the map.
fn middle(row: usize, column: usize) -> Place {
    let at = |index: usize, from: i32| {
        from + i32::try_from(index).expect("a small number") * STEP + STEP / 2
    };
    Place::new(at(row, -900_000), at(column, -1_800_000)).expect("on the map")
}

fn chain(number: u8) -> Option<ChainId> {
    (number > 0).then(|| ChainId::ALL[usize::from(number)])
}

/// The continent whose land is there; `None` at sea.
#[must_use]
pub fn continent_at(place: Place) -> Option<ChainId> {
    chain(map()[row(place) * COLUMNS + column(place)])
}

/// Continents with land within `km` of a place, each with how far its nearest land is, the nearest first.
#[must_use]
pub fn continents_near(place: Place, km: u32) -> Vec<(ChainId, u32)> {
    let here = Direction::of_place(place);
    let mut found: Vec<(ChainId, u32)> = Vec::new();
    let mut see =
        |continent: ChainId, away: u32| match found.iter_mut().find(|(of, _)| *of == continent) {
            Some((_, known)) => *known = away.min(*known),
            None => found.push((continent, away)),
        };
    // A row of the map is 27.8 km high.
    let rows = usize::try_from(km / 27 + 1).expect("a small number");
    for row in row(place).saturating_sub(rows)..=(row(place) + rows).min(ROWS - 1) {
        let cells = &map()[row * COLUMNS..(row + 1) * COLUMNS];
        for run in runs(cells) {
            let Some(continent) = chain(cells[run.start]) else { continue };
            // The nearest of a run along a parallel is the one nearest in longitude.
            let column = nearest_column(column(place), &run);
            let away = here.km(&Direction::of_place(middle(row, column)));
            if away <= km {
                see(continent, away);
            }
        }
    }
    if let Some(continent) = continent_at(place) {
        see(continent, 0);
    }
    found.sort_by_key(|(continent, away)| (*away, *continent));
    found
}

fn runs(cells: &[u8]) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut start = 0;
    cells.chunk_by(|a, b| a == b).map(move |run| {
        start += run.len();
        start - run.len()..start
    })
}

/// The column of `run` that is least far from `column`, around the circle.
fn nearest_column(column: usize, run: &std::ops::Range<usize>) -> usize {
    let (first, last) = (run.start, run.end - 1);
    if run.contains(&column) {
        return column;
    }
    let around = |to: usize| {
        let apart = column.abs_diff(to);
        apart.min(COLUMNS - apart)
    };
    if around(first) <= around(last) { first } else { last }
}

/// Cells that lie together, so that most of what holds for its middle holds for all of them.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub middle: Direction,
    pub cells: Vec<Cell>,
}

/// All land, in cells about 1° wide: block by block, from the south.
pub fn cells() -> impl Iterator<Item = &'static Cell> {
    blocks().iter().flat_map(|block| &block.cells)
}

pub(crate) fn blocks() -> &'static [Block] {
    static BLOCKS: OnceLock<Vec<Block>> = OnceLock::new();
    BLOCKS.get_or_init(|| {
        let mut blocks: BTreeMap<(usize, usize), Vec<Cell>> = BTreeMap::new();
        for row in 0..ROWS / 4 {
            // A band of rows has one number of blocks, however many cells its rows have.
            let band = row / BLOCK_SIDE;
            let around = columns_at(band * BLOCK_SIDE + BLOCK_SIDE / 2).div_ceil(BLOCK_SIDE);
            for (column, cell) in cells_of_row(row) {
                let block = column * around / columns_at(row);
                blocks.entry((band, block)).or_default().push(cell);
            }
        }
        blocks.into_values().map(Block::new).collect()
    })
}

/// Cells along a block's side.
const BLOCK_SIDE: usize = 4;
/// No middle of a cell is so far from its block's middle.
pub(crate) const BLOCK_RADIUS_KM: u32 = 390;

impl Block {
    fn new(cells: Vec<Cell>) -> Self {
        let mut sum = [0_i128; 3];
        for cell in &cells {
            sum.iter_mut().zip(cell.direction.0).for_each(|(sum, part)| *sum += i128::from(part));
        }
        let middle = Direction::of(sum).unwrap_or(cells[0].direction);
        let away = cells.iter().map(|cell| middle.km(&cell.direction)).max();
        // Kilometres are rounded down, and what is as far as a limit is left to exact comparison.
        assert!(away.is_some_and(|km| km + 2 < BLOCK_RADIUS_KM), "blocks are small: {away:?}");
        Self { middle, cells }
    }
}

fn cells_of_row(row: usize) -> Vec<(usize, Cell)> {
    let wide = columns_at(row);
    let mut has = vec![0_u8; wide];
    for index in 4 * row * COLUMNS..4 * (row + 1) * COLUMNS {
        // By its middle.
        has[(2 * (index % COLUMNS) + 1) * wide / (2 * COLUMNS)] |= 1 << map()[index];
    }
    let mut cells = Vec::new();
    for (column, continents) in has.into_iter().enumerate() {
        let lon = (2 * column + 1) * 1_800_000 / wide;
        let lon = i32::try_from(lon).expect("within a circle") - 1_800_000;
        let lat = i32::try_from(row).expect("a small number") * 10_000 - 895_000;
        let place = Place::new(lat, lon).expect("on the map");
        let land = (1..8_u8).filter(|number| continents & (1 << number) != 0);
        cells.extend(land.filter_map(chain).map(|continent| {
            (column, Cell { place, direction: Direction::of_place(place), continent })
        }));
    }
    cells
}

/// Cells in a row of degrees from the south: as wide as high, and never wider.
fn columns_at(row: usize) -> usize {
    let lat = i32::try_from(row).expect("a small number") * 10_000 - 895_000;
    let on_equator = Direction::of_place(Place::new(lat, 0).expect("on the map"));
    // The cosine of the latitude.
    let cosine = usize::try_from(on_equator.0[0]).expect("not negative");
    ((360 * cosine) >> 30) + 3
}

/// The land nearest to a direction.
#[must_use]
pub fn nearest(direction: &Direction) -> Cell {
    *cells().max_by_key(|cell| cell.direction.dot(direction)).expect("there is land")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Place {
        text.parse().unwrap()
    }

    /// Regenerating the map is a decision: nodes with another map judge claims otherwise.
    #[test]
    fn the_map_is_the_one_that_was_agreed() {
        let hash = blake3::hash(PACKED).to_string();
        assert_eq!(hash, "aba1107763aa70352b65616564a766a84eab77258656f38eb8ee111f7441cfa6");
        let mut all = blake3::Hasher::new();
        for cell in cells() {
            all.update(&[cell.continent as u8]);
            for part in cell.direction.0 {
                all.update(&part.to_be_bytes());
            }
        }
        let cells = (cells().count(), all.finalize().to_string());
        let wanted = "5ab990d41493ed697afa130d1d97a2da4d7e7d7c507848630994145894009971";
        assert_eq!(cells, (14_481, wanted.into()));
    }

    #[test]
    fn places_are_where_the_rules_put_them() {
        for (name, place, wanted) in [
            ("Berlin", "52.52,13.405", "EU"),
            ("Istanbul", "41.05,29", "AS"),
            ("Moscow", "55.75,37.6", "EU"),
            ("Novosibirsk", "55,82.9", "AS"),
            ("Vladivostok", "43.2,131.9", "AS"),
            ("Cairo", "30,31.2", "AF"),
            ("Panama", "9.1,-79.5", "NA"),
            ("San Juan", "18.3,-66.1", "NA"),
            ("Cayenne", "4.8,-52.4", "SA"),
            ("Reunion", "-21.1,55.5", "AF"),
            ("Honolulu", "21.4,-157.9", "OC"),
            ("Nicosia", "35.1,33.3", "AS"),
            ("Tbilisi", "41.7,44.8", "AS"),
            ("Reykjavik", "64.1,-21.7", "EU"),
            ("Nuuk", "64.2,-51.5", "NA"),
            ("Tel Aviv", "32.1,34.9", "AS"),
            ("Almaty", "43.2,76.9", "AS"),
            ("Las Palmas", "28,-15.6", "AF"),
            ("McMurdo", "-77.8,167.5", "AN"),
            ("Pole", "-90,0", "AN"),
            ("Sydney", "-33.8,151", "OC"),
            ("Bogota", "4.7,-74.1", "SA"),
        ] {
            let nearest = continents_near(at(place), 100).first().map(|(continent, _)| *continent);
            assert_eq!(nearest.map(ChainId::name), Some(wanted), "{name}");
        }
        assert_eq!(continent_at(at("30,-40")), None, "the Atlantic");
        assert!(continents_near(at("-45,-120"), 500).is_empty(), "the Pacific");
    }

    #[test]
    fn near_a_border_there_is_a_choice() {
        let near = |place: &str| -> Vec<&str> {
            continents_near(at(place), 500).iter().map(|(continent, _)| continent.name()).collect()
        };
        assert_eq!(near("41.05,29"), ["AS", "EU"]);
        assert_eq!(near("36.1,-5.4"), ["EU", "AF"]);
        assert_eq!(near("52.52,13.405"), ["EU"]);
        assert_eq!(near("65.7,-169.5"), ["AS", "NA"], "across the date line");
        // As the search along runs finds it, so does one of every cell.
        for place in ["41.05,29", "65.7,-179.9", "-16.9,179.9", "84,-30", "9,-79", "-88,10"].map(at)
        {
            let here = Direction::of_place(place);
            let mut wanted: Vec<(ChainId, u32)> = Vec::new();
            for (index, number) in map().iter().enumerate() {
                let Some(continent) = chain(*number) else { continue };
                let exactly = continent_at(place) == Some(continent);
                let there = Direction::of_place(middle(index / COLUMNS, index % COLUMNS));
                let away = if exactly { 0 } else { here.km(&there) };
                if away <= 500 && !wanted.iter().any(|(of, to)| *of == continent && *to <= away) {
                    wanted.retain(|(of, _)| *of != continent);
                    wanted.push((continent, away));
                }
            }
            wanted.sort_by_key(|(continent, away)| (*away, *continent));
            assert_eq!(continents_near(place, 500), wanted, "{place}");
        }
    }

    #[test]
    fn every_piece_of_land_is_in_a_cell_and_near_its_middle() {
        for (index, number) in map().iter().enumerate().step_by(11) {
            let Some(continent) = chain(*number) else { continue };
            let (row, column) = (index / COLUMNS, index % COLUMNS);
            let middle = middle(row, column);
            for (up, right) in [(-1, -1), (-1, 1), (1, -1), (1, 1)] {
                let lat = middle.lat() + up * (STEP / 2 - 1);
                let lon = middle.lon() + right * (STEP / 2 - 1);
                let corner = Direction::of_place(Place::new(lat, lon).unwrap());
                let beside = cells().filter(|cell| cell.continent == continent);
                let away = beside.map(|cell| cell.direction.km(&corner)).min().unwrap();
                assert!(
                    away <= CELL_RADIUS_KM,
                    "{middle} is {away} km from the middle of its cell"
                );
            }
        }
    }
}

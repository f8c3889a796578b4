//! Where a node says that it stands, to ten degrees: so that a search for a role begins nearby.
//!
//! A cell is a hint for routing. Nobody votes or is paid by it; presence proofs are another matter.

use std::{fmt, str::FromStr};
use types::{BadPlace, Place};

const ROWS: u16 = 18;
const COLUMNS: u16 = 36;
/// Ten degrees, in units of 1e-4 degrees.
const SIDE: i32 = 100_000;

/// Ten degrees of latitude by ten of longitude, counted from 90° S, 180° W.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell(u16);

impl Cell {
    /// How many there are.
    pub const COUNT: u16 = ROWS * COLUMNS;

    /// The cell of a place. The north pole belongs to the cells it ends; the date line begins the ones east of it.
    #[must_use]
    pub fn of(place: Place) -> Self {
        let along = |value: i32, half: i32, count: u16| {
            u16::try_from((value + half) / SIDE).expect("a place is on the earth").min(count - 1)
        };
        let row = along(place.lat(), 900_000, ROWS);
        Self(row * COLUMNS + along(place.lon(), 1_800_000, COLUMNS))
    }

    /// The cell's number, below [`Cell::COUNT`]: row by row from the south, and from the date line eastwards.
    #[must_use]
    pub const fn index(self) -> u16 {
        self.0
    }

    /// The cell with that number; `None` from [`Cell::COUNT`] on.
    #[must_use]
    pub fn of_index(index: u16) -> Option<Self> {
        (index < Self::COUNT).then_some(Self(index))
    }

    /// The cells around this one: eight; five at a pole.
    #[must_use]
    pub fn around(self) -> Vec<Self> {
        let (row, column) = (self.0 / COLUMNS, self.0 % COLUMNS);
        let rows = row.saturating_sub(1)..=(row + 1).min(ROWS - 1);
        rows.flat_map(|row| {
            [COLUMNS - 1, 0, 1].map(|step| Self(row * COLUMNS + (column + step) % COLUMNS))
        })
        .filter(|cell| *cell != self)
        .collect()
    }
}

/// Of its south-western corner, in degrees.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (row, column) = (i32::from(self.0 / COLUMNS), i32::from(self.0 % COLUMNS));
        write!(f, "{},{}", row * 10 - 90, column * 10 - 180)
    }
}

impl FromStr for Cell {
    type Err = BadPlace;

    /// The cell of a place in degrees.
    fn from_str(text: &str) -> Result<Self, BadPlace> {
        text.parse().map(Self::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str) -> Cell {
        text.parse().unwrap()
    }

    #[test]
    fn places_have_cells() {
        assert_eq!(cell("52.5,13.4").to_string(), "50,10");
        assert_eq!(cell("-0.0001,-0.5").to_string(), "-10,-10");
        assert_eq!(cell("0,0").to_string(), "0,0");
        assert_eq!(cell("-90,-180").index(), 0);
        assert_eq!(cell("90,179.9999").index(), Cell::COUNT - 1, "the pole");
        assert_eq!(cell("0,180"), cell("0,-180"), "one meridian");
        for bad in ["", "52.5", "91,0", "0,180.0001", "a,b", "1e1,0"] {
            assert!(bad.parse::<Cell>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_cell_is_around_those_around_it() {
        for index in 0..Cell::COUNT {
            let cell = Cell::of_index(index).unwrap();
            let around = cell.around();
            assert!(matches!(around.len(), 5 | 8), "{cell} has {}", around.len());
            assert!(around.iter().all(|near| near.around().contains(&cell)));
        }
        assert!(cell("10,179").around().contains(&cell("10,-179")), "across the date line");
        assert_eq!(Cell::of_index(Cell::COUNT), None);
    }
}

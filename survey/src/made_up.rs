//! A small network that nobody measured, for trying commands out.

use std::{fs, io, path::Path};

/// Nodes of each of its two continents.
const ROW: usize = 20;
/// Milliseconds for a degree on a flat earth, there and back, and for the last mile.
const MS_A_DEGREE: f64 = 1.7;
const LAST_MILE_MS: f64 = 0.5;

/// Write `nodes.csv` and `rtt.csv` into `folder`: 20 nodes in a row in Europe (`n0`, “Town 0”, at 48, 0, and so on to the
/// east) and 20 in North America (from 40, −110), with round trips of about 15 µs a kilometre.
///
/// # Errors
/// If the folder cannot be made or written.
pub fn write_made_up(folder: &Path) -> io::Result<()> {
    let mut nodes = "id,name,lat,lon,continent\n".to_owned();
    let mut at = Vec::new();
    for (continent, lat, west) in [("EU", 48.0, 0.0), ("NA", 40.0, -110.0)] {
        for index in 0..ROW {
            let lon = west + f64::from(u8::try_from(index).expect("a row is short"));
            nodes += &format!("n{},Town {},{lat},{lon},{continent}\n", at.len(), at.len());
            at.push((lat, lon));
        }
    }
    let mut rtt = "src,dst,rtt_ms\n".to_owned();
    for a in 0..at.len() {
        for b in 0..a {
            let (up, right): (f64, f64) = (at[a].0 - at[b].0, (at[a].1 - at[b].1) * 0.7);
            let ms = up.hypot(right) * MS_A_DEGREE + LAST_MILE_MS;
            rtt += &format!("n{a},n{b},{ms:.3}\n");
        }
    }
    fs::create_dir_all(folder)?;
    fs::write(folder.join("nodes.csv"), nodes)?;
    fs::write(folder.join("rtt.csv"), rtt)
}

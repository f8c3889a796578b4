//! The earth of the lab: where its nodes stand, and how long a packet takes between two places.
//!
//! A model, and none that the rule knows: light in fibre takes 10 µs for each kilometre there and back; a pair's way is longer
//! than that by a factor of 1.1 to 1.7, its own and the same for all packets, mostly nearer to the lower end; 0.4 to 2 ms more
//! for the first and last miles; each packet waits another 0.15 ms on average, one in twenty up to 8 ms, and one datagram in two
//! hundred is lost.

/// A group of nodes on one continent.
pub struct Group {
    pub continent: &'static str,
    /// Towns around which its witnesses stand; provers of the group, too, near the first.
    towns: [(f64, f64); 8],
}

/// Witnesses of a group: two near each town.
pub const WITNESSES: usize = 16;

pub const GROUPS: [Group; 7] = [
    Group {
        continent: "NA",
        towns: [
            (39.0, -77.5),
            (40.7, -74.2),
            (41.9, -87.8),
            (32.8, -96.8),
            (39.7, -105.0),
            (43.7, -79.6),
            (33.7, -84.4),
            (34.1, -117.5),
        ],
    },
    Group {
        continent: "EU",
        towns: [
            (50.1, 8.7),
            (52.3, 5.0),
            (51.6, -0.5),
            (48.9, 2.5),
            (45.5, 9.2),
            (52.2, 21.0),
            (48.2, 16.2),
            (59.3, 17.5),
        ],
    },
    Group {
        continent: "AS",
        towns: [
            (35.7, 139.3),
            (34.7, 135.6),
            (37.4, 127.1),
            (25.0, 121.3),
            (22.4, 113.9),
            (31.2, 120.8),
            (39.9, 116.4),
            (14.6, 121.1),
        ],
    },
    Group {
        continent: "SA",
        towns: [
            (-23.3, -46.9),
            (-22.6, -43.6),
            (-25.4, -49.5),
            (-34.8, -58.7),
            (-34.6, -56.0),
            (-33.4, -70.6),
            (-25.3, -57.4),
            (-30.0, -51.5),
        ],
    },
    Group {
        continent: "AF",
        towns: [
            (-26.1, 28.1),
            (-33.8, 18.8),
            (-29.7, 30.6),
            (-24.6, 25.8),
            (-25.7, 32.3),
            (-17.9, 31.0),
            (-15.4, 28.3),
            (-22.5, 17.2),
        ],
    },
    Group {
        continent: "OC",
        towns: [
            (-33.8, 150.7),
            (-37.6, 144.9),
            (-27.6, 152.7),
            (-34.8, 138.8),
            (-35.3, 148.9),
            (-42.6, 147.1),
            (-37.2, 175.1),
            (-41.0, 175.5),
        ],
    },
    // Stations of eastern Antarctica and the Pole: that there are machines is made up.
    Group {
        continent: "AN",
        towns: [
            (-77.8, 166.0),
            (-77.5, 164.0),
            (-75.1, 161.0),
            (-75.1, 123.3),
            (-67.5, 140.0),
            (-78.5, 106.9),
            (-88.9, 30.0),
            (-80.0, 150.0),
        ],
    },
];

/// Degrees, north and east.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place(pub f64, pub f64);

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2},{:.2}", self.0, self.1)
    }
}

impl Place {
    /// Half a degree away at most, by `seed`: a suburb.
    fn near((lat, lon): (f64, f64), seed: u64) -> Self {
        Self(lat + chance(seed, 1) - 0.5, lon + chance(seed, 2) - 0.5)
    }

    pub fn km(self, other: Self) -> f64 {
        let (a, b) = (self.0.to_radians(), other.0.to_radians());
        let across = (other.1 - self.1).to_radians() / 2.0;
        let chord = ((b - a) / 2.0).sin().powi(2) + a.cos() * b.cos() * across.sin().powi(2);
        2.0 * 6_371.0 * chord.sqrt().min(1.0).asin()
    }
}

impl Group {
    pub fn witness(&self, index: usize) -> Place {
        let town = self.towns[index % self.towns.len()];
        Place::near(town, seed(&[self.continent.as_bytes(), b"witness", &index.to_be_bytes()]))
    }

    /// Within 400 km of the first town: a chain that begins knows no times between its witnesses, and is sure of nobody who
    /// has fewer than nine of them that near.
    pub fn witness_near(&self, index: usize) -> Place {
        let of = seed(&[self.continent.as_bytes(), b"near", &index.to_be_bytes()]);
        let (lat, lon) = self.towns[0];
        let (north, east) = (5.0 * chance(of, 1) - 2.5, 5.0 * chance(of, 2) - 2.5);
        Place(lat + north, lon + east / lat.to_radians().cos())
    }

    pub fn prover(&self) -> Place {
        Place::near(self.towns[0], seed(&[self.continent.as_bytes(), b"prover"]))
    }
}

/// Milliseconds of a round trip that nothing keeps up, both ways the same.
pub fn rtt_ms(a: Place, b: Place) -> f64 {
    let text = |place: Place| format!("{:.5},{:.5}", place.0, place.1);
    let (mut one, mut other) = (text(a), text(b));
    if one > other {
        std::mem::swap(&mut one, &mut other);
    }
    let pair = seed(&[one.as_bytes(), other.as_bytes()]);
    let stretch = 1.1 + 0.6 * chance(pair, 3).powi(2);
    a.km(b) * 0.01 * stretch + 0.4 + 1.6 * chance(pair, 4)
}

/// Milliseconds that one packet waits on its way, by a number of its own.
pub fn wait_ms(packet: u64) -> f64 {
    let usual = -0.15 * (1.0 - chance(packet, 5)).ln();
    let queue = chance(packet, 6);
    if queue < 0.05 { usual + 160.0 * queue } else { usual }
}

/// Is this datagram lost?
pub fn is_lost(packet: u64) -> bool {
    chance(packet, 7) < 0.005
}

fn seed(parts: &[&[u8]]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_be_bytes()).update(part);
    }
    let bytes = hasher.finalize();
    u64::from_be_bytes(bytes.as_bytes()[..8].try_into().expect("eight bytes"))
}

/// From 0 to below 1.
fn chance(of: u64, salt: u64) -> f64 {
    (seed(&[&of.to_be_bytes(), &salt.to_be_bytes()]) >> 11) as f64 / (1_u64 << 53) as f64
}

/// `nodes.csv` and `rtt.csv` of all witnesses, group by group: what their own measurements would have said, which is a little
/// more than the way itself takes.
pub fn tables(witness: fn(&Group, usize) -> Place) -> (String, String) {
    let mut nodes = "id,name,lat,lon,continent\n".to_owned();
    let mut places = Vec::new();
    for group in &GROUPS {
        for index in 0..WITNESSES {
            let place = witness(group, index);
            let (id, name) = (places.len(), group.continent);
            nodes += &format!("{id},{name} {index},{:.4},{:.4},{name}\n", place.0, place.1);
            places.push(place);
        }
    }
    let mut rtt = "src,dst,rtt_ms\n".to_owned();
    for a in 0..places.len() {
        for b in 0..a {
            let least = (0..8)
                .map(|probe| {
                    wait_ms(seed(&[b"table", &a.to_be_bytes(), &b.to_be_bytes(), &[probe]]))
                })
                .fold(f64::MAX, f64::min);
            rtt += &format!("{a},{b},{:.3}\n", rtt_ms(places[a], places[b]) + least);
        }
    }
    (nodes, rtt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_quicker_than_light_in_fibre_and_little_is_much_slower() {
        let places: Vec<Place> = GROUPS
            .iter()
            .flat_map(|group| (0..WITNESSES).map(|index| group.witness(index)))
            .collect();
        let mut ratios = Vec::new();
        for a in &places {
            for b in &places {
                assert_eq!(rtt_ms(*a, *b), rtt_ms(*b, *a));
                assert!(rtt_ms(*a, *b) >= a.km(*b) * 0.01);
                if a.km(*b) > 3_000.0 {
                    ratios.push(rtt_ms(*a, *b) / (a.km(*b) * 0.01));
                }
            }
        }
        ratios.sort_by(f64::total_cmp);
        let median = ratios[ratios.len() / 2];
        assert!((1.2..1.35).contains(&median), "{median}");
        let km = Place(50.11, 8.68).km(Place(41.88, -87.63));
        assert!((6_950.0..7_000.0).contains(&km), "Frankfurt to Chicago: {km}");
    }

    #[test]
    fn packets_wait_a_little_and_few_are_lost() {
        let mean = (0..10_000).map(wait_ms).sum::<f64>() / 10_000.0;
        assert!((0.3..0.4).contains(&mean), "{mean}");
        let lost = (0..10_000).filter(|packet| is_lost(*packet)).count();
        assert!((25..80).contains(&lost), "{lost}");
    }
}

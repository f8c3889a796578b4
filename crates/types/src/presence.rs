//! Proof of physical presence: who claims to stand where, and what witnesses measured (whitepaper §2.1, DESIGN §4).

use crate::{
    Address, ChainId, Hash, Height, List, Millis, PublicKey, Signature, Wire,
    codec::{Buf, Encode, Error, FixedSize, Read, ReadExt as _, Write},
    describe::{Shape, scalar},
    hash::domain_hash,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Most witnesses of one claim: 72 near it and 24 anywhere.
pub const WITNESSES_MAX: usize = 96;
/// Challenges that each witness sends; the quickest answer counts.
pub const PROBES: u8 = 8;
/// No certificate is longer.
pub const PRESENCE_CERTIFICATE_BYTES_MAX: usize = 7_168;
/// An ECVRF proof (RFC 9381).
pub const VRF_PROOF_BYTES: usize = 80;

/// Text or numbers that name no place on earth.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPlace {
    /// A coordinate is out of range.
    #[error("a latitude is -90 to 90 degrees, and a longitude -180 to 180")]
    OffTheEarth {
        /// The latitude, in ten-thousandths of a degree.
        lat: i32,
        /// The longitude, in ten-thousandths of a degree.
        lon: i32,
    },
    /// The text, shortened. It is not a latitude and a longitude in degrees.
    #[error(
        "{0:?} is not a place; expected latitude and longitude in degrees, such as 52.52,13.405"
    )]
    Degrees(String),
}

/// Where somebody says to stand, to ten-thousandths of a degree (11 m): latitude −90° to 90°, longitude from −180° to
/// just below 180°.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    lat: i32,
    lon: i32,
}

impl Place {
    /// A place in ten-thousandths of a degree: latitude -900,000 to 900,000, longitude -1,800,000 to 1,799,999.
    ///
    /// # Errors
    /// [`BadPlace::OffTheEarth`] if a coordinate is out of its range.
    pub const fn new(lat: i32, lon: i32) -> Result<Self, BadPlace> {
        if lat < -900_000 || lat > 900_000 || lon < -1_800_000 || lon >= 1_800_000 {
            return Err(BadPlace::OffTheEarth { lat, lon });
        }
        Ok(Self { lat, lon })
    }

    /// Latitude in ten-thousandths of a degree; north is positive.
    #[must_use]
    pub const fn lat(self) -> i32 {
        self.lat
    }
    /// Longitude in ten-thousandths of a degree; east is positive.
    #[must_use]
    pub const fn lon(self) -> i32 {
        self.lon
    }
}

impl Write for Place {
    fn write(&self, buf: &mut impl bytes::BufMut) {
        self.lat.write(buf);
        self.lon.write(buf);
    }
}
impl FixedSize for Place {
    const SIZE: usize = 8;
}
impl Read for Place {
    type Cfg = ();
    fn read_cfg(buf: &mut impl Buf, _: &()) -> Result<Self, Error> {
        let (lat, lon) = (i32::read(buf)?, i32::read(buf)?);
        Self::new(lat, lon).map_err(|_| Error::Invalid("Place", "no such place"))
    }
}

/// Degrees, as people write them: `52.52,13.405`.
impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let degrees = |value: i32| {
            let (sign, value) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
            format!("{sign}{}.{:04}", value / 10_000, value % 10_000)
        };
        write!(f, "{},{}", degrees(self.lat), degrees(self.lon))
    }
}
impl std::str::FromStr for Place {
    type Err = BadPlace;
    fn from_str(text: &str) -> Result<Self, BadPlace> {
        let bad = || BadPlace::Degrees(text.chars().take(40).collect());
        let (lat, lon) = text.split_once(',').ok_or_else(bad)?;
        let degrees = |text: &str| ten_thousandths(text.trim()).ok_or_else(bad);
        let (lat, lon) = (degrees(lat)?, degrees(lon)?);
        Self::new(lat, if lon == 1_800_000 { -1_800_000 } else { lon })
    }
}
scalar!(
    Place,
    "Place",
    "Latitude and longitude in degrees: `52.5200,13.4050`.",
    Shape::Text {
        bytes: 8,
        pattern: r"^-?[0-9]{1,2}\.[0-9]{4},-?[0-9]{1,3}\.[0-9]{4}$",
        example: "52.5200,13.4050"
    }
);
impl Serialize for Place {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

/// What a node says of itself for a period, before anybody measures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Claim {
    /// It answers the challenges and signs the transcript. A chain asks for the key that a validator votes with.
    pub prover: PublicKey,
    /// Where the node says it is.
    pub place: Place,
    /// The continent of the place, or, within a governed distance of its border, the one the node chose.
    pub continent: ChainId,
    /// The attestation that binds `prover` to a machine.
    pub attestation: Hash,
    /// Whose output draws the witnesses; registered before the period's seed was known.
    pub vrf_key: Hash,
    /// Periods since the network began: a claim is for one of them.
    pub period: u64,
}

impl Claim {
    /// The hash that names the claim. Witnesses sign it.
    #[must_use]
    pub fn id(&self) -> Hash {
        domain_hash("meshx/presence/claim/v1", &[&self.encode()])
    }
}

/// The quickest of a witness's round trips to a prover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Minimum {
    /// The witness, by its place in the period's list.
    pub witness: u16,
    /// Microseconds.
    pub rtt_us: u32,
    /// Under the witness's key, over [`Minimum::message`].
    pub signature: Signature,
}

impl Minimum {
    /// What a witness signs is under this domain.
    pub const DOMAIN: &'static str = "meshx/presence/minimum/v1";

    /// What is signed: claim, transcript, witness, microseconds.
    #[must_use]
    pub fn message(claim: &Hash, transcript: &Hash, witness: u16, rtt_us: u32) -> [u8; 70] {
        let mut message = [0; 70];
        message[..32].copy_from_slice(&claim.0);
        message[32..64].copy_from_slice(&transcript.0);
        message[64..66].copy_from_slice(&witness.to_be_bytes());
        message[66..].copy_from_slice(&rtt_us.to_be_bytes());
        message
    }
}

/// All that shows where a node stands; worth what the list of witnesses is worth that it is checked against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct PresenceCertificate {
    /// What the minima were measured for.
    pub claim: Claim,
    /// ECVRF proof of `claim.vrf_key` over the period's seed, prover and attestation: who the witnesses are.
    pub draw: crate::Bytes<VRF_PROOF_BYTES>,
    /// Root of the challenges and answers, by witness.
    pub transcript: Hash,
    /// Under the prover's key, over claim and transcript.
    pub signature: Signature,
    /// Sorted by witness, none twice. Who was drawn and is absent counts as one that refutes nothing.
    pub minima: List<Minimum, WITNESSES_MAX>,
}

impl PresenceCertificate {
    /// What a prover signs of a transcript is under this domain.
    pub const DOMAIN: &'static str = "meshx/presence/transcript/v1";

    /// Its name.
    #[must_use]
    pub fn id(&self) -> Hash {
        domain_hash("meshx/presence/certificate/v1", &[&self.encode()])
    }

    /// What the prover signs: claim, then transcript.
    #[must_use]
    pub fn message(claim: &Hash, transcript: &Hash) -> [u8; 64] {
        let mut message = [0; 64];
        message[..32].copy_from_slice(&claim.0);
        message[32..].copy_from_slice(&transcript.0);
        message
    }
}

/// Rules of presence with a number in them. Set at genesis, changed by governance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct PresenceParams {
    /// Witnesses drawn from the `pool` nearest to a claim.
    pub witnesses_near: u16,
    /// Witnesses drawn from all others.
    pub witnesses_anywhere: u16,
    /// How many witnesses near a claim are in the draw of `witnesses_near`.
    pub pool: u16,
    /// Most witnesses of one operator for a claim.
    pub operator_max: u16,
    /// Most witnesses of one autonomous system for a claim.
    pub network_max: u16,
    /// Least witnesses that could refute a piece of land, for all land that a claim has to be told from.
    pub able_min: u16,
    /// Part of them that has to, in basis points.
    pub refuted_bps: u16,
    /// Land nearer to the claim need not be told from it.
    pub far_km: u16,
    /// A node so near to another continent may choose.
    pub border_km: u16,
    /// Metres that nothing is further away than, for each millisecond of round trip: light in fibre, 2/3 c.
    pub strict_m_per_ms: u32,
    /// The same as measured on the Internet, for the tier that may not vote.
    pub usual_m_per_ms: u32,
    /// How long a certificate counts: a period, the time until the next one begins at a boundary, and some to be measured
    /// anew. With less, a node measured early in a period is not certified when the next list is frozen.
    pub valid_ms: Millis,
    /// How long one list of witnesses is in force, at least; the next begins at a boundary.
    pub period_ms: Millis,
    /// Marks with which a witness is struck off the list: one for each claim that was certified although the witness had
    /// measured a time in which no signal gets there and back.
    pub marks_max: u16,
}

impl PresenceParams {
    /// DESIGN §4. Light in fibre: 299,792.458 km/s · 2/3 there and back; usual: 4/9 c (Katz-Bassett and others, IMC 2006).
    pub const DEFAULT: Self = Self {
        witnesses_near: 72,
        witnesses_anywhere: 24,
        pool: 96,
        operator_max: 4,
        network_max: 12,
        able_min: 9,
        refuted_bps: 4_500,
        far_km: 2_500,
        border_km: 500,
        strict_m_per_ms: 99_931,
        usual_m_per_ms: 66_621,
        valid_ms: Millis::new(26 * 3_600_000),
        period_ms: Millis::new(86_400_000),
        marks_max: 3,
    };
}

/// Most witnesses of one period: each takes part in no more than its share, and a block reads them all.
pub const WITNESSES_LISTED_MAX: usize = 2_048;
/// Most witnesses that a network starts with.
pub const WITNESSES_GENESIS_MAX: usize = 1_024;

/// Who measures others. Genesis names the first; later, certified nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct WitnessEntry {
    /// It signs what it measures.
    pub key: PublicKey,
    /// Where the witness is.
    pub place: Place,
    /// The witness's operator.
    pub operator: Address,
    /// The autonomous system it is in. Of those that nobody named, a number that no other has: see [`unnamed_network`].
    pub network: u32,
}

/// Stands for the network of an operator whose network the chain does not know: it has one of its own, from the numbers that
/// no registry gives out (RFC 6996).
#[must_use]
pub fn unnamed_network(operator: &Address) -> u32 {
    let hash = domain_hash("meshx/presence/network/v1", &[&operator.encode()]);
    u32::from_be_bytes(*hash.0.first_chunk().expect("32 bytes")) | 0x8000_0000
}

/// The witnesses of one period.
pub type WitnessList = List<WitnessEntry, WITNESSES_LISTED_MAX>;

/// The period that is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct PeriodRecord {
    /// Counts up from 0.
    pub number: u64,
    /// The boundary at which its list was frozen.
    pub began: Height,
    /// The time of the boundary at which the period began.
    pub started: Millis,
    /// Draws witnesses. Zero until the beacon of that boundary has come.
    pub seed: Hash,
}

/// What is recorded of a claim that was not refuted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Wire)]
#[serde(rename_all = "lowercase")]
pub enum PresenceTier {
    /// May work; neither votes nor witnesses.
    Provisional = 0,
    /// The node may vote and witness on its continent.
    Certified = 1,
}

/// Where an operator's validator stands, by its newest certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct PresenceRecord {
    /// How strictly the claim stands.
    pub tier: PresenceTier,
    /// The shard on which the node may have a seat.
    pub continent: ChainId,
    /// Where the node is.
    pub place: Place,
    /// The key that was measured: the one the validator votes with.
    pub key: PublicKey,
    /// [`PresenceCertificate::id`]; the whole is in the block it came in.
    pub certificate: Hash,
    /// The period in which it was measured.
    pub period: u64,
    /// The time of the block that holds it.
    pub issued: Millis,
    /// It counts in blocks before this moment.
    pub expires: Millis,
}

impl PresenceRecord {
    /// Whether it says at `now` that the operator may vote and witness.
    #[must_use]
    pub fn is_certified(&self, now: Millis) -> bool {
        self.tier == PresenceTier::Certified && now < self.expires
    }
}

/// What a witness measured of a node, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Measured {
    /// The witness's key.
    pub witness: PublicKey,
    /// The shortest round-trip time it measured to the node, in microseconds.
    pub rtt_us: u32,
}

/// What a node's certificate of one period said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct MeasuredRow {
    /// The period of the measurement: [`PeriodRecord::number`].
    pub period: u64,
    /// One for each witness that answered.
    pub times: List<Measured, WITNESSES_MAX>,
}

/// A node's newest row, and the last one before that row's period: what is measured in a period counts from the next on, so
/// that all claims of a period are judged by the same tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct MeasuredRecord {
    /// The last row that came in.
    pub newest: MeasuredRow,
    /// The last row of an earlier period, if there is one.
    pub before: Option<MeasuredRow>,
}

impl MeasuredRecord {
    /// What counts in `period`.
    #[must_use]
    pub fn frozen(&self, period: u64) -> Option<&MeasuredRow> {
        if self.newest.period < period { Some(&self.newest) } else { self.before.as_ref() }
    }

    /// The record after `row` was measured; `known` is the one before, if any.
    #[must_use]
    pub fn with(known: Option<Self>, row: MeasuredRow) -> Self {
        let before = known.and_then(|known| match known.newest.period < row.period {
            true => Some(known.newest),
            false => known.before,
        });
        Self { newest: row, before }
    }
}

/// A decimal number of degrees; what comes after the fourth place is cut off.
fn ten_thousandths(text: &str) -> Option<i32> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || !all(whole) || !all(part) {
        return None;
    }
    let part: String = part.chars().chain("0000".chars()).take(4).collect();
    let value = whole.parse::<i32>().ok()? * 10_000 + part.parse::<i32>().ok()?;
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bytes, codec::DecodeExt as _};

    fn place(text: &str) -> Place {
        text.parse().unwrap()
    }

    #[test]
    fn degrees_are_read_as_they_are_written() {
        for text in ["52.5200,13.4050", "-33.8688,151.2093", "0.0000,-180.0000", "-0.0001,-0.0001"]
        {
            assert_eq!(place(text).to_string(), text);
        }
        assert_eq!(place("1,180"), place("1,-180"), "the same meridian");
        assert_eq!(place("52.52999,13"), place("52.5299,13"));
        for text in ["", "52", "52,", "91,0", "0,181", "1e1,0", "+1,0", "٣,1", "1.2.3,4", "-,1"] {
            assert!(text.parse::<Place>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_fullest_certificate_is_within_its_bound() {
        let minimum = |witness| Minimum { witness, rtt_us: 81_234, signature: Signature([7; 64]) };
        let certificate = PresenceCertificate {
            claim: Claim {
                prover: PublicKey([1; 32]),
                place: place("52.52,13.405"),
                continent: ChainId::Europe,
                attestation: Hash([2; 32]),
                vrf_key: Hash([3; 32]),
                period: u64::MAX,
            },
            draw: Bytes::new(vec![4; VRF_PROOF_BYTES]).unwrap(),
            transcript: Hash([5; 32]),
            signature: Signature([6; 64]),
            minima: List::new((0..96).map(minimum).collect()).unwrap(),
        };
        let bytes = certificate.encode();
        assert_eq!(bytes.len(), 7_011);
        assert!(bytes.len() <= PRESENCE_CERTIFICATE_BYTES_MAX);
        assert_eq!(PresenceCertificate::decode(bytes).unwrap(), certificate);
    }
}

//! The market's parameters: what resources cost, how demand moves prices, how load moves fees.

use crate::{
    NanoMeshx, Wire,
    codec::{Buf, Error, FixedSize, Read, ReadExt, Write},
    describe::{Shape, Type, scalar},
};
use bytes::BufMut;
use serde::{Deserialize, Serialize};

/// A multiplier in parts per million: 1,000,000 is 1.00.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ppm(u32);
scalar!(
    Ppm,
    "Ppm",
    "A multiplier in parts per million: 1,000,000 is 1.00.",
    Shape::Number(Type::Number { bytes: 4, signed: false })
);

impl Ppm {
    /// 1.00. It changes nothing.
    pub const ONE: Self = Self(1_000_000);
    /// A factor of that many parts per million.
    pub const fn new(parts: u32) -> Self {
        Self(parts)
    }
    /// The parts per million.
    pub const fn get(self) -> u32 {
        self.0
    }
}
impl std::fmt::Display for Ppm {
    /// A decimal with at least two places: `1.25`, `0.800001`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let decimals = format!("{:06}", self.0 % 1_000_000);
        let kept = decimals.trim_end_matches('0').len().max(2);
        write!(f, "{}.{}", self.0 / 1_000_000, &decimals[..kept])
    }
}
impl Write for Ppm {
    fn write(&self, buf: &mut impl BufMut) {
        self.0.write(buf);
    }
}
impl FixedSize for Ppm {
    const SIZE: usize = 4;
}
impl Read for Ppm {
    type Cfg = ();
    fn read_cfg(buf: &mut impl Buf, _: &()) -> Result<Self, Error> {
        Ok(Self(u32::read(buf)?))
    }
}

/// What a job is metered on. A kB is 1,000 bytes, a GB 10^9.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Usage {
    /// Microseconds of one core.
    pub core_us: u64,
    /// Memory held: kB times microseconds.
    pub ram_kb_us: u64,
    /// Storage held: kB times seconds.
    pub storage_kb_s: u64,
    /// Bytes sent and received.
    pub bandwidth_bytes: u64,
}

/// Base rates, before any multiplier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Rates {
    /// Price of one core for one second.
    pub core_second: NanoMeshx,
    /// Price of 1 GB of memory for one second.
    pub ram_gb_second: NanoMeshx,
    /// Price of 1 GB of storage for one hour.
    pub storage_gb_hour: NanoMeshx,
    /// Price of 1 GB sent or received.
    pub bandwidth_gb: NanoMeshx,
}

impl Rates {
    /// The paper's "typical prices" (whitepaper §3.2): 0.001, 0.0001, 0.00001 and 0.0001 MESHX.
    pub const PAPER: Self = Self {
        core_second: NanoMeshx::new(1_000_000),
        ram_gb_second: NanoMeshx::new(100_000),
        storage_gb_hour: NanoMeshx::new(10_000),
        bandwidth_gb: NanoMeshx::new(100_000),
    };
}

/// How the demand multiplier follows paid utilisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct DemandRule {
    /// The utilisation at which the multiplier rests, in basis points; from 1 to 9,999.
    pub target_bps: u16,
    /// At least 8 ppm, so that an eighth of the multiplier is never nothing.
    pub min: Ppm,
    /// The multiplier never rises above this; at least `min`.
    pub max: Ppm,
}

impl DemandRule {
    /// 60 % (DESIGN §6), between a tenth and a hundred times the base rates.
    pub const DEFAULT: Self =
        Self { target_bps: 6_000, min: Ppm::new(100_000), max: Ppm::new(100_000_000) };
}

/// The confidential hardware a job asks for, by the classes of attestation that count (DESIGN §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(rename_all = "snake_case")]
pub enum Tee {
    /// None, or a class that isolates no memory: 1.00.
    #[default]
    None = 0,
    /// One process is isolated: 1.25.
    ConfidentialProcess = 1,
    /// A whole machine is: 1.50.
    ConfidentialVm = 2,
}

/// How the base fee of transactions follows load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct BaseFeeRule {
    /// Use of a block, in the unit blocks are limited by, at which the fee rests; not zero.
    pub target: u64,
    /// At least 8 nano, so that an eighth of the fee is never nothing.
    pub min: NanoMeshx,
    /// The fee never rises above this; at least `min`.
    pub max: NanoMeshx,
}

impl BaseFeeRule {
    /// Half of a block's bytes; 0.000001 to 1 MESHX.
    pub const DEFAULT: Self = Self {
        target: crate::BODY_BYTES_MAX as u64 / 2,
        min: NanoMeshx::new(1_000),
        max: NanoMeshx::new(1_000_000_000),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multiplier_reads_like_the_papers() {
        let shown =
            [0, 800_000, 1_000_000, 1_250_000, 800_001, u32::MAX].map(|p| Ppm::new(p).to_string());
        assert_eq!(shown, ["0.00", "0.80", "1.00", "1.25", "0.800001", "4294.967295"]);
    }
}

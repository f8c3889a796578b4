//! Where: the eight chains and the cities nodes stand in.

use crate::{
    codec::{Buf, Error, FixedSize, Read, ReadExt, Write},
    describe::{Content, Shape, Variant, scalar},
};
use bytes::BufMut;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One of the eight chains: the backbone or a continent's shard (whitepaper §2.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ChainId {
    /// The chain of stake, governance and the draw of committees. Shards follow it.
    Backbone = 0,
    /// North and Central America.
    NorthAmerica = 1,
    /// Europe.
    Europe = 2,
    /// Asia.
    Asia = 3,
    /// South America.
    SouthAmerica = 4,
    /// Africa.
    Africa = 5,
    /// Oceania.
    Oceania = 6,
    /// Antarctica. Governance admits its voters.
    Antarctica = 7,
}

/// Text that names no chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no chain is called {0:?}; the shards are NA, EU, AS, SA, AF, OC and AN, and the other chain is backbone"
)]
pub struct UnknownChain(pub String);

impl ChainId {
    /// Every chain, in the order of tags.
    pub const ALL: [Self; 8] = [
        Self::Backbone,
        Self::NorthAmerica,
        Self::Europe,
        Self::Asia,
        Self::SouthAmerica,
        Self::Africa,
        Self::Oceania,
        Self::Antarctica,
    ];

    /// The name people type: `backbone`, `NA`, `EU`, ….
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backbone => "backbone",
            Self::NorthAmerica => "NA",
            Self::Europe => "EU",
            Self::Asia => "AS",
            Self::SouthAmerica => "SA",
            Self::Africa => "AF",
            Self::Oceania => "OC",
            Self::Antarctica => "AN",
        }
    }

    /// Whether it is a continent's chain, not the backbone.
    pub const fn is_shard(self) -> bool {
        !matches!(self, Self::Backbone)
    }
}

impl std::fmt::Display for ChainId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
impl std::str::FromStr for ChainId {
    type Err = UnknownChain;
    fn from_str(text: &str) -> Result<Self, UnknownChain> {
        Self::ALL
            .into_iter()
            .find(|chain| chain.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownChain(text.chars().take(40).collect()))
    }
}
impl Write for ChainId {
    fn write(&self, buf: &mut impl BufMut) {
        (*self as u8).write(buf);
    }
}
impl FixedSize for ChainId {
    const SIZE: usize = 1;
}
impl Read for ChainId {
    type Cfg = ();
    fn read_cfg(buf: &mut impl Buf, _: &()) -> Result<Self, Error> {
        let tag = u8::read(buf)?;
        Self::ALL.get(usize::from(tag)).copied().ok_or(Error::InvalidEnum(tag))
    }
}
scalar!(
    ChainId,
    "ChainId",
    "The backbone or a continent's shard.",
    Shape::Enum { tag: None, variants: &CHAINS }
);
const CHAINS: [Variant; 8] = {
    let none = Variant { name: "", doc: "", tag: 0, content: Content::None };
    let mut chains = [none; 8];
    let mut tag = 0;
    while tag < 8 {
        chains[tag] = Variant { name: ChainId::ALL[tag].name(), tag: tag as u8, ..none };
        tag += 1;
    }
    chains
};
impl Serialize for ChainId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}
impl<'de> Deserialize<'de> for ChainId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

/// A city by name, as the latency table spells it.
pub type City = crate::Text<64>;

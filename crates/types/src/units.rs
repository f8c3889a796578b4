//! Quantities that must not be mixed up: money, fuel, time, block numbers.

use crate::{
    codec::{Buf, Error, FixedSize, Read, ReadExt, Write},
    describe::{Shape, Type, scalar},
};
use bytes::BufMut;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// All MESHX there will ever be, in nano (whitepaper §3.1).
pub const SUPPLY_MAX: NanoMeshx = NanoMeshx(10_000_000_000_000_000_000);

macro_rules! unit {
    ($doc:literal $name:ident) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);
        impl $name {
            /// The number 0.
            pub const ZERO: Self = Self(0);
            /// So many of this unit; every value is allowed.
            pub const fn new(value: u64) -> Self {
                Self(value)
            }
            /// The bare number, for arithmetic that mixes units.
            pub const fn get(self) -> u64 {
                self.0
            }
            /// The sum; `None` if it exceeds `u64`.
            pub const fn checked_add(self, other: Self) -> Option<Self> {
                match self.0.checked_add(other.0) {
                    Some(sum) => Some(Self(sum)),
                    None => None,
                }
            }
            /// What remains after `other` is taken away; `None` if that is more than there is.
            pub const fn checked_sub(self, other: Self) -> Option<Self> {
                match self.0.checked_sub(other.0) {
                    Some(rest) => Some(Self(rest)),
                    None => None,
                }
            }
            /// What remains after `other` is taken away, at least 0.
            pub const fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
            /// The sum, at most `u64::MAX`.
            pub const fn saturating_add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }
        }
        impl Write for $name {
            fn write(&self, buf: &mut impl BufMut) {
                self.0.write(buf);
            }
        }
        impl FixedSize for $name {
            const SIZE: usize = 8;
        }
        impl Read for $name {
            type Cfg = ();
            fn read_cfg(buf: &mut impl Buf, _: &()) -> Result<Self, Error> {
                Ok(Self(u64::read(buf)?))
            }
        }
    };
}
macro_rules! plain_json {
    ($doc:literal $name:ident) => {
        unit!($doc $name);
        scalar!(
            $name,
            stringify!($name),
            $doc,
            Shape::Number(Type::Number { bytes: 8, signed: false })
        );
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_u64(self.0)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                u64::deserialize(d).map(Self)
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

unit!("A token amount in nano-MeshX: 10⁻⁹ MESHX. JSON: a decimal string of nano." NanoMeshx);
plain_json!("WebAssembly work, as wasmtime counts it under one [`crate::ExecProfile`]." Fuel);
plain_json!("A duration, or a moment since the Unix epoch, in milliseconds." Millis);
plain_json!("A block's number in its chain; genesis is 0." Height);
plain_json!(
    "The number of an epoch: the blocks of the backbone between two boundaries, at which committees are drawn."
    Epoch
);
plain_json!(
    "The number of a term: the blocks for which one committee votes and holds its chain's threshold key."
    Term
);

impl Height {
    /// The height after this one.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Text that is not an amount of MESHX.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAmount {
    /// The text, shortened.
    #[error("not an amount: {0:?}; expected MESHX with at most 9 decimals, such as 12.5")]
    Text(String),
    /// The text, shortened. It is a number, but so much money cannot exist.
    #[error("{0} MESHX is more than can exist: the whole supply is {SUPPLY_MAX} MESHX")]
    BeyondSupply(String),
}

impl std::fmt::Display for NanoMeshx {
    /// MESHX with the decimals it needs and no more: `12.5`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, nano) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        if nano == 0 {
            return write!(f, "{whole}");
        }
        let decimals = format!("{nano:09}");
        write!(f, "{whole}.{}", decimals.trim_end_matches('0'))
    }
}
impl std::str::FromStr for NanoMeshx {
    type Err = BadAmount;
    fn from_str(text: &str) -> Result<Self, BadAmount> {
        let shown = || text.chars().take(40).collect();
        let bad = || BadAmount::Text(shown());
        let beyond = || BadAmount::BeyondSupply(shown());
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty()
            || !digits(whole)
            || !digits(decimals)
            || decimals.len() > 9
            || text.ends_with('.')
        {
            return Err(bad());
        }
        // Nothing but digits: what does not fit is too much.
        let whole: u64 = whole.parse().map_err(|_| beyond())?;
        let nano: u64 = format!("{decimals:0<9}").parse().map_err(|_| bad())?;
        let amount = whole.checked_mul(1_000_000_000).and_then(|n| n.checked_add(nano)).map(Self);
        amount.filter(|amount| *amount <= SUPPLY_MAX).ok_or_else(beyond)
    }
}
scalar!(
    NanoMeshx,
    "Amount",
    "Nano-MESHX (10⁻⁹) in decimal digits. A string, because numbers above 2⁵³ do not survive JavaScript.",
    Shape::Text { bytes: 8, pattern: "^[0-9]{1,20}$", example: "1500000000" }
);
impl Serialize for NanoMeshx {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0.to_string())
    }
}
impl<'de> Deserialize<'de> for NanoMeshx {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map(Self).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_back_as_written() {
        for nano in [0, 1, 999_999_999, 1_000_000_000, 1_500_000_000, SUPPLY_MAX.0] {
            let amount = NanoMeshx::new(nano);
            assert_eq!(amount.to_string().parse(), Ok(amount));
        }
    }

    #[test]
    fn refuses_what_is_no_amount() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e9", "1.0000000001", "1 "] {
            assert_eq!(text.parse::<NanoMeshx>(), Err(BadAmount::Text(text.into())), "{text}");
        }
        for text in ["10000000000.000000001", "18446744074", "99999999999999999999999"] {
            assert_eq!(text.parse::<NanoMeshx>(), Err(BadAmount::BeyondSupply(text.into())));
        }
    }
}

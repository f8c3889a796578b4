//! Who: public keys, signatures and the addresses money is held under.

use crate::{
    Hash,
    codec::{Buf, Error, FixedSize, Read, ReadExt, Write},
    describe::{Shape, scalar},
    hash::domain_hash,
};
use bech32::{
    Bech32m, Hrp,
    primitives::decode::{CheckedHrpstring, CheckedHrpstringError},
};
use bytes::BufMut;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An Ed25519 public key, not yet checked to be a point.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

/// An Ed25519 signature, not yet checked against anything.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature(pub [u8; 64]);

/// Where money is held: a scheme byte and the BLAKE3-256 of the public key.
/// Text form: bech32m with the prefix `meshx`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    scheme: u8,
    hash: Hash,
}

/// Text that is not an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// The text, shortened. It is not bech32m.
    #[error("not an address: {0:?}; expected bech32m text that starts with meshx1")]
    NotBech32m(String),
    /// The text, shortened. It looks like an address, but its last characters do not fit the rest.
    #[error("the address {0:?} is mistyped: its checksum does not match")]
    Checksum(String),
    /// The prefix found. The text is bech32m, but names something other than an account.
    #[error("address has prefix {0:?}; expected meshx")]
    Prefix(String),
    /// A scheme byte that this version does not know.
    #[error(
        "address uses scheme {0}; this version knows scheme 0 (Ed25519) and 1 (protocol pools)"
    )]
    Scheme(u8),
    /// How many bytes the text holds; an address has 33.
    #[error("address holds {0} bytes; expected 33")]
    Length(usize),
}

const ED25519: u8 = 0;
const POOL: u8 = 1;
const PREFIX: Hrp = Hrp::parse_unchecked("meshx");

impl Address {
    /// The address of an Ed25519 key.
    pub fn of(key: &PublicKey) -> Self {
        Self { scheme: ED25519, hash: domain_hash("meshx/address/v1", &[&key.0]) }
    }

    /// An account of the protocol's own, such as the treasury: no key opens it.
    pub fn pool(name: &'static str) -> Self {
        Self { scheme: POOL, hash: domain_hash("meshx/pool/v1", &[name.as_bytes()]) }
    }

    /// Whether this is an account of the protocol's own.
    pub const fn is_pool(&self) -> bool {
        self.scheme == POOL
    }

    fn bytes(&self) -> [u8; 33] {
        let mut bytes = [self.scheme; 33];
        bytes[1..].copy_from_slice(&self.hash.0);
        bytes
    }

    fn checked(scheme: u8, hash: Hash) -> Result<Self, BadAddress> {
        match scheme {
            ED25519 | POOL => Ok(Self { scheme, hash }),
            other => Err(BadAddress::Scheme(other)),
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        bech32::encode_to_fmt::<Bech32m, _>(f, PREFIX, &self.bytes()).map_err(|_| std::fmt::Error)
    }
}
impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}
impl std::str::FromStr for Address {
    type Err = BadAddress;
    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let shown = || text.chars().take(80).collect();
        let parsed = CheckedHrpstring::new::<Bech32m>(text).map_err(|error| match error {
            CheckedHrpstringError::Checksum(_) => BadAddress::Checksum(shown()),
            _ => BadAddress::NotBech32m(shown()),
        })?;
        if parsed.hrp() != PREFIX {
            return Err(BadAddress::Prefix(parsed.hrp().to_string()));
        }
        let bytes: Vec<u8> = parsed.byte_iter().collect();
        let [scheme, hash @ ..]: [u8; 33] =
            bytes.as_slice().try_into().map_err(|_| BadAddress::Length(bytes.len()))?;
        Self::checked(scheme, Hash(hash))
    }
}
impl Write for Address {
    fn write(&self, buf: &mut impl BufMut) {
        self.bytes().write(buf);
    }
}
impl FixedSize for Address {
    const SIZE: usize = 33;
}
impl Read for Address {
    type Cfg = ();
    fn read_cfg(buf: &mut impl Buf, _: &()) -> Result<Self, Error> {
        let [scheme, hash @ ..] = <[u8; 33]>::read(buf)?;
        Self::checked(scheme, Hash(hash)).map_err(|_| Error::Invalid("Address", "unknown scheme"))
    }
}

macro_rules! fixed_bytes {
    ($name:ident, $size:literal) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{self}")
            }
        }
        impl Write for $name {
            fn write(&self, buf: &mut impl BufMut) {
                self.0.write(buf);
            }
        }
        impl FixedSize for $name {
            const SIZE: usize = $size;
        }
        impl Read for $name {
            type Cfg = ();
            fn read_cfg(buf: &mut impl Buf, _: &()) -> Result<Self, Error> {
                Ok(Self(<[u8; $size]>::read(buf)?))
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let mut bytes = [0; $size];
                hex::decode_to_slice(String::deserialize(d)?, &mut bytes)
                    .map_err(de::Error::custom)?;
                Ok(Self(bytes))
            }
        }
    };
}
fixed_bytes!(PublicKey, 32);
fixed_bytes!(Signature, 64);
scalar!(
    PublicKey,
    "PublicKey",
    "An Ed25519 public key: 64 lowercase hex digits.",
    Shape::Text { bytes: 32, pattern: "^[0-9a-f]{64}$", example: "" }
);
scalar!(
    Signature,
    "Signature",
    "An Ed25519 signature: 128 lowercase hex digits.",
    Shape::Text { bytes: 64, pattern: "^[0-9a-f]{128}$", example: "" }
);
scalar!(
    Address,
    "Address",
    "Where money is held: bech32m.",
    Shape::Text { bytes: 33, pattern: "^meshx1[02-9ac-hj-np-z]+$", example: "" }
);

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_reads_back_as_written() {
        let address = Address::of(&PublicKey([7; 32]));
        assert_eq!(address.to_string().parse(), Ok(address));
        assert!(address.to_string().starts_with("meshx1"));
    }

    #[test]
    fn one_changed_letter_is_refused() {
        let text = Address::of(&PublicKey([7; 32])).to_string();
        for i in 6..text.len() {
            let mut letters: Vec<char> = text.chars().collect();
            letters[i] = if letters[i] == 'q' { 'p' } else { 'q' };
            let changed: String = letters.into_iter().collect();
            assert!(changed == text || changed.parse::<Address>().is_err(), "{changed}");
        }
    }
}

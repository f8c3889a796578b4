//! BLAKE3-256 digests, always under a domain.

use crate::{
    codec::{Buf, Error, FixedSize, Read, ReadExt, Write},
    describe::{Shape, scalar},
};
use bytes::BufMut;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A BLAKE3-256 digest. Text form: 64 lowercase hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; 32]);

/// Text that is not a hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a hash: {0:?}; expected 64 hex digits")]
pub struct BadHash(pub String);

impl Hash {
    /// All bits zero. It stands for "no hash" where the wire form needs one.
    pub const ZERO: Self = Self([0; 32]);

    /// The digest of `bytes` as content (no domain): this is how blobs are named.
    pub fn of_content(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

/// The digest of `parts`, each preceded by its length, under a domain that no other use shares.
pub fn domain_hash(domain: &'static str, parts: &[&[u8]]) -> Hash {
    let mut hasher = blake3::Hasher::new_derive_key(domain);
    for part in parts {
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    Hash(*hasher.finalize().as_bytes())
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
impl std::str::FromStr for Hash {
    type Err = BadHash;
    fn from_str(text: &str) -> Result<Self, BadHash> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| BadHash(text.chars().take(80).collect()))?;
        Ok(Self(bytes))
    }
}
impl Write for Hash {
    fn write(&self, buf: &mut impl BufMut) {
        self.0.write(buf);
    }
}
impl FixedSize for Hash {
    const SIZE: usize = 32;
}
impl Read for Hash {
    type Cfg = ();
    fn read_cfg(buf: &mut impl Buf, _: &()) -> Result<Self, Error> {
        Ok(Self(<[u8; 32]>::read(buf)?))
    }
}
scalar!(
    Hash,
    "Hash",
    "A BLAKE3-256 digest: 64 lowercase hex digits.",
    Shape::Text { bytes: 32, pattern: "^[0-9a-f]{64}$", example: "" }
);
impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

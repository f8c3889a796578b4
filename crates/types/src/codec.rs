//! Bounded building blocks of the wire format. `#[derive(Wire)]` makes structs and enums of them.

pub use bytes::BufMut;
use commonware_codec::RangeCfg;
pub use commonware_codec::{
    self, Buf, Decode, DecodeExt, Encode, EncodeSize, Error, FixedSize, Read, ReadExt, Write,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// At most `MAX` bytes. JSON: lowercase hex.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes<const MAX: usize>(Vec<u8>);

/// At most `MAX` bytes of UTF-8.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text<const MAX: usize>(String);

/// At most `MAX` items.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct List<T, const MAX: usize>(Vec<T>);

/// A value longer than its type allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{len} is more than the {max} allowed here")]
pub struct TooLong {
    /// How long the value is: bytes, or items of a list.
    pub len: usize,
    /// The most its type allows, in the same unit.
    pub max: usize,
}

fn bounded<T>(value: T, len: usize, max: usize) -> Result<T, TooLong> {
    if len > max { Err(TooLong { len, max }) } else { Ok(value) }
}

impl<const MAX: usize> Bytes<MAX> {
    /// At most `MAX` bytes.
    ///
    /// # Errors
    /// [`TooLong`] if there are more.
    pub fn new(bytes: Vec<u8>) -> Result<Self, TooLong> {
        let len = bytes.len();
        bounded(Self(bytes), len, MAX)
    }
    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl<const MAX: usize> std::fmt::Debug for Bytes<MAX> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", hex::encode(&self.0))
    }
}

impl<const MAX: usize> Write for Bytes<MAX> {
    fn write(&self, buf: &mut impl BufMut) {
        self.0.write(buf);
    }
}
impl<const MAX: usize> EncodeSize for Bytes<MAX> {
    fn encode_size(&self) -> usize {
        self.0.encode_size()
    }
}
impl<const MAX: usize> Read for Bytes<MAX> {
    type Cfg = ();
    fn read_cfg(buf: &mut impl Buf, _: &()) -> Result<Self, Error> {
        Ok(Self(Vec::<u8>::read_cfg(buf, &(RangeCfg::from(0..=MAX), ()))?))
    }
}

impl<const MAX: usize> Serialize for Bytes<MAX> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&hex::encode(&self.0))
    }
}
impl<'de, const MAX: usize> Deserialize<'de> for Bytes<MAX> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::new(hex::decode(text).map_err(de::Error::custom)?).map_err(de::Error::custom)
    }
}

impl<const MAX: usize> Text<MAX> {
    /// A text of at most `MAX` bytes in UTF-8.
    ///
    /// # Errors
    /// [`TooLong`] if it has more.
    pub fn new(text: impl Into<String>) -> Result<Self, TooLong> {
        let text = text.into();
        let len = text.len();
        bounded(Self(text), len, MAX)
    }
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl<const MAX: usize> std::fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
impl<const MAX: usize> std::fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
impl<const MAX: usize> Write for Text<MAX> {
    fn write(&self, buf: &mut impl BufMut) {
        self.0.as_bytes().to_vec().write(buf);
    }
}
impl<const MAX: usize> EncodeSize for Text<MAX> {
    fn encode_size(&self) -> usize {
        self.0.as_bytes().to_vec().encode_size()
    }
}
impl<const MAX: usize> Read for Text<MAX> {
    type Cfg = ();
    fn read_cfg(buf: &mut impl Buf, _: &()) -> Result<Self, Error> {
        let bytes = Vec::<u8>::read_cfg(buf, &(RangeCfg::from(0..=MAX), ()))?;
        String::from_utf8(bytes).map(Self).map_err(|_| Error::Invalid("Text", "not UTF-8"))
    }
}
impl<const MAX: usize> Serialize for Text<MAX> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}
impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(d)?).map_err(de::Error::custom)
    }
}

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}
impl<T, const MAX: usize> List<T, MAX> {
    /// At most `MAX` items.
    ///
    /// # Errors
    /// [`TooLong`] if there are more.
    pub fn new(items: Vec<T>) -> Result<Self, TooLong> {
        let len = items.len();
        bounded(Self(items), len, MAX)
    }
    /// The items, in order.
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }
    /// The items, without their bound.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
    /// Append `item`, or say that the list is full.
    pub fn push(&mut self, item: T) -> Result<(), TooLong> {
        if self.0.len() >= MAX {
            return Err(TooLong { len: self.0.len() + 1, max: MAX });
        }
        self.0.push(item);
        Ok(())
    }
    /// The items, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }
    /// The items, in order, to be changed; their number stays.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.0.iter_mut()
    }
    /// How many items there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Keep the items for which `keep` returns true, in their order.
    pub fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        self.0.retain(keep);
    }
}
impl<T: Write, const MAX: usize> Write for List<T, MAX> {
    fn write(&self, buf: &mut impl BufMut) {
        self.0.as_slice().write(buf);
    }
}
impl<T: EncodeSize, const MAX: usize> EncodeSize for List<T, MAX> {
    fn encode_size(&self) -> usize {
        self.0.as_slice().encode_size()
    }
}
impl<T: Read<Cfg = ()>, const MAX: usize> Read for List<T, MAX> {
    type Cfg = ();
    fn read_cfg(buf: &mut impl Buf, _: &()) -> Result<Self, Error> {
        Ok(Self(Vec::<T>::read_cfg(buf, &(RangeCfg::from(0..=MAX), ()))?))
    }
}
impl<T: Serialize, const MAX: usize> Serialize for List<T, MAX> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(s)
    }
}
impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::new(Vec::deserialize(d)?).map_err(de::Error::custom)
    }
}

//! A record with its proof: from a chain's one stable key to what its state holds.
//!
//! ```text
//! network keys --threshold key--> certificate --signs--> header --state root--> proof --leads to--> record
//! ```
//! Nothing here is checked: these are the bytes. `receipt::light::verify` checks them.

use crate::{
    CERTIFICATE_BYTES_MAX, Header,
    codec::{Buf, Bytes, DecodeExt, Encode, EncodeSize, Error, Read, ReadExt, Write},
    committee::SeatsRecord,
    describe::{Field, Noun, Shape, Type, Wire},
    governance::Decree,
    network::NetworkKeys,
    state::JobRecord,
};
use bytes::BufMut;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, IgnoredAny, MapAccess, Visitor},
    ser::SerializeStruct as _,
};
use std::{fmt, marker::PhantomData};

/// Most bytes of one record of a state.
pub const RECORD_BYTES_MAX: usize = 1 << 20;
/// Most bytes of a state proof: a path through 2^64 operations takes a quarter of it.
pub const STATE_PROOF_BYTES_MAX: usize = 65_536;

/// A record as a state holds it: its encoding.
pub type Record = Bytes<RECORD_BYTES_MAX>;

/// `record`, and what is to prove that the state of a final block holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved<T> {
    /// A record; or an [`Option<Record>`], of which `None` says that there is nothing at the key.
    pub record: T,
    /// The block whose state holds the record.
    pub header: Header,
    /// The committee's finalization certificate of that block.
    pub certificate: Bytes<CERTIFICATE_BYTES_MAX>,
    /// From the key and the record to the header's state root.
    pub proof: Bytes<STATE_PROOF_BYTES_MAX>,
}

/// A record of the backbone on its way to a shard, which knows the backbone by the network keys alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import<T> {
    /// Its hash is the network's id, so it cannot be another network's.
    pub network_keys: NetworkKeys,
    /// As the backbone holds it.
    pub proved: Proved<T>,
}

/// What a state can be shown to hold at a key.
pub trait Entry {
    /// The bytes at the key; `None`: there is nothing.
    fn bytes(&self) -> Option<Vec<u8>>;
}

/// A record that shards learn from the backbone.
pub trait Imported: Entry {
    /// What it is called in the JSON of a transaction.
    const NAME: &'static str;
    /// What it is called in descriptions, together with its proof.
    const NOUN: &'static str;
}

impl Entry for Option<Record> {
    fn bytes(&self) -> Option<Vec<u8>> {
        self.as_ref().map(|record| record.as_slice().to_vec())
    }
}
impl Entry for JobRecord {
    fn bytes(&self) -> Option<Vec<u8>> {
        Some(self.encode().to_vec())
    }
}
impl Entry for Decree {
    fn bytes(&self) -> Option<Vec<u8>> {
        Some(self.encode().to_vec())
    }
}
impl Entry for SeatsRecord {
    fn bytes(&self) -> Option<Vec<u8>> {
        Some(self.encode().to_vec())
    }
}
impl Imported for Decree {
    const NAME: &'static str = "decree";
    const NOUN: &'static str = "ProvedDecree";
}
impl Imported for SeatsRecord {
    const NAME: &'static str = "seats";
    const NOUN: &'static str = "ProvedSeats";
}

impl Proved<Option<Record>> {
    /// The same with the record decoded. `None` if there is nothing, or something else.
    pub fn decoded<T: Read<Cfg = ()>>(self) -> Option<Proved<T>> {
        let Self { record, header, certificate, proof } = self;
        let record = T::decode(record?.as_slice().to_vec()).ok()?;
        Some(Proved { record, header, certificate, proof })
    }
}

impl<T: Write> Write for Proved<T> {
    fn write(&self, buf: &mut impl BufMut) {
        self.record.write(buf);
        self.header.write(buf);
        self.certificate.write(buf);
        self.proof.write(buf);
    }
}
impl<T: EncodeSize> EncodeSize for Proved<T> {
    fn encode_size(&self) -> usize {
        self.record.encode_size()
            + self.header.encode_size()
            + self.certificate.encode_size()
            + self.proof.encode_size()
    }
}
impl<T: Read<Cfg = ()>> Read for Proved<T> {
    type Cfg = ();
    fn read_cfg(buf: &mut impl Buf, _: &()) -> Result<Self, Error> {
        let (record, header) = (T::read(buf)?, Header::read(buf)?);
        Ok(Self { record, header, certificate: Bytes::read(buf)?, proof: Bytes::read(buf)? })
    }
}

impl<T: Wire> Proved<T> {
    const FIELDS: &'static [Field] = &[field("record", T::TYPE), HEADER, CERTIFICATE, PROOF];
    const NOUN: Noun = Noun {
        name: "Proved",
        doc: "A record, and what is to prove that the state of a final block holds it.",
        shape: Shape::Struct(Self::FIELDS),
    };
}
impl<T: Wire> Wire for Proved<T> {
    const TYPE: Type = Type::Noun(&Self::NOUN);
}

impl<T: Imported + Wire> Import<T> {
    const FIELDS: &'static [Field] =
        &[NETWORK_KEYS, field(T::NAME, T::TYPE), HEADER, CERTIFICATE, PROOF];
    const NOUN: Noun = Noun {
        name: T::NOUN,
        doc: "A record of the backbone, with what proves it.",
        shape: Shape::Struct(Self::FIELDS),
    };
}
impl<T: Imported + Wire> Wire for Import<T> {
    const TYPE: Type = Type::Noun(&Self::NOUN);
}

const NETWORK_KEYS: Field = Field {
    name: "network_keys",
    doc: "Its hash is the network's id, so it cannot be another network's.",
    of: NetworkKeys::TYPE,
};
const HEADER: Field = field("header", Header::TYPE);
const CERTIFICATE: Field = field("certificate", Bytes::<CERTIFICATE_BYTES_MAX>::TYPE);
const PROOF: Field = field("proof", Bytes::<STATE_PROOF_BYTES_MAX>::TYPE);

const fn field(name: &'static str, of: Type) -> Field {
    Field { name, doc: "", of }
}

impl<T: Write> Write for Import<T> {
    fn write(&self, buf: &mut impl BufMut) {
        self.network_keys.write(buf);
        self.proved.write(buf);
    }
}
impl<T: EncodeSize> EncodeSize for Import<T> {
    fn encode_size(&self) -> usize {
        self.network_keys.encode_size() + self.proved.encode_size()
    }
}
impl<T: Read<Cfg = ()>> Read for Import<T> {
    type Cfg = ();
    fn read_cfg(buf: &mut impl Buf, _: &()) -> Result<Self, Error> {
        Ok(Self { network_keys: NetworkKeys::read(buf)?, proved: Proved::read(buf)? })
    }
}

/// JSON is flat, and calls the record by its name: `{"network_keys": …, "decree": …, "header": …, …}`.
impl<T: Imported + Serialize> Serialize for Import<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let Self { network_keys, proved: Proved { record, header, certificate, proof } } = self;
        let mut fields = s.serialize_struct("Import", 5)?;
        fields.serialize_field("network_keys", network_keys)?;
        fields.serialize_field(T::NAME, record)?;
        fields.serialize_field("header", header)?;
        fields.serialize_field("certificate", certificate)?;
        fields.serialize_field("proof", proof)?;
        fields.end()
    }
}
impl<'de, T: Imported + Deserialize<'de>> Deserialize<'de> for Import<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_map(Fields(PhantomData))
    }
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: Imported + Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = Import<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with a proof", T::NAME)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut network_keys, mut record, mut header) = (None, None, None);
        let (mut certificate, mut proof) = (None, None);
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "network_keys" => network_keys = Some(map.next_value()?),
                "header" => header = Some(map.next_value()?),
                "certificate" => certificate = Some(map.next_value()?),
                "proof" => proof = Some(map.next_value()?),
                name if name == T::NAME => record = Some(map.next_value()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let missing = de::Error::missing_field;
        let proved = Proved {
            record: record.ok_or_else(|| missing(T::NAME))?,
            header: header.ok_or_else(|| missing("header"))?,
            certificate: certificate.ok_or_else(|| missing("certificate"))?,
            proof: proof.ok_or_else(|| missing("proof"))?,
        };
        Ok(Import { network_keys: network_keys.ok_or_else(|| missing("network_keys"))?, proved })
    }
}

//! Keys, and tokens signed with them: what Arm's verifiers are fed with.

use ciborium::{Value, cbor};
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        KeyPair as _,
    },
};

pub const ES256: i64 = -7;
pub const ES384: i64 = -35;

/// An ECDSA key, and the COSE algorithm that fits it.
pub struct Key {
    pair: EcdsaKeyPair,
    pub algorithm: i64,
}

impl Key {
    pub fn p256() -> Self {
        Self::new(ES256)
    }

    pub fn p384() -> Self {
        Self::new(ES384)
    }

    fn new(algorithm: i64) -> Self {
        let random = SystemRandom::new();
        let curve = match algorithm {
            ES256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
            _ => &ECDSA_P384_SHA384_FIXED_SIGNING,
        };
        let key = EcdsaKeyPair::generate_pkcs8(curve, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(curve, key.as_ref(), &random).expect("a key");
        Self { pair, algorithm }
    }

    /// The uncompressed point.
    pub fn point(&self) -> Vec<u8> {
        self.pair.public_key().as_ref().to_vec()
    }

    /// `SubjectPublicKeyInfo`, DER.
    pub fn spki(&self) -> Vec<u8> {
        let head = match self.algorithm {
            ES256 => "3059301306072a8648ce3d020106082a8648ce3d030107034200",
            _ => "3076301006072a8648ce3d020106052b81040022036200",
        };
        [hex::decode(head).expect("hexadecimal"), self.point()].concat()
    }

    /// `r ‖ s`.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(&SystemRandom::new(), message).expect("a signature").as_ref().to_vec()
    }

    /// A tagged `COSE_Sign1` over `payload`, with nothing but the algorithm in its header.
    pub fn sign1(&self, payload: &[u8]) -> Vec<u8> {
        bytes(&Value::Tag(18, Box::new(self.parts(&header(self.algorithm), payload))))
    }

    /// The four parts of a `COSE_Sign1` (RFC 9052 §4.2, §4.4).
    pub fn parts(&self, protected: &[u8], payload: &[u8]) -> Value {
        let signed = Value::Array(vec![
            Value::Text("Signature1".into()),
            Value::Bytes(protected.to_vec()),
            Value::Bytes(Vec::new()),
            Value::Bytes(payload.to_vec()),
        ]);
        Value::Array(vec![
            Value::Bytes(protected.to_vec()),
            Value::Map(Vec::new()),
            Value::Bytes(payload.to_vec()),
            Value::Bytes(self.sign(&bytes(&signed))),
        ])
    }
}

/// A protected header that names an algorithm.
pub fn header(algorithm: i64) -> Vec<u8> {
    bytes(&cbor!({ 1 => algorithm }).expect("a map"))
}

pub fn bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).expect("a vector takes all that is written");
    bytes
}

/// A map of claims that can be changed before it is signed.
#[derive(Clone)]
pub struct Map(pub Vec<(Value, Value)>);

impl Map {
    pub fn of(entries: &[(i64, Value)]) -> Self {
        Self(entries.iter().map(|(label, value)| (Value::from(*label), value.clone())).collect())
    }

    /// With another value for this label, or one more entry.
    pub fn with(mut self, label: i64, value: impl Into<Value>) -> Self {
        self = self.without(label);
        self.0.push((Value::from(label), value.into()));
        self
    }

    pub fn without(mut self, label: i64) -> Self {
        self.0.retain(|(other, _)| *other != Value::from(label));
        self
    }

    /// With an entry that stands there already.
    pub fn twice(mut self, label: i64) -> Self {
        let again: Vec<_> =
            self.0.iter().filter(|(other, _)| *other == Value::from(label)).cloned().collect();
        assert_eq!(again.len(), 1, "label {label} stands once");
        self.0.extend(again);
        self
    }

    pub fn value(&self) -> Value {
        Value::Map(self.0.clone())
    }

    pub fn bytes(&self) -> Vec<u8> {
        bytes(&self.value())
    }
}

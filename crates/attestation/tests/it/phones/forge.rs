//! Certificates of our own: DER written by hand, signed with P-256.

use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};

const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const P256_SPKI_HEAD: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";

/// One element: identifier, length in its shortest form, contents.
pub fn element(identifier: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let length = contents.len();
    let [.., high, low] = length.to_be_bytes();
    let length = match length {
        0..0x80 => vec![low],
        0x80..0x100 => vec![0x81, low],
        _ => vec![0x82, high, low],
    };
    [identifier, &length, &contents].concat()
}

pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(&[0x30], parts)
}

pub fn octets(contents: &[u8]) -> Vec<u8> {
    element(&[0x04], &[contents])
}

/// An INTEGER or ENUMERATED (by its identifier) in its shortest form.
fn number(identifier: u8, value: u64) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let zeros = bytes.iter().take(7).take_while(|byte| **byte == 0).count();
    let sign: &[u8] = if bytes[zeros] & 0x80 == 0 { &[] } else { &[0] };
    element(&[identifier], &[sign, &bytes[zeros..]])
}

pub fn integer(value: u64) -> Vec<u8> {
    number(0x02, value)
}

pub fn enumerated(value: u64) -> Vec<u8> {
    number(0x0a, value)
}

/// An explicit context tag around an element.
pub fn tagged(tag: u16, inside: &[u8]) -> Vec<u8> {
    let identifier = match tag {
        0..31 => vec![0xa0 | tag.to_be_bytes()[1]],
        31..128 => vec![0xbf, tag.to_be_bytes()[1]],
        _ => vec![0xbf, 0x80 | (tag >> 7).to_be_bytes()[1], tag.to_be_bytes()[1] & 0x7f],
    };
    element(&identifier, &[inside])
}

pub struct Key(EcdsaKeyPair);

impl Key {
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a new key");
        Self(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).expect("a new key"))
    }

    /// The uncompressed point.
    pub fn point(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    /// `SubjectPublicKeyInfo`.
    pub fn spki(&self) -> Vec<u8> {
        [&hex::decode(P256_SPKI_HEAD).expect("hex")[..], self.point()].concat()
    }
}

/// What to write into a certificate.
#[derive(Clone)]
pub struct Certificate {
    pub subject: String,
    pub issuer: String,
    pub serial: u64,
    /// Years, the first of January each.
    pub years: [u16; 2],
    pub spki: Vec<u8>,
    pub is_ca: bool,
    /// Object identifiers (contents) and values.
    pub extensions: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Certificate {
    pub fn sign(&self, key: &Key) -> Vec<u8> {
        let algorithm = sequence(&[&element(&[0x06], &[ECDSA_WITH_SHA256])]);
        let name = |common: &str| {
            let value = element(&[0x0c], &[common.as_bytes()]);
            let pair = sequence(&[&element(&[0x06], &[COMMON_NAME]), &value]);
            sequence(&[&element(&[0x31], &[&pair])])
        };
        let time = |year: u16| element(&[0x18], &[format!("{year:04}0101000000Z").as_bytes()]);
        let mut extensions: Vec<_> = self
            .extensions
            .iter()
            .map(|(oid, value)| sequence(&[&element(&[0x06], &[oid]), &octets(value)]))
            .collect();
        if self.is_ca {
            let value = octets(&sequence(&[&element(&[0x01], &[&[0xff]])]));
            let critical = element(&[0x01], &[&[0xff]]);
            let oid = element(&[0x06], &[BASIC_CONSTRAINTS]);
            extensions.push(sequence(&[&oid, &critical, &value]));
        }
        let extensions = match extensions.concat() {
            none if none.is_empty() => none,
            some => tagged(3, &sequence(&[&some])),
        };
        let body = sequence(&[
            &tagged(0, &integer(2)),
            &integer(self.serial),
            &algorithm,
            &name(&self.issuer),
            &sequence(&[&time(self.years[0]), &time(self.years[1])]),
            &name(&self.subject),
            &self.spki,
            &extensions,
        ]);
        let signature = key.0.sign(&SystemRandom::new(), &body).expect("a signature");
        let signature = element(&[0x03], &[&[0], signature.as_ref()]);
        sequence(&[&body, &algorithm, &signature])
    }
}

//! Small X.509 certificates, signed here: P-256 with SHA-256, valid from 2020 to 2030.

use crate::cose::Key;

/// `2025-01-01T00:00:00Z`.
pub const NOW: u64 = 1_735_689_600;

const SEQUENCE: u8 = 0x30;
const DIGITAL_SIGNATURE: u8 = 0x80;
const KEY_ENCIPHERMENT: u8 = 0x20;
const KEY_CERT_SIGN: u8 = 0x04;

/// What a certificate's key is for.
#[derive(Clone, Copy)]
pub enum Usage {
    Signatures,
    Encryption,
    Certificates,
}

/// A certificate of `key`, named `subject`, signed by `issuer` of that name.
pub fn certificate(
    (subject, key): (&str, &Key),
    (issuer, signer): (&str, &Key),
    usage: Usage,
) -> Vec<u8> {
    let is_ca = matches!(usage, Usage::Certificates);
    let bits = match usage {
        Usage::Signatures => DIGITAL_SIGNATURE,
        Usage::Encryption => KEY_ENCIPHERMENT,
        Usage::Certificates => KEY_CERT_SIGN,
    };
    let algorithm = hex::decode("300a06082a8648ce3d040302").expect("hexadecimal");
    let constraints =
        if is_ca { der(SEQUENCE, &[der(1, &[0xff])].concat()) } else { der(SEQUENCE, &[]) };
    let extensions = [
        extension(&[0x55, 0x1d, 0x13], &constraints),
        extension(&[0x55, 0x1d, 0x0f], &der(3, &[bits.trailing_zeros().to_le_bytes()[0], bits])),
    ]
    .concat();
    let signed = der(
        SEQUENCE,
        &[
            der(0xa0, &der(2, &[2])),
            der(2, &[1]),
            algorithm.clone(),
            name(issuer),
            der(SEQUENCE, &[der(0x17, b"200101000000Z"), der(0x17, b"300101000000Z")].concat()),
            name(subject),
            key.spki(),
            der(0xa3, &der(SEQUENCE, &extensions)),
        ]
        .concat(),
    );
    let signature = [&[0][..], &ecdsa(&signer.sign(&signed))].concat();
    der(SEQUENCE, &[signed, algorithm, der(3, &signature)].concat())
}

/// `r ‖ s` as `Ecdsa-Sig-Value` (RFC 3279 §2.2.3).
pub fn ecdsa(signature: &[u8]) -> Vec<u8> {
    let number = |bytes: &[u8]| {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let bytes = &bytes[zeros..];
        let sign = if bytes.first().is_none_or(|byte| byte & 0x80 != 0) { &[0][..] } else { &[] };
        der(2, &[sign, bytes].concat())
    };
    let (r, s) = signature.split_at(signature.len() / 2);
    der(SEQUENCE, &[number(r), number(s)].concat())
}

fn extension(oid: &[u8], value: &[u8]) -> Vec<u8> {
    der(SEQUENCE, &[der(6, oid), der(1, &[0xff]), der(4, value)].concat())
}

/// A common name.
fn name(name: &str) -> Vec<u8> {
    let attribute = [der(6, &[0x55, 4, 3]), der(0x0c, name.as_bytes())].concat();
    der(SEQUENCE, &der(0x31, &der(SEQUENCE, &attribute)))
}

fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(contents.len()).expect("it is short").to_be_bytes();
    let head = match (high, low) {
        (0, 0..=0x7f) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head, contents.to_vec()].concat()
}

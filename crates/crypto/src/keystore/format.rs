//! The bytes of a keystore: cut apart with bounds, put together, printed.

use super::{Argon2Params, Locked};
use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// The longest secret. Keys and mnemonics have 16–64 bytes; this leaves room for a bundle.
pub const SECRET_BYTES_MAX: usize = 4096;

const MAGIC: [u8; 8] = *b"MESHXKEY";
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 8 + 1 + 4 + 4 + 4 + 16 + 12;
const TAG_BYTES: usize = 16;
const CHECKSUM_BYTES: usize = 8;
const SEALED_BYTES_MAX: usize = HEADER_BYTES + SECRET_BYTES_MAX + TAG_BYTES + CHECKSUM_BYTES;

const TEXT_PREFIX: &str = "meshx-keystore:";
const TEXT_COLUMNS: usize = 64;
/// Base64 of the longest keystore is 5,560 letters; the rest is for line ends.
const TEXT_BYTES_MAX: usize = 8192;

pub(super) struct Header {
    pub params: Argon2Params,
    pub salt: [u8; 16],
    pub nonce: [u8; 12],
}

/// A keystore cut apart. Checksum and parameters have been checked; the ciphertext has not.
pub(super) struct Parts<'a> {
    pub header: Header,
    pub associated: &'a [u8],
    pub ciphertext: &'a [u8],
}

impl Header {
    pub fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.push(VERSION);
        for number in [self.params.memory_kib(), self.params.passes(), self.params.lanes()] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(&self.salt);
        bytes.extend_from_slice(&self.nonce);
        bytes.try_into().expect("the fields add up to the header")
    }
}

pub(super) fn assemble(header: &[u8; HEADER_BYTES], ciphertext: &[u8]) -> Vec<u8> {
    let mut sealed = [header, ciphertext].concat();
    let checksum = checksum(&sealed);
    sealed.extend_from_slice(&checksum);
    assert!(sealed.len() <= SEALED_BYTES_MAX, "seal bounds the secret");
    sealed
}

/// Checked in this order, so that each error is the most useful one: magic, version, length,
/// checksum, parameters.
pub(super) fn parse(sealed: &[u8]) -> Result<Parts<'_>, Locked> {
    let rest = sealed.strip_prefix(&MAGIC).ok_or(Locked::NotAKeystore)?;
    match rest.first() {
        None => return Err(Locked::Damaged),
        Some(&VERSION) => {}
        Some(&other) => return Err(Locked::UnknownVersion(other)),
    }
    if !(HEADER_BYTES + TAG_BYTES + CHECKSUM_BYTES..=SEALED_BYTES_MAX).contains(&sealed.len()) {
        return Err(Locked::Damaged);
    }
    let (body, claimed) = sealed.split_last_chunk().ok_or(Locked::Damaged)?;
    if checksum(body) != *claimed {
        return Err(Locked::Damaged);
    }
    let (associated, ciphertext) = body.split_at(HEADER_BYTES);
    let mut fields = &associated[9..];
    let params = Argon2Params::new(number(&mut fields), number(&mut fields), number(&mut fields))?;
    let header = Header { params, salt: take(&mut fields), nonce: take(&mut fields) };
    assert!(
        fields.is_empty() && header.to_bytes() == associated,
        "a header is read as it was written"
    );
    Ok(Parts { header, associated, ciphertext })
}

/// The printable form of what [`seal`](super::seal) made: `meshx-keystore:`, then lines of base64.
/// It survives being re-wrapped, indented and mailed.
pub fn to_text(sealed: &[u8]) -> String {
    let base64 = Base64::encode_string(sealed);
    let mut text = format!("{TEXT_PREFIX}\n");
    for line in base64.as_bytes().chunks(TEXT_COLUMNS) {
        text.extend(line.iter().map(|&letter| char::from(letter)));
        text.push('\n');
    }
    text
}

/// The binary form of either form.
pub(super) fn to_binary(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Locked> {
    let Some(text) = bytes.trim_ascii_start().strip_prefix(TEXT_PREFIX.as_bytes()) else {
        return Ok(Cow::Borrowed(bytes));
    };
    if text.len() > TEXT_BYTES_MAX {
        return Err(Locked::Damaged);
    }
    let letters: String = text
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|&byte| char::from(byte))
        .collect();
    Base64::decode_vec(&letters).map(Cow::Owned).map_err(|_| Locked::Damaged)
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    *Sha256::digest(body).first_chunk().expect("SHA-256 has 32 bytes")
}

fn number(fields: &mut &[u8]) -> u32 {
    u32::from_be_bytes(take(fields))
}

fn take<const N: usize>(fields: &mut &[u8]) -> [u8; N] {
    let (taken, rest) = fields.split_first_chunk().expect("the header's length was checked");
    *fields = rest;
    *taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_is_refused_without_panic() {
        // Every prefix and every length up to beyond the longest, with and without a right start.
        for len in (0..200).chain([SEALED_BYTES_MAX, SEALED_BYTES_MAX + 1, 1 << 20]) {
            let mut bytes = vec![0x5a; len];
            assert_eq!(parse(&bytes).err(), Some(Locked::NotAKeystore));
            let start: Vec<u8> = MAGIC.into_iter().chain([VERSION]).collect();
            let shared = len.min(start.len());
            bytes[..shared].copy_from_slice(&start[..shared]);
            let expected = if len < MAGIC.len() { Locked::NotAKeystore } else { Locked::Damaged };
            assert_eq!(parse(&bytes).err(), Some(expected), "{len}");
        }
        for text in ["meshx-keystore:", "meshx-keystore:%%%%", "meshx-keystore:AAA"] {
            assert!(
                to_binary(text.as_bytes()).and_then(|bytes| parse(&bytes).map(drop)).is_err(),
                "{text}"
            );
        }
        let long = format!("{TEXT_PREFIX}{}", "A".repeat(TEXT_BYTES_MAX + 4));
        assert_eq!(to_binary(long.as_bytes()).err(), Some(Locked::Damaged));
    }

    #[test]
    fn parameters_are_bounded_before_any_memory_is_asked_for() {
        for (memory_kib, passes, lanes) in
            [(u32::MAX, 3, 1), (1024, 3, 1), (1 << 18, u32::MAX, 1), (1 << 18, 3, 1 << 23)]
        {
            let mut bytes = [&MAGIC[..], &[VERSION]].concat();
            [memory_kib, passes, lanes]
                .iter()
                .for_each(|number| bytes.extend_from_slice(&number.to_be_bytes()));
            let header: [u8; HEADER_BYTES] = [&bytes[..], &[0; 28]].concat().try_into().unwrap();
            let refused = parse(&assemble(&header, &[0; TAG_BYTES])).err();
            assert!(
                matches!(refused, Some(Locked::Parameters(bad)) if bad.memory_kib == memory_kib),
                "{refused:?}"
            );
        }
    }
}

//! Keystores: what opens, what does not, and what each refusal says.

use crypto::keystore::{Argon2Params, Locked, NotSealed, SECRET_BYTES_MAX, open, seal, to_text};
use expect_test::expect;
use sha2::{Digest, Sha256};

const PASSPHRASE: &str = "correct horse battery staple";
const HEADER_BYTES: usize = 49;

fn sealed(secret: &[u8]) -> Vec<u8> {
    seal(secret, PASSPHRASE, [1; 16], [2; 12], Argon2Params::FLOOR).unwrap()
}

/// What someone does who alters a file on purpose: mend the checksum.
fn mended(mut bytes: Vec<u8>) -> Vec<u8> {
    let body = bytes.len() - 8;
    let checksum = Sha256::digest(&bytes[..body]);
    bytes[body..].copy_from_slice(&checksum[..8]);
    bytes
}

#[test]
fn what_was_sealed_opens_in_both_forms() {
    for secret in [&b""[..], &[7; 32], &[9; SECRET_BYTES_MAX]] {
        let bytes = sealed(secret);
        assert_eq!(bytes.len(), HEADER_BYTES + secret.len() + 16 + 8);
        assert_eq!(*open(&bytes, PASSPHRASE).unwrap(), secret);
        let text = to_text(&bytes);
        assert_eq!(*open(text.as_bytes(), PASSPHRASE).unwrap(), secret);
    }
    let mangled = format!("\r\n{}\r\n", to_text(&sealed(&[7; 32])).replace('\n', "\r\n  "));
    assert_eq!(*open(mangled.as_bytes(), PASSPHRASE).unwrap(), [7; 32]);
}

/// The format is pinned: this file must open for ever.
#[test]
fn the_first_keystore_still_opens() {
    let text = expect![[r#"
        meshx-keystore:
        TUVTSFhLRVkBAABMAAAAAAIAAAABAQEBAQEBAQEBAQEBAQEBAQICAgICAgICAgIC
        Aho9j0PGzTnL2XEOpsYfCRATZr1xOwwATfZKHLQE6JytJ4y2MS/pUA08kT4ULakB
        t3ijv8Z3NSds
    "#]];
    text.assert_eq(&to_text(&sealed(&[7; 32])));
    assert_eq!(*open(text.data().as_bytes(), PASSPHRASE).unwrap(), [7; 32]);
}

#[test]
fn the_default_parameters_open_too() {
    let bytes = seal(&[7; 32], PASSPHRASE, [3; 16], [4; 12], Argon2Params::default()).unwrap();
    assert_eq!(*open(&bytes, PASSPHRASE).unwrap(), [7; 32]);
}

#[test]
fn a_wrong_passphrase_is_called_that() {
    for wrong in ["", "correct horse battery stapl", "Correct horse battery staple"] {
        assert_eq!(open(&sealed(&[7; 32]), wrong), Err(Locked::WrongPassphrase));
    }
}

#[test]
fn a_flip_in_any_bit_is_refused_as_damage() {
    let bytes = sealed(&[7; 32]);
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let expected = match bit / 8 {
            0..8 => Locked::NotAKeystore,
            8 => Locked::UnknownVersion(flipped[8]),
            _ => Locked::Damaged,
        };
        assert_eq!(open(&flipped, PASSPHRASE), Err(expected), "bit {bit}");
    }
}

#[test]
fn a_flip_in_any_byte_is_refused_even_if_the_checksum_is_mended() {
    let bytes = sealed(&[7; 16]);
    for index in 9..bytes.len() - 8 {
        let mut flipped = bytes.clone();
        flipped[index] ^= 1;
        let refused = open(&mended(flipped), PASSPHRASE).unwrap_err();
        assert!(
            matches!(refused, Locked::WrongPassphrase | Locked::Parameters(_)),
            "byte {index}: {refused:?}"
        );
    }
}

#[test]
fn a_flip_in_any_bit_of_the_text_is_refused() {
    let text = to_text(&sealed(&[7; 32])).into_bytes();
    // The last line end carries nothing, and white space may be anything white.
    for bit in 0..(text.len() - 1) * 8 {
        let mut flipped = text.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let refused = open(&flipped, PASSPHRASE).unwrap_err();
        assert!(
            matches!(refused, Locked::NotAKeystore | Locked::UnknownVersion(_) | Locked::Damaged),
            "bit {bit}: {refused:?}"
        );
    }
}

#[test]
fn a_cut_or_padded_file_is_refused() {
    let bytes = sealed(&[7; 32]);
    for len in 0..bytes.len() {
        let expected = if len < 8 { Locked::NotAKeystore } else { Locked::Damaged };
        assert_eq!(open(&bytes[..len], PASSPHRASE), Err(expected), "{len} bytes");
    }
    assert_eq!(open(&[&bytes[..], &[0]].concat(), PASSPHRASE), Err(Locked::Damaged));
}

#[test]
fn a_secret_too_long_is_refused() {
    let refused =
        seal(&[0; SECRET_BYTES_MAX + 1], PASSPHRASE, [1; 16], [2; 12], Argon2Params::FLOOR);
    assert_eq!(refused, Err(NotSealed::TooLong(SECRET_BYTES_MAX + 1)));
}

#[test]
fn messages_say_what_to_try() {
    expect![[r#"
        wrong passphrase
        hint: try again; if you are sure of it, the file was altered: restore a backup"#]]
    .assert_eq(&Locked::WrongPassphrase.to_string());
    expect![[r#"
        cannot get 256 MiB of memory to derive the key
        hint: close other programs, or open it on a larger machine"#]]
    .assert_eq(&Locked::OutOfMemory { memory_kib: 256 << 10 }.to_string());
}

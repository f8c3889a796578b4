//! Keystores and recovery words.

use crypto::{Mnemonic, keystore};

/// Only what was sealed opens.
pub(crate) fn keystore(input: &[u8]) {
    if let Ok(secret) = keystore::open(input, "pass") {
        assert_eq!(secret.as_slice(), b"seed", "the cipher lets nothing else through");
    }
}

pub(crate) fn mnemonic(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(words) = Mnemonic::parse(text) else { return };
    let entropy = words.entropy();
    let again = Mnemonic::from_entropy(&entropy).expect("it came from words");
    assert_eq!(*again.phrase(), *words.phrase());
    let once_more = Mnemonic::parse(&words.phrase()).expect("a phrase of ours is a phrase");
    assert_eq!(*once_more.entropy(), *entropy);
}

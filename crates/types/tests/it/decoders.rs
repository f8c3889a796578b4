//! Decoders and bytes that nobody meant.

use crate::sample::{submission, tx};
use types::{
    Action, Tx,
    codec::{DecodeExt, Encode},
};

/// Bytes from outside never panic a decoder, and what decodes has one encoding.
#[test]
fn random_bytes_are_refused_or_canonical() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let valid = tx(Action::SubmitJob(submission())).encode().to_vec();
    for _ in 0..20_000 {
        let mut bytes = valid.clone();
        for _ in 0..=random() % 4 {
            let place = random() as usize % bytes.len();
            bytes[place] = random() as u8;
        }
        bytes.truncate(bytes.len() - (random() % 3) as usize);
        if let Ok(tx) = Tx::decode(bytes.clone()) {
            assert_eq!(tx.encode().to_vec(), bytes);
        }
    }
}

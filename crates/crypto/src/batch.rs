//! Batches: many signatures checked together, each with the verdict it would get alone.

use crate::bad_signature::BadSignature;
use crate::public_key;
use crate::signature::{framed, verify};
use ed25519_zebra::{Signature, VerificationKeyBytes, batch};
use rand_core::{TryCryptoRng, TryRng};
use std::convert::Infallible;

/// One signature to check, with what it claims to be over.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The signer's key.
    pub public: &'a [u8; 32],
    /// What kind of message it is.
    pub domain: &'static str,
    /// The message.
    pub message: &'a [u8],
    /// The signature over both.
    pub signature: &'a [u8; 64],
}

/// Check many signatures at once: for each item, in order, exactly what [`verify`] says of it alone.
///
/// One multiplication covers all items. If it fails, every item is checked singly, so a batch with
/// one bad signature costs more than no batch at all: keep batches to 256–1024 items and stop
/// serving senders of bad ones.
///
/// The equation's random coefficients come from a hash of *all* items rather than from a generator:
/// a sender that picks the signatures fixes the coefficients by doing so, the function stays pure, and
/// no caller can pass a predictable seed. The chance that a bad item passes is about 2⁻¹²⁸.
///
/// # Panics
/// If a domain is empty or longer than [`DOMAIN_BYTES_MAX`](crate::DOMAIN_BYTES_MAX).
///
/// Source: DESIGN §10, Signatures (a verdict that depends on batching is a consensus split).
pub fn verify_batch(items: &[Signed<'_>]) -> Vec<Result<(), BadSignature>> {
    let singly = |item: &Signed<'_>| verify(item.public, item.domain, item.message, item.signature);
    if items.len() < BATCH_MIN {
        return items.iter().map(singly).collect();
    }
    let keys: Vec<_> = items.iter().map(|item| public_key::check(item.public)).collect();
    let mut batch = batch::Verifier::new();
    let mut transcript = blake3::Hasher::new_derive_key(COEFFICIENTS);
    for (item, key) in items.iter().zip(&keys) {
        let message = framed(item.domain, item.message);
        if key.is_ok() {
            transcript.update(item.public);
            transcript.update(item.signature);
            transcript.update(&(message.len() as u64).to_be_bytes());
            transcript.update(&message);
            batch.queue((
                VerificationKeyBytes::from(*item.public),
                Signature::from_bytes(item.signature),
                &message,
            ));
        }
    }
    match batch.verify(Coefficients(transcript.finalize_xof())) {
        Ok(()) => keys,
        Err(_) => items.iter().map(singly).collect(),
    }
}

const COEFFICIENTS: &str = "meshx/batch-coefficients/v1";
/// Fewer than this are checked faster one by one.
const BATCH_MIN: usize = 3;

/// The coefficients: the transcript's BLAKE3 output, as long as it is asked for.
struct Coefficients(blake3::OutputReader);

impl TryRng for Coefficients {
    type Error = Infallible;

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }
}

impl TryCryptoRng for Coefficients {}

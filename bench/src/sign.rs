//! Signatures: one by one and in batches.

use crate::report::Report;
use anyhow::{Result, ensure};
use crypto::{Signed, SigningKey, verify, verify_batch};
use std::time::{Duration, Instant};
use types::domain_hash;

/// What `bench sign` is asked to do.
#[derive(Clone, Copy, Debug)]
pub struct SignLoad {
    /// Signatures in one batch.
    pub batch: usize,
    /// Different keys among them.
    pub keys: usize,
    /// Seconds of verifying: one half singly, one half in batches.
    pub seconds: usize,
}

const DOMAIN: &str = "meshx/bench/v1";
/// As long as a transfer's signed bytes.
const MESSAGE_BYTES: usize = 123;

/// Check signatures singly and in batches, on one thread.
///
/// # Errors
/// If a good signature is refused, or a batch with a bad one accepted.
pub fn sign(load: &SignLoad) -> Result<Report> {
    ensure!(load.batch > 0 && load.keys > 0, "at least one signature and one key");
    let mut report = Report::new("sign", &std::env::temp_dir());
    report.load("batch", load.batch);
    report.load("keys", load.keys);
    report.load("message_bytes", MESSAGE_BYTES);
    report.load("threads", 1);
    let seed = |n: usize| domain_hash("meshx/bench-key/v1", &[&(n as u64).to_be_bytes()]).0;
    let keys: Vec<SigningKey> = (0..load.keys).map(|n| SigningKey::from_seed(&seed(n))).collect();
    let publics: Vec<[u8; 32]> = keys.iter().map(SigningKey::public).collect();
    let message = |n: usize| {
        let mut bytes = vec![0; MESSAGE_BYTES];
        bytes[..8].copy_from_slice(&(n as u64).to_be_bytes());
        bytes
    };
    let messages: Vec<Vec<u8>> = (0..load.batch).map(message).collect();
    let begun = Instant::now();
    let signatures: Vec<[u8; 64]> =
        messages.iter().enumerate().map(|(n, m)| keys[n % load.keys].sign(DOMAIN, m)).collect();
    report.figure("sign_us", begun.elapsed().as_secs_f64() * 1e6 / load.batch as f64);
    let mut items: Vec<Signed<'_>> = (0..load.batch)
        .map(|n| Signed {
            public: &publics[n % load.keys],
            domain: DOMAIN,
            message: &messages[n],
            signature: &signatures[n],
        })
        .collect();

    let half = Duration::from_secs_f64(load.seconds as f64 / 2.0);
    let single = repeat(half, || {
        items
            .iter()
            .all(|item| verify(item.public, item.domain, item.message, item.signature).is_ok())
    })?;
    let batch = repeat(half, || verify_batch(&items).iter().all(Result::is_ok))?;
    report.figure("verify_single_us", single / load.batch as f64);
    report.figure("verify_batch_us_per_signature", batch / load.batch as f64);
    report.figure("batch_speedup", single / batch);

    let bad = [0x55; 64];
    items[load.batch / 2].signature = &bad;
    let verdicts = verify_batch(&items);
    let refused = verdicts.iter().filter(|verdict| verdict.is_err()).count();
    ensure!(refused == 1, "one bad signature in a batch, but {refused} refused");
    Ok(report)
}

/// Microseconds of one call, taken over `time`. The call must say yes.
fn repeat(time: Duration, call: impl Fn() -> bool) -> Result<f64> {
    let (begun, mut calls) = (Instant::now(), 0);
    while begun.elapsed() < time || calls == 0 {
        ensure!(call(), "a good signature was refused");
        calls += 1;
    }
    Ok(begun.elapsed().as_secs_f64() * 1e6 / f64::from(calls))
}

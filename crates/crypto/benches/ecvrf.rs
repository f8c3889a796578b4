//! `cargo bench -p meshx-crypto --bench ecvrf`: one proof, one verification, and batches of 1, 16 and 128 verifications beside
//! as many single ones, of 40-byte messages on one core.

#![allow(missing_docs, reason = "criterion makes functions")]

use criterion::{Criterion, criterion_group, criterion_main};
use crypto::{VrfClaim, VrfKey, VrfPublicKey, VrfSuite, verify_vrf_batch};
use std::hint::black_box;

fn ecvrf(criterion: &mut Criterion) {
    let key = VrfKey::from_seed(&[7; 32]);
    let public = VrfPublicKey::new(key.public()).expect("a key");
    let alpha = [9; 40];
    for suite in [VrfSuite::Ell2, VrfSuite::Tai] {
        criterion.bench_function(&format!("{suite:?} prove"), |bench| {
            bench.iter(|| key.prove(suite, black_box(&alpha)));
        });
        let proof = key.prove(suite, &alpha);
        criterion.bench_function(&format!("{suite:?} verify"), |bench| {
            bench.iter(|| public.verify(suite, black_box(&alpha), black_box(&proof)));
        });
    }
}

/// As an epoch's tickets are: of different keys, for one message.
fn batches(criterion: &mut Criterion) {
    let (suite, alpha) = (VrfSuite::Ell2, [9; 40]);
    let tickets: Vec<_> = (0..128)
        .map(|n| {
            let key = VrfKey::from_seed(&[n; 32]);
            (VrfPublicKey::new(key.public()).expect("a key"), key.prove(suite, &alpha))
        })
        .collect();
    for size in [1, 16, 128] {
        let claims: Vec<_> = tickets[..size]
            .iter()
            .map(|(public, proof)| VrfClaim { public, suite, alpha: &alpha, proof })
            .collect();
        criterion.bench_function(&format!("batch of {size}"), |bench| {
            bench.iter(|| verify_vrf_batch(black_box(&claims)));
        });
        criterion.bench_function(&format!("{size} singly"), |bench| {
            bench.iter(|| black_box(&claims).iter().map(VrfClaim::verify).collect::<Vec<_>>());
        });
    }
}

criterion_group!(benches, ecvrf, batches);
criterion_main!(benches);

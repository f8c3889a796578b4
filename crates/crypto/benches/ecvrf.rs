//! `cargo bench -p meshx-crypto --bench ecvrf`: one proof, and one verification, of a 40-byte message on one core.

use criterion::{Criterion, criterion_group, criterion_main};
use crypto::{VrfKey, VrfPublicKey, VrfSuite};
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

criterion_group!(benches, ecvrf);
criterion_main!(benches);

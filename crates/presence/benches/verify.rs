//! One certificate with 96 witnesses, checked and judged.

#![allow(missing_docs, reason = "criterion makes functions")]

#[path = "../tests/it/world.rs"]
mod world;

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use types::ChainId;
use world::{Chance, World};

fn certificate(criterion: &mut Criterion) {
    let world = World::new(300, 1);
    let tables = world.tables();
    let claim = ("50.11,8.68".parse().expect("Frankfurt"), ChainId::Europe);
    let certificate = world.certificate(claim.0, claim, &mut Chance(2), |_, us| Some(us));
    criterion.bench_function("verify a certificate of 96 witnesses out of 300", |bench| {
        bench.iter(|| presence::verify(black_box(&certificate), &world.params, &tables));
    });
}

criterion_group!(benches, certificate);
criterion_main!(benches);

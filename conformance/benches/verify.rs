//! Microseconds to verify one piece of evidence of each technology, collateral included: `cargo bench -p meshx-conformance`.

#![allow(missing_docs, reason = "criterion makes functions")]

use std::path::Path;

use conformance::cases;
use criterion::{Criterion, criterion_group, criterion_main};

fn verify(criterion: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/evidence");
    let Ok(all) = cases(&folder) else {
        println!("passed over: ../shared/evidence is not here");
        return;
    };
    let mut group = criterion.benchmark_group("verify");
    group.sample_size(30);
    for case in all.iter().filter(|case| case.expect.verdict == "accept") {
        let inputs = case.inputs().expect("its files are there");
        group.bench_function(case.id.as_str(), |bencher| {
            bencher.iter(|| inputs.verify().expect("it is accepted"));
        });
    }
    group.finish();
}

criterion_group!(benches, verify);
criterion_main!(benches);

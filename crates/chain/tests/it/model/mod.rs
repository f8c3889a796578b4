//! Random blocks through [`chain::apply_block`] and through the naive [`rules`], compared after every block.
//!
//! A failure prints the seed and the shortest list of operations that still fails. `MESHX_MODEL_SEED=7` and
//! `MESHX_MODEL_CASES=5000` look elsewhere and longer.

mod compare;
mod operations;
mod prices;
mod rules;
mod world;

use operations::Case;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestCaseError, TestError, TestRunner};
use world::World;

/// Sequences tried by default: about fifteen seconds of an unoptimised build.
const CASES: u32 = 300;

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Run `case` from genesis to its end; what happened on the way.
fn play(case: &Case) -> Result<world::Seen, String> {
    let mut world = World::new(case);
    for operation in &case.operations {
        world.play(operation)?;
    }
    world.finish()
}

#[test]
fn the_chain_does_what_the_rules_say() {
    let (seed, cases) =
        (setting("MESHX_MODEL_SEED", 1), setting("MESHX_MODEL_CASES", CASES.into()));
    let config = Config {
        cases: u32::try_from(cases).expect("a number of cases"),
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..Config::default()
    };
    let seen = std::cell::RefCell::new(world::Seen::default());
    let outcome = TestRunner::new(config).run(&operations::case(), |case| {
        // A panic of the chain's is as good a finding as a difference.
        let played = std::panic::catch_unwind(|| play(&case));
        let played = played.unwrap_or_else(|_| Err("it panicked; the message is above".into()));
        seen.borrow_mut().add(&played.map_err(TestCaseError::fail)?);
        Ok(())
    });
    if let Err(TestError::Fail(why, case)) = outcome {
        panic!("MESHX_MODEL_SEED={seed}: {why}\nwith {case:#?}");
    }
    outcome.expect("cases could be made");
    let seen = seen.into_inner();
    println!("{seen:#?}");
    // A comparison of nothing with nothing proves nothing.
    seen.must_have_been_busy();
}

//! What every test needs: an engine, limits, a module from text.

use sandbox::{Ended, Engine, EngineConfig, Job, Refused, Run};
use types::{Abi, Fuel, Limits, Millis, Status};

pub const LIMITS: Limits = Limits {
    fuel: Fuel::new(100_000_000),
    memory_bytes: 16 << 20,
    output_bytes: 1 << 20,
    wall: Millis::new(60_000),
};

pub fn engine() -> Engine {
    Engine::new(EngineConfig { slots: 2, memory_bytes_max: 256 << 20, cache_modules: 8 }).unwrap()
}

pub fn module(text: &str) -> Vec<u8> {
    sandbox::binary_of(text.as_bytes())
        .unwrap_or_else(|refused| panic!("{refused}\n{text}"))
        .into_owned()
}

/// A WASI command with this body and one page of memory.
pub fn command(body: &str) -> Vec<u8> {
    module(&format!(
        r#"(module (memory (export "memory") 1) (func $start (export "_start") {body}))"#
    ))
}

pub fn ended(engine: &Engine, job: &Job<'_>) -> Result<Ended, Refused> {
    engine.run(job, &|_| {}, &false.into())
}

pub fn run(engine: &Engine, job: &Job<'_>) -> Run {
    match ended(engine, job) {
        Ok(Ended::Done(run)) => run,
        other => panic!("expected a run: {other:?}"),
    }
}

/// An honest job, to see that an engine still works after what went before.
pub fn check_alive(engine: &Engine) {
    let module = command("");
    let run = run(engine, &Job::new(&module, Abi::Wasi, LIMITS));
    assert_eq!(run.status, Status::Exited(0));
}

/// Small random numbers that a seed repeats (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}

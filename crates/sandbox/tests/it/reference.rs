//! The same job run by wasmtime-wasi, with our clock, randomness and files put in.

use sandbox::Job;
use std::cell::RefCell;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use types::{Fuel, Status, Trap};
use wasmtime::{Config, Engine, Linker, Module, OperatorCost, Store};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{FsPerms, HostMonotonicClock, HostWallClock, I32Exit, WasiCtxBuilder};

#[derive(Debug, PartialEq, Eq)]
pub struct Result {
    pub status: Status,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// What the module's own instructions cost.
    pub fuel: Fuel,
}

const FUEL: u64 = 1 << 50;

pub fn run(job: &Job<'_>) -> Result {
    let [folder, tmp, out, root] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
    for (name, content) in job.files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let clock = Clock { start: job.clock.get() * 1_000_000, passed: Arc::default() };
    let (stdout, stderr) = (MemoryOutputPipe::new(1 << 26), MemoryOutputPipe::new(1 << 26));
    let mut builder = WasiCtxBuilder::new();
    builder
        .stdin(MemoryInputPipe::new(job.input.to_vec()))
        .stdout(stdout.clone())
        .stderr(stderr.clone())
        .arg("job")
        .args(job.args)
        .secure_random(Random::seeded(&job.seed.0))
        .wall_clock(clock.clone())
        .monotonic_clock(clock);
    for (folder, name, perms) in [
        (&folder, "/in", FsPerms::ReadOnly),
        (&tmp, "/tmp", FsPerms::ReadWrite),
        (&out, "/out", FsPerms::ReadWrite),
        (&root, "/", FsPerms::ReadWrite),
        (&folder, ".", FsPerms::ReadOnly),
    ] {
        builder.preopened_dir(folder.path(), name, perms).unwrap();
    }
    for variable in job.env {
        let (name, value) = variable.split_once('=').unwrap();
        builder.env(name, value);
    }
    let mut config = Config::new();
    config.consume_fuel(true).operator_cost(OperatorCost::new());
    config.cranelift_nan_canonicalization(true).max_wasm_stack(1 << 20);
    let module = compiled(job.module, &config);
    let engine = module.engine();
    let mut linker: Linker<WasiP1Ctx> = Linker::new(engine);
    p1::add_to_linker_sync(&mut linker, |context| context).unwrap();
    let mut store = Store::new(engine, builder.build_p1());
    store.set_fuel(FUEL).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    store.set_fuel(FUEL).unwrap();
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start").unwrap();
    let status = match start.call(&mut store, ()) {
        Ok(()) => Status::Exited(0),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(I32Exit(code)) => Status::Exited(*code),
            None => Status::Trapped(Trap::Wasm),
        },
    };
    let fuel = Fuel::new(FUEL - store.get_fuel().unwrap());
    drop(store);
    Result { status, stdout: stdout.contents().to_vec(), stderr: stderr.contents().to_vec(), fuel }
}

/// The last module is kept: examples run with several inputs.
fn compiled(bytes: &[u8], config: &Config) -> Module {
    thread_local!(static LAST: RefCell<Option<(Vec<u8>, Module)>> = const { RefCell::new(None) });
    LAST.with_borrow_mut(|last| match last {
        Some((known, module)) if known == bytes => module.clone(),
        _ => {
            let module = Module::new(&Engine::new(config).unwrap(), bytes).unwrap();
            *last = Some((bytes.to_vec(), module.clone()));
            module
        }
    })
}

#[derive(Clone)]
struct Clock {
    start: u64,
    passed: Arc<AtomicU64>,
}

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1_000)
    }
    fn now(&self) -> Duration {
        Duration::from_nanos(self.start + HostMonotonicClock::now(self))
    }
}

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1_000
    }
    fn now(&self) -> u64 {
        self.passed.fetch_add(1_000, Relaxed) + 1_000
    }
}

struct Random(blake3::OutputReader);

impl Random {
    fn seeded(seed: &[u8]) -> Self {
        Self(blake3::Hasher::new_derive_key("meshx/job-random/v1").update(seed).finalize_xof())
    }
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes);
        bytes
    }
}

impl rand_core::TryRng for Random {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> std::result::Result<u32, Infallible> {
        Ok(self.take::<1>()[0].into()) // wasmtime-wasi asks for each byte by itself.
    }
    fn try_next_u64(&mut self) -> std::result::Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.take()))
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> std::result::Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

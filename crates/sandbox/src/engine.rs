//! The engine: compiles modules, keeps them, and runs jobs in pooled instances.

use crate::cache::Cache;
use crate::facts::{Facts, Offer, signature};
use crate::job::{Ended, Job, SpecBytes};
use crate::limits::{
    MEMORIES_MAX, MEMORY_BYTES_MAX, OUTPUT_BYTES_MAX, PAGE_BYTES, STACK_BYTES, TABLE_ELEMENTS_MAX,
    TABLES_MAX,
};
use crate::module::Inspected;
use crate::names::check_file_names;
use crate::prepared::Prepared;
use crate::refused::Refused;
use crate::rewrite::{fuel_name, rewrite, start_name};
use crate::run::run;
use crate::slots::{Slots, Ticker};
use crate::state::State;
use crate::unpack::unpack;
use crate::{raw, wasi};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use types::{Float, Fuel, Hash, JobSpec, Text};
use wasmtime::{
    Collector, Config, InstanceAllocationStrategy, Linker, Module, OptLevel,
    PoolingAllocationConfig, Store,
};

/// Memory kept mapped per slot between jobs: small jobs then need no system call to be wiped.
const KEEP_RESIDENT_BYTES: usize = 64 << 10;
/// Bookkeeping of one instance: grows with its functions in tables.
const INSTANCE_BYTES_MAX: usize = 16 << 20;
/// More slots than this would not fit into 47 bits of address space twice.
const SLOTS_MAX: u32 = 1_000;

/// What an engine may take from its machine. No two workers need agree on this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// Jobs at once, 1 to 1,000; usually the number of cores. Further jobs wait in
    /// [`Engine::run`]. Each slot reserves 32 GiB of addresses, but memory only as it is used.
    pub slots: u32,
    /// Most linear memory of one job, 64 KiB to 4 GiB, in bytes. Jobs that may use more are
    /// refused; `slots` times this must fit into memory, or the system may kill the process.
    pub memory_bytes_max: u64,
    /// Compiled modules to keep, at least 1; each takes about five times its size.
    pub cache_modules: usize,
}

/// How exactly [`crate::TrapPlace`] says where a module trapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Places {
    /// In which function. This costs nothing.
    Functions,
    /// And at which byte. A compiled module then takes about a third more memory.
    Bytes,
}

/// Runs jobs. Cheap to share by reference among threads; each running job occupies its thread.
pub struct Engine {
    strict: Mode,
    arch_class: Mode,
    offer: Offer,
    modules: Cache<Prepared>,
    slots: Arc<Slots>,
    config: EngineConfig,
    _ticker: Ticker,
}

/// One wasmtime engine per way of computing floats, and what it offers to modules.
struct Mode {
    engine: wasmtime::Engine,
    linker: Linker<State>,
}

impl Engine {
    /// An engine with all its memory reserved: [`EngineConfig::slots`] jobs at once.
    ///
    /// # Errors
    /// [`Refused::BadConfig`], or [`Refused::Machine`] if the machine grants no such address space.
    pub fn new(config: EngineConfig) -> Result<Self, Refused> {
        Self::with_places(config, Places::Functions)
    }

    /// An engine whose traps say how much `places` asks for. Results are the same.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_places(config: EngineConfig, places: Places) -> Result<Self, Refused> {
        check_config(&config)?;
        let strict = Mode::new(Float::Strict, &config, places).map_err(machine)?;
        let arch_class = Mode::new(Float::ArchClass, &config, places).map_err(machine)?;
        let offer = strict.offer();
        let slots = Slots::new(config.slots);
        let engines = [strict.engine.clone(), arch_class.engine.clone()];
        let tick = move || engines.iter().for_each(wasmtime::Engine::increment_epoch);
        let ticker =
            Ticker::start(&slots, tick).map_err(|error| Refused::Machine(error.to_string()))?;
        let modules = Cache::new(config.cache_modules);
        Ok(Self { strict, arch_class, offer, modules, slots, config, _ticker: ticker })
    }

    /// Say what `module` is, without compiling or running it.
    ///
    /// # Errors
    /// Every [`Refused`] that concerns the module alone. A module that passes here is refused by
    /// [`Engine::run`] only for the job's sake: too little memory allowed, the other ABI asked for.
    pub fn inspect(&self, module: &[u8]) -> Result<Inspected, Refused> {
        let facts = Facts::read(module)?;
        facts.check_imports(&self.offer)?;
        Ok(Inspected {
            abi: facts.abi()?,
            uses_float: facts.uses_float,
            memory_bytes_min: facts.memory_bytes_min,
            load: facts.load(),
        })
    }

    /// Run `job` to its end, on this thread, once a slot is free.
    ///
    /// `observer` sees each chunk of standard output as it is printed; together the chunks are
    /// [`crate::Run::stdout`]. It should return soon: the job waits for it, and the wall clock runs.
    /// Raising `cancel` ends the job within some milliseconds, also while it waits for its slot;
    /// compiling is not interrupted.
    ///
    /// The thread needs [`STACK_BYTES`] of stack and 512 KiB more; Rust's default of 2 MiB will do.
    ///
    /// # Errors
    /// [`Refused`] if nothing could be run. All that the module does once it runs is [`Ended`].
    pub fn run(
        &self,
        job: &Job<'_>,
        observer: &dyn Fn(&[u8]),
        cancel: &AtomicBool,
    ) -> Result<Ended, Refused> {
        self.check_job(job)?;
        let prepared = self.prepare(job.module, job.float)?;
        prepared.facts.check_entry(job.abi)?;
        let (needed, limit) = (prepared.facts.memory_bytes_min, job.limits.memory_bytes);
        if needed > limit {
            return Err(Refused::MemoryOverLimit { needed, limit });
        }
        let Some(_slot) = self.slots.take(cancel) else { return Ok(Ended::Cancelled) };
        run(&prepared, job, observer, cancel)
    }

    /// Run the job that `spec` describes, as [`Self::run`] does: `bytes` are what its hashes name.
    ///
    /// The caller has checked the bytes against the hashes; the engine does not.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_spec(
        &self,
        spec: &JobSpec,
        bytes: &SpecBytes<'_>,
        cancel: &AtomicBool,
    ) -> Result<Ended, Refused> {
        let args: Vec<&str> = spec.args.iter().map(Text::as_str).collect();
        let env: Vec<&str> = spec.env.iter().map(Text::as_str).collect();
        let names = spec.files.iter().map(|file| file.name.as_str());
        let unpacked = unpack(names.zip(bytes.files.iter().copied()))?;
        let files: Vec<(&str, &[u8])> =
            unpacked.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
        let job = Job {
            module: bytes.module,
            abi: spec.abi,
            float: spec.float,
            input: bytes.input,
            args: &args,
            env: &env,
            files: &files,
            limits: spec.limits,
            seed: spec.seed,
            clock: spec.clock,
        };
        self.run(&job, &|_chunk| {}, cancel)
    }

    fn prepare(&self, module: &[u8], float: Float) -> Result<Arc<Prepared>, Refused> {
        let mode = match float {
            Float::Strict => &self.strict,
            Float::ArchClass => &self.arch_class,
        };
        self.modules.get((Hash::of_content(module), float), || {
            let facts = Facts::read(module)?;
            facts.check_imports(&self.offer)?;
            let start = facts.has_start.map(|_| start_name(&facts));
            let compiled = Module::from_binary(&mode.engine, &rewrite(module, &facts))
                .map_err(|error| Refused::NotCompiled(format!("{error:#}")))?;
            let instance = mode.linker.instantiate_pre(&compiled).map_err(machine)?;
            Ok(Prepared { instance, fuel: fuel_name(&facts), facts, start })
        })
    }

    fn check_job(&self, job: &Job<'_>) -> Result<(), Refused> {
        let at_most = |what, asked, offered| {
            if asked <= offered {
                Ok(())
            } else {
                Err(Refused::LimitTooHigh { what, asked, offered })
            }
        };
        at_most("memory", job.limits.memory_bytes, self.config.memory_bytes_max)?;
        at_most("output", job.limits.output_bytes, OUTPUT_BYTES_MAX)?;
        for (what, texts) in [("argument", job.args), ("environment", job.env)] {
            if let Some(text) = texts.iter().find(|text| text.contains('\0')) {
                return Err(Refused::ZeroByte { what, text: text.chars().take(80).collect() });
            }
        }
        check_file_names(job.files.iter().map(|(name, _)| *name))
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Mode {
    fn new(float: Float, config: &EngineConfig, places: Places) -> wasmtime::Result<Self> {
        let engine = wasmtime::Engine::new(&settings(float, config, places))?;
        let mut linker = Linker::new(&engine);
        raw::link(&mut linker)?;
        wasi::link(&mut linker)?;
        Ok(Self { engine, linker })
    }

    /// Every import that modules may have, with its type.
    #[expect(unsafe_code, reason = "its store is gone before what it borrows")]
    fn offer(&self) -> Offer {
        let nobody = Job::new(&[], types::Abi::Raw, NO_LIMITS);
        let cancel = AtomicBool::new(false);
        // SAFETY: the store, which holds the loan, is declared after what it borrows and dropped before.
        let loan = unsafe { crate::loan::Loan::new(&nobody, &|_| {}, &cancel) };
        let mut store = Store::new(&self.engine, State::new(loan));
        let items: Vec<_> = self
            .linker
            .iter(&mut store)
            .map(|(m, n, item)| (m.to_owned(), n.to_owned(), item))
            .collect();
        let types = items.into_iter().filter_map(|(module, name, item)| {
            let ty = item.into_func()?.ty(&store);
            let (parameters, results): (Vec<_>, Vec<_>) =
                (ty.params().collect(), ty.results().collect());
            Some(((module, name), signature(&parameters, &results)))
        });
        types.collect()
    }
}

const NO_LIMITS: types::Limits =
    types::Limits { fuel: Fuel::ZERO, memory_bytes: 0, output_bytes: 0, wall: types::Millis::ZERO };

/// What makes runs reproducible and bounded. What this decides about results, the profile names.
fn settings(float: Float, config: &EngineConfig, places: Places) -> Config {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_core_instances(config.slots)
        // One more for the heap of exceptions.
        .total_memories(config.slots * (MEMORIES_MAX + 1))
        .total_gc_heaps(config.slots)
        .total_tables(config.slots * TABLES_MAX)
        .max_memories_per_module(MEMORIES_MAX)
        .max_tables_per_module(TABLES_MAX)
        .max_memory_size(config.memory_bytes_max as usize)
        .max_core_instance_size(INSTANCE_BYTES_MAX)
        .table_elements(TABLE_ELEMENTS_MAX as usize)
        .max_unused_warm_slots(config.slots)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(4096);
    let mut settings = Config::new();
    settings
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(float == Float::Strict)
        .cranelift_opt_level(OptLevel::Speed)
        .wasm_simd(true)
        .wasm_relaxed_simd(true)
        .relaxed_simd_deterministic(true)
        .wasm_multi_memory(true)
        .wasm_tail_call(true)
        .wasm_extended_const(true)
        .wasm_memory64(false)
        .wasm_exceptions(true)
        // Atomic instructions, which many toolchains emit for one thread. No memory may be shared.
        .wasm_threads(true)
        .shared_memory(false)
        .collector(Collector::DeferredReferenceCounting)
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_wide_arithmetic(false)
        .wasm_custom_page_sizes(false)
        .max_wasm_stack(STACK_BYTES)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(1))
        .generate_address_map(places == Places::Bytes);
    settings
}

fn check_config(config: &EngineConfig) -> Result<(), Refused> {
    if !(1..=SLOTS_MAX).contains(&config.slots) {
        return Err(Refused::BadConfig("slots must be 1 to 1,000"));
    }
    if !(PAGE_BYTES..=MEMORY_BYTES_MAX).contains(&config.memory_bytes_max) {
        return Err(Refused::BadConfig("memory_bytes_max must be 64 KiB to 4 GiB"));
    }
    if config.cache_modules == 0 {
        return Err(Refused::BadConfig("cache_modules must be at least 1"));
    }
    Ok(())
}

/// A failure of this machine: what a module or a job can do wrong has been checked before.
fn machine(error: wasmtime::Error) -> Refused {
    Refused::Machine(format!("{error:#}"))
}

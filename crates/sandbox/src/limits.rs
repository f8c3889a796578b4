//! Limits every worker shares: what no job may exceed at any price.
//!
//! They are part of the execution profile. A job's own limits ([`types::Limits`]) come on top.

use types::Trap;
use wasmtime::ResourceLimiter;

/// The engine's version, pinned in the workspace; part of the execution profile.
pub(crate) const WASMTIME: &str = "48.0.8";

/// Largest module accepted, in bytes. Models and data belong in blobs, not in the module.
pub const MODULE_BYTES_MAX: usize = types::MODULE_BYTES_MAX as usize;
/// Most linear memories one module may have. Each costs a worker 4 GiB of address space.
pub const MEMORIES_MAX: u32 = 4;
/// Most tables one module may have.
pub const TABLES_MAX: u32 = 4;
/// Most elements in one table; the largest Go programs use about 30,000.
pub const TABLE_ELEMENTS_MAX: u32 = 200_000;
/// Most bytes a job may be allowed to print: they are kept in memory until it ends.
pub const OUTPUT_BYTES_MAX: u64 = 1 << 30;
/// Stack for WebAssembly frames. Callers of [`crate::Engine::run`] need this much and 512 KiB more.
pub const STACK_BYTES: usize = 1 << 20;
/// Most files a job may hold open.
pub(crate) const OPEN_FILES_MAX: usize = 1024;
/// Most memory a 32-bit module can address.
pub(crate) const MEMORY_BYTES_MAX: u64 = 1 << 32;
pub(crate) const PAGE_BYTES: u64 = 64 << 10;

/// Counts what an instance holds and says no at the limit.
///
/// The answer depends on the job's limit alone, never on what the machine has to spare: when the
/// machine cannot keep a promise, [`Bounds::broken`] says so and the run has no outcome at all.
pub(crate) struct Bounds {
    memory_bytes_max: u64,
    memory_bytes: u64,
    /// The most it was until now.
    memory_bytes_most: u64,
    memory_refused: bool,
    /// Bytes of memory given since the module was loaded and not yet paid for.
    unpaid_bytes: u64,
    broken: Option<String>,
}

impl Bounds {
    pub(crate) fn new(memory_bytes_max: u64) -> Self {
        Self {
            memory_bytes_max,
            memory_bytes: 0,
            memory_bytes_most: 0,
            memory_refused: false,
            unpaid_bytes: 0,
            broken: None,
        }
    }

    /// What a trap inside the module is called, given how growing went before it.
    pub(crate) fn trap(&self) -> Trap {
        if self.memory_refused { Trap::OutOfMemory } else { Trap::Wasm }
    }

    /// Bytes of memory that were given since this was last asked.
    pub(crate) fn take_unpaid(&mut self) -> u64 {
        std::mem::take(&mut self.unpaid_bytes)
    }

    /// The most it held at once, in memory and in files.
    pub(crate) const fn memory_bytes_most(&self) -> u64 {
        self.memory_bytes_most
    }

    /// Take `bytes` for files, if the job may have them.
    pub(crate) fn take(&mut self, bytes: u64) -> bool {
        let total = self.memory_bytes.saturating_add(bytes);
        let fits = total <= self.memory_bytes_max;
        if fits {
            self.hold(total);
        } else {
            self.memory_refused = true;
        }
        fits
    }

    /// Files need `bytes` less.
    pub(crate) fn give_back(&mut self, bytes: u64) {
        let left = self.memory_bytes.checked_sub(bytes);
        self.memory_bytes = left.expect("no more is given back than was taken");
    }

    fn hold(&mut self, total: u64) {
        self.memory_bytes = total;
        self.memory_bytes_most = self.memory_bytes_most.max(total);
    }

    pub(crate) fn broken(&mut self) -> Option<String> {
        self.broken.take()
    }
}

impl ResourceLimiter for Bounds {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory_bytes - current as u64 + desired as u64;
        if total > self.memory_bytes_max {
            self.memory_refused = true;
            return Ok(false);
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false); // The module's own maximum: no fault of the limit.
        }
        self.unpaid_bytes += desired as u64 - current as u64;
        self.hold(total);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        // Wasmtime asks about growth past 4 GiB nowhere else; every other failure is the machine's.
        if error.to_string().contains("memory type's limits") {
            self.memory_refused = true;
        } else {
            self.broken = Some(error.to_string());
        }
        Ok(())
    }

    fn table_growing(
        &mut self,
        _: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX as usize
            && maximum.is_none_or(|maximum| desired <= maximum))
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.broken = Some(error.to_string());
        Ok(())
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX as usize
    }

    fn tables(&self) -> usize {
        TABLES_MAX as usize
    }
}

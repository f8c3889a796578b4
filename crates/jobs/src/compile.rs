//! Compiling: what a worker does once for each module, before it can run it.
//!
//! Machines differ in how long it takes them, and a worker that ran the module before is done at once. So nothing here is
//! measured: time and price follow from the module's declared length, the same on every node.

use types::Millis;

/// Bytes of a module that even a small, busy machine compiles in a millisecond of its time. A module of 31 MB takes 100
/// to 200 seconds of two slow cores that also run eight validators; it gets 310.
const BYTES_PER_MS: u64 = 100;
/// Bytes of a module whose compilation is priced as one microsecond of a core. It takes about three; a worker keeps what it
/// compiled for the jobs that follow.
const BYTES_PER_CORE_US: u64 = 1;

/// How much longer than the run itself a worker may take before it commits.
pub const fn compile_time(module_len: u64) -> Millis {
    Millis::new(module_len / BYTES_PER_MS)
}

/// What compiling counts for in the price, as microseconds of one core.
pub(crate) const fn compile_core_us(module_len: u64) -> u64 {
    module_len / BYTES_PER_CORE_US
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_modules_get_no_time_and_large_ones_minutes() {
        let time = |len| compile_time(len).get();
        assert_eq!((time(99), time(100), time(31_000_000)), (0, 1, 310_000));
        assert_eq!(compile_core_us(2_000_000), 2_000_000);
    }
}

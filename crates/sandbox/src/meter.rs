//! The meter: what work costs in [`Fuel`], and the name of the whole price list.

use crate::limits::{
    MEMORIES_MAX, OUTPUT_BYTES_MAX, PAGE_BYTES, STACK_BYTES, TABLE_ELEMENTS_MAX, TABLES_MAX,
    WASMTIME,
};
use std::sync::LazyLock;
use types::{ExecProfile, Float, Fuel, domain_hash};
use wasmparser::Operator;
use wasmtime::OperatorCost;

/// Bringing a module to life, before its data: about 4 µs of a machine's time.
const LOAD: u64 = 1_000;
/// Each byte of an active data segment, and each element of a table.
const LOAD_BYTE: u64 = 1;
/// Each page of memory, at the start or grown. The machine pays for it on first touch, the module
/// for what it was given: what `memory.grow` was refused costs nothing.
const PAGE: u64 = 256;
/// How much work a loop does before it is written down. A fault forgets at most this much.
pub(crate) const CREDIT: u64 = 4_096;
/// Entering a function.
pub(crate) const FUNCTION: u64 = 1;
/// Throwing an exception: it is kept on a heap, and frames are searched for a handler.
const THROW: u64 = 1_000;
/// Each call from the module to the host.
pub(crate) const HOST_CALL: u64 = 100;
/// Each byte the host reads, writes, hashes or compares for the module.
pub(crate) const HOST_BYTE: u64 = 1;

/// What decides the fuel and the bytes of a run beside the job itself. Any edit here, or to what the
/// host functions charge or answer, is a new profile: raise the number.
const REVISION: &str = "meshx-sandbox 3";

/// What makes two runs comparable: H(engine version, configuration, operator cost table).
///
/// Workers compare and pay only runs of one profile. [`Float::ArchClass`] also names this
/// machine's architecture, since its NaNs are part of the result.
///
/// ```
/// use types::Float;
/// assert_eq!(sandbox::profile(Float::Strict), sandbox::profile(Float::Strict));
/// assert_ne!(sandbox::profile(Float::Strict), sandbox::profile(Float::ArchClass));
/// ```
///
/// Source: whitepaper §2.3; DESIGN §11.
pub fn profile(float: Float) -> ExecProfile {
    // Printing the cost table takes longer than a small job, and it never changes.
    static STRICT: LazyLock<ExecProfile> = LazyLock::new(|| profile_of(Float::Strict));
    static ARCH_CLASS: LazyLock<ExecProfile> = LazyLock::new(|| profile_of(Float::ArchClass));
    match float {
        Float::Strict => *STRICT,
        Float::ArchClass => *ARCH_CLASS,
    }
}

fn profile_of(float: Float) -> ExecProfile {
    let floats = match float {
        Float::Strict => "strict".to_owned(),
        Float::ArchClass => format!("arch-class {}", std::env::consts::ARCH),
    };
    let limits = [MEMORIES_MAX, TABLES_MAX, TABLE_ELEMENTS_MAX].map(u64::from);
    let work = [LOAD, LOAD_BYTE, PAGE, CREDIT, FUNCTION, THROW, HOST_CALL, HOST_BYTE];
    let host = [STACK_BYTES as u64, OUTPUT_BYTES_MAX].into_iter().chain(work).collect::<Vec<_>>();
    domain_hash(
        "meshx/exec-profile/v1",
        &[
            REVISION.as_bytes(),
            format!("wasmtime {WASMTIME}").as_bytes(),
            floats.as_bytes(),
            format!("{limits:?} {host:?}").as_bytes(),
            format!("{OPERATORS:?}").as_bytes(),
        ],
    )
}

/// Wasmtime's own table: 1 for nearly everything, 0 for what makes no code, 1 more per byte or
/// element of bulk operations. Named in the profile, so that a new default is a new profile.
static OPERATORS: OperatorCost = OperatorCost::new();

/// What running `operator` once costs, beside [`bulk`].
pub(crate) fn operator(operator: &Operator<'_>) -> u64 {
    let cost = u64::try_from(OPERATORS.cost(operator)).unwrap_or(0);
    match operator {
        Operator::Throw { .. } | Operator::ThrowRef => cost + THROW,
        _ => cost,
    }
}

/// What each byte or element costs that `operator` copies, fills or grows by.
pub(crate) fn bulk(operator: &Operator<'_>) -> Option<u64> {
    let table = &OPERATORS.variable;
    let each = match operator {
        Operator::MemoryCopy { .. } => table.memory_copy_per_byte,
        Operator::MemoryFill { .. } => table.memory_fill_per_byte,
        Operator::MemoryInit { .. } => table.memory_init_per_byte,
        Operator::TableCopy { .. } => table.table_copy_per_element,
        Operator::TableFill { .. } => table.table_fill_per_element,
        Operator::TableInit { .. } => table.table_init_per_element,
        Operator::TableGrow { .. } => table.table_grow_per_element,
        _ => return None,
    };
    Some(each.into())
}

/// What it costs to bring a module to life: the same however the engine lays out its memory.
pub(crate) fn load(memory_bytes: u64, data_bytes: u64, elements: u64) -> Fuel {
    let bytes = data_bytes.saturating_add(elements).saturating_mul(LOAD_BYTE);
    Fuel::new(LOAD).saturating_add(Fuel::new(bytes)).saturating_add(pages(memory_bytes))
}

/// What `bytes` of memory cost.
pub(crate) fn pages(bytes: u64) -> Fuel {
    Fuel::new(bytes.div_ceil(PAGE_BYTES).saturating_mul(PAGE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_names_the_version_that_is_built() {
        let manifest = include_str!("../../../Cargo.toml");
        let pinned = format!("wasmtime = {{ version = \"={WASMTIME}\"");
        assert!(manifest.contains(&pinned), "{pinned}");
    }

    #[test]
    fn loading_is_priced_by_the_byte() {
        assert_eq!(load(0, 0, 0), Fuel::new(1_000));
        assert_eq!(load(0, 7, 0), Fuel::new(1_007));
        assert_eq!(load(PAGE_BYTES + 1, 0, 3), Fuel::new(1_000 + 2 * 256 + 3));
        assert_eq!(load(u64::MAX, u64::MAX, u64::MAX), Fuel::new(u64::MAX));
    }
}

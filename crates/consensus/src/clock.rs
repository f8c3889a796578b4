//! The time, and how far a block's may be from its parent's.

use commonware_runtime::Clock;
use std::time::{Duration, UNIX_EPOCH};

/// A block's clock may run ahead of its parent's by this much. It bounds how long a validator can be
/// made to wait; a network that was down for long catches up ten seconds a block.
pub(crate) const TIMESTAMP_STEP_MAX: u64 = 10_000;

/// Milliseconds since the Unix epoch.
pub(crate) fn now<E: Clock>(clock: &E) -> u64 {
    let since = clock.current().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

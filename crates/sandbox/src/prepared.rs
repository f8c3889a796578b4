//! A module that has been compiled and linked, and waits for runs.

use crate::facts::Facts;
use crate::state::State;
use wasmtime::InstancePre;

/// A module ready to run.
pub(crate) struct Prepared {
    pub(crate) instance: InstancePre<State>,
    pub(crate) facts: Facts,
    /// The export to call first, if the module has a start function.
    pub(crate) start: Option<String>,
    /// The export that holds the fuel left.
    pub(crate) fuel: String,
}

//! WASI preview 1 error codes, those that occur here.

use crate::call::Outside;
use crate::state::Stop;
use types::Trap;

/// Why a call failed, as the module is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Errno {
    Badf = 8,
    Busy = 10,
    Exist = 20,
    Fbig = 22,
    Ilseq = 25,
    Inval = 28,
    Isdir = 31,
    Loop = 32,
    Mlink = 34,
    Nametoolong = 37,
    Nfile = 41,
    Noent = 44,
    Nomem = 48,
    Nospc = 51,
    Notdir = 54,
    Notempty = 55,
    Notsock = 57,
    Notsup = 58,
    Overflow = 61,
    Perm = 63,
    Spipe = 70,
}

/// A call that did not succeed: the module is told, or it is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fail {
    Told(Errno),
    Ended(Stop),
}

impl Fail {
    /// A flag or a choice that preview 1 does not have. Like a bad pointer it ends the program, as
    /// in wasmtime-wasi.
    pub(crate) const BAD_ARGUMENT: Self = Self::Ended(Stop::Trap(Trap::Wasm));
}

impl From<Errno> for Fail {
    fn from(errno: Errno) -> Self {
        Self::Told(errno)
    }
}

impl From<Stop> for Fail {
    fn from(stop: Stop) -> Self {
        Self::Ended(stop)
    }
}

impl From<Outside> for Fail {
    /// A bad pointer traps, as the WASI documents ask and wasmtime-wasi does.
    fn from(_: Outside) -> Self {
        Self::Ended(Stop::Trap(Trap::Wasm))
    }
}

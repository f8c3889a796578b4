//! The caller's borrows, held by a store that the compiler believes might live for ever.

use crate::Job;
use std::sync::atomic::{AtomicBool, Ordering};

/// What the caller lends for the time of one run. Copying inputs of a hundred megabytes into every
/// store would be the alternative: wasmtime wants a store's data to be `'static`.
#[derive(Clone, Copy)]
pub(crate) struct Loan {
    job: &'static Job<'static>,
    observer: &'static dyn Fn(&[u8]),
    cancel: &'static AtomicBool,
}

impl Loan {
    /// # Safety
    /// The loan and all its copies must be gone before any of the three borrows ends. Its one
    /// caller, [`crate::run::run`], keeps it inside a store that it drops before it returns.
    pub(crate) unsafe fn new(job: &Job<'_>, observer: &dyn Fn(&[u8]), cancel: &AtomicBool) -> Self {
        // SAFETY: only lifetimes change, and the caller promises to end ours first.
        unsafe {
            Self {
                job: std::mem::transmute::<&Job<'_>, &'static Job<'static>>(job),
                observer: std::mem::transmute::<&dyn Fn(&[u8]), &'static dyn Fn(&[u8])>(observer),
                cancel: std::mem::transmute::<&AtomicBool, &'static AtomicBool>(cancel),
            }
        }
    }

    pub(crate) fn job(&self) -> &Job<'_> {
        self.job
    }

    pub(crate) fn observe(&self, chunk: &[u8]) {
        (self.observer)(chunk);
    }

    pub(crate) fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
}

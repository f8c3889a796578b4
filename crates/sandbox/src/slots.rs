//! Slots: how many jobs run at once, who waits, and the clock that interrupts them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a running job is asked whether it may go on.
const TICK: Duration = Duration::from_millis(5);

/// A pool's places. Jobs beyond them queue; while any run, a thread ticks.
pub(crate) struct Slots {
    count: u32,
    state: Mutex<Used>,
    changed: Condvar,
}

#[derive(Default)]
struct Used {
    slots: u32,
    closed: bool,
}

/// One place in the pool, given back when dropped.
pub(crate) struct Slot<'a>(&'a Slots);

/// Ends the ticking thread when dropped.
pub(crate) struct Ticker(Arc<Slots>);

impl Slots {
    pub(crate) fn new(count: u32) -> Arc<Self> {
        Arc::new(Self { count, state: Mutex::default(), changed: Condvar::new() })
    }

    /// Wait for a place, or for `cancel`.
    pub(crate) fn take(&self, cancel: &AtomicBool) -> Option<Slot<'_>> {
        let mut used = self.lock();
        while used.slots == self.count {
            if cancel.load(Ordering::Relaxed) {
                return None;
            }
            // The flag wakes nobody, so look at it now and then.
            let (again, _) =
                self.changed.wait_timeout(used, TICK).unwrap_or_else(PoisonError::into_inner);
            used = again;
        }
        used.slots += 1;
        if used.slots == 1 {
            self.changed.notify_all(); // The ticker sleeps while nothing runs.
        }
        Some(Slot(self))
    }

    fn lock(&self) -> MutexGuard<'_, Used> {
        // Nothing panics while it holds the lock; even if, a count is never half-written.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut used = self.0.lock();
        used.slots -= 1;
        let queued = used.slots + 1 == self.0.count;
        drop(used);
        if queued {
            self.0.changed.notify_one();
        }
    }
}

impl Ticker {
    /// Call `tick` every few milliseconds while any slot is used.
    pub(crate) fn start(
        slots: &Arc<Slots>,
        tick: impl Fn() + Send + 'static,
    ) -> std::io::Result<Self> {
        let ticking = Arc::clone(slots);
        std::thread::Builder::new().name("sandbox-ticker".into()).spawn(move || {
            loop {
                let mut used = ticking.lock();
                while used.slots == 0 && !used.closed {
                    used = ticking.changed.wait(used).unwrap_or_else(PoisonError::into_inner);
                }
                if used.closed {
                    return;
                }
                drop(used);
                tick();
                std::thread::sleep(TICK);
            }
        })?;
        Ok(Self(Arc::clone(slots)))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }
}

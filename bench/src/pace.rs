//! A load that comes on time: some batches a second, and no more under way than may be.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// The load comes in this many batches a second.
pub const TICKS_PER_SECOND: usize = 40;
/// Most transactions that may wait for finality before the load is held back.
const IN_FLIGHT_MAX: usize = 25_000;

/// What the threads share that make a load, hand it in and see it become final.
pub struct Pace {
    pub start: Instant,
    submitted: AtomicUsize,
    seen: AtomicUsize,
    held_back: AtomicUsize,
    over: AtomicBool,
    failure: Mutex<Option<String>>,
}

impl Pace {
    /// The load begins now.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            submitted: AtomicUsize::new(0),
            seen: AtomicUsize::new(0),
            held_back: AtomicUsize::new(0),
            over: AtomicBool::new(false),
            failure: Mutex::new(None),
        }
    }

    /// Wait until batch number `tick`, of `count` transactions, is due and not too many are under way, and count them
    /// as submitted; false if the load is over.
    pub fn wait_turn(&self, tick: usize, count: usize) -> bool {
        let due = self.start + Duration::from_secs_f64(tick as f64 / TICKS_PER_SECOND as f64);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let in_flight = || self.submitted() - self.seen.load(Ordering::Relaxed);
        if in_flight() > IN_FLIGHT_MAX {
            self.held_back.fetch_add(1, Ordering::Relaxed);
        }
        while in_flight() > IN_FLIGHT_MAX && !self.is_over() {
            thread::sleep(Duration::from_millis(2));
        }
        if self.is_over() {
            return false;
        }
        self.submitted.fetch_add(count, Ordering::Relaxed);
        true
    }

    /// So many are final.
    pub fn see(&self, count: usize) {
        self.seen.store(count, Ordering::Relaxed);
    }

    /// So many were submitted.
    pub fn submitted(&self) -> usize {
        self.submitted.load(Ordering::Relaxed)
    }

    /// How many batches had to wait.
    pub fn held_back(&self) -> usize {
        self.held_back.load(Ordering::Relaxed)
    }

    /// Nothing more is to come.
    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// End it, and keep the first reason.
    pub fn fail(&self, why: String) {
        self.failure.lock().expect("no panic while locked").get_or_insert(why);
        self.end();
    }

    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    pub fn failure(&self) -> Option<String> {
        self.failure.lock().expect("no panic while locked").take()
    }
}

//! What one run holds outside the module: its streams, its clock, its open files.

use crate::limits::Bounds;
use crate::loan::Loan;
use crate::wasi::{Clock, Descriptors, Files, Random};
use std::time::{Duration, Instant};
use types::Trap;
use wasmtime::{Global, Memory};

/// The store's data.
pub(crate) struct State {
    pub(crate) loan: Loan,
    pub(crate) bounds: Bounds,
    pub(crate) memory: Option<Memory>,
    /// The module's count of the fuel left, once there is an instance.
    pub(crate) count: Option<Global>,
    pub(crate) stdout: Stream,
    pub(crate) stderr: Stream,
    pub(crate) fuel_host: u64,
    pub(crate) files: Files,
    pub(crate) descriptors: Descriptors,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    began: Instant,
}

/// Why the host ended a run in the middle of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub(crate) enum Stop {
    Exit(i32),
    Trap(Trap),
    Killed,
    Cancelled,
}

impl State {
    pub(crate) fn new(loan: Loan) -> Self {
        let job = loan.job();
        let clock = Clock::starting(job.clock);
        let mut files = Files::new(job.files.iter().map(|(name, _)| *name), clock.now_realtime());
        Self {
            bounds: Bounds::new(job.limits.memory_bytes),
            memory: None,
            count: None,
            stdout: Stream::new(job.limits.output_bytes),
            stderr: Stream::new(job.limits.output_bytes),
            fuel_host: 0,
            descriptors: Descriptors::new(&mut files),
            files,
            clock,
            random: Random::seeded(job.seed),
            began: Instant::now(),
            loan,
        }
    }

    /// Whether the run may go on; asked at every tick.
    pub(crate) fn may_go_on(&self) -> Result<(), Stop> {
        if self.loan.cancelled() {
            Err(Stop::Cancelled)
        } else if self.began.elapsed() >= Duration::from_millis(self.loan.job().limits.wall.get()) {
            Err(Stop::Killed)
        } else {
            Ok(())
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Append to standard output, as much as fits, and show it to the observer.
    pub(crate) fn print(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let (taken, result) = self.stdout.append(bytes);
        if taken > 0 {
            self.loan.observe(&bytes[..taken]);
        }
        result
    }
}

/// Output that ends exactly at its limit.
pub(crate) struct Stream {
    bytes: Vec<u8>,
    bytes_max: u64,
}

impl Stream {
    fn new(bytes_max: u64) -> Self {
        Self { bytes: vec![], bytes_max }
    }

    /// Keep as many of `bytes` as fit and say how many. One byte too many ends the run.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> (usize, Result<(), Stop>) {
        let room = (self.bytes_max - self.bytes.len() as u64) as usize;
        let taken = bytes.len().min(room);
        self.bytes.extend_from_slice(&bytes[..taken]);
        let fits = taken == bytes.len();
        (taken, if fits { Ok(()) } else { Err(Stop::Trap(Trap::OutputTooLong)) })
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        assert!(self.bytes.len() as u64 <= self.bytes_max);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_ends_exactly_at_the_limit() {
        let mut stream = Stream::new(5);
        assert_eq!(stream.append(b"abc"), (3, Ok(())));
        assert_eq!(stream.append(b"de"), (2, Ok(())));
        assert_eq!(stream.append(b""), (0, Ok(())));
        assert_eq!(stream.append(b"f"), (0, Err(Stop::Trap(Trap::OutputTooLong))));
        assert_eq!(stream.into_bytes(), b"abcde");
    }
}

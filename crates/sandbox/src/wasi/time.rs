//! Time as a job sees it: it starts at the job's clock and moves only when asked for or slept on.

use super::descriptors::Descriptor;
use super::errno::{Errno, Fail};
use super::streams::len_of;
use crate::call::{Call, align, at};
use types::Millis;

type Answer = Result<(), Fail>;

/// How far one reading moves the clock, in nanoseconds; also its resolution.
pub(super) const STEP: u64 = 1_000;

const REALTIME: u32 = 0;
const MONOTONIC: u32 = 1;
const CLOCKS: u32 = 4;

/// Most events one call may wait for: the host keeps a note of each.
const SUBSCRIPTIONS_MAX: u32 = 1 << 16;
const SUBSCRIPTION_BYTES: u32 = 48;
const EVENT_BYTES: u32 = 32;
const ABSOLUTE: u16 = 1;
const HANGUP: u16 = 1;

/// Nanoseconds: realtime since the Unix epoch, monotonic since the job's start.
pub(crate) struct Clock {
    start: u64,
    passed: u64,
}

impl Clock {
    pub(crate) fn starting(at: Millis) -> Self {
        Self { start: at.get().saturating_mul(1_000_000), passed: 0 }
    }

    pub(crate) fn now_realtime(&self) -> u64 {
        self.start.saturating_add(self.passed)
    }

    fn read(&mut self, clock: u32) -> u64 {
        self.pass(STEP);
        if clock == REALTIME { self.now_realtime() } else { self.passed }
    }

    fn pass(&mut self, nanoseconds: u64) {
        self.passed = self.passed.saturating_add(nanoseconds);
    }

    /// How long until `timeout` on `clock`.
    fn until(&self, clock: u32, timeout: u64, absolute: bool) -> u64 {
        match (absolute, clock) {
            (false, _) => timeout,
            (true, REALTIME) => timeout.saturating_sub(self.now_realtime()),
            (true, _) => timeout.saturating_sub(self.passed),
        }
    }
}

pub(super) fn clock_res_get(call: &mut Call<'_>, clock: u32, result: u32) -> Answer {
    known(clock)?;
    Ok(call.write_u64(result, STEP)?)
}

pub(super) fn clock_time_get(
    call: &mut Call<'_>,
    clock: u32,
    _precision: u64,
    result: u32,
) -> Answer {
    known(clock)?;
    let now = call.state.clock.read(clock);
    Ok(call.write_u64(result, now)?)
}

fn known(clock: u32) -> Answer {
    match clock {
        REALTIME | MONOTONIC => Ok(()),
        _ if clock < CLOCKS => Err(Errno::Badf.into()), // Processor time would differ between machines.
        _ => Err(Fail::BAD_ARGUMENT),
    }
}

/// What one subscription waits for.
#[derive(Clone, Copy)]
enum Waiting {
    Clock { nanoseconds: u64 },
    Read { bytes_left: Option<u64> },
    Write,
}

/// Wait for the first of several events. Streams and files are always ready; a job that only waits
/// for clocks has them moved forward to the first alarm.
pub(super) fn poll_oneoff(
    call: &mut Call<'_>,
    subscriptions: u32,
    events: u32,
    count: u32,
    result: u32,
) -> Answer {
    if count == 0 {
        return Err(Errno::Inval.into());
    }
    if count > SUBSCRIPTIONS_MAX {
        return Err(Errno::Nomem.into());
    }
    call.charge_bytes(count as usize * (SUBSCRIPTION_BYTES + EVENT_BYTES) as usize)?;
    align(subscriptions, 8)?;
    align(events, 8)?;
    let mut waits = vec![];
    let mut wait_min = u64::MAX;
    for index in 0..count {
        let (userdata, waiting) =
            subscription(call, at(subscriptions, index * SUBSCRIPTION_BYTES)?)?;
        wait_min = wait_min.min(match waiting {
            Waiting::Clock { nanoseconds } => nanoseconds,
            Waiting::Read { .. } | Waiting::Write => 0,
        });
        waits.push((userdata, waiting));
    }
    call.state.clock.pass(wait_min);
    let mut ready = 0;
    for (userdata, waiting) in waits {
        let (kind, nbytes, flags) = match waiting {
            Waiting::Clock { nanoseconds } if nanoseconds > wait_min => continue,
            Waiting::Clock { .. } => (0, 0, 0),
            Waiting::Read { bytes_left: Some(0) } => (1, 1, HANGUP),
            Waiting::Read { .. } => (1, 1, 0),
            Waiting::Write => (2, 1, 0),
        };
        let event = at(events, ready * EVENT_BYTES)?;
        call.write_u64(event, userdata)?;
        call.write_u16(at(event, 8)?, 0)?;
        call.write(at(event, 10)?, &[kind])?;
        call.write_u64(at(event, 16)?, nbytes)?;
        call.write_u16(at(event, 24)?, flags)?;
        ready += 1;
    }
    Ok(call.write_u32(result, ready)?)
}

fn subscription(call: &mut Call<'_>, pointer: u32) -> Result<(u64, Waiting), Fail> {
    let userdata = call.read_u64(pointer)?;
    let kind = call.bytes(at(pointer, 8)?, 1)?[0];
    let subject = call.read_u32(at(pointer, 16)?)?; // A clock or a descriptor.
    let waiting = match kind {
        0 => {
            let timeout = call.read_u64(at(pointer, 24)?)?;
            let flags = call.read_u16(at(pointer, 40)?)?;
            if flags & !ABSOLUTE != 0 || subject > MONOTONIC {
                return Err(Errno::Inval.into());
            }
            let nanoseconds = call.state.clock.until(subject, timeout, flags & ABSOLUTE != 0);
            Waiting::Clock { nanoseconds }
        }
        1 => match call.state.descriptors.get(subject)? {
            Descriptor::Stdin => Waiting::Read { bytes_left: None },
            Descriptor::File(file) => {
                let len = len_of(call, file.id);
                Waiting::Read { bytes_left: Some(len.saturating_sub(file.position)) }
            }
            _ => return Err(Errno::Badf.into()),
        },
        2 => match call.state.descriptors.get(subject)? {
            Descriptor::Stdout | Descriptor::Stderr | Descriptor::File(_) => Waiting::Write,
            _ => return Err(Errno::Badf.into()),
        },
        _ => return Err(Errno::Inval.into()),
    };
    Ok((userdata, waiting))
}

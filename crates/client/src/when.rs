//! Moments and spans as people say them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use types::Millis;

/// A moment of the chain, with how far it is from now: `2026-11-30 15:10:00 UTC (3 min ago)`.
#[must_use]
pub fn moment(at: Millis) -> String {
    told(at, now())
}

/// How long ago that was: `3 min`.
#[must_use]
pub fn age(at: Millis) -> String {
    span(now().saturating_sub(at))
}

fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn told(at: Millis, now: Millis) -> String {
    let date = UNIX_EPOCH.checked_add(Duration::from_secs(at.get() / 1_000)).and_then(|time| {
        // Beyond the year 9999 it cannot be written.
        (at.get() < YEAR_10000_MS).then(|| humantime::format_rfc3339_seconds(time).to_string())
    });
    let Some(date) = date else { return "never".to_owned() };
    let date = date.replace('T', " ").replace('Z', " UTC");
    if at > now {
        format!("{date} (in {})", span(at.saturating_sub(now)))
    } else {
        format!("{date} ({} ago)", span(now.saturating_sub(at)))
    }
}

const YEAR_10000_MS: u64 = 253_402_300_800_000;

/// A span in its largest unit, rounded down: `40 s`, `3 min`, `5 h`, `12 days`.
#[must_use]
pub fn span(span: Millis) -> String {
    let seconds = span.get() / 1_000;
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_its_date_and_its_distance() {
        let at = 1_796_051_400_000;
        let check = |now: u64, expected: &str| {
            assert_eq!(told(Millis::new(at), Millis::new(now)), expected);
        };
        check(at, "2026-11-30 15:10:00 UTC (0 s ago)");
        check(at + 180_999, "2026-11-30 15:10:00 UTC (3 min ago)");
        check(at - 90_000, "2026-11-30 15:10:00 UTC (in 90 s)");
        check(at + 3 * 3_600_000, "2026-11-30 15:10:00 UTC (3 h ago)");
        check(at + 200 * 86_400_000, "2026-11-30 15:10:00 UTC (200 days ago)");
        assert_eq!(told(Millis::new(u64::MAX), Millis::new(at)), "never");
    }
}

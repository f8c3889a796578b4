//! What each identity may ask for, and how it stands: a peer that does what no honest node does gets marks, and with a
//! hundred of them is kept out for an hour.
//!
//! Identities cost nothing, so this bounds what one of them gets before it has to come again through the gate, which
//! counts addresses.

use governor::{Quota, RateLimiter, clock::DefaultClock, state::keyed::HashMapStateStore};
use libp2p::PeerId;
use std::{
    collections::HashMap,
    num::NonZeroU32,
    time::{Duration, Instant},
};

/// Streams that one identity may open at once, and then each second.
const STREAMS_BURST: NonZeroU32 = NonZeroU32::new(512).expect("not zero");
const STREAMS_PER_SECOND: NonZeroU32 = NonZeroU32::new(64).expect("not zero");
/// Identities that are remembered.
const REMEMBERED_MAX: usize = 4_096;
const BANNED_AT: f64 = 100.0;
const BANNED_FOR: Duration = Duration::from_secs(60 * 60);
/// Marks fade to half in this time.
const FADES: Duration = Duration::from_secs(10 * 60);

/// How many streams each identity opens.
pub(crate) struct Share(RateLimiter<PeerId, HashMapStateStore<PeerId>, DefaultClock>);

impl Default for Share {
    fn default() -> Self {
        let quota = Quota::per_second(STREAMS_PER_SECOND).allow_burst(STREAMS_BURST);
        Self(RateLimiter::hashmap(quota))
    }
}

impl Share {
    /// Whether `peer` may open one more stream now.
    pub(crate) fn admits(&self, peer: PeerId) -> bool {
        if self.0.len() >= REMEMBERED_MAX {
            // A peer that could burst again is as good as unknown.
            self.0.retain_recent();
        }
        self.0.check_key(&peer).is_ok()
    }
}

/// What no honest node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It brought a record that is not signed by the node it describes, is not its key's, or cannot be read.
    FalseRecord,
    /// It passed a message on that any listener can see to be false.
    FalseGossip,
    /// It opened more streams than its share.
    Flood,
}

impl Fault {
    const fn marks(self) -> f64 {
        match self {
            Self::FalseRecord | Self::FalseGossip => 25.0,
            Self::Flood => 1.0,
        }
    }
}

/// How everybody stands.
#[derive(Default)]
pub(crate) struct Standing {
    marks: HashMap<PeerId, (f64, Instant)>,
    banned: HashMap<PeerId, Instant>,
}

impl Standing {
    /// `peer` has done that at `now`. Returns whether it is to be kept out from now on.
    pub(crate) fn blame(&mut self, peer: PeerId, fault: Fault, now: Instant) -> bool {
        if self.banned.contains_key(&peer) {
            return false;
        }
        if self.marks.len() >= REMEMBERED_MAX && !self.marks.contains_key(&peer) {
            self.marks.retain(|_, of| faded(*of, now) >= 1.0);
            if self.marks.len() >= REMEMBERED_MAX {
                // Thousands of identities with fresh marks: they must not make this node's memory grow.
                // Forgetting helps them less than that would.
                self.marks.clear();
            }
        }
        let of = self.marks.entry(peer).or_insert((0.0, now));
        *of = (faded(*of, now) + fault.marks(), now);
        if of.0 < BANNED_AT {
            return false;
        }
        self.marks.remove(&peer);
        // Who is not on the list is not kept out either, since nobody would ever let it in again.
        let room = self.banned.len() < REMEMBERED_MAX;
        if room {
            self.banned.insert(peer, now + BANNED_FOR);
        }
        room
    }

    /// The peers to let in again.
    pub(crate) fn pardoned(&mut self, now: Instant) -> Vec<PeerId> {
        self.banned.extract_if(|_, until| *until <= now).map(|(peer, _)| peer).collect()
    }

    pub(crate) fn marks_of(&self, peer: &PeerId, now: Instant) -> f64 {
        self.marks.get(peer).map_or(0.0, |of| faded(*of, now))
    }

    pub(crate) fn banned(&self) -> usize {
        self.banned.len()
    }
}

fn faded((marks, since): (f64, Instant), now: Instant) -> f64 {
    let halves = now.saturating_duration_since(since).as_secs_f64() / FADES.as_secs_f64();
    marks * 0.5_f64.powf(halves)
}

/// A peer that could be replaced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) peer: PeerId,
    pub(crate) marks: f64,
    pub(crate) rtt: Option<Duration>,
}

/// Who goes first: the one with most marks; of equals the one that does not answer, then the slowest.
pub(crate) fn worst(candidates: &[Candidate]) -> Option<PeerId> {
    let slowness = |of: &Candidate| of.rtt.unwrap_or(Duration::MAX);
    let worse = |a: &Candidate, b: &Candidate| {
        a.marks.total_cmp(&b.marks).then_with(|| slowness(a).cmp(&slowness(b)))
    };
    candidates.iter().max_by(|a, b| worse(a, b)).map(|of| of.peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_identity_has_its_share_of_streams_and_others_theirs() {
        let share = Share::default();
        let (greedy, other) = (PeerId::random(), PeerId::random());
        let admitted = (0..5_000).filter(|_| share.admits(greedy)).count();
        // The clock goes on while this runs.
        assert!((512..1_024).contains(&admitted), "{admitted}");
        assert!(share.admits(other));
        for _ in 0..3 * REMEMBERED_MAX {
            share.admits(PeerId::random());
        }
        let again = (0..5_000).filter(|_| share.admits(greedy)).count();
        assert!(again < 512, "others' coming gives nobody a new burst: {again}");
    }

    #[test]
    fn false_records_keep_their_bringer_out_for_an_hour() {
        let (mut standing, start, liar) = (Standing::default(), Instant::now(), PeerId::random());
        let blamed: Vec<bool> =
            (0..5).map(|_| standing.blame(liar, Fault::FalseRecord, start)).collect();
        assert_eq!(blamed, [false, false, false, true, false], "said once");
        assert_eq!(standing.pardoned(start + BANNED_FOR / 2), []);
        assert_eq!(standing.pardoned(start + BANNED_FOR), [liar]);
        assert_eq!(standing.banned(), 0);
        assert!(!standing.blame(liar, Fault::FalseRecord, start + BANNED_FOR), "it begins anew");
    }

    #[test]
    fn marks_fade() {
        let (mut standing, start, clumsy) = (Standing::default(), Instant::now(), PeerId::random());
        for hour in 0..100 {
            let now = start + hour * Duration::from_secs(60 * 60);
            assert!(!standing.blame(clumsy, Fault::FalseRecord, now), "hour {hour}");
        }
        let of = standing.marks_of(&clumsy, start + 99 * Duration::from_secs(60 * 60) + FADES);
        assert!((12.0..14.0).contains(&of), "{of}");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut standing, start) = (Standing::default(), Instant::now());
        for _ in 0..3 * REMEMBERED_MAX {
            let peer = PeerId::random();
            for _ in 0..4 {
                standing.blame(peer, Fault::FalseRecord, start);
            }
            standing.blame(PeerId::random(), Fault::FalseRecord, start);
        }
        assert!(standing.marks.len() <= REMEMBERED_MAX, "{}", standing.marks.len());
        assert_eq!(standing.banned(), REMEMBERED_MAX);
    }

    #[test]
    fn the_worst_goes_first() {
        let of = |marks: f64, ms: Option<u64>| Candidate {
            peer: PeerId::random(),
            marks,
            rtt: ms.map(Duration::from_millis),
        };
        assert_eq!(worst(&[]), None);
        let all = [of(0.0, Some(300)), of(0.0, Some(20)), of(0.0, Some(80))];
        assert_eq!(worst(&all), Some(all[0].peer), "the slowest");
        let all = [of(0.0, Some(300)), of(0.0, None), of(0.0, Some(80))];
        assert_eq!(worst(&all), Some(all[1].peer), "the silent one");
        let all = [of(0.0, None), of(30.0, Some(1)), of(0.0, Some(80))];
        assert_eq!(worst(&all), Some(all[1].peer), "the one with marks");
    }
}

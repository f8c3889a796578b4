//! Whose votes were heard lately: what an operator asks first when a chain stands still.
//!
//! A vote is counted before its signature is checked. A committee member could so make another look alive, which only
//! misleads a display; nothing is decided by this.

use std::collections::BTreeMap;
use types::{Millis, PublicKey};

/// Votes that are older than the longest window are forgotten.
const FORGOTTEN: u64 = 300_000;
/// Keys kept: committees have at most a hundred members, and change.
const KEYS_MAX: usize = 400;

#[derive(Debug, Default)]
pub(crate) struct Voters {
    /// When each was heard last, in milliseconds since the Unix epoch.
    heard: BTreeMap<PublicKey, Millis>,
}

impl Voters {
    pub(crate) fn hear(&mut self, key: PublicKey, now: Millis) {
        self.heard.insert(key, now);
        if self.heard.len() > KEYS_MAX {
            self.heard.retain(|_, at| is_within(*at, now, FORGOTTEN));
        }
    }

    /// How many of `committee` voted in the last `window`. `own`, the validator that is asked, answers as long as it runs:
    /// where the others are silent, it tells itself of none of its votes.
    pub(crate) fn answering(
        &self,
        committee: &[PublicKey],
        own: &PublicKey,
        now: Millis,
        window: Millis,
    ) -> usize {
        let voted = |key: &&PublicKey| {
            let heard = self.heard.get(key);
            *key == own || heard.is_some_and(|at| is_within(*at, now, window.get()))
        };
        committee.iter().filter(voted).count()
    }
}

const fn is_within(at: Millis, now: Millis, window: u64) -> bool {
    now.get().saturating_sub(at.get()) < window
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_voted_lately_and_has_a_seat_answers() {
        let key = |n: u8| PublicKey([n; 32]);
        let mut voters = Voters::default();
        voters.hear(key(1), Millis::new(1_000));
        voters.hear(key(2), Millis::new(20_000));
        voters.hear(key(9), Millis::new(20_000));
        let committee = [key(1), key(2), key(3)];
        let window = Millis::new(30_000);
        let answering = |now| voters.answering(&committee, &key(3), Millis::new(now), window);
        assert_eq!(answering(20_000), 3);
        assert_eq!(answering(40_000), 2);
        assert_eq!(answering(60_000), 1);
        assert_eq!(voters.answering(&committee, &key(8), Millis::new(60_000), window), 0);
    }

    #[test]
    fn keys_of_old_committees_are_forgotten() {
        let mut voters = Voters::default();
        for n in 0..1_000_u64 {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&n.to_be_bytes());
            voters.hear(PublicKey(key), Millis::new(n * 1_000));
        }
        assert!(voters.heard.len() <= KEYS_MAX, "{}", voters.heard.len());
    }
}

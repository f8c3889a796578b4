//! What this process has seen of one chain since it started: recent blocks, jobs that were submitted, and counts.

use consensus::Final;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};
use types::{
    Action, Address, Hash, Height, JobId, Millis,
    state::{Event, Phase},
};

/// How many recent blocks the figures of `status` are taken from: a minute at two a second.
const WINDOW: usize = 120;

/// Most jobs that can be listed; all others are found by id.
const JOBS_LISTED_MAX: usize = 10_000;

/// A final block, as far as figures need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) height: Height,
    pub(crate) id: Hash,
    pub(crate) timestamp: Millis,
    /// From the proposer's timestamp until it was applied here.
    finality: Millis,
}

/// What became final.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) txs: u64,
    pub(crate) jobs_settled: u64,
    /// Without a result.
    pub(crate) jobs_ended: u64,
}

pub(crate) struct Seen {
    recent: VecDeque<Block>,
    /// When the newest block was seen, or this process began.
    newest_at: Instant,
    /// With their payers, oldest first.
    jobs: VecDeque<(JobId, Address)>,
    counts: Counts,
}

impl Default for Seen {
    fn default() -> Self {
        let (recent, jobs, counts) = Default::default();
        Self { recent, newest_at: Instant::now(), jobs, counts }
    }
}

impl Seen {
    pub(crate) fn add(&mut self, block: &Final) {
        self.counts.txs += block.txs.len() as u64;
        for event in &block.events {
            let Event::Job { phase, .. } = event else { continue };
            match phase {
                Phase::Settled(_) => self.counts.jobs_settled += 1,
                Phase::Ended { .. } => self.counts.jobs_ended += 1,
                Phase::Queued | Phase::Committing { .. } | Phase::Revealing { .. } => {}
            }
        }
        for tx in block.txs.iter().filter(|tx| matches!(tx.tx().action, Action::SubmitJob(_))) {
            self.add_job(tx.id(), tx.from());
        }
        let header = &block.header;
        let (height, timestamp) = (header.height, header.timestamp);
        self.add_block(Block { height, id: header.id(), timestamp, finality: block.finality });
    }

    fn add_block(&mut self, block: Block) {
        self.newest_at = Instant::now();
        self.recent.push_back(block);
        if self.recent.len() > WINDOW {
            self.recent.pop_front();
        }
    }

    fn add_job(&mut self, job: JobId, payer: Address) {
        self.jobs.push_back((job, payer));
        if self.jobs.len() > JOBS_LISTED_MAX {
            self.jobs.pop_front();
        }
    }

    pub(crate) const fn counts(&self) -> Counts {
        self.counts
    }

    /// How long there has been no new block.
    pub(crate) fn silence(&self) -> Duration {
        self.newest_at.elapsed()
    }

    pub(crate) fn newest(&self) -> Option<&Block> {
        self.recent.back()
    }

    /// Jobs that were submitted, newest first: one payer's, or all.
    pub(crate) fn jobs(&self, payer: Option<Address>) -> Vec<JobId> {
        let wanted = |of: &Address| payer.is_none_or(|payer| payer == *of);
        self.jobs.iter().rev().filter(|(_, of)| wanted(of)).map(|(job, _)| *job).collect()
    }

    /// From a block's timestamp to its finality here, over the last minute: the value below which `hundredths` of 100
    /// lie.
    pub(crate) fn finality(&self, hundredths: usize) -> Option<Millis> {
        let mut finality: Vec<Millis> = self.recent.iter().map(|block| block.finality).collect();
        finality.sort_unstable();
        finality.get(finality.len().saturating_sub(1) * hundredths / 100).copied()
    }

    /// Over the last minute. `None` before there are two.
    pub(crate) fn blocks_per_second(&self) -> Option<f64> {
        let (first, last) = (self.recent.front()?, self.recent.back()?);
        if last.timestamp <= first.timestamp {
            return None;
        }
        let blocks = last.height.get() - first.height.get();
        let ms = last.timestamp.get() - first.timestamp.get();
        Some(blocks as f64 * 1_000.0 / ms as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::PublicKey;

    fn block(height: u64) -> Block {
        let [timestamp, finality] = [height * 500, 1_000 - height].map(Millis::new);
        Block { height: Height::new(height), id: Hash::default(), timestamp, finality }
    }

    #[test]
    fn figures_are_of_the_last_minute() {
        let mut seen = Seen::default();
        assert_eq!(
            (seen.newest(), seen.finality(50), seen.blocks_per_second()),
            (None, None, None)
        );
        for height in 1..=300 {
            seen.add_block(block(height));
        }
        assert_eq!(seen.newest(), Some(&block(300)));
        assert_eq!(seen.recent.front(), Some(&block(181)));
        assert_eq!(seen.blocks_per_second(), Some(2.0));
        assert_eq!(
            (seen.finality(0), seen.finality(100)),
            (Some(Millis::new(700)), Some(Millis::new(819)))
        );
    }

    #[test]
    fn jobs_are_listed_from_the_newest_and_the_oldest_are_forgotten() {
        let [anna, bert] = [1, 2].map(|n| Address::of(&PublicKey([n; 32])));
        let mut seen = Seen::default();
        for (n, payer) in [(1, anna), (2, bert), (3, anna)] {
            seen.add_job(Hash([n; 32]), payer);
        }
        assert_eq!(seen.jobs(None), [3, 2, 1].map(|n| Hash([n; 32])));
        assert_eq!(seen.jobs(Some(anna)), [3, 1].map(|n| Hash([n; 32])));
        for _ in 0..JOBS_LISTED_MAX {
            seen.add_job(Hash([4; 32]), bert);
        }
        assert!(seen.jobs(Some(anna)).is_empty());
    }
}

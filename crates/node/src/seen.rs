//! What this process has seen of one chain since it started: recent blocks, jobs that were submitted, and counts.

use crate::listed::{Listed, ListedJob};
use consensus::Final;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};
use types::{
    Action, Hash, Header, Height, Millis, Tx,
    state::{Event, Phase},
};

/// How many recent blocks the figures of `status` are taken from: a minute at two a second.
const WINDOW: usize = 120;

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
    jobs: Listed,
    counts: Counts,
}

impl Seen {
    /// Nothing yet, but for the jobs that were listed before.
    pub(crate) fn new(jobs: Listed) -> Self {
        let (recent, counts) = Default::default();
        Self { recent, newest_at: Instant::now(), jobs, counts }
    }

    pub(crate) fn add(&mut self, block: &Final) {
        self.counts.txs += block.txs.len() as u64;
        for event in &block.events {
            let Event::Job { phase, .. } = event else { continue };
            match phase {
                Phase::Settled(_) => self.counts.jobs_settled += 1,
                Phase::Ended { .. } => self.counts.jobs_ended += 1,
                Phase::Queued { .. } | Phase::Committing { .. } | Phase::Revealing { .. } => {}
            }
        }
        let header = &block.header;
        for tx in &block.txs {
            self.list(header, tx.tx());
        }
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

    /// List what `tx` submits, if it is a job.
    pub(crate) fn list(&mut self, header: &Header, tx: &Tx) {
        if matches!(tx.action, Action::SubmitJob(_)) {
            let (height, at) = (header.height, header.timestamp);
            self.jobs.add(ListedJob { height, at, job: tx.id(), payer: tx.from() });
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

    /// Jobs that were submitted.
    pub(crate) const fn jobs(&self) -> &Listed {
        &self.jobs
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

    fn block(height: u64) -> Block {
        let [timestamp, finality] = [height * 500, 1_000 - height].map(Millis::new);
        Block { height: Height::new(height), id: Hash::default(), timestamp, finality }
    }

    #[test]
    fn figures_are_of_the_last_minute() {
        let mut seen = Seen::new(Listed::default());
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
}

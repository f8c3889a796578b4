//! The base fee moves: what cannot be executed at its height is not ready.

use crate::{Dropped, Gone, Pool, Pooled, lane::Line};
use std::collections::BTreeSet;

impl<T: Pooled> Pool<T> {
    /// The base fee of the next block is `base_fee`. Those that do not pay it, and those behind them, wait like all that are
    /// not ready; where there is no room for that, they go.
    pub(crate) fn reprice(&mut self, base_fee: u64, now: u64) -> Vec<Dropped<T>> {
        let fell = base_fee < self.base_fee;
        self.base_fee = base_fee;
        let mut dropped = Vec::new();
        while let Some((_, line, nonce)) = self.caps.first().filter(|(cap, ..)| *cap < base_fee) {
            let (line, nonce) = (*line, *nonce);
            self.hold_back(&line, nonce, now, &mut dropped);
        }
        if fell {
            let lines: BTreeSet<Line> = self.unripe.values().map(|(line, _)| *line).collect();
            for line in lines {
                let mut lane = self.unlist(&line).expect("one that waits has a lane");
                self.ripen(&line, &mut lane);
                self.list(line, lane);
            }
        }
        dropped
    }

    /// Those from `nonce` on are ready no more.
    fn hold_back(&mut self, line: &Line, nonce: u64, now: u64, dropped: &mut Vec<Dropped<T>>) {
        let mut lane = self.unlist(line).expect("one that waits has a lane");
        let ready = std::mem::replace(&mut lane.ready, nonce);
        for later in nonce..ready {
            if self.unripen(line, &mut lane, later, now) {
                continue;
            }
            let gone = lane.txs.remove(&later).expect("it was ready");
            self.forget(line, &mut lane, later, &gone);
            lane.end = lane.end.min(later);
            dropped.push(Dropped { tx: gone.tx, why: Gone::Priced });
        }
        self.list(*line, lane);
    }
}

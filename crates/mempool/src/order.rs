//! Order: who is next in a block, and who goes when the pool is full.

use crate::{
    Ahead, Pool, Pooled, Room,
    lane::{Line, Rate},
    listing::{tail, turn},
    pool::{Tail, Turn},
};
use std::collections::BTreeSet;

/// Seats' duties, and what stands before them, come first in this part of a block; then they wait their turn.
const SEATS_PART: usize = 2;
/// Most transactions in one block that may turn out to be refused because nobody has judged them.
const UNJUDGED_MAX: usize = 256;

impl<T: Pooled> Pool<T> {
    /// The best transactions that fit into `bytes_max`: seats' duties first, then the highest tip per byte, each sender's
    /// in nonce order without gaps. `ahead` is what stands in blocks that the next block builds on and that are not final
    /// yet.
    pub fn best(&self, txs_max: usize, bytes_max: usize, ahead: &Ahead) -> Vec<T> {
        let mut taken = Vec::new();
        let (mut bytes, mut in_seats, mut unjudged) = (0, Room::default(), 0);
        let seats = Room { txs: txs_max / SEATS_PART, bytes: bytes_max / SEATS_PART };
        let elsewhere = |line: &Line| match line.once {
            None => ahead.next.contains_key(&line.sender),
            Some(once) => ahead.once.contains(&(line.sender, once)),
        };
        let mut listed = self.heads.iter().filter(|(_, line)| !elsewhere(line)).peekable();
        let mut opened: BTreeSet<(Turn, Line, u64)> = BTreeSet::new();
        for (sender, next) in &ahead.next {
            let line = Line::strict(*sender);
            let Some(lane) = self.lanes.get(&line) else { continue };
            let nonce = lane.next.max(*next);
            opened.extend(turn(lane, nonce).map(|turn| (turn, line, nonce)));
        }
        loop {
            let from_list = match (listed.peek(), opened.first()) {
                (Some((listed, _)), Some((opened, ..))) => listed < opened,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (None, None) => break,
            };
            let (turn_now, line, nonce) = if from_list {
                let (turn, line) = listed.next().expect("looked at above");
                (*turn, *line, self.lanes[line].next)
            } else {
                opened.pop_first().expect("looked at above")
            };
            let lane = &self.lanes[&line];
            let waiting = &lane.txs[&nonce];
            match turn_now.0 {
                0 if !in_seats.fits(Room::of(waiting.bytes), seats) => {
                    opened.insert(((1, turn_now.1, turn_now.2), line, nonce));
                    continue;
                }
                0 => in_seats += Room::of(waiting.bytes),
                2 => unjudged += 1,
                _ => {}
            }
            // Stop, and do not look on for a smaller one: that would go through the whole pool for each full block.
            if taken.len() >= txs_max
                || bytes + waiting.bytes > bytes_max
                || unjudged > UNJUDGED_MAX
            {
                break;
            }
            bytes += waiting.bytes;
            taken.push(waiting.tx.clone());
            opened.extend(turn(lane, nonce + 1).map(|turn| (turn, line, nonce + 1)));
        }
        taken
    }

    /// The transactions that go so that there is room for `need`: those that are not ready, the oldest first, then from
    /// the ends of lanes those with the lowest floor, as long as it is below `than`. `None` if that is not enough.
    pub(crate) fn victims(&self, need: Room, than: Rate) -> Option<Vec<(Line, u64)>> {
        let (mut freed, mut victims) = (Room::default(), Vec::new());
        for (line, nonce) in self.unripe.values() {
            if freed.covers(need) {
                break;
            }
            let waiting = &self.lanes[line].txs[nonce];
            if waiting.seat.is_none() {
                freed += Room::of(waiting.bytes);
                victims.push((*line, *nonce));
            }
        }
        let mut listed = self.tails.iter().copied().peekable();
        let mut exposed: BTreeSet<Tail> = BTreeSet::new();
        while !freed.covers(need) {
            let from_list = match (listed.peek(), exposed.first()) {
                (Some(listed), Some(exposed)) => listed < exposed,
                (listed, _) => listed.is_some(),
            };
            let worst = if from_list { listed.next() } else { exposed.pop_first() };
            let (_, _, line, nonce) = worst.filter(|(floor, ..)| *floor < than)?;
            let lane = &self.lanes[&line];
            freed += Room::of(lane.txs[&nonce].bytes);
            victims.push((line, nonce));
            exposed.extend(tail(line, lane, nonce));
        }
        Some(victims)
    }
}

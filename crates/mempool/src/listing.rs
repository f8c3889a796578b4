//! Keeping the sums and lists of the pool right: each change of a lane goes through here.
//!
//! A lane is taken off the lists, changed, and put on them again. So no list can be forgotten.

use crate::{
    Arrival, Pool, Pooled, Room,
    lane::{Lane, Line, Waiting},
    pool::{Tail, Turn},
};
use std::cmp::Reverse;

impl<T: Pooled> Pool<T> {
    /// Put a transaction where there is room for it.
    pub(crate) fn put(&mut self, line: Line, nonce: u64, new: Waiting<T>, arrival: &Arrival) {
        let first = if line.once.is_some() { 0 } else { arrival.next };
        let mut lane = self.unlist(&line).unwrap_or_else(|| Lane::new(first));
        self.count(&line, &mut lane, nonce, &new);
        let purse = self.purses.entry(line.sender).or_default();
        // If the caller has not looked at the account, the pool knew enough; what told it may have gone to make room.
        purse.funds = arrival.funds.map_or(purse.funds, types::NanoMeshx::get).max(purse.owed);
        lane.txs.insert(nonce, new);
        if nonce == lane.end {
            lane.find_end(nonce);
        }
        // In the place of another that was ready.
        if nonce < lane.ready {
            self.note_ripe(&line, &lane, nonce);
            lane.refloor(nonce);
        }
        self.ripen(&line, &mut lane);
        self.list(line, lane);
    }

    /// Take one out: one that is not ready, or the last that is.
    pub(crate) fn take(&mut self, line: &Line, nonce: u64) -> Waiting<T> {
        let mut lane = self.unlist(line).expect("one that waits has a lane");
        debug_assert!(nonce + 1 >= lane.ready, "never out of the middle");
        let gone = self.take_from(line, &mut lane, nonce);
        lane.ready = lane.ready.min(nonce).max(lane.next);
        lane.end = lane.end.min(nonce).max(lane.next);
        self.list(*line, lane);
        gone
    }

    /// Take one out for another that is put into its place.
    pub(crate) fn swap_out(&mut self, line: &Line, nonce: u64) -> Waiting<T> {
        let mut lane = self.unlist(line).expect("one that waits has a lane");
        let gone = self.take_from(line, &mut lane, nonce);
        // Not listed again: between the two the lane has a hole.
        self.lanes.insert(*line, lane);
        gone
    }

    fn take_from(&mut self, line: &Line, lane: &mut Lane<T>, nonce: u64) -> Waiting<T> {
        let gone = lane.txs.remove(&nonce).expect("listed, so it waits");
        self.forget(line, lane, nonce, &gone);
        gone
    }

    /// Move on what has become ready.
    pub(crate) fn ripen(&mut self, line: &Line, lane: &mut Lane<T>) {
        for nonce in lane.ripen(self.base_fee) {
            self.note_ripe(line, lane, nonce);
        }
    }

    fn note_ripe(&mut self, line: &Line, lane: &Lane<T>, nonce: u64) {
        let waiting = &lane.txs[&nonce];
        if self.unripe.remove(&waiting.number).is_none() {
            return;
        }
        let one = Room::of(waiting.bytes);
        self.purses.get_mut(&line.sender).expect("it has one that waits").early -= 1;
        if waiting.seat.is_none() {
            self.early -= one;
        }
        if let Some(brought) = waiting.from.and_then(|peer| self.peers.get_mut(&peer)) {
            brought.early -= one;
        }
        if waiting.cap < u64::MAX {
            self.caps.insert((waiting.cap, *line, nonce));
        }
    }

    /// Make one that was ready wait anew, as the last to have come. `false`: there is no room for it.
    pub(crate) fn unripen(
        &mut self,
        line: &Line,
        lane: &mut Lane<T>,
        nonce: u64,
        now: u64,
    ) -> bool {
        let waiting = lane.txs.get_mut(&nonce).expect("it was ready");
        let (one, limits) = (Room::of(waiting.bytes), &self.limits);
        let purse = self.purses.get_mut(&line.sender).expect("it has one that waits");
        let brought = waiting.from.and_then(|peer| self.peers.get_mut(&peer));
        let fits = purse.early < limits.lane_early_max
            && (waiting.seat.is_some() || self.early.fits(one, limits.early()))
            && brought.as_ref().is_none_or(|b| b.early.fits(one, limits.peer_early()));
        if !fits {
            return false;
        }
        purse.early += 1;
        if waiting.seat.is_none() {
            self.early += one;
        }
        if let Some(brought) = brought {
            brought.early += one;
        }
        self.caps.remove(&(waiting.cap, *line, nonce));
        (waiting.number, waiting.at) = (self.arrivals, now);
        self.arrivals += 1;
        self.unripe.insert(waiting.number, (*line, nonce));
        true
    }

    /// Count one in. All come as not ready; [`Pool::ripen`] says otherwise.
    fn count(&mut self, line: &Line, lane: &mut Lane<T>, nonce: u64, new: &Waiting<T>) {
        let one = Room::of(new.bytes);
        let new_id = self.ids.insert(new.tx.id());
        debug_assert!(new_id, "no transaction waits twice");
        let purse = self.purses.entry(line.sender).or_default();
        purse.owed += new.cost;
        purse.txs += 1;
        purse.bytes += new.bytes;
        purse.early += 1;
        if let Some(once) = line.once {
            self.until.insert((once.height, *line));
        }
        match new.seat {
            Some(duty) => {
                self.duties.insert(duty);
                lane.seats.insert(nonce);
                self.in_seats += one;
            }
            None => {
                self.ordinary += one;
                self.early += one;
            }
        }
        if let Some(peer) = new.from {
            let brought = self.peers.entry(peer).or_default();
            brought.all += one;
            brought.early += one;
        }
        self.unripe.insert(new.number, (*line, nonce));
    }

    /// Count one out that is no longer in its lane.
    pub(crate) fn forget(
        &mut self,
        line: &Line,
        lane: &mut Lane<T>,
        nonce: u64,
        gone: &Waiting<T>,
    ) {
        let one = Room::of(gone.bytes);
        self.ids.remove(&gone.tx.id());
        let early = self.unripe.remove(&gone.number).is_some();
        let purse = self.purses.get_mut(&line.sender).expect("it had this one");
        purse.owed -= gone.cost;
        purse.txs -= 1;
        purse.bytes -= gone.bytes;
        purse.early -= usize::from(early);
        if purse.txs == 0 {
            self.purses.remove(&line.sender);
        }
        if gone.cap < u64::MAX && !early {
            self.caps.remove(&(gone.cap, *line, nonce));
        }
        if let Some(once) = line.once {
            self.until.remove(&(once.height, *line));
        }
        match gone.seat {
            Some(duty) => {
                self.duties.remove(&duty);
                lane.seats.remove(&nonce);
                self.in_seats -= one;
            }
            None => {
                self.ordinary -= one;
                if early {
                    self.early -= one;
                }
            }
        }
        let Some(peer) = gone.from else { return };
        let brought = self.peers.get_mut(&peer).expect("it brought this one");
        brought.all -= one;
        if early {
            brought.early -= one;
        }
        if brought.all == Room::default() {
            self.peers.remove(&peer);
        }
    }

    /// Take a lane out of the pool and off its lists.
    pub(crate) fn unlist(&mut self, line: &Line) -> Option<Lane<T>> {
        let lane = self.lanes.remove(line)?;
        if let Some(turn) = turn(&lane, lane.next) {
            self.heads.remove(&(turn, *line));
        }
        if let Some(tail) = tail(*line, &lane, lane.ready) {
            self.tails.remove(&tail);
        }
        Some(lane)
    }

    /// Put a lane back; an empty one is forgotten.
    pub(crate) fn list(&mut self, line: Line, lane: Lane<T>) {
        if lane.txs.is_empty() {
            return;
        }
        if let Some(turn) = turn(&lane, lane.next) {
            self.heads.insert((turn, line));
        }
        self.tails.extend(tail(line, &lane, lane.ready));
        self.lanes.insert(line, lane);
    }

    /// The lists as they would be if they were made anew.
    #[cfg(test)]
    pub(crate) fn lists(&self) -> crate::tests::Lists {
        let heads = self.lanes.iter().filter_map(|(s, lane)| Some((turn(lane, lane.next)?, *s)));
        let tails = self.lanes.iter().filter_map(|(s, lane)| tail(*s, lane, lane.ready));
        (heads.collect(), tails.collect())
    }
}

/// When it is the turn of the transaction with this nonce; `None` if there is none.
pub(crate) fn turn<T>(lane: &Lane<T>, nonce: u64) -> Option<Turn> {
    let waiting = lane.txs.get(&nonce)?;
    let class = if nonce >= lane.ready {
        2
    } else {
        // A seat's duty must not wait for those before it to be worth more.
        u8::from(lane.seats.range(nonce..lane.ready).next().is_none())
    };
    Some((class, Reverse(waiting.rate), waiting.number))
}

/// The last transaction before `end`, if it may be dropped for a better one.
pub(crate) fn tail<T>(line: Line, lane: &Lane<T>, end: u64) -> Option<Tail> {
    let nonce = end.checked_sub(1).filter(|nonce| *nonce >= lane.next)?;
    let waiting = lane.txs.get(&nonce)?;
    let tail = (waiting.floor, Reverse(waiting.number), line, nonce);
    // Behind a seat's duty, others may be dropped; before it, none, or it could not be done.
    waiting.seat.is_none().then_some(tail)
}

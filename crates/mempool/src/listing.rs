//! Keeping the sums and lists of the pool right: each change of a lane goes through here.
//!
//! A lane is taken off the lists, changed, and put on them again. So no list can be forgotten.

use crate::{
    Arrival, Pool, Pooled, Room,
    lane::{Lane, Waiting},
    pool::{Tail, Turn},
};
use std::cmp::Reverse;
use types::Address;

impl<T: Pooled> Pool<T> {
    /// Put a transaction where there is room for it.
    pub(crate) fn put(&mut self, sender: Address, nonce: u64, new: Waiting<T>, arrival: &Arrival) {
        let mut lane = self.unlist(&sender).unwrap_or_else(|| Lane::new(arrival.next));
        lane.funds = arrival.funds.map_or(lane.funds, types::NanoMeshx::get);
        self.count(&mut lane, nonce, &new);
        // The caller has not looked at the account, because the lane knew enough; but the lane went to make room.
        lane.funds = lane.funds.max(lane.owed);
        lane.txs.insert(nonce, new);
        if nonce == lane.end {
            lane.find_end(nonce);
        }
        // In the place of another that was ready.
        if nonce < lane.ready {
            let number = lane.txs[&nonce].number;
            self.note_ripe(&mut lane, nonce, number);
            lane.refloor(nonce);
        }
        self.ripen(&mut lane);
        self.list(sender, lane);
    }

    /// Take one out: one that is not ready, or the last that is.
    pub(crate) fn take(&mut self, sender: &Address, nonce: u64) -> Waiting<T> {
        let mut lane = self.unlist(sender).expect("the sender of one that waits has a lane");
        debug_assert!(nonce + 1 >= lane.ready, "never out of the middle");
        let gone = self.take_from(&mut lane, nonce);
        lane.ready = if nonce < lane.ready { nonce } else { lane.ready };
        lane.end = if nonce < lane.end { nonce } else { lane.end };
        self.list(*sender, lane);
        gone
    }

    /// Take one out for another that is put into its place.
    pub(crate) fn swap_out(&mut self, sender: &Address, nonce: u64) -> Waiting<T> {
        let mut lane = self.unlist(sender).expect("the sender of one that waits has a lane");
        let gone = self.take_from(&mut lane, nonce);
        // Not listed again: between the two the lane has a hole.
        self.lanes.insert(*sender, lane);
        gone
    }

    fn take_from(&mut self, lane: &mut Lane<T>, nonce: u64) -> Waiting<T> {
        let gone = lane.txs.remove(&nonce).expect("listed, so it waits");
        self.forget(lane, nonce, &gone);
        gone
    }

    /// Move on what has become ready.
    pub(crate) fn ripen(&mut self, lane: &mut Lane<T>) {
        for nonce in lane.ripen() {
            let number = lane.txs[&nonce].number;
            self.note_ripe(lane, nonce, number);
        }
    }

    fn note_ripe(&mut self, lane: &mut Lane<T>, nonce: u64, number: u64) {
        if self.unripe.remove(&number).is_none() {
            return;
        }
        lane.early -= 1;
        let waiting = &lane.txs[&nonce];
        if waiting.seat.is_none() {
            self.early -= Room::of(waiting.bytes);
        }
        if let Some(brought) = waiting.from.and_then(|peer| self.peers.get_mut(&peer)) {
            brought.early -= Room::of(waiting.bytes);
        }
    }

    /// Count one in. All come as not ready; [`Pool::ripen`] says otherwise.
    fn count(&mut self, lane: &mut Lane<T>, nonce: u64, new: &Waiting<T>) {
        let one = Room::of(new.bytes);
        let new_id = self.ids.insert(new.tx.id());
        debug_assert!(new_id, "no transaction waits twice");
        lane.owed += new.cost;
        lane.bytes += new.bytes;
        lane.early += 1;
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
        self.unripe.insert(new.number, (new.tx.sender(), nonce));
    }

    /// Count one out that is no longer in its lane.
    pub(crate) fn forget(&mut self, lane: &mut Lane<T>, nonce: u64, gone: &Waiting<T>) {
        let one = Room::of(gone.bytes);
        self.ids.remove(&gone.tx.id());
        lane.owed -= gone.cost;
        lane.bytes -= gone.bytes;
        let early = self.unripe.remove(&gone.number).is_some();
        lane.early -= usize::from(early);
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
    pub(crate) fn unlist(&mut self, sender: &Address) -> Option<Lane<T>> {
        let lane = self.lanes.remove(sender)?;
        if let Some(turn) = turn(&lane, lane.next) {
            self.heads.remove(&(turn, *sender));
        }
        if let Some(tail) = tail(*sender, &lane, lane.ready) {
            self.tails.remove(&tail);
        }
        Some(lane)
    }

    /// Put a lane back; an empty one is forgotten.
    pub(crate) fn list(&mut self, sender: Address, lane: Lane<T>) {
        if lane.txs.is_empty() {
            return;
        }
        if let Some(turn) = turn(&lane, lane.next) {
            self.heads.insert((turn, sender));
        }
        self.tails.extend(tail(sender, &lane, lane.ready));
        self.lanes.insert(sender, lane);
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
pub(crate) fn tail<T>(sender: Address, lane: &Lane<T>, end: u64) -> Option<Tail> {
    let nonce = end.checked_sub(1).filter(|nonce| *nonce >= lane.next)?;
    let waiting = lane.txs.get(&nonce)?;
    let tail = (waiting.floor, Reverse(waiting.number), sender, nonce);
    // Behind a seat's duty, others may be dropped; before it, none, or it could not be done.
    waiting.seat.is_none().then_some(tail)
}

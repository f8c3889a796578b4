//! The pool: lanes, and what is known of all of them together.

use crate::{
    Arrival, Dropped, Gone, Limits, Pooled, Rejected, Room,
    lane::{Lane, Line, Purse, Rate, Waiting},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};
use types::{Address, Duty, Height, Millis, NanoMeshx, Nonce, Once, PublicKey, TxId};

/// Which lane heads a proposer takes first: those before a seat's duty, then those that pay, then those that may turn out
/// to be refused. Among equals the better rate comes first, then the older one.
pub(crate) type Turn = (u8, Reverse<Rate>, u64);
/// The lane's last ready transaction, the first to go at the front: the lowest floor, then the youngest.
pub(crate) type Tail = (Rate, Reverse<u64>, Line, u64);

/// What waits of one peer's.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Brought {
    pub(crate) all: Room,
    pub(crate) early: Room,
}

/// Transactions that wait.
pub struct Pool<T> {
    pub(crate) limits: Limits,
    pub(crate) lanes: BTreeMap<Line, Lane<T>>,
    pub(crate) purses: BTreeMap<Address, Purse>,
    pub(crate) ids: BTreeSet<TxId>,
    pub(crate) ordinary: Room,
    pub(crate) in_seats: Room,
    pub(crate) early: Room,
    pub(crate) peers: BTreeMap<PublicKey, Brought>,
    pub(crate) duties: BTreeSet<Duty>,
    pub(crate) heads: BTreeSet<(Turn, Line)>,
    pub(crate) tails: BTreeSet<Tail>,
    /// Those that are not ready, in the order in which they came.
    pub(crate) unripe: BTreeMap<u64, (Line, u64)>,
    /// Those that are ready and will not pay any base fee, by the highest that they pay.
    pub(crate) caps: BTreeSet<(u64, Line, u64)>,
    /// Those with expiring nonces, by the last block that may hold them.
    pub(crate) until: BTreeSet<(Height, Line)>,
    /// What the next block asks of a transaction.
    pub(crate) base_fee: u64,
    /// The newest final block.
    height: Height,
    pub(crate) arrivals: u64,
}

impl<T: Pooled> Pool<T> {
    /// An empty pool.
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            lanes: BTreeMap::new(),
            purses: BTreeMap::new(),
            ids: BTreeSet::new(),
            ordinary: Room { txs: 0, bytes: 0 },
            in_seats: Room { txs: 0, bytes: 0 },
            early: Room { txs: 0, bytes: 0 },
            peers: BTreeMap::new(),
            duties: BTreeSet::new(),
            heads: BTreeSet::new(),
            tails: BTreeSet::new(),
            unripe: BTreeMap::new(),
            caps: BTreeSet::new(),
            until: BTreeSet::new(),
            base_fee: 0,
            height: Height::ZERO,
            arrivals: 0,
        }
    }

    /// How many transactions wait.
    pub fn len(&self) -> usize {
        self.ids.len()
    }
    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
    /// Whether this transaction waits here.
    pub fn contains(&self, id: &TxId) -> bool {
        self.ids.contains(id)
    }
    /// What all that wait take up.
    pub fn room(&self) -> Room {
        let mut room = self.ordinary;
        room += self.in_seats;
        room
    }

    /// The transaction of `sender` with this nonce.
    pub fn get(&self, sender: &Address, nonce: Nonce) -> Option<&T> {
        let (line, number) = Line::of(*sender, nonce);
        Some(&self.lanes.get(&line)?.txs.get(&number)?.tx)
    }

    /// The next strict nonce in the state of a sender with such transactions here, and what its account has left when all
    /// that it has here is paid for, in nano.
    pub fn standing(&self, sender: &Address) -> Option<(u64, u64)> {
        let lane = self.lanes.get(&Line::strict(*sender))?;
        let purse = self.purses.get(sender).copied().unwrap_or_default();
        Some((lane.next, purse.funds.saturating_sub(purse.owed)))
    }

    /// Whether more than half of the room for ordinary ones is taken: from now on one may displace another.
    pub fn is_crowded(&self) -> bool {
        let max = self.limits.ordinary();
        self.ordinary.txs * 2 > max.txs || self.ordinary.bytes * 2 > max.bytes
    }

    /// Whether one that settles nothing, with this tip and length, would be refused for want of room. Cheap, for those
    /// whose signature nobody has checked yet.
    pub fn is_closed_to(&self, tip: u64, bytes: usize) -> bool {
        let need = self.ordinary.lacks(Room::of(bytes), self.limits.ordinary());
        if need == Room::default() || self.early.txs > 0 {
            return false;
        }
        self.tails.first().is_none_or(|(floor, ..)| *floor >= Rate::of(tip, bytes))
    }

    /// The next strict nonce `sender` should use, counting what waits here after `next`.
    pub fn next_nonce(&self, sender: &Address, next: u64) -> u64 {
        let lane = self.lanes.get(&Line::strict(*sender));
        lane.map_or(next, |lane| lane.end.max(next))
    }

    /// Take `tx` in. Taking the same one in twice is no error. Returns what had to go for it.
    ///
    /// # Errors
    /// [`Rejected`]; the pool is then as before.
    pub fn insert(&mut self, tx: T, arrival: &Arrival) -> Result<Vec<Dropped<T>>, Rejected> {
        if self.ids.contains(&tx.id()) {
            return Ok(Vec::new());
        }
        let (line, got) = Line::of(tx.sender(), tx.nonce());
        let first = match line.once {
            Some(once) => self.check_until(once).map(|()| 0)?,
            None => arrival.next,
        };
        let fresh = Lane::new(first);
        let lane = self.lanes.get(&line).unwrap_or(&fresh);
        // The caller may have read the state before the block that the lane has heard of.
        let next = lane.next.max(first);
        if got < next {
            return Err(Rejected::Used { next, got });
        }
        let end = lane.end.max(next);
        // A transaction may overtake those before it on its way here, but one that is far ahead only takes up room.
        if got > end.saturating_add(self.limits.gap_max) {
            return Err(Rejected::Gap { next: end, got });
        }
        let old = lane.txs.get(&got);
        let new = self.describe(tx, arrival, lane, got);
        if let Some(old) = old {
            self.may_replace(old, &new, got)?;
        }
        let purse = self.purses.get(&line.sender).copied().unwrap_or_default();
        self.check_funds(&purse, &new, old, arrival)?;
        let victims = match old {
            Some(old) => {
                self.fits_in_place(&purse, &new, old).then(Vec::new).ok_or(Rejected::Full)?
            }
            None => self.find_room(lane, &purse, &new, got)?,
        };
        let replaces = old.is_some();
        let mut dropped: Vec<Dropped<T>> = victims
            .into_iter()
            .map(|(line, nonce)| Dropped { tx: self.take(&line, nonce).tx, why: Gone::Outbid })
            .collect();
        if replaces {
            dropped.push(Dropped { tx: self.swap_out(&line, got).tx, why: Gone::Replaced });
        }
        self.arrivals += 1;
        self.put(line, got, new, arrival);
        Ok(dropped)
    }

    fn check_until(&self, once: Once) -> Result<(), Rejected> {
        let (until, height) = (once.height, self.height);
        if until <= height {
            return Err(Rejected::TooLate { until, height });
        }
        // The next block is the first that may hold it.
        let last = Height::new(height.get().saturating_add(1 + types::ONCE_BLOCKS_MAX));
        if until > last { Err(Rejected::TooFar { until, last }) } else { Ok(()) }
    }

    /// What is kept of `tx`.
    fn describe(&self, tx: T, arrival: &Arrival, lane: &Lane<T>, nonce: u64) -> Waiting<T> {
        let (bytes, duty) = (tx.bytes(), tx.duty());
        let free_seat = |duty: &Duty| {
            arrival.proven
                && !self.duties.contains(duty)
                && self.in_seats.fits(Room::of(bytes), self.limits.seats())
                && lane.plain_before(nonce) <= self.limits.before_seat_max
        };
        let seat = duty.filter(free_seat);
        // What settles pays nothing, whatever tip it names.
        let (rate, cost, cap) = match duty {
            Some(_) => (Rate::NOTHING, 0, u64::MAX),
            None => {
                let cost = tx.cost(NanoMeshx::new(self.base_fee)).get();
                (Rate::of(tx.tip().get(), bytes), cost, tx.fee_max().get())
            }
        };
        let sound = duty.is_none() || seat.is_some();
        Waiting {
            tx,
            bytes,
            rate,
            floor: rate,
            cost,
            cap,
            from: arrival.from,
            at: arrival.now.get(),
            number: self.arrivals,
            seat,
            sound,
        }
    }

    /// All that a sender has waiting must be covered by what its account holds.
    fn check_funds(
        &self,
        purse: &Purse,
        new: &Waiting<T>,
        old: Option<&Waiting<T>>,
        arrival: &Arrival,
    ) -> Result<(), Rejected> {
        let has = arrival.funds.map_or(purse.funds, NanoMeshx::get);
        let others = purse.owed - old.map_or(0, |old| old.cost);
        let needs = others.saturating_add(new.cost);
        let nobody = !new.sound && has == 0 && arrival.next == 0;
        // What is free is taken whatever became of the account since.
        if (new.cost > 0 && needs > has) || nobody {
            return Err(Rejected::Unfunded { has, needs });
        }
        Ok(())
    }

    /// Whether `new` fits where `old` was: only more bytes, or another peer, could be too much.
    fn fits_in_place(&self, purse: &Purse, new: &Waiting<T>, old: &Waiting<T>) -> bool {
        let (limits, one) = (&self.limits, Room::of(new.bytes));
        let more = Room { txs: 0, bytes: new.bytes.saturating_sub(old.bytes) };
        let brought = new.from.and_then(|peer| self.peers.get(&peer)).copied().unwrap_or_default();
        self.ordinary.fits(more, limits.ordinary())
            && self.early.fits(more, limits.early())
            && purse.bytes + more.bytes <= limits.lane_bytes_max
            && brought.all.fits(one, limits.peer())
            && brought.early.fits(one, limits.peer_early())
    }

    /// Which ones have to go, so that `new` fits in at `nonce`.
    fn find_room(
        &self,
        lane: &Lane<T>,
        purse: &Purse,
        new: &Waiting<T>,
        nonce: u64,
    ) -> Result<Vec<(Line, u64)>, Rejected> {
        let (limits, one) = (&self.limits, Room::of(new.bytes));
        let early = !(new.is_sound(self.base_fee) && nonce == lane.ready);
        if purse.txs >= limits.lane_max
            || purse.bytes + new.bytes > limits.lane_bytes_max
            || (early && purse.early >= limits.lane_early_max)
        {
            return Err(Rejected::Crowded);
        }
        let brought = new.from.and_then(|peer| self.peers.get(&peer)).copied().unwrap_or_default();
        if new.from.is_some()
            && !(brought.all.fits(one, limits.peer())
                && (!early || brought.early.fits(one, limits.peer_early())))
        {
            return Err(Rejected::Full);
        }
        if new.seat.is_some() {
            // There is room for it: it would have no seat otherwise.
            return Ok(Vec::new());
        }
        let need = self.ordinary.lacks(one, limits.ordinary());
        if early {
            let fits = self.early.fits(one, limits.early()) && need == Room::default();
            return if fits { Ok(Vec::new()) } else { Err(Rejected::Full) };
        }
        self.victims(need, lane.floor_at(nonce, new.rate)).ok_or(Rejected::Full)
    }

    /// Whether `new` pays so much more than `old` that checking and gossiping both is paid for.
    fn may_replace(&self, old: &Waiting<T>, new: &Waiting<T>, nonce: u64) -> Result<(), Rejected> {
        let old_tip = old.tx.tip().get();
        let tip = old_tip.saturating_add((old_tip / 8).max(self.base_fee).max(1));
        let pays = new.tx.duty().is_none() && new.is_sound(self.base_fee) && old.seat.is_none();
        if pays && new.tx.tip().get() >= tip {
            return Ok(());
        }
        Err(Rejected::Occupied { nonce, tip })
    }

    /// A block is final: what the next one asks of each transaction, and what has expired meanwhile. Returns what had to
    /// go.
    pub fn begin(&mut self, base_fee: NanoMeshx, height: Height, now: Millis) -> Vec<Dropped<T>> {
        let mut dropped = self.reprice(base_fee.get(), now.get());
        self.height = self.height.max(height);
        while let Some((_, line)) = self.until.first().filter(|(until, _)| *until <= self.height) {
            let line = *line;
            dropped.push(Dropped { tx: self.take(&line, 0).tx, why: Gone::Expired });
        }
        while let Some((_, (line, nonce))) = self.unripe.first_key_value() {
            let (line, nonce) = (*line, *nonce);
            let came = self.lanes[&line].txs[&nonce].at;
            if now.get().saturating_sub(came) <= self.limits.early_ms.get() {
                break;
            }
            dropped.push(Dropped { tx: self.take(&line, nonce).tx, why: Gone::Expired });
        }
        dropped
    }

    /// The state's next strict nonce of `sender` is `next` now: drop everything below, for it is in a block or
    /// never can be.
    pub fn advance(&mut self, sender: &Address, next: u64) {
        let line = Line::strict(*sender);
        let Some(mut lane) = self.unlist(&line) else { return };
        let rest = lane.txs.split_off(&next);
        for (nonce, waiting) in std::mem::replace(&mut lane.txs, rest) {
            self.spend(sender, waiting.cost);
            self.forget(&line, &mut lane, nonce, &waiting);
        }
        lane.next = lane.next.max(next);
        if lane.end < lane.next {
            lane.find_end(next);
        }
        lane.refloor(lane.next);
        self.ripen(&line, &mut lane);
        self.list(line, lane);
    }

    /// The one of `sender` with this expiring nonce is in a block.
    pub fn done(&mut self, sender: &Address, once: Once) {
        let line = Line { sender: *sender, once: Some(once) };
        if self.lanes.contains_key(&line) {
            let cost = self.take(&line, 0).cost;
            self.spend(sender, cost);
        }
    }

    /// The account was looked at before a block took so much from it.
    fn spend(&mut self, sender: &Address, cost: u64) {
        if let Some(purse) = self.purses.get_mut(sender) {
            purse.funds = purse.funds.saturating_sub(cost);
        }
    }

    /// Drop a transaction that a block's state refused for good. Those of its sender behind a strict nonce would wait for
    /// it forever and go too. Returns what was dropped.
    pub fn refuse(&mut self, sender: &Address, nonce: Nonce) -> Vec<T> {
        let (line, nonce) = Line::of(*sender, nonce);
        let Some(mut lane) = self.unlist(&line) else { return Vec::new() };
        // Those behind it could never be executed, because a nonce has no gaps.
        let gone = lane.txs.split_off(&nonce);
        for (nonce, waiting) in &gone {
            self.forget(&line, &mut lane, *nonce, waiting);
        }
        lane.end = lane.end.min(nonce.max(lane.next));
        lane.ready = lane.ready.min(nonce.max(lane.next));
        self.list(line, lane);
        gone.into_values().map(|waiting| waiting.tx).collect()
    }
}

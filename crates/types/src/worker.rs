//! Workers: what a chain knows of each, and the places from which draws choose.

use crate::{Address, City, Height, List, NanoMeshx, Wire};
use serde::{Deserialize, Serialize};

/// The lowest reputation of a worker. Nobody can bring it to nothing, so that it can recover by good work.
pub const REPUTATION_MIN: u16 = 500;
/// Reputation a new worker starts with.
pub const REPUTATION_NEW: u16 = 5_000;
/// The highest reputation of a worker. New workers start with half of it.
pub const REPUTATION_MAX: u16 = 10_000;
/// Most places of one worker.
pub const PLACES_MAX: u16 = 256;

/// A worker that registered on this chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct WorkerRecord {
    /// Jobs it runs at once, at most. It has a place in draws for each.
    pub capacity: u16,
    /// Replicas it runs now.
    pub running: u16,
    /// [`REPUTATION_MIN`] to [`REPUTATION_MAX`].
    pub reputation: u16,
    /// Where it says it is.
    pub city: City,
    /// The block of its registration.
    pub registered: Height,
    /// Least it takes for a core-second; zero: any price of the market.
    pub floor: NanoMeshx,
    /// Its last heartbeat.
    pub seen: Height,
    /// What it has put down for its places.
    pub bond: NanoMeshx,
    /// What it had put down for places that it gave up. It comes back with the first change of its offer from `free_at` on.
    pub leaving: NanoMeshx,
    /// The first block that gives back `leaving`.
    pub free_at: Height,
    /// Whether a draw met it after a long silence. It has no places until its next heartbeat.
    pub silent: bool,
}

impl WorkerRecord {
    /// How many places it is to have in draws.
    #[must_use]
    pub const fn places(&self) -> u16 {
        match (self.silent, self.capacity < PLACES_MAX) {
            (true, _) => 0,
            (false, true) => self.capacity,
            (false, false) => PLACES_MAX,
        }
    }
}

/// A place that draws may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Wire)]
pub struct WorkerPlace {
    /// Whose place it is.
    pub worker: Address,
    /// Which of the worker's places it is: an index into [`PlacesOf`].
    pub nth: u16,
}

/// The numbers of one worker's places, in the order in which it got them.
pub type PlacesOf = List<u32, { PLACES_MAX as usize }>;

/// A worker whose places do not fit its offer yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Wire)]
pub struct Move {
    /// The block that changed the offer. Draws of this block and of earlier ones choose among the places of before.
    pub height: Height,
    /// Whose places change.
    pub worker: Address,
    /// How many come or go, at most.
    pub places: u16,
}

/// Workers whose places are to change, in the order of their offers.
pub type Moves = List<Move, 1_024>;

//! What all tasks of a simulation share.

use crate::{
    committee::{Committee, Person},
    facts::Facts,
    machine::{Defects, Machine},
    plants::Plants,
    properties::Property,
    scenario::Scenario,
};
use consensus::Chain;
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// One validator, running or not.
#[derive(Default)]
pub struct Node {
    pub defects: Arc<Defects>,
    chain: Mutex<Option<Chain<Machine>>>,
}

impl Node {
    fn lock(&self) -> MutexGuard<'_, Option<Chain<Machine>>> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub fn chain(&self) -> Option<Chain<Machine>> {
        self.lock().clone()
    }
    pub fn set(&self, chain: Option<Chain<Machine>>) {
        *self.lock() = chain;
    }
}

pub struct World {
    pub scenario: Scenario,
    pub committee: Arc<Committee>,
    pub facts: Arc<Facts>,
    pub plants: Plants,
    pub nodes: Vec<Node>,
    pub healed: AtomicBool,
    pub closing: AtomicBool,
}

impl World {
    /// The running correct validator nearest to `home`, which is moved there.
    pub fn chain_near(&self, home: &mut usize) -> Option<Chain<Machine>> {
        for step in 0..self.nodes.len() {
            let number = (*home + step) % self.nodes.len();
            if self.scenario.is_traitor(number) {
                continue;
            }
            if let Some(chain) = self.nodes[number].chain() {
                *home = number;
                return Some(chain);
            }
        }
        None
    }

    pub fn healed(&self) -> bool {
        self.healed.load(Ordering::Relaxed)
    }

    pub fn closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// The chain was asked for something it must refuse.
    pub fn refused(&self, refused: bool, what: &'static str) {
        self.facts.count(what);
        let verdict = if refused { Ok(()) } else { Err(format!("{what} was accepted")) };
        self.facts.check(Property::Nonces, verdict);
    }

    /// A validator took in a transaction. If nothing else of its sender waited, it was rehearsed on the
    /// newest state, and once nothing is wrong any more that is a promise. One that waits for others
    /// falls with them.
    pub fn acknowledged(&self, sender: &Person, nonce: u64, idle: bool) {
        let mut facts = self.facts.get();
        facts.acknowledged += 1;
        if idle && self.healed() {
            facts.promised.insert((sender.address, nonce));
        }
    }
}

//! Follow one validator and have everything it reports judged.

use crate::{machine::Machine, world::World};
use commonware_runtime::Clock as _;
use consensus::Chain;
use std::{collections::BTreeMap, time::Duration};
use types::{Height, state::Key};

/// A restarted validator is looked at again from so many blocks before where it was.
const LOOK_BACK: u64 = 3;
/// A snapshot is there once the block of the newest state is announced.
const SNAPSHOT_TRIES: usize = 20;

/// Report each block that becomes final at `number`, and its state after it. Never ends by itself.
pub async fn watch(machine: &Machine, world: &World, number: usize, chain: Chain<Machine>) {
    let mut finals = chain.finals();
    let mut next = {
        let facts = world.facts.get();
        let again = facts.heights[number].saturating_sub(LOOK_BACK) + 1;
        facts.oldest(number).map_or(again, |oldest| again.max(oldest))
    };
    loop {
        // A receiver that lagged behind loses news, not blocks: those are read from the store.
        let Ok(news) = finals.recv().await else {
            machine.sleep(Duration::from_millis(100)).await;
            continue;
        };
        if world.scenario.is_traitor(number) {
            continue;
        }
        equivocations(world, number, &chain);
        let top = news.header.height.get();
        if world.facts.get().oldest(number).is_none() {
            // A validator that synced the state of a later block does not have those before it.
            next = if chain.block(Height::new(1)).await.is_some() { 1 } else { top };
            world.facts.keeps_from(number, next);
        }
        while next <= top {
            let Some(block) = chain.block(Height::new(next)).await else { break };
            world.facts.block(number, &block);
            if let Some(certificate) = chain.certificate(Height::new(next)).await {
                world.facts.certificate(&block.header, &certificate);
            }
            next += 1;
        }
        state(machine, world, number, &chain).await;
    }
}

/// What a validator can prove it forgets when it stops: so this is asked at every block.
pub fn equivocations(world: &World, number: usize, chain: &Chain<Machine>) {
    let held = chain.equivocations();
    held.iter().for_each(|proof| world.facts.equivocation(number, proof));
}

async fn state(machine: &Machine, world: &World, number: usize, chain: &Chain<Machine>) {
    let keys = world.facts.keys();
    for _ in 0..SNAPSHOT_TRIES {
        if let Some(snapshot) = chain.snapshot(&keys).await {
            let records: BTreeMap<Key, _> = keys.into_iter().zip(snapshot.records).collect();
            world.facts.state(number, &snapshot.tip, records);
            return;
        }
        machine.sleep(Duration::from_millis(5)).await;
    }
}

/// At the end, every block of the chain once more as this validator keeps it.
pub async fn sweep(world: &World, number: usize, chain: &Chain<Machine>) {
    equivocations(world, number, chain);
    let (from, top) = {
        let facts = world.facts.get();
        (facts.oldest(number).unwrap_or(u64::MAX), facts.heights[number])
    };
    for height in from..=top {
        match chain.block(Height::new(height)).await {
            Some(block) => world.facts.block(number, &block),
            None => {
                let what = format!("validator {number} lost block {height}");
                world.facts.check(crate::properties::Property::OneChain, Err(what));
            }
        }
    }
}

//! The first records of a chain.

use crate::Write;
use types::{
    Fuel, Hash, Height, NanoMeshx,
    codec::Encode,
    network::Genesis,
    state::{Account, Key, Params, REPUTATION_NEW, Supply, WorkerRecord},
};

/// What genesis puts into an empty store.
///
/// # Panics
/// If the accounts hold more than can exist: a genesis like that must not start.
pub fn genesis_writes(genesis: &Genesis) -> Vec<Write> {
    let mut writes: Vec<Write> = Vec::new();
    let mut put = |key: Key, bytes: Vec<u8>| writes.push((key, Some(bytes)));
    let total = genesis
        .accounts
        .iter()
        .try_fold(NanoMeshx::ZERO, |sum, account| sum.checked_add(account.balance))
        .filter(|sum| *sum <= types::SUPPLY_MAX)
        .expect("genesis holds at most the supply");
    put(Key::Params, genesis.params.encode().to_vec());
    put(Key::Supply, Supply { genesis: total, burned: NanoMeshx::ZERO }.encode().to_vec());
    for account in genesis.accounts.iter() {
        put(
            Key::Account(account.address),
            Account { balance: account.balance, nonce: 0 }.encode().to_vec(),
        );
    }
    let count = u32::try_from(genesis.workers.len()).expect("bounded by its type");
    put(Key::WorkerCount, count.encode().to_vec());
    for (index, worker) in (0..count).zip(genesis.workers.iter()) {
        let record = WorkerRecord {
            capacity: worker.capacity,
            running: 0,
            reputation: REPUTATION_NEW,
            city: worker.city.clone(),
            registered: Height::ZERO,
        };
        put(Key::WorkerAt(index), worker.address.encode().to_vec());
        put(Key::Worker(worker.address), record.encode().to_vec());
    }
    writes
}

/// The rules a local mesh starts with.
pub fn local_params(profile_strict: Hash, profile_arch_class: Hash, block_ms: u64) -> Params {
    Params {
        base_fee: NanoMeshx::new(1_000),
        // 0.001 MESHX per core-second (whitepaper §3.2) at 10^9 fuel per core-second.
        fuel_per_nano: 1_000,
        fuel_max: Fuel::new(1_000_000_000_000),
        memory_bytes_max: 1 << 30,
        output_bytes_max: 64 << 20,
        commit_blocks: 20,
        reveal_blocks: 20,
        deadline_blocks_max: 172_800,
        validators_bps: 300,
        treasury_bps: 100,
        burned_bps: 100,
        reputation_gain: 10,
        reputation_loss: 500,
        profile_strict,
        profile_arch_class,
        block_ms,
    }
}

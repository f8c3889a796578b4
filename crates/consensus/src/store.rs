//! State and outbox on disk: two QMDB databases that advance together with the chain.

use chain::Store as _;
use commonware_codec::Encode as _;
use commonware_cryptography::Blake3;
use commonware_glue::stateful::db::{DatabaseSet, Shared};
use commonware_parallel::Sequential;
use commonware_runtime::{Spawner, buffer::paged::CacheRef};
use commonware_storage::{
    Context as StorageContext,
    journal::contiguous::variable::Config as LogConfig,
    merkle::full::Config as MerkleConfig,
    qmdb::{
        Error,
        current::{VariableConfig, ordered::variable},
        keyless,
    },
    translator::EightCap,
};
use commonware_utils::{NZU16, NZU64, NZUsize};
use receipt::light::{CHUNK_BYTES, Digest, Family, Record, digest};
use std::num::{NonZeroU64, NonZeroUsize};
use types::{
    Address,
    codec::DecodeExt as _,
    state::{Account, Key},
};

pub(crate) type StateDb<E> =
    variable::Db<Family, E, Digest, Record, Blake3, EightCap, CHUNK_BYTES, Sequential>;
/// Messages to other chains, append-only: QMDB's keyed state proves no history, a log does.
pub(crate) type OutboxDb<E> = keyless::variable::Db<Family, E, Record, Blake3, Sequential>;
pub(crate) type Databases<E> = (Shared<StateDb<E>>, Shared<OutboxDb<E>>);
pub(crate) type Batches<E> = <Databases<E> as DatabaseSet<E>>::Unmerkleized;
pub(crate) type Merkleized<E> = <Databases<E> as DatabaseSet<E>>::Merkleized;
pub(crate) type StateBatch<E> = <Shared<StateDb<E>> as DatabaseSet<E>>::Unmerkleized;

/// A validator keeps about eight such buffers, and a mesh has 32 validators.
pub(crate) const BUFFER_BYTES: NonZeroUsize = NZUsize!(64 << 10);

/// Messages that wait for a part of the engine before they take a slower way. Room for them is set aside at the start, in ten
/// mailboxes for each validator.
pub(crate) const MAILBOX: NonZeroUsize = NZUsize!(64);
/// Entries of one file of a log. Only whole files are pruned.
const FILE_ENTRIES: NonZeroU64 = NZU64!(4_096);

type StateConfig = VariableConfig<EightCap, ((), ()), Sequential>;
type OutboxConfig = keyless::variable::Config<(), Sequential>;

pub(crate) fn configs(prefix: &str, cache: &CacheRef) -> (StateConfig, OutboxConfig) {
    let merkle = |name: &str| MerkleConfig {
        journal_partition: format!("{prefix}-{name}-tree"),
        metadata_partition: format!("{prefix}-{name}-nodes"),
        items_per_blob: FILE_ENTRIES,
        write_buffer: BUFFER_BYTES,
        replay_buffer: BUFFER_BYTES,
        strategy: Sequential,
        page_cache: cache.clone(),
    };
    fn log<C>(partition: String, codec_config: C, cache: &CacheRef) -> LogConfig<C> {
        LogConfig {
            partition,
            items_per_section: FILE_ENTRIES,
            compression: None,
            codec_config,
            page_cache: cache.clone(),
            write_buffer: BUFFER_BYTES,
            replay_buffer: BUFFER_BYTES,
        }
    }
    let state = StateConfig {
        merkle_config: merkle("state"),
        journal_config: log(format!("{prefix}-state-log"), ((), ()), cache),
        grafted_metadata_partition: format!("{prefix}-state-grafted"),
        translator: EightCap,
        init_cache: Some(NZUsize!(1_024)),
        init_buffer: BUFFER_BYTES,
        init_concurrency: (),
    };
    let outbox = OutboxConfig {
        merkle: merkle("outbox"),
        log: log(format!("{prefix}-outbox-log"), (), cache),
    };
    (state, outbox)
}

/// The records a block reads: the parent's state, or what the same branch has not applied yet.
pub(crate) struct BatchStore<'a, E: StorageContext + Spawner>(pub(crate) &'a StateBatch<E>);

impl<E: StorageContext + Spawner> chain::Store for BatchStore<'_, E> {
    async fn get_many(&self, keys: &[Key]) -> Vec<Option<Vec<u8>>> {
        let paths: Vec<Digest> = keys.iter().map(|key| digest(&key.path())).collect();
        let paths: Vec<&Digest> = paths.iter().collect();
        let records = self.0.get_many(&paths).await.expect("the state can be read");
        records.into_iter().map(|record| record.map(|record| record.as_slice().to_vec())).collect()
    }
}

/// The newest applied state.
pub(crate) struct TipStore<'a, E: StorageContext + Spawner>(pub(crate) &'a StateDb<E>);

impl<E: StorageContext + Spawner> chain::Store for TipStore<'_, E> {
    async fn get_many(&self, keys: &[Key]) -> Vec<Option<Vec<u8>>> {
        let mut records = Vec::with_capacity(keys.len());
        for key in keys {
            let record = self.0.get(&digest(&key.path())).await.expect("the state can be read");
            records.push(record.map(|record| record.as_slice().to_vec()));
        }
        records
    }
}

/// Accounts of the newest applied state, in the order asked for.
pub(crate) async fn accounts<E: StorageContext + Spawner>(
    databases: &Databases<E>,
    addresses: &[Address],
) -> Vec<Account> {
    let keys: Vec<Key> = addresses.iter().map(|address| Key::Account(*address)).collect();
    let state = databases.0.read().await;
    let records = TipStore::<E>(&state).get_many(&keys).await;
    let decoded =
        |bytes: Vec<u8>| Account::decode(bytes).expect("state holds what this code wrote");
    records.into_iter().map(|bytes| bytes.map(decoded).unwrap_or_default()).collect()
}

/// A cache for the pages of a validator's files.
pub(crate) fn page_cache(bytes: usize) -> CacheRef {
    let pages = NonZeroUsize::new(bytes / PAGE_BYTES).unwrap_or(PAGES_MIN).max(PAGES_MIN);
    CacheRef::new(NZU16!(4_096), pages)
}

const PAGE_BYTES: usize = 4_096;
const PAGES_MIN: NonZeroUsize = NZUsize!(128);

/// The record at `path`, or its absence, with the proof under the store's root. `None` for an empty store.
pub(crate) async fn prove<E: StorageContext + Spawner>(
    state: &StateDb<E>,
    path: Digest,
) -> Option<(Option<Vec<u8>>, Vec<u8>)> {
    let record = state.get(&path).await.expect("the state can be read");
    let proof = match &record {
        Some(_) => state.key_value_proof(path).await.map(|proof| proof.encode().to_vec()),
        None => state.exclusion_proof(&path).await.map(|proof| proof.encode().to_vec()),
    };
    match proof {
        Ok(proof) => Some((record.map(|record| record.as_slice().to_vec()), proof)),
        Err(Error::KeyNotFound) => None,
        Err(error) => panic!("the state can be read: {error}"),
    }
}

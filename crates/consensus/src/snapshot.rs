//! Several records of one and the same block's state.

use crate::{
    handle::{Chain, Tip},
    store::TipStore,
};
use chain::Store as _;
use commonware_runtime::{Clock, Spawner};
use commonware_storage::Context as StorageContext;
use types::state::Key;

/// Records, in the order of the keys asked for, with the block after which they are so.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The header of the block after which the records are so.
    pub tip: Tip,
    /// Encoded records, one for each key, in the order of the keys; `None` where the state has none.
    pub records: Vec<Option<Vec<u8>>>,
}

impl<E: StorageContext + Spawner + Clock> Chain<E> {
    /// Read `keys` as they are after one block. `None` while the newest state's block is still being
    /// announced: ask again after the next one.
    pub async fn snapshot(&self, keys: &[Key]) -> Option<Snapshot> {
        // Root and records under one lock, so that all of them are of one block.
        let state = self.databases.0.read().await;
        let root = crate::block::hash(&state.root());
        let records = TipStore::<E>(&state).get_many(keys).await;
        let tip = self.shared.memory().header_of(&root).cloned()?;
        Some(Snapshot { tip, records })
    }
}

//! A chain's state store by itself, for tools that measure or inspect it.

use crate::store::{StateDb, configs, page_cache, prove};
use commonware_runtime::{Supervisor as _, tokio::Context};
use commonware_storage::qmdb::floor::Proportional;
use futures::future::{BoxFuture, FutureExt as _};
use receipt::light::{Record, digest};
use types::Hash;

/// The database that holds one chain's state, configured as a validator's is.
pub struct StateStore {
    db: StateDb<Context>,
}

/// A record, or (`None`) its absence, and the bytes that prove it under [`StateStore::root`].
pub type Proved = (Option<Vec<u8>>, Vec<u8>);

impl StateStore {
    /// Open or create the store named `partition` in the runtime's folder.
    ///
    /// # Panics
    /// If its files cannot be read or written, as a validator would.
    pub fn open(
        context: Context,
        partition: String,
        cache_bytes: usize,
    ) -> BoxFuture<'static, Self> {
        let opening = async move {
            let (config, _) = configs(&partition, &page_cache(cache_bytes));
            let db = StateDb::init(context.child("state"), config, None).await;
            Self { db: db.expect("the state store opens") }
        };
        opening.boxed()
    }

    /// Write records (at most 1 MiB each) under their paths, as one block would, and make them durable.
    ///
    /// # Panics
    /// As [`StateStore::open`], and if a record is too long.
    pub fn write(self, records: Vec<(Hash, Vec<u8>)>) -> BoxFuture<'static, Self> {
        let writing = async move {
            let mut batch = self.db.new_batch();
            for (path, record) in records {
                let record = Record::new(record).expect("records are bounded");
                batch = batch.write(digest(&path), Some(record));
            }
            let merkleized = batch.merkleize(&self.db, None, &mut Proportional).await;
            let merkleized = merkleized.expect("the state can be read");
            let db = self.db.apply_batch(merkleized).await.expect("the state can be written");
            Self { db: db.commit().await.expect("the state can be made durable") }
        };
        writing.boxed()
    }

    /// Commits to every record: what a header's `state_root` is.
    pub fn root(&self) -> Hash {
        crate::block::hash(&self.db.root())
    }

    /// What the store holds at `path`, proved; `None` only for a store that was never written.
    ///
    /// # Panics
    /// As [`StateStore::open`].
    pub fn prove(&self, path: Hash) -> BoxFuture<'_, Option<Proved>> {
        prove(&self.db, digest(&path)).boxed()
    }
}

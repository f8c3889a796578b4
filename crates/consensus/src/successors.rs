//! Who follows: the committees of later terms, as the chain's own state fixes them.

use crate::{
    block::consensus_key,
    ceremony::Directory,
    store::{Databases, TipStore},
};
use chain::Store as _;
use commonware_consensus::types::Epoch as EngineTerm;
use commonware_glue::dkg::ParticipantsProvider;
use commonware_runtime::{Clock, Spawner};
use commonware_storage::Context as StorageContext;
use commonware_utils::ordered::Set;
use network::PublicKey;
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};
use types::{
    codec::DecodeExt as _,
    state::{Key, TermRecord},
};

/// Between two looks whether the state that fixes a committee has been applied here.
const LOOK: Duration = Duration::from_millis(50);

/// The databases, once they are open: state sync may come first.
pub(crate) type Opened<E> = Arc<OnceLock<Databases<E>>>;

pub(crate) struct Successors<E: StorageContext + Spawner> {
    pub(crate) context: E,
    pub(crate) databases: Opened<E>,
}

impl<E: StorageContext + Spawner + Clock> Successors<E> {
    /// Who votes in `term`, by the newest applied state; `None` if it does not say.
    async fn term(&self, term: u64) -> Option<Set<PublicKey>> {
        let databases = self.databases.get()?;
        let state = databases.0.read().await;
        let key = Key::Term(types::Term::new(term));
        let bytes = TipStore::<E>(&state).get_many(&[key]).await.pop().flatten()?;
        let record = TermRecord::decode(bytes).expect("state holds what this code wrote");
        Some(Set::from_iter_dedup(record.keys.iter().filter_map(consensus_key)))
    }
}

impl<E: StorageContext + Spawner + Clock + Sync> ParticipantsProvider for Successors<E> {
    type PublicKey = PublicKey;
    type Directory = Directory;

    /// Those who get shares in `term`, to vote in the next. The middle of the term two before `term` fixes them, and
    /// that one's last block is the first to ask: waiting only bridges what this validator has yet to apply.
    async fn participants(&mut self, term: EngineTerm) -> Set<PublicKey> {
        loop {
            if let Some(keys) = self.term(term.get() + 1).await {
                return keys;
            }
            self.context.sleep(LOOK).await;
        }
    }

    async fn directory(&mut self, _: EngineTerm, _: Set<PublicKey>) -> Directory {
        Directory::default()
    }
}

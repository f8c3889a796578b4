//! Up to which round a validator must not sign, on its disk: see [`crate::rejoin`].

use commonware_consensus::types::{Epoch as EngineTerm, Round, View};
use commonware_storage::{
    Context as StorageContext,
    metadata::{Config, Metadata},
};
use commonware_utils::{fixed_bytes, sequence::FixedBytes};

const ROUND: FixedBytes<1> = fixed_bytes!("00");

/// Before the first view of the first term.
pub(crate) const BEGINNING: Round = Round::new(EngineTerm::zero(), View::zero());

pub(crate) struct Silence<E: StorageContext>(Metadata<E, FixedBytes<1>, Round>);

impl<E: StorageContext> Silence<E> {
    pub(crate) async fn open(context: E, partition: &str) -> Self {
        let config = Config { partition: format!("{partition}-silence"), codec_config: () };
        Self(Metadata::init(context, config).await.expect("the mark of silence opens"))
    }

    /// `None`: this disk has never been used.
    pub(crate) fn to(&self) -> Option<Round> {
        self.0.get(&ROUND).copied()
    }

    /// Be silent up to `round` at least. On disk when this returns.
    pub(crate) async fn extend(self, round: Round) -> Self {
        // Never back: a validator that crashes while it rejoins stays silent for as long as it first promised.
        let round = round.max(self.to().unwrap_or(BEGINNING));
        Self(self.0.put_sync(ROUND, round).await.expect("the mark of silence can be written"))
    }
}

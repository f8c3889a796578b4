//! Up to which view a validator must not sign, on its disk: see [`crate::rejoin`].

use commonware_consensus::types::View;
use commonware_storage::{
    Context as StorageContext,
    metadata::{Config, Metadata},
};
use commonware_utils::{fixed_bytes, sequence::FixedBytes};

const VIEW: FixedBytes<1> = fixed_bytes!("00");

pub(crate) struct Silence<E: StorageContext>(Metadata<E, FixedBytes<1>, u64>);

impl<E: StorageContext> Silence<E> {
    pub(crate) async fn open(context: E, partition: &str) -> Self {
        let config = Config { partition: format!("{partition}-silence"), codec_config: () };
        Self(Metadata::init(context, config).await.expect("the mark of silence opens"))
    }

    /// `None`: this disk has never been used.
    pub(crate) fn to(&self) -> Option<View> {
        self.0.get(&VIEW).copied().map(View::new)
    }

    /// Be silent up to `view` at least. On disk when this returns.
    pub(crate) async fn extend(self, view: View) -> Self {
        let view = view.max(self.to().unwrap_or(View::zero())).get();
        Self(self.0.put_sync(VIEW, view).await.expect("the mark of silence can be written"))
    }
}

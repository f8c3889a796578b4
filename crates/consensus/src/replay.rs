//! Where a validator's state comes from when its disk is empty: its peers' blocks, replayed.
//!
//! The library could also fetch the state itself, but serves it only for operations whose decoding
//! needs no configuration, and ours are of variable length. Until then the source of state below says
//! that it has none; it is asked only if state sync is switched on, which [`crate::engine`] never does.

use commonware_glue::stateful::db::{AttachableResolver, Shared};
use commonware_storage::qmdb::sync::source::{Request, Result as Served, Source};
use receipt::light::{Digest, Family};
use std::marker::PhantomData;

/// A source that serves nothing.
pub(crate) struct BlocksOnly<Op>(PhantomData<fn() -> Op>);

impl<Op> BlocksOnly<Op> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<Op> Clone for BlocksOnly<Op> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("state is rebuilt from blocks, not fetched")]
pub(crate) struct NotServed;

impl<Op: Send + 'static> Source for BlocksOnly<Op> {
    type Family = Family;
    type Digest = Digest;
    type Op = Op;
    type Error = NotServed;

    async fn serve(&self, _: Request<Family>) -> Served<Self> {
        Err(NotServed)
    }
}

impl<DB: Send + Sync + 'static, Op: Send + 'static> AttachableResolver<DB> for BlocksOnly<Op> {
    async fn attach_database(&self, _: Shared<DB>) {}
}

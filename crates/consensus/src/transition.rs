//! The state transition as the engine sees it: one call, for every kind of store.
//!
//! Consensus orders blocks and keeps state; what a block *does* is handed to it. Behind this trait
//! `chain::apply_block` is compiled once instead of once per store and runtime, and the simulator can
//! put a liar or a planted bug in its place.

use chain::{Applied, BlockContext, Mode, Proposal, Refusal, Store, apply_block};
use futures::future::{BoxFuture, FutureExt as _};
use types::{network::Genesis, state::Key};

/// A [`Store`] behind a pointer.
trait Records: Send + Sync {
    fn get_many<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Vec<Option<Vec<u8>>>>;
}

impl<S: Store> Records for S {
    fn get_many<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Vec<Option<Vec<u8>>>> {
        Store::get_many(self, keys).boxed()
    }
}

/// The state before a block.
#[derive(Clone, Copy)]
pub struct Before<'a>(&'a dyn Records);

impl<'a> Before<'a> {
    /// The state in `store`.
    pub fn of(store: &'a impl Store) -> Self {
        Self(store)
    }
}

impl Store for Before<'_> {
    async fn get_many(&self, keys: &[Key]) -> Vec<Option<Vec<u8>>> {
        self.0.get_many(keys).await
    }
}

/// How one state follows from another. Must give the same answer on every validator.
pub trait Transition: Send + Sync + 'static {
    /// As `chain::apply_block`.
    fn apply<'a>(
        &'a self,
        before: Before<'a>,
        genesis: &'a Genesis,
        context: &'a BlockContext,
        proposal: Proposal,
        mode: Mode,
    ) -> BoxFuture<'a, Result<Applied, Refusal>>;
}

/// MeshX's own rules.
#[derive(Clone, Copy, Debug)]
pub struct ApplyBlock;

impl Transition for ApplyBlock {
    fn apply<'a>(
        &'a self,
        before: Before<'a>,
        genesis: &'a Genesis,
        context: &'a BlockContext,
        proposal: Proposal,
        mode: Mode,
    ) -> BoxFuture<'a, Result<Applied, Refusal>> {
        async move { apply_block(&before, genesis, context, proposal, mode).await }.boxed()
    }
}

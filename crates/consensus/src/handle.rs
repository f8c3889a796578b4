//! What the shell may ask of a running chain.

use crate::{
    block::Block,
    clock::now,
    guarded::Guarded,
    intake::Mailbox,
    locked::lock,
    news::{Fate, Final, SubmitError},
    schemes::Schemes,
    shared::Shared,
    store::{Databases, TipStore, accounts, prove},
};
use chain::Store as _;
use commonware_codec::{DecodeExt as _, Encode as _};
use commonware_consensus::{
    marshal::{Identifier, core::Mailbox as Marshal, standard::Standard},
    types::{Epoch as EngineTerm, Height as ConsensusHeight, Round, View},
};
use commonware_runtime::{Handle, Spawner};
use commonware_storage::Context as StorageContext;
use receipt::light::digest;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::{broadcast, oneshot};
use types::{
    Address, Bytes, ChainId, EquivocationProof, Header, Height, Millis, Proved, Record, Term, Tx,
    TxId,
    state::{Account, Key, Params},
};

/// The newest final block this node has applied.
pub type Tip = Header;

/// How long [`Chain::prove`] waits between two looks for a block with a certificate of its own.
const PROOF_LOOKS: Duration = Duration::from_millis(50);
/// How long it waits in all, beyond the slowest beat of the chain.
const PROOF_PATIENCE: Duration = Duration::from_secs(2);

/// A handle to a running chain; cloning it gives another to the same one.
pub struct Chain<E: StorageContext + Spawner> {
    pub(crate) context: Arc<E>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) databases: Databases<E>,
    pub(crate) marshal: Marshal<Guarded, Standard<Block>>,
    pub(crate) silent_to: Round,
    /// Between two blocks when nobody waits for one.
    pub(crate) slowest: Millis,
    pub(crate) schemes: Schemes,
    pub(crate) mailbox: Mailbox,
    pub(crate) engine: Arc<Mutex<Option<Handle<()>>>>,
}

impl<E: StorageContext + Spawner> Clone for Chain<E> {
    fn clone(&self) -> Self {
        Self {
            context: self.context.clone(),
            shared: self.shared.clone(),
            databases: self.databases.clone(),
            marshal: self.marshal.clone(),
            silent_to: self.silent_to,
            slowest: self.slowest,
            schemes: self.schemes.clone(),
            mailbox: self.mailbox.clone(),
            engine: self.engine.clone(),
        }
    }
}

impl<E: StorageContext + Spawner + commonware_runtime::Clock> Chain<E> {
    /// The chain that it runs.
    pub fn id(&self) -> ChainId {
        self.shared.chain()
    }

    /// Seats in the newest term's committee that this node knows.
    pub fn validators(&self) -> usize {
        self.committee().1.len()
    }

    /// The newest term that this node knows, and the voting keys that have seats in it.
    pub fn committee(&self) -> (Term, Vec<types::PublicKey>) {
        match self.schemes.newest() {
            Some((term, keys)) => {
                (Term::new(term.get()), keys.iter().map(crate::block::plain_key).collect())
            }
            None => (Term::ZERO, self.shared.genesis.validators.iter().map(|v| v.key).collect()),
        }
    }

    /// The longest that two blocks of a healthy chain are apart.
    pub const fn slowest_beat(&self) -> Millis {
        self.slowest
    }

    /// How many of the committee voted within `window`, as far as this node heard. It counts itself, if it has a seat.
    pub fn answering(&self, window: Millis) -> usize {
        let (_, committee) = self.committee();
        let (own, now) = (self.schemes.own(), Millis::new(now(&*self.context)));
        self.shared.memory().voters().answering(&committee, &own, now, window)
    }

    /// Final blocks from now on, in order. A receiver that lags behind misses the oldest.
    pub fn finals(&self) -> broadcast::Receiver<Arc<Final>> {
        self.shared.finals.subscribe()
    }

    /// `None` until the first block after genesis is final.
    pub fn tip(&self) -> Option<Tip> {
        self.shared.memory().tip().cloned()
    }

    /// Whether this validator has caught up with its chain since it started, and may vote in the views that come. One
    /// that lost its disk is silent for a moment and counts as faulty until then.
    pub fn is_ready(&self) -> bool {
        self.tip().is_some_and(|tip| {
            let round = Round::new(EngineTerm::new(tip.term.get()), View::new(tip.view));
            round >= self.silent_to
        }) && self.shared.memory().has_caught_up()
    }

    /// How many transactions' signatures this validator has checked since it started. One that waits in
    /// its pool is not checked again in a block.
    pub fn signatures_checked(&self) -> u64 {
        self.shared.memory().signatures_checked()
    }

    /// Proofs that validators signed twice, as seen by this one since it started: at most
    /// [`EQUIVOCATIONS_MAX`](crate::EQUIVOCATIONS_MAX), one per validator and view. Each passes
    /// [`receipt::check_equivocation`] and convinces anybody who knows the network's id.
    pub fn equivocations(&self) -> Vec<EquivocationProof> {
        self.shared.memory().equivocations()
    }

    /// Transactions that wait for a block here.
    pub fn waiting(&self) -> usize {
        self.shared.memory().waiting()
    }

    /// Check `tx` and pass it to the committee. It is refused here, before anything moves, if the
    /// newest state would refuse it.
    ///
    /// # Errors
    /// [`SubmitError`]; the transaction has gone nowhere.
    pub async fn submit(&self, tx: Tx) -> Result<TxId, SubmitError> {
        self.submit_all(vec![tx]).await.pop().expect("one verdict for one transaction")
    }

    /// [`Chain::submit`] for several, each with its own verdict, in order.
    pub async fn submit_all(&self, txs: Vec<Tx>) -> Vec<Result<TxId, SubmitError>> {
        if self.tip().is_none() {
            return vec![Err(SubmitError::NotReady); txs.len()];
        }
        self.mailbox.submit(txs).await
    }

    /// Hear what becomes of a transaction, from now on: ask before it is submitted.
    pub fn watch(&self, id: TxId) -> oneshot::Receiver<Fate> {
        self.shared.memory().watch(id)
    }

    /// Balance and nonce of `address` in the newest applied state; both 0 for an account that was never used.
    pub async fn account(&self, address: Address) -> Account {
        let mut found = accounts(&self.databases, &[address]).await;
        found.pop().expect("one account for one address")
    }

    /// The nonce `address` should use next, counting what waits in this node's pool.
    pub async fn next_nonce(&self, address: Address) -> u64 {
        loop {
            let round = self.shared.memory().round();
            let account = self.account(address).await;
            let next = self.shared.memory().next_nonce(round, &address, account.nonce);
            // Otherwise a block became final between the two reads, and the nonce from the state is not the pool's any
            // more.
            if let Some(next) = next {
                return next;
            }
        }
    }

    /// Records of the newest applied state, in the order of `keys`.
    pub async fn records(&self, keys: &[Key]) -> Vec<Option<Vec<u8>>> {
        let state = self.databases.0.read().await;
        TipStore::<E>(&state).get_many(keys).await
    }

    /// One record, decoded.
    pub async fn record<T: types::codec::Read<Cfg = ()>>(&self, key: Key) -> Option<T> {
        let bytes = self.records(&[key]).await.pop().flatten()?;
        Some(T::decode(bytes).expect("state holds what this code wrote"))
    }

    /// The chain's parameters in the newest applied state; `None` before there is one.
    pub async fn params(&self) -> Option<Params> {
        self.record(Key::Params).await
    }

    /// A final block by height.
    pub async fn block(&self, height: Height) -> Option<types::Block> {
        let block =
            self.marshal.get_block(Identifier::Height(ConsensusHeight::new(height.get()))).await?;
        Some(block.inner().0.clone())
    }

    /// The finalization certificate of the block at `height`. A block that was finalised by a later
    /// one's certificate has none of its own.
    pub async fn certificate(&self, height: Height) -> Option<Vec<u8>> {
        let finalization =
            self.marshal.get_finalization(ConsensusHeight::new(height.get())).await?;
        Some(finalization.encode().to_vec())
    }

    /// Prove what the newest state says about `key`.
    ///
    /// Proofs are of the newest applied state; when that block was finalised by a later one's
    /// certificate, this waits for the next. `None` if no provable block came in two seconds more than the slowest beat.
    pub async fn prove(&self, key: &Key) -> Option<Proved<Option<Record>>> {
        let patience = PROOF_PATIENCE + Duration::from_millis(self.slowest.get());
        let mut waited = Duration::ZERO;
        loop {
            if let Some(proof) = self.try_prove(key).await {
                return Some(proof);
            }
            if waited > patience {
                return None;
            }
            self.context.sleep(PROOF_LOOKS).await;
            waited += PROOF_LOOKS;
        }
    }

    async fn try_prove(&self, key: &Key) -> Option<Proved<Option<Record>>> {
        let path = digest(&key.path());
        let (root, (record, proof)) = {
            let state = self.databases.0.read().await;
            // Root and proof under one lock: a block between the two would leave a proof under another root.
            (state.root(), prove(&state, path).await?)
        };
        let root = crate::block::hash(&root);
        let header = self.shared.memory().header_of(&root).cloned()?;
        let certificate = Bytes::new(self.certificate(header.height).await?).ok()?;
        let record = record.map(Bytes::new).transpose().ok()?;
        Some(Proved { record, header, certificate, proof: Bytes::new(proof).ok()? })
    }

    /// Stop taking part. Blocks that are final stay so.
    pub fn stop(&self) {
        if let Some(engine) = lock(&self.engine).take() {
            engine.abort();
        }
    }
}

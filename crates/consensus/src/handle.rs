//! What the shell may ask of a running chain.

pub use crate::app::Final;
use crate::{
    app::{SharedState, lock},
    block::Block,
    guarded::Guarded,
    intake::{self, Request},
    schemes::Schemes,
    store::{Databases, TipStore, prove},
};
use chain::{Refusal, Store as _};
use commonware_codec::{DecodeExt as _, Encode as _};
use commonware_consensus::{
    marshal::{Identifier, core::Mailbox as Marshal, standard::Standard},
    types::{Epoch as ConsensusEpoch, Height as ConsensusHeight, Round, View},
};
use commonware_runtime::{Handle, Spawner};
use commonware_storage::Context as StorageContext;
use receipt::light::digest;
use std::sync::{Arc, Mutex, atomic::Ordering};
use tokio::sync::{broadcast, mpsc, oneshot};
use types::{
    Address, ChainId, Code, DoubleSigning, Epoch, Hash, Header, Height, Tx, TxId,
    state::{Account, Key, Params},
};

/// The newest final block this node has applied.
pub type Tip = Header;

/// Why a transaction was not accepted. Nothing has happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Rejected(#[from] mempool::Rejected),
    #[error("the chain has no final block yet")]
    NotReady,
    #[error("an earlier transaction of this account was refused, so this one was dropped")]
    Displaced,
    #[error("this validator has stopped")]
    Stopped,
}

impl SubmitError {
    /// The word for it in the API.
    pub const fn code(&self) -> Code {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Rejected(rejected) => rejected.code(),
            Self::Displaced => Code::NonceGap,
            Self::NotReady | Self::Stopped => Code::NotReady,
        }
    }

    /// Whether the same again is of no use until somebody changes something: see [`Code::is_lasting`].
    pub const fn is_lasting(&self) -> bool {
        self.code().is_lasting()
    }
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Final {
        height: Height,
        block: Hash,
    },
    /// The state it met refused it.
    Refused(Refusal),
    /// One of its sender's before it was refused, so this one's nonce leaves a gap now. It was dropped;
    /// sign it again with the next nonce.
    Displaced,
}

/// A record, or its absence, with everything that proves it.
#[derive(Clone, Debug)]
pub struct Proof {
    pub header: Header,
    /// The finalization certificate of that block.
    pub certificate: Vec<u8>,
    /// `None`: the proof shows that there is none.
    pub record: Option<Vec<u8>>,
    pub proof: Vec<u8>,
}

/// How often [`Chain::prove`] waits for a block with a certificate of its own.
const PROOF_TRIES: usize = 40;

/// A handle to a running chain; cloning it gives another to the same one.
pub struct Chain<E: StorageContext + Spawner> {
    pub(crate) context: Arc<E>,
    pub(crate) shared: Arc<SharedState>,
    pub(crate) databases: Databases<E>,
    pub(crate) marshal: Marshal<Guarded, Standard<Block>>,
    pub(crate) silent_to: Round,
    pub(crate) schemes: Schemes,
    pub(crate) requests: mpsc::Sender<Request>,
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
            schemes: self.schemes.clone(),
            requests: self.requests.clone(),
            engine: self.engine.clone(),
        }
    }
}

impl<E: StorageContext + Spawner + commonware_runtime::Clock> Chain<E> {
    pub fn id(&self) -> ChainId {
        self.shared.chain()
    }

    /// Seats in the newest term's committee that this node knows.
    pub fn validators(&self) -> usize {
        self.committee().1.len()
    }

    /// The newest term that this node knows, and the voting keys that have seats in it.
    pub fn committee(&self) -> (Epoch, Vec<types::PublicKey>) {
        match self.schemes.newest() {
            Some((epoch, keys)) => {
                (Epoch::new(epoch.get()), keys.iter().map(crate::block::plain_key).collect())
            }
            None => (Epoch::ZERO, self.shared.genesis.validators.iter().map(|v| v.key).collect()),
        }
    }

    /// Final blocks from now on, in order. A receiver that lags behind misses the oldest.
    pub fn finals(&self) -> broadcast::Receiver<Arc<Final>> {
        self.shared.finals.subscribe()
    }

    /// `None` until the first block after genesis is final.
    pub fn tip(&self) -> Option<Tip> {
        self.shared.tip()
    }

    /// Whether this validator knows a final block and may vote in the views after it. One that lost its disk
    /// is silent for a moment and counts as faulty until then.
    pub fn is_ready(&self) -> bool {
        self.tip().is_some_and(|tip| {
            let round = Round::new(ConsensusEpoch::new(tip.epoch.get()), View::new(tip.view));
            round >= self.silent_to
        })
    }

    /// How many transactions' signatures this validator has checked since it started. One that waits in
    /// its pool is not checked again in a block.
    pub fn signatures_checked(&self) -> u64 {
        self.shared.signatures_checked.load(Ordering::Relaxed)
    }

    /// Proofs that validators signed twice, as seen by this one since it started: at most
    /// [`EVIDENCE_MAX`](crate::EVIDENCE_MAX), one per validator and view. Each passes
    /// [`receipt::check_double_signing`] and convinces anybody who knows the network's id.
    pub fn evidence(&self) -> Vec<DoubleSigning> {
        self.shared.evidence()
    }

    /// Transactions that wait for a block here.
    pub fn waiting(&self) -> usize {
        lock(&self.shared.pool).len()
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
        let count = txs.len();
        let all = |error: SubmitError| vec![Err(error); count];
        if self.tip().is_none() {
            return all(SubmitError::NotReady);
        }
        let (reply, verdicts) = oneshot::channel();
        match self.requests.try_send(Request { txs, reply }) {
            Ok(()) => verdicts.await.unwrap_or_else(|_| all(SubmitError::Stopped)),
            Err(mpsc::error::TrySendError::Full(_)) => all(mempool::Rejected::Full.into()),
            Err(mpsc::error::TrySendError::Closed(_)) => all(SubmitError::Stopped),
        }
    }

    /// Hear what becomes of a transaction, from now on: ask before it is submitted.
    pub fn watch(&self, id: TxId) -> oneshot::Receiver<Fate> {
        self.shared.watch(id)
    }

    pub async fn account(&self, address: Address) -> Account {
        let mut accounts = intake::accounts(&self.databases, &[address]).await;
        accounts.pop().expect("one account for one address")
    }

    /// The nonce `address` should use next, counting what waits in this node's pool.
    pub async fn next_nonce(&self, address: Address) -> u64 {
        loop {
            let round = self.shared.pool_round.load(Ordering::Relaxed);
            let account = self.account(address).await;
            if let Some(pool) = self.shared.pool_at(round) {
                return pool.next_nonce(&address, account.nonce);
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
    /// certificate, this waits for the next. `None` if no provable block came in 40 tries.
    pub async fn prove(&self, key: &Key) -> Option<Proof> {
        for _ in 0..PROOF_TRIES {
            if let Some(proof) = self.try_prove(key).await {
                return Some(proof);
            }
            self.context.sleep(std::time::Duration::from_millis(50)).await;
        }
        None
    }

    async fn try_prove(&self, key: &Key) -> Option<Proof> {
        let path = digest(&key.path());
        let (root, (record, proof)) = {
            let state = self.databases.0.read().await;
            (state.root(), prove(&state, path).await?)
        };
        let root = crate::block::hash(&root);
        let header = lock(&self.shared.applied)
            .values()
            .rev()
            .find(|header| header.state_root == root)
            .cloned()?;
        let certificate = self.certificate(header.height).await?;
        Some(Proof { header, certificate, record, proof })
    }

    /// Stop taking part. Blocks that are final stay so.
    pub fn stop(&self) {
        if let Some(engine) = lock(&self.engine).take() {
            engine.abort();
        }
    }
}

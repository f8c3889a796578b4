//! What the shell may ask of a running chain.

pub use crate::app::Final;
use crate::{
    app::{SharedState, lock},
    block::{Block, consensus_key},
    gossip,
    store::{Databases, TipStore},
    transition::Before,
};
use chain::{Mode, Proposal, Refusal, Store as _, check_tx};
use commonware_codec::{DecodeExt as _, Encode as _};
use commonware_consensus::{
    marshal::{Identifier, core::Mailbox as Marshal, standard::Standard},
    types::Height as ConsensusHeight,
};
use commonware_runtime::{Handle, Spawner};
use commonware_storage::{Context as StorageContext, qmdb::Error as StoreError};
use receipt::light::{Scheme, digest};
use std::sync::{Arc, Mutex};
use tokio::sync::broadcast;
use types::{
    Address, ChainId, Header, Height, Tx, TxId,
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
    pub(crate) marshal: Marshal<Scheme, Standard<Block>>,
    pub(crate) gossip: Arc<dyn Fn(&chain::CheckedTx) + Send + Sync>,
    pub(crate) engine: Arc<Mutex<Option<Handle<()>>>>,
}

impl<E: StorageContext + Spawner> Clone for Chain<E> {
    fn clone(&self) -> Self {
        Self {
            context: self.context.clone(),
            shared: self.shared.clone(),
            databases: self.databases.clone(),
            marshal: self.marshal.clone(),
            gossip: self.gossip.clone(),
            engine: self.engine.clone(),
        }
    }
}

impl<E: StorageContext + Spawner + commonware_runtime::Clock> Chain<E> {
    pub fn id(&self) -> ChainId {
        self.shared.chain()
    }

    pub fn validators(&self) -> usize {
        self.shared.genesis.validators.len()
    }

    /// Final blocks from now on, in order. A receiver that lags behind misses the oldest.
    pub fn finals(&self) -> broadcast::Receiver<Arc<Final>> {
        self.shared.finals.subscribe()
    }

    /// `None` until the first block after genesis is final.
    pub fn tip(&self) -> Option<Tip> {
        lock(&self.shared.applied).last_key_value().map(|(_, header)| header.clone())
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
        let tip = self.tip().ok_or(SubmitError::NotReady)?;
        let checked = check_tx(tx, &self.shared.network, self.id())?;
        let id = checked.id();
        if lock(&self.shared.pool).contains(&id) {
            return Ok(id);
        }
        self.rehearse(&tip, &checked).await?;
        gossip::admit(&self.shared, &self.databases, &checked).await?;
        (self.gossip)(&checked);
        Ok(id)
    }

    /// What the next block would say to `tx` alone. A transaction that waits for others of its sender
    /// cannot be judged yet and passes.
    async fn rehearse(&self, tip: &Tip, tx: &chain::CheckedTx) -> Result<(), SubmitError> {
        let account = self.account(tx.from()).await;
        let next = lock(&self.shared.pool).next_nonce(&tx.from(), account.nonce);
        let (got, wrong) =
            (tx.tx().nonce, |expected| Refusal::nonce(tx.from(), expected, tx.tx().nonce));
        if got > next {
            return Err(wrong(next).into());
        }
        if got < account.nonce {
            return Err(wrong(account.nonce).into());
        }
        if got > account.nonce {
            return Ok(());
        }
        let context = chain::BlockContext {
            network: self.shared.network,
            chain: self.id(),
            height: tip.height.next(),
            epoch: tip.epoch,
            view: tip.view + 1,
            leader: tip.leader,
            timestamp: tip.timestamp,
        };
        let state = self.databases.0.read().await;
        let proposal = Proposal { beacons: vec![], txs: vec![tx.clone()] };
        let (store, genesis) = (TipStore::<E>(&state), &self.shared.genesis);
        let before = Before::of(&store);
        self.shared.transition.apply(before, genesis, &context, proposal, Mode::Check).await?;
        Ok(())
    }

    pub async fn account(&self, address: Address) -> Account {
        gossip::account(&self.databases, address).await
    }

    /// The nonce `address` should use next, counting what waits in this node's pool.
    pub async fn next_nonce(&self, address: Address) -> u64 {
        let account = self.account(address).await;
        lock(&self.shared.pool).next_nonce(&address, account.nonce)
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
        let (root, record, proof) = {
            let state = self.databases.0.read().await;
            let record = state.get(&path).await.expect("the state can be read");
            let proof = match &record {
                Some(_) => state.key_value_proof(path).await.map(|proof| proof.encode().to_vec()),
                None => state.exclusion_proof(&path).await.map(|proof| proof.encode().to_vec()),
            };
            match proof {
                Ok(proof) => (state.root(), record, proof),
                Err(StoreError::KeyNotFound) => return None,
                Err(error) => panic!("the state can be read: {error}"),
            }
        };
        let root = crate::block::hash(&root);
        let header = lock(&self.shared.applied)
            .values()
            .rev()
            .find(|header| header.state_root == root)
            .cloned()?;
        let certificate = self.certificate(header.height).await?;
        Some(Proof {
            header,
            certificate,
            record: record.map(|record| record.as_slice().to_vec()),
            proof,
        })
    }

    /// Stop taking part. Blocks that are final stay so.
    pub fn stop(&self) {
        if let Some(engine) = lock(&self.engine).take() {
            engine.abort();
        }
    }

    /// Whether `key` may sign for this chain.
    pub fn is_validator(&self, key: &types::PublicKey) -> bool {
        consensus_key(key).is_some()
            && self.shared.genesis.validators.iter().any(|validator| validator.key == *key)
    }
}

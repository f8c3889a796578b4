//! How transactions come in: from clients and from peers, checked in batches, put into the pool, and
//! passed on, so that whoever leads next has them.
//!
//! One task per validator takes whatever waits, up to [`BATCH_TXS`], and checks its signatures together:
//! alone, a signature costs three times as much. When little comes in, a batch is one transaction and
//! nothing waits for it.

use crate::{
    app::{SharedState, lock},
    handle::SubmitError,
    pooled::PooledTx,
    store::{Databases, TipStore},
    transition::Before,
};
use chain::{CheckedTx, Mode, Proposal, Refusal, Store as _, check_txs};
use commonware_codec::{DecodeExt as _, Encode as _};
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_runtime::{IoBuf, Spawner};
use commonware_storage::Context as StorageContext;
use futures::FutureExt as _;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering},
};
use tokio::sync::{mpsc, oneshot};
use types::{
    Address, List, Tx, TxId,
    codec::EncodeSize as _,
    state::{Account, Key},
};

/// Most transactions checked together, and most in one message to peers.
pub(crate) const BATCH_TXS: usize = 1_024;
/// Most bytes in one message to peers.
const MESSAGE_BYTES: usize = 256 << 10;
/// Most clients' requests that wait for this task; more are told to come again.
const REQUESTS_MAX: usize = 256;

type Batch = List<Tx, BATCH_TXS>;
type Verdicts = Vec<Result<TxId, SubmitError>>;

/// A client's transactions, and where the verdicts go.
pub(crate) struct Request {
    pub(crate) txs: Vec<Tx>,
    pub(crate) reply: oneshot::Sender<Verdicts>,
}

pub(crate) fn requests() -> (mpsc::Sender<Request>, mpsc::Receiver<Request>) {
    mpsc::channel(REQUESTS_MAX)
}

/// What a transaction is judged against.
pub(crate) struct Desk<E: StorageContext + Spawner> {
    pub(crate) shared: Arc<SharedState>,
    pub(crate) databases: Databases<E>,
}

/// One validator's intake.
pub(crate) struct Intake<E: StorageContext + Spawner, S, R> {
    pub(crate) desk: Desk<E>,
    pub(crate) requests: mpsc::Receiver<Request>,
    pub(crate) sender: S,
    pub(crate) receiver: R,
    /// Peers that passed on a transaction with a bad signature: an honest validator checks first. One bad
    /// signature spoils a whole batch, so nothing more is taken from them until this validator restarts.
    pub(crate) distrusted: BTreeSet<PublicKey>,
}

impl<E, S, R> Intake<E, S, R>
where
    E: StorageContext + Spawner,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
{
    /// Serve clients and peers until both channels close.
    pub(crate) async fn run(mut self) {
        loop {
            let mut round = Round::default();
            // Biased, so that a simulation with the same seed goes the same way.
            tokio::select! {
                biased;
                message = self.receiver.recv() => match message {
                    Ok((peer, bytes)) => self.hear(&mut round, peer, bytes),
                    Err(_) => return,
                },
                Some(request) = self.requests.recv() => round.take(request),
            }
            // Both take turns, so that neither can starve the other.
            while round.txs.len() < BATCH_TXS {
                let peer = self.receiver.recv().now_or_never();
                let client = self.requests.try_recv().ok();
                if peer.is_none() && client.is_none() {
                    break;
                }
                if let Some(Ok((peer, bytes))) = peer {
                    self.hear(&mut round, peer, bytes);
                }
                if let Some(request) = client {
                    round.take(request);
                }
            }
            self.settle(round).await;
        }
    }

    fn hear(&self, round: &mut Round, peer: PublicKey, bytes: IoBuf) {
        if !self.distrusted.contains(&peer) {
            round.hear(peer, bytes);
        }
    }

    /// Check a round's transactions, keep the good ones, answer clients and tell peers.
    async fn settle(&mut self, round: Round) {
        let Round { txs, replies, from_clients, peers } = round;
        let (verdicts, news) = self.desk.admit(txs, from_clients).await;
        self.spread(&news);
        let mut from_peers = verdicts[from_clients..].iter();
        for (peer, count) in peers {
            let forged = |verdict: &Result<CheckedTx, SubmitError>| {
                matches!(verdict, Err(SubmitError::Refused(Refusal::BadSignature)))
            };
            // All of a peer's are looked at, so that the next peer's begin where they should.
            if from_peers.by_ref().take(count).filter(|verdict| forged(verdict)).count() > 0 {
                tracing::warn!(chain = %self.desk.shared.chain(), %peer, "peer passes on forged transactions");
                self.distrusted.insert(peer);
            }
        }
        let mut verdicts = verdicts.into_iter().map(|verdict| verdict.map(|checked| checked.id()));
        for (count, reply) in replies {
            // A client that has gone away needs no answer.
            let _ = reply.send(verdicts.by_ref().take(count).collect());
        }
    }

    fn spread(&mut self, txs: &[CheckedTx]) {
        let mut rest = txs;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = rest.iter().take(BATCH_TXS).take_while(|tx| {
                bytes += tx.bytes();
                bytes <= MESSAGE_BYTES
            });
            let (now, later) = rest.split_at(fits.count().max(1));
            let batch = Batch::new(now.iter().map(|tx| tx.tx().clone()).collect());
            let batch = batch.expect("taken within the bound");
            debug_assert!(batch.encode_size() < 2 * MESSAGE_BYTES);
            self.sender.send(Recipients::All, IoBuf::from(batch.encode()), false);
            rest = later;
        }
    }
}

impl<E: StorageContext + Spawner> Desk<E> {
    /// The first `from_clients` are a client's: those are refused here, before anything moves, if the
    /// newest state would refuse them. A peer has judged the others for its own clients. Also returns
    /// what peers should hear of.
    async fn admit(
        &self,
        txs: Vec<Tx>,
        from_clients: usize,
    ) -> (Vec<Result<CheckedTx, SubmitError>>, Vec<CheckedTx>) {
        let shared = &*self.shared;
        // Before any work is done: this is what keeps a flooded node on its feet.
        if lock(&shared.pool).is_full() {
            let full = |_| Err(mempool::Rejected::Full.into());
            return (txs.iter().map(full).collect(), Vec::new());
        }
        let mut verdicts: Vec<Result<CheckedTx, SubmitError>> =
            check_known(shared, txs).into_iter().map(|checked| Ok(checked?)).collect();
        // What the state said before a block became final does not hold for the pool after it.
        let (mut pool, nonces) = loop {
            let round = shared.pool_round.load(Ordering::Relaxed);
            let nonces = self.nonces(verdicts.iter().flatten()).await;
            self.rehearse(&mut verdicts[..from_clients], &nonces).await;
            if let Some(pool) = shared.pool_at(round) {
                break (pool, nonces);
            }
        };
        let mut news = Vec::new();
        for (index, verdict) in verdicts.iter_mut().enumerate() {
            let Ok(checked) = verdict else { continue };
            if pool.contains(&checked.id()) {
                continue;
            }
            let (nonce, state_nonce) = (checked.tx().nonce, nonces[&checked.from()]);
            // Peers' messages may overtake each other; a client that leaves a gap has made a mistake.
            let expected = pool.next_nonce(&checked.from(), state_nonce);
            if index < from_clients && nonce > expected {
                *verdict = Err(Refusal::nonce(checked.from(), expected, nonce).into());
                continue;
            }
            match pool.insert(PooledTx(checked.clone()), state_nonce) {
                Ok(()) if index < from_clients => news.push(checked.clone()),
                Ok(()) => {}
                Err(rejected) => *verdict = Err(rejected.into()),
            }
        }
        (verdicts, news)
    }

    /// The next nonce of every sender in the newest state.
    async fn nonces(&self, txs: impl Iterator<Item = &CheckedTx>) -> BTreeMap<Address, u64> {
        let senders: BTreeSet<Address> = txs.map(CheckedTx::from).collect();
        let (mut nonces, mut unknown) = (BTreeMap::new(), Vec::new());
        {
            let pool = lock(&self.shared.pool);
            for sender in senders {
                match pool.state_nonce(&sender) {
                    Some(nonce) => drop(nonces.insert(sender, nonce)),
                    None => unknown.push(sender),
                }
            }
        }
        if !unknown.is_empty() {
            let found = accounts(&self.databases, &unknown).await;
            nonces.extend(unknown.into_iter().zip(found.into_iter().map(|account| account.nonce)));
        }
        nonces
    }

    /// What the next block would say to these transactions if nothing else were in it. One that waits
    /// for others of its sender cannot be judged yet and passes.
    async fn rehearse(
        &self,
        verdicts: &mut [Result<CheckedTx, SubmitError>],
        nonces: &BTreeMap<Address, u64>,
    ) {
        let next = verdicts
            .iter()
            .flatten()
            .filter(|tx| tx.tx().nonce == nonces[&tx.from()])
            .cloned()
            .collect::<Vec<_>>();
        if next.is_empty() {
            return;
        }
        let Some(tip) = self.shared.tip() else {
            verdicts.fill_with(|| Err(SubmitError::NotReady));
            return;
        };
        let context = chain::BlockContext {
            network: self.shared.network,
            chain: self.shared.chain(),
            height: tip.height.next(),
            epoch: tip.epoch,
            view: tip.view + 1,
            leader: tip.leader,
            timestamp: tip.timestamp,
        };
        let applied = {
            let state = self.databases.0.read().await;
            let proposal = Proposal { beacons: vec![], txs: next };
            let store = TipStore::<E>(&state);
            let (before, genesis) = (Before::of(&store), &self.shared.genesis);
            let transition = &self.shared.transition;
            transition
                .apply(before, genesis, &context, proposal, Mode::Build)
                .await
                .expect("building leaves out what it refuses")
        };
        let refused: BTreeMap<TxId, Refusal> =
            applied.refused.into_iter().map(|(tx, refusal)| (tx.id(), refusal)).collect();
        for verdict in verdicts {
            let refusal = verdict.as_ref().ok().and_then(|tx| refused.get(&tx.id()));
            if let Some(refusal) = refusal {
                *verdict = Err((*refusal).into());
            }
        }
    }
}

/// What one turn of the task has taken: clients' transactions first.
#[derive(Default)]
struct Round {
    txs: Vec<Tx>,
    from_clients: usize,
    replies: Vec<(usize, oneshot::Sender<Verdicts>)>,
    /// Whose the others are, in order.
    peers: Vec<(PublicKey, usize)>,
}

impl Round {
    fn take(&mut self, request: Request) {
        let count = request.txs.len();
        self.txs.splice(self.from_clients..self.from_clients, request.txs);
        self.from_clients += count;
        self.replies.push((count, request.reply));
    }

    /// What a peer sends that is no batch is dropped: its node answers for it to its clients, not to us.
    fn hear(&mut self, peer: PublicKey, bytes: IoBuf) {
        if let Ok(batch) = Batch::decode(bytes) {
            self.peers.push((peer, batch.len()));
            self.txs.extend(batch.into_vec());
        }
    }
}

/// [`check_txs`], except that what waits in the pool was checked when it came.
pub(crate) fn check_known(shared: &SharedState, txs: Vec<Tx>) -> Vec<Result<CheckedTx, Refusal>> {
    let known: Vec<Option<CheckedTx>> = {
        let pool = lock(&shared.pool);
        let known = |tx: &Tx| {
            let pooled = pool.get(&tx.from(), tx.nonce)?;
            (pooled.0.tx() == tx).then(|| pooled.0.clone())
        };
        txs.iter().map(known).collect()
    };
    let mut unknown = Vec::new();
    for (tx, known) in txs.into_iter().zip(&known) {
        if known.is_none() {
            unknown.push(tx);
        }
    }
    shared.signatures_checked.fetch_add(unknown.len() as u64, Ordering::Relaxed);
    let mut checked = check_txs(unknown, &shared.network, shared.chain()).into_iter();
    known
        .into_iter()
        .map(|known| match known {
            Some(tx) => Ok(tx),
            None => checked.next().expect("one verdict for each unknown one"),
        })
        .collect()
}

/// Accounts of the newest applied state, in the order asked for.
pub(crate) async fn accounts<E: StorageContext + Spawner>(
    databases: &Databases<E>,
    addresses: &[Address],
) -> Vec<Account> {
    let keys: Vec<Key> = addresses.iter().map(|address| Key::Account(*address)).collect();
    let state = databases.0.read().await;
    let records = TipStore::<E>(&state).get_many(&keys).await;
    let decoded =
        |bytes: Vec<u8>| Account::decode(bytes).expect("state holds what this code wrote");
    records.into_iter().map(|bytes| bytes.map(decoded).unwrap_or_default()).collect()
}

//! Spread transactions among a chain's validators, so that whoever leads next has them.

use crate::{
    app::{SharedState, lock},
    pooled::PooledTx,
    store::{Databases, TipStore},
};
use chain::{CheckedTx, Store as _, check_tx};
use commonware_codec::{DecodeExt as _, Encode as _};
use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_runtime::{IoBuf, Spawner};
use commonware_storage::Context as StorageContext;
use mempool::Rejected;
use std::sync::Arc;
use types::{
    Address, Tx,
    state::{Account, Key},
};

/// Read what peers send until the channel closes. A bad transaction is dropped: its sender's node
/// answers for it to the client, not to us.
pub(crate) async fn listen<E: StorageContext + Spawner>(
    shared: Arc<SharedState>,
    databases: Databases<E>,
    mut receiver: impl Receiver,
) {
    while let Ok((_, bytes)) = receiver.recv().await {
        let Ok(tx) = Tx::decode(bytes.as_ref().to_vec()) else { continue };
        if lock(&shared.pool).contains(&tx.id()) {
            continue;
        }
        if let Ok(checked) = check_tx(tx, &shared.network, shared.chain()) {
            let _ = admit(&shared, &databases, &checked).await;
        }
    }
}

/// Put a checked transaction into this validator's pool.
pub(crate) async fn admit<E: StorageContext + Spawner>(
    shared: &SharedState,
    databases: &Databases<E>,
    tx: &CheckedTx,
) -> Result<(), Rejected> {
    let next = account(databases, tx.from()).await.nonce;
    lock(&shared.pool).insert(PooledTx(tx.clone()), next)
}

/// Send a transaction to the other validators.
pub(crate) fn spread(sender: &mut impl Sender, tx: &CheckedTx) {
    sender.send(Recipients::All, IoBuf::from(tx.tx().encode()), false);
}

pub(crate) async fn account<E: StorageContext + Spawner>(
    databases: &Databases<E>,
    address: Address,
) -> Account {
    let state = databases.0.read().await;
    let bytes = TipStore::<E>(&state).get_many(&[Key::Account(address)]).await.pop().flatten();
    bytes
        .map(|bytes| Account::decode(bytes).expect("state holds what this code wrote"))
        .unwrap_or_default()
}

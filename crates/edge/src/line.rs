//! What one key says, in the order of its nonces, through a gateway.

use api::{Client, ClientError, Wait};
use crypto::SigningKey;
use std::{sync::Mutex, thread, time::Duration};
use types::{Action, Address, ChainId, Hash, Intent, NanoMeshx, PublicKey, Tx, TxId};

/// How often a statement that is not taken is sent again, and how long between.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(250);

pub(crate) struct Line {
    client: Client,
    key: SigningKey,
    chain: ChainId,
    network: Hash,
    /// The next nonce, if what was sent before it is taken in; `None`: ask.
    next: Mutex<Option<u64>>,
}

impl Line {
    pub(crate) fn new(client: Client, key: SigningKey, chain: ChainId, network: Hash) -> Self {
        Self { client, key, chain, network, next: Mutex::new(None) }
    }

    /// Say `action`, and wait until it is final.
    ///
    /// # Errors
    /// Of the last try.
    pub(crate) fn say(&self, action: Action) -> Result<TxId, ClientError> {
        let mut tries = 0;
        loop {
            let said =
                self.send(action.clone()).and_then(|tx| self.client.submit(&tx, Wait::Final));
            let error = match said {
                Ok(done) => return Ok(done.tx),
                Err(error) => error,
            };
            *self.next.lock().expect("no panic while locked") = None;
            tries += 1;
            if tries >= TRIES || error.is_lasting() {
                return Err(error);
            }
            thread::sleep(PAUSE);
        }
    }

    /// Sign with the next nonce and hand over, one after the other.
    fn send(&self, action: Action) -> Result<Tx, ClientError> {
        let mut next = self.next.lock().expect("no panic while locked");
        let sender = PublicKey(self.key.public());
        let known = self.client.account(self.chain, Address::of(&sender))?.nonce;
        let nonce = next.map_or(known, |next| next.max(known));
        let intent = Intent { chain: self.chain, nonce, tip: NanoMeshx::ZERO, action };
        let tx = Tx::signed(&self.network, sender, intent, |domain, message| {
            self.key.sign(domain, message)
        });
        match self.client.submit(&tx, Wait::None) {
            Ok(_) => *next = Some(nonce + 1),
            Err(error) => {
                *next = None;
                return Err(error);
            }
        }
        Ok(tx)
    }
}

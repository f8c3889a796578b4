//! What one key says through a gateway, in the order of its nonces. What becomes of each statement is `worker`'s rule
//! ([`worker::Tries`]).

use api::{Client, ClientError, Wait};
use crypto::SigningKey;
use std::{sync::Mutex, thread, time::Duration};
use types::{Action, Address, ChainId, Hash, Intent, NanoMeshx, Nonce, PublicKey, Tx, TxId};
use worker::{Next, Tries, Try};

pub(crate) struct Line {
    client: Client,
    key: SigningKey,
    chain: ChainId,
    network: Hash,
    /// Held while a nonce is asked for and used, so that no two statements have the same.
    turn: Mutex<()>,
}

impl Line {
    pub(crate) fn new(client: Client, key: SigningKey, chain: ChainId, network: Hash) -> Self {
        Self { client, key, chain, network, turn: Mutex::new(()) }
    }

    /// Say `action`, and wait until it is final.
    ///
    /// # Errors
    /// Of the last try.
    pub(crate) fn say(&self, action: Action) -> Result<TxId, ClientError> {
        let mut tries = Tries::default();
        loop {
            let sent = self.send(action.clone());
            let said = sent.and_then(|tx| self.client.submit(&tx, Wait::Final));
            let came_to = match &said {
                Ok(_) => Try::Final,
                Err(error) => Try::failed(error.is_lasting()),
            };
            match tries.after(came_to) {
                Next::Again(after) => thread::sleep(Duration::from_millis(after.get())),
                Next::Done | Next::GiveUp => return said.map(|done| done.tx),
            }
        }
    }

    /// Sign with the nonce that the gateway counts next, what waits in its pool included, and hand over.
    fn send(&self, action: Action) -> Result<Tx, ClientError> {
        let _turn = self.turn.lock().expect("no panic while locked");
        let sender = PublicKey(self.key.public());
        let nonce = self.client.account(self.chain, Address::of(&sender))?.nonce;
        let fee_max = client::fee_max(self.client.market(self.chain)?.base_fee);
        let (nonce, tip) = (Nonce::strict(nonce), NanoMeshx::ZERO);
        let intent = Intent { chain: self.chain, nonce, tip, fee_max, action };
        let tx = Tx::signed(&self.network, sender, intent, |domain, message| {
            self.key.sign(domain, message)
        });
        self.client.submit(&tx, Wait::None)?;
        Ok(tx)
    }
}

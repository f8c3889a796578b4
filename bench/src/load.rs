//! Signed transactions, made before the clock starts.

use client::{signed, wallet};
use crypto::SigningKey;
use types::{
    Action, Address, ChainId, Hash, Intent, NanoMeshx, Nonce, Tx,
    codec::{DecodeExt as _, Encode as _},
    domain_hash,
};

/// Those who pay.
pub struct Senders {
    keys: Vec<SigningKey>,
    addresses: Vec<Address>,
}

impl Senders {
    pub fn new(count: usize) -> Self {
        let keys: Vec<SigningKey> = (0..count as u64)
            .map(|n| domain_hash("meshx/bench-sender/v1", &[&n.to_be_bytes()]).0)
            .map(|seed| SigningKey::from_seed(&seed))
            .collect();
        let addresses = keys.iter().map(wallet::address).collect();
        Self { keys, addresses }
    }

    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Which sender the transaction number `index` is of, and its nonce: everyone takes turns.
    pub fn turn(&self, index: usize) -> (usize, u64) {
        (index % self.keys.len(), (index / self.keys.len()) as u64)
    }

    /// The number of the transaction with this sender and nonce.
    pub fn index(&self, sender: usize, nonce: u64) -> usize {
        usize::try_from(nonce).unwrap_or(usize::MAX).saturating_mul(self.keys.len()) + sender
    }

    /// Transactions `from..to`, encoded: a transfer of one nano each to an account of `receivers` picked
    /// by the transaction's number.
    pub fn transfers(
        &self,
        from: usize,
        to: usize,
        receivers: &[Address],
        network: &Hash,
        chain: ChainId,
    ) -> Vec<u8> {
        let mut bytes = Vec::with_capacity((to - from) * 160);
        for index in from..to {
            let (sender, nonce) = self.turn(index);
            let receiver = receivers[scatter(index) % receivers.len()];
            let action = Action::Transfer { to: receiver, amount: NanoMeshx::new(1) };
            // Signed long before it is sent.
            let (nonce, tip, fee_max) = (Nonce::strict(nonce), NanoMeshx::ZERO, Tx::ANY_FEE);
            let intent = Intent { chain, nonce, tip, fee_max, action };
            bytes.extend_from_slice(&signed(&self.keys[sender], network, intent).encode());
        }
        bytes
    }
}

/// A number that looks random, the same each time.
fn scatter(index: usize) -> usize {
    let mixed = (index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29)) as usize
}

/// Read `count` transactions of equal length back.
pub fn decode(bytes: &[u8], count: usize) -> Vec<Tx> {
    let each = bytes.len() / count.max(1);
    bytes
        .chunks_exact(each.max(1))
        .map(|bytes| Tx::decode(bytes.to_vec()).expect("encoded above"))
        .collect()
}

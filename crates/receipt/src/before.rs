//! Transactions as they were before they had a fee cap and expiring nonces: receipts of that time hold them.
//!
//! A worker's signature is over the bytes that it signed then, so they are kept as they are. Nothing else reads this form:
//! no chain takes such a transaction.

use types::{
    Action, ChainId, Hash, NanoMeshx, PublicKey, Signature, TxId, Wire,
    codec::{Encode as _, FixedSize as _},
    domain_hash,
};

/// A transaction that was signed under [`TxBefore::DOMAIN`].
#[derive(Clone, Debug, PartialEq, Eq, Wire)]
pub struct TxBefore {
    /// The chain it was for.
    pub chain: ChainId,
    /// The key that signed it.
    pub sender: PublicKey,
    /// How many transactions this sender had had on that chain.
    pub nonce: u64,
    /// What the proposer of the block got.
    pub tip: NanoMeshx,
    /// What the sender asked for.
    pub action: Action,
    /// By `sender`.
    pub signature: Signature,
}

impl TxBefore {
    /// What it was signed under.
    pub const DOMAIN: &'static str = "meshx/tx/v1";

    /// The bytes that were signed, on the network of this name.
    pub fn signing_bytes(&self, network: &Hash) -> Vec<u8> {
        let mut bytes = network.0.to_vec();
        bytes.extend_from_slice(&self.encode());
        bytes.truncate(bytes.len() - Signature::SIZE);
        bytes
    }

    /// The name it had.
    pub fn id(&self) -> TxId {
        domain_hash(Self::DOMAIN, &[&self.signing_bytes(&Hash::default())[Hash::SIZE..]])
    }
}

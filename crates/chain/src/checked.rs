//! Checked transactions: those whose signature and chain somebody has looked at, before any block runs them.

use crate::Refusal;
use crypto::Signed;
use std::sync::Arc;
use types::{Address, ChainId, Duty, Hash, NanoMeshx, SignedForm, Tx, TxId};

/// A transaction for this network and chain whose signature is its sender's. Cloning shares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedTx(Arc<Checked>);

#[derive(Debug, PartialEq, Eq)]
struct Checked {
    tx: Tx,
    id: TxId,
    from: Address,
    bytes: usize,
}

impl CheckedTx {
    /// The transaction.
    pub fn tx(&self) -> &Tx {
        &self.0.tx
    }
    /// Its name.
    pub fn id(&self) -> TxId {
        self.0.id
    }
    /// Who pays, and whose nonce counts.
    pub fn from(&self) -> Address {
        self.0.from
    }
    /// Its length on the wire.
    pub fn bytes(&self) -> usize {
        self.0.bytes
    }
    /// What it settles, if it does. Such a one is free.
    pub fn duty(&self) -> Option<Duty> {
        self.0.tx.action.settles(self.0.from)
    }
    /// The most it takes from its sender's account in a block with this base fee, as far as it says so itself.
    pub fn cost(&self, base_fee: NanoMeshx) -> NanoMeshx {
        match self.duty() {
            Some(_) => NanoMeshx::ZERO,
            None => base_fee.saturating_add(self.0.tx.tip).saturating_add(self.0.tx.action.moves()),
        }
    }
}

/// Check a transaction's chain and signature.
///
/// # Errors
/// [`Refusal::WrongChain`] or [`Refusal::BadSignature`].
pub fn check_tx(tx: Tx, network: &Hash, chain: ChainId) -> Result<CheckedTx, Refusal> {
    check_txs(vec![tx], network, chain).pop().expect("one verdict for one transaction")
}

/// [`check_tx`] for many at once, each with the verdict it would get alone. Signatures are checked
/// together, which costs a third of checking them one by one.
pub fn check_txs(txs: Vec<Tx>, network: &Hash, chain: ChainId) -> Vec<Result<CheckedTx, Refusal>> {
    let forms: Vec<SignedForm> = txs.iter().map(|tx| tx.signed_form(network)).collect();
    let here: Vec<Signed<'_>> = txs
        .iter()
        .zip(&forms)
        // Those of other chains are refused without work: nobody makes this node verify signatures for them.
        .filter(|(tx, _)| tx.chain == chain)
        .map(|(tx, form)| Signed {
            public: &tx.sender.0,
            domain: Tx::DOMAIN,
            message: form.signing_bytes(),
            signature: &tx.signature.0,
        })
        .collect();
    let mut verdicts = crypto::verify_batch(&here).into_iter();
    txs.into_iter()
        .zip(&forms)
        .map(|(tx, form)| {
            if tx.chain != chain {
                return Err(Refusal::WrongChain { got: tx.chain, here: chain });
            }
            let verdict = verdicts.next().expect("one verdict for each of this chain");
            verdict.map_err(|_| Refusal::BadSignature)?;
            let (id, from, bytes) = (form.id(), tx.from(), form.bytes());
            Ok(CheckedTx(Arc::new(Checked { tx, id, from, bytes })))
        })
        .collect()
}

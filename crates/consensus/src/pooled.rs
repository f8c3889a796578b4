//! What the mempool asks of a transaction.

use chain::CheckedTx;
use mempool::Pooled;
use types::{Address, Duty, NanoMeshx, TxId};

#[derive(Clone, Debug)]
pub(crate) struct PooledTx(pub(crate) CheckedTx);

impl Pooled for PooledTx {
    fn id(&self) -> TxId {
        self.0.id()
    }
    fn sender(&self) -> Address {
        self.0.from()
    }
    fn nonce(&self) -> u64 {
        self.0.tx().nonce
    }
    fn tip(&self) -> NanoMeshx {
        self.0.tx().tip
    }
    fn bytes(&self) -> usize {
        self.0.bytes()
    }
    fn duty(&self) -> Option<Duty> {
        self.0.duty()
    }
    fn cost(&self, base_fee: NanoMeshx) -> NanoMeshx {
        self.0.cost(base_fee)
    }
}

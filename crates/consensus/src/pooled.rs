//! What the mempool asks of a transaction.

use chain::CheckedTx;
use mempool::Pooled;
use types::{Address, Duty, NanoMeshx, Nonce, TxId};

#[derive(Clone, Debug)]
pub(crate) struct PooledTx(pub(crate) CheckedTx);

impl Pooled for PooledTx {
    fn id(&self) -> TxId {
        self.0.id()
    }
    fn sender(&self) -> Address {
        self.0.from()
    }
    fn nonce(&self) -> Nonce {
        self.0.tx().nonce
    }
    fn fee_max(&self) -> NanoMeshx {
        self.0.tx().fee_max
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

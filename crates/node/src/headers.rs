//! Headers for those who hold no chain: final, and with what proves it.

use crate::host::Node;
use std::sync::Arc;
use tokio::sync::{
    broadcast::error::RecvError,
    mpsc::{self, Receiver},
};
use types::{
    ChainId, FinalHeader,
    codec::{Bytes, Encode as _},
};

/// Of so many blocks one is told of. All nodes choose the same, so that gossip carries each once.
pub const TOLD_EVERY: u64 = 4;
/// Headers that nobody has taken yet; a slow taker misses some.
const WAITING_MAX: usize = 16;

impl Node {
    /// Encoded [`FinalHeader`]s of `chain` as they become final, until the taker is gone.
    pub fn final_headers(&self, chain: ChainId) -> Option<Receiver<Vec<u8>>> {
        let chain = self.host(chain)?.chain.clone();
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        tokio::spawn(async move {
            let mut finals = chain.finals();
            loop {
                let block = match finals.recv().await {
                    Ok(block) => Arc::clone(&block),
                    Err(RecvError::Lagged(_)) => continue,
                    Err(RecvError::Closed) => return,
                };
                if !block.header.height.get().is_multiple_of(TOLD_EVERY) {
                    continue;
                }
                // A block that a later one's certificate made final has none of its own.
                let Some(certificate) = chain.certificate(block.header.height).await else {
                    continue;
                };
                let Ok(certificate) = Bytes::new(certificate) else { continue };
                let told = FinalHeader { header: block.header.clone(), certificate };
                // Never waits for the taker: a header that is missed matters less than the next one.
                if let Err(mpsc::error::TrySendError::Closed(_)) =
                    sender.try_send(told.encode().to_vec())
                {
                    return;
                }
            }
        });
        Some(receiver)
    }
}

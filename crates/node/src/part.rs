//! What of a network a process runs.

use crate::local::{DealtChain, DealtWorker};
use crypto::SigningKey;
use network::{Place, PrivateKey};
use types::{Millis, network::Genesis};

/// The validators and workers of one chain that this process runs.
pub struct Part {
    /// What the chain starts from.
    pub genesis: Genesis,
    /// Key, threshold share, place. Without a share it follows the chain and does not vote.
    pub validators: Vec<(PrivateKey, Option<Vec<u8>>, Place)>,
    /// The workers of the chain that run here.
    pub workers: Vec<DealtWorker>,
    /// The key of the chain's faucet, if this process has it.
    pub faucet: Option<SigningKey>,
    /// None of these validators has ever run: begin at genesis without asking the others.
    pub new_network: bool,
    /// See [`consensus::ChainConfig::rest`].
    pub rest: Option<Millis>,
    /// One of a mesh in this process: nobody else asks its validators, and they keep little.
    pub mesh: bool,
}

impl From<DealtChain> for Part {
    /// The whole of a chain, with all its secrets.
    fn from(dealt: DealtChain) -> Self {
        let validators =
            dealt.validators.into_iter().map(|v| (v.key, Some(v.share), v.place)).collect();
        let faucet = dealt.faucets.into_iter().next();
        let (genesis, workers) = (dealt.genesis, dealt.workers);
        Self { genesis, validators, workers, faucet, new_network: false, rest: None, mesh: false }
    }
}

//! One validator as every part of its engine sees it.

use super::{ChainConfig, Env, founding::Founding};
use crate::{peers::Known, store::page_cache};
use commonware_cryptography::Signer as _;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_utils::ordered::Set;
use network::{PrivateKey, PublicKey};

/// Its key, its peers, and where its files are.
pub(super) struct Validator<E> {
    pub(super) context: E,
    pub(super) key: PrivateKey,
    pub(super) me: PublicKey,
    pub(super) peers: Known,
    /// Names its files within the runtime's storage folder.
    pub(super) partition: String,
    pub(super) cache: CacheRef,
}

impl<E: Env> Validator<E> {
    pub(super) fn new(context: E, config: &ChainConfig, founding: &Founding) -> Self {
        let peers = founding.validators.iter().chain(&config.peers).cloned();
        Self {
            context,
            key: config.key.clone(),
            me: config.key.public_key(),
            peers: Known::new(Set::from_iter_dedup(peers)),
            partition: config.partition.clone(),
            cache: page_cache(config.cache_bytes),
        }
    }
}

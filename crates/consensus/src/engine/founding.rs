//! What follows from genesis alone: the same for every validator of the chain.

use super::Env;
use crate::{
    block::Block,
    ceremony::{self, EpochInfo, Payload},
    dealer::{self, BadKeys},
    guarded::Guarded,
    store::Databases,
};
use commonware_codec::DecodeExt as _;
use commonware_cryptography::{
    Digested, Digestible as _, bls12381::primitives::group::Share, transcript::Summary,
};
use commonware_glue::stateful::db::DatabaseSet;
use commonware_utils::ordered::Set;
use network::PublicKey;
use receipt::light::{Digest, Family, Scheme, namespace};
use std::num::NonZeroU64;
use types::{
    ChainId, Hash, Header, Height, Millis,
    network::{Genesis, NetworkKeys},
};

pub(super) struct Founding {
    pub(super) network: Hash,
    pub(super) chain: ChainId,
    /// Separates this chain's signatures from those of all others.
    pub(super) namespace: Vec<u8>,
    /// The committee that the dealer dealt to.
    pub(super) validators: Set<PublicKey>,
    /// The first term as the hand-over sees it.
    pub(super) first: EpochInfo,
    /// Checks certificates of all terms: the key of the chain outlives every committee.
    pub(super) light: Scheme,
    /// The same, as the engine's parts want it.
    pub(super) verifier: Guarded,
    pub(super) term_blocks: NonZeroU64,
    pub(super) interval: Millis,
    pub(super) block: Block,
}

/// What the dealer gave one validator for the first term.
pub(super) struct Dealt {
    pub(super) share: Share,
    /// What it deals to the next committee is drawn from this.
    pub(super) seed: Summary,
}

impl Founding {
    /// # Errors
    /// [`BadKeys`] if genesis holds no key that its validators share, or its terms are too short.
    pub(super) fn of<E: Env>(
        network_keys: &NetworkKeys,
        genesis: &Genesis,
    ) -> Result<Self, BadKeys> {
        let (network, chain) = (network_keys.network(), genesis.chain);
        let dealt = ceremony::dealt(genesis.sharing.as_slice()).ok_or(BadKeys::Sharing)?;
        let namespace = namespace(&network, chain);
        let light = Scheme::certificate_verifier(&namespace, *dealt.public().public());
        let validators = dealt.players().clone();
        let first = ceremony::first_term(dealt);
        Ok(Self {
            network,
            chain,
            namespace,
            validators,
            verifier: Guarded::new(light.clone(), network, chain, None),
            light,
            term_blocks: dealer::term_blocks(genesis)?,
            interval: Millis::new(genesis.params.block_ms),
            block: genesis_block::<E>(genesis, &first),
            first,
        })
    }

    /// Genesis as the block that the first one builds on.
    pub(super) fn first_block(&self) -> Digested<Block> {
        Digested::precomputed(self.block.clone(), self.block.digest())
    }

    /// Read a validator's own `share` of the key in `genesis`.
    ///
    /// # Errors
    /// [`BadKeys`] if it is not the one that genesis expects.
    pub(super) fn dealt(&self, genesis: &Genesis, share: &[u8]) -> Result<Dealt, BadKeys> {
        let sharing = genesis.sharing.as_slice();
        let validators = self.validators.clone();
        dealer::scheme(&self.network, self.chain, validators, sharing, Some(share))?;
        let seed = ceremony::first_seed(share);
        let share = Share::decode(share.to_vec()).map_err(|_| BadKeys::Share)?;
        Ok(Dealt { share, seed })
    }
}

/// The block every validator starts from.
fn genesis_block<E: Env>(genesis: &Genesis, first: &EpochInfo) -> Block {
    let (state, outbox) = <Databases<E> as DatabaseSet<E>>::initial_sync_targets();
    let log = |target: &commonware_storage::qmdb::sync::Target<Family, Digest>| types::LogRoot {
        root: crate::block::hash(&target.root),
        start: *target.range.start(),
        end: *target.range.end(),
    };
    let ceremony = Some(ceremony::encode(&Payload::EpochInfo(first.clone())));
    let body = types::Body { ceremony, ..types::Body::default() };
    let header = Header {
        chain: genesis.chain,
        term: types::Term::ZERO,
        view: 0,
        leader: genesis.validators.as_slice()[0].key,
        parent_view: 0,
        parent: genesis.id(),
        height: Height::ZERO,
        timestamp: genesis.started,
        body: body.root(),
        state_root: types::Hash::default(),
        state_log: log(&state),
        outbox: log(&outbox),
    };
    Block(types::Block { header, body })
}

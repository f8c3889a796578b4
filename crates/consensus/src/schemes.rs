//! The scheme of each term: who votes in it, checked or signed with in the hand of this validator.

use crate::{begun::Begun, block::plain_key, guarded::Guarded, locked::lock};
use commonware_consensus::types::{Epoch as EngineTerm, Round};
use commonware_cryptography::{
    Signer as _,
    bls12381::primitives::variant::MinSig,
    certificate::{Provider, Scheme as _, Scoped},
};
use commonware_glue::dkg::{Registrar, types::SchemeInfo};
use commonware_utils::ordered::Set;
use network::{PrivateKey, PublicKey};
use receipt::light::Scheme;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use types::{ChainId, Hash};

/// Terms whose schemes are kept: certificates of older ones are checked by the chain's key alone.
const TERMS_KEPT: usize = 4;

struct Hand {
    network: Hash,
    chain: ChainId,
    key: PrivateKey,
    silent_to: Round,
    begun: Begun,
    schemes: Mutex<BTreeMap<EngineTerm, Arc<Guarded>>>,
}

/// The schemes of recent terms; a clone sees the same ones.
#[derive(Clone)]
pub(crate) struct Schemes(Arc<Hand>);

impl Schemes {
    /// Of `chain`, in the hand of the validator with `key`, which signs nothing up to `silent_to`.
    pub(crate) fn new(
        network: Hash,
        chain: ChainId,
        key: PrivateKey,
        silent_to: Round,
        begun: Begun,
    ) -> Self {
        let schemes = Mutex::default();
        Self(Arc::new(Hand { network, chain, key, silent_to, begun, schemes }))
    }

    pub(crate) fn get(&self, term: EngineTerm) -> Option<Arc<Guarded>> {
        lock(&self.0.schemes).get(&term).cloned()
    }

    /// The key that this validator votes with.
    pub(crate) fn own(&self) -> types::PublicKey {
        plain_key(&self.0.key.public_key())
    }

    /// The newest term that is known here, and who votes in it.
    pub(crate) fn newest(&self) -> Option<(EngineTerm, Set<PublicKey>)> {
        let schemes = lock(&self.0.schemes);
        let (term, scheme) = schemes.last_key_value()?;
        Some((*term, scheme.participants().clone()))
    }

    fn keep(&self, term: EngineTerm, scheme: Scheme, votes: bool) {
        let Hand { network, chain, key, silent_to, begun, schemes } = &*self.0;
        // Without a share the key is left out, too: a vote needs both signatures, and half of one would only be
        // refused.
        let guarded = Guarded::new(scheme, *network, *chain, votes.then_some(key))
            .silent_to(*silent_to)
            .telling(begun.clone());
        let mut schemes = lock(schemes);
        schemes.insert(term, Arc::new(guarded));
        while schemes.len() > TERMS_KEPT {
            schemes.pop_first();
        }
    }
}

impl Provider for Schemes {
    type Scope = EngineTerm;
    type Scheme = Guarded;

    fn scoped(&self, term: EngineTerm) -> Option<Scoped<Guarded>> {
        self.get(term).map(Scoped::scheme)
    }
}

impl Registrar for Schemes {
    type Variant = MinSig;
    type PublicKey = PublicKey;

    async fn register(&self, term: EngineTerm, info: SchemeInfo<MinSig, PublicKey>) {
        let namespace = receipt::light::namespace(&self.0.network, self.0.chain);
        let (scheme, votes) = match info {
            SchemeInfo::Verifier { participants, sharing } => {
                (Scheme::verifier(&namespace, participants, sharing), false)
            }
            SchemeInfo::Member { participants, sharing, public_key } => {
                let member = Scheme::member(&namespace, participants, sharing, &public_key);
                (member.expect("a member is one of the committee"), false)
            }
            SchemeInfo::Signer { participants, sharing, share } => {
                let signer = Scheme::signer(&namespace, participants, sharing, share);
                (signer.expect("the ceremony gave this share"), true)
            }
        };
        let seats = scheme.participants().len();
        tracing::info!(chain = %self.0.chain, term = term.get(), seats, votes, "a term's committee is known");
        self.keep(term, scheme, votes);
    }
}

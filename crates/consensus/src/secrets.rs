//! What a validator must not lose or tell: its shares of the chain's key, what it deals and what it was dealt.
//!
//! In one file of the validator's own, written before anything that follows from it leaves the process. Anyone who may read
//! the node's folder can vote for it; the folder is its owner's alone.

use crate::old_terms::OldTerms;
use commonware_codec::{DecodeExt as _, Encode as _, RangeCfg};
use commonware_consensus::types::Epoch as EngineTerm;
use commonware_cryptography::{
    PublicKey,
    bls12381::{dkg::feldman_desmedt::DealerPrivMsg, primitives::group::Share},
    transcript::Summary,
};
use commonware_glue::dkg::SecretStore;
use commonware_storage::{
    Context as StorageContext,
    metadata::{Config, Metadata},
};
use commonware_utils::sequence::FixedBytes;

/// Kind, term, dealer.
const NAME_BYTES: usize = 1 + 8 + 32;
type Name = FixedBytes<NAME_BYTES>;

/// Kinds of secrets. They are on disk, so a number keeps its meaning.
const SHARE: u8 = 0;
const SEED: u8 = 1;
const DEALING: u8 = 2;

/// No secret is longer.
const SECRET_BYTES_MAX: usize = 64;

pub(crate) struct Secrets<E: StorageContext> {
    /// Empty while a write is under way.
    store: Option<Metadata<E, Name, Vec<u8>>>,
    /// What goes when the secrets of its term go.
    old: OldTerms<E>,
}

fn name(kind: u8, term: EngineTerm, dealer: &[u8]) -> Name {
    let mut bytes = [0; NAME_BYTES];
    bytes[0] = kind;
    bytes[1..9].copy_from_slice(&term.get().to_be_bytes());
    bytes[9..9 + dealer.len()].copy_from_slice(dealer);
    Name::new(bytes)
}

impl<E: StorageContext> Secrets<E> {
    pub(crate) async fn open(context: E, old: OldTerms<E>, partition: &str) -> Self {
        let codec_config = (RangeCfg::from(0..=SECRET_BYTES_MAX), ());
        let config = Config { partition: format!("{partition}-secrets"), codec_config };
        let store = Metadata::init(context, config).await.expect("the file of secrets opens");
        Self { store: Some(store), old }
    }

    fn read<T: commonware_codec::Read<Cfg = ()>>(&self, name: &Name) -> Option<T> {
        let bytes = self.store.as_ref().expect("no write is under way").get(name)?;
        Some(T::decode(bytes.clone()).expect("secrets are read as they were written"))
    }

    async fn write(&mut self, name: Name, secret: Vec<u8>) {
        let store = self.store.take().expect("no write is under way");
        // On disk before it is used: a dealer that forgot what it dealt could deal two different shares.
        let stored = store.put_sync(name, secret).await.expect("secrets can be written");
        self.store = Some(stored);
    }
}

impl<E: StorageContext + Sync> SecretStore for Secrets<E> {
    async fn put_share(&mut self, term: EngineTerm, share: Share) {
        self.write(name(SHARE, term, &[]), share.encode().to_vec()).await;
    }
    async fn get_share(&mut self, term: EngineTerm) -> Option<Share> {
        self.read(&name(SHARE, term, &[]))
    }
    async fn put_seed(&mut self, term: EngineTerm, seed: Summary) {
        self.write(name(SEED, term, &[]), seed.encode().to_vec()).await;
    }
    async fn get_seed(&mut self, term: EngineTerm) -> Option<Summary> {
        self.read(&name(SEED, term, &[]))
    }
    async fn put_dealing<P: PublicKey>(
        &mut self,
        term: EngineTerm,
        dealer: P,
        private: DealerPrivMsg,
    ) {
        self.write(name(DEALING, term, dealer.as_ref()), private.encode().to_vec()).await;
    }
    async fn get_dealing<P: PublicKey>(
        &mut self,
        term: EngineTerm,
        dealer: &P,
    ) -> Option<DealerPrivMsg> {
        self.read(&name(DEALING, term, dealer.as_ref()))
    }
    async fn prune(&mut self, min: EngineTerm) {
        let mut store = self.store.take().expect("no write is under way");
        store.retain(|name, _| {
            let term = name.as_ref()[1..9].try_into().expect("eight bytes of a name");
            u64::from_be_bytes(term) >= min.get()
        });
        self.store = Some(store.sync().await.expect("secrets can be written"));
        // The library says nowhere else that a term is over for good.
        self.old.remove_before(min).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use commonware_cryptography::{
        Signer as _, bls12381::primitives::sharing::Mode, bls12381::primitives::variant::MinSig,
        ed25519::PrivateKey,
    };
    use commonware_runtime::{Runner as _, Supervisor as _, deterministic};
    use commonware_utils::{N3f1, ordered::Set};
    use rand::{SeedableRng as _, rngs::StdRng};

    async fn open(
        context: &deterministic::Context,
        label: &'static str,
        partition: &str,
    ) -> Secrets<deterministic::Context> {
        let context = context.child(label);
        let old = OldTerms::new(context.child("old"), partition);
        Secrets::open(context, old, partition).await
    }

    #[test]
    fn secrets_outlive_the_process_and_old_ones_do_not_stay() {
        let keys = (0..4).map(|n| PrivateKey::from_seed(n).public_key());
        let players: Set<_> = Set::from_iter_dedup(keys);
        let (_, shares) = commonware_cryptography::bls12381::dkg::feldman_desmedt::deal::<
            MinSig,
            _,
            N3f1,
        >(StdRng::seed_from_u64(1), Mode::NonZeroCounter, players)
        .expect("four players");
        let shares: Vec<Share> = shares.iter_pairs().map(|(_, share)| share.clone()).collect();
        deterministic::Runner::default().start(|context| async move {
            let mut secrets = open(&context, "one", "a").await;
            secrets.put_share(EngineTerm::new(3), shares[0].clone()).await;
            secrets.put_share(EngineTerm::new(4), shares[1].clone()).await;
            drop(secrets);
            let mut secrets = open(&context, "two", "a").await;
            assert!(secrets.get_share(EngineTerm::new(3)).await == Some(shares[0].clone()));
            secrets.prune(EngineTerm::new(4)).await;
            drop(secrets);
            let mut secrets = open(&context, "three", "a").await;
            assert!(secrets.get_share(EngineTerm::new(3)).await.is_none());
            assert!(secrets.get_share(EngineTerm::new(4)).await == Some(shares[1].clone()));
            let other = open(&context, "four", "b").await;
            assert!(other.read::<Share>(&name(SHARE, EngineTerm::new(4), &[])).is_none());
        });
    }
}

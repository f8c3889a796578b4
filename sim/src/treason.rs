//! Validators that lie: what they send instead, and what they build instead.
//!
//! A traitor runs the very engine everyone runs, with two things between it and the world: its network
//! ends ([`Traitor::speak`] changes what leaves it) and its state transition ([`Tampered`] changes what
//! it proposes). Its signatures are real: it has its key.

use crate::{
    committee::{Committee, Member},
    facts::Facts,
    scenario::Treason,
};
use chain::{Applied, BlockContext, CheckedTx, Mode, Proposal, Refusal, check_tx};
use commonware_codec::{DecodeExt as _, Encode as _, ReadExt as _, varint::UInt};
use commonware_consensus::{
    Epochable as _, Viewable as _,
    simplex::types::{Finalize, Notarize, Proposal as Vow, Vote},
    types::Round,
};
use consensus::{Before, Guarded, Transition};
use futures::future::{BoxFuture, FutureExt as _};
use rand::{Rng as _, RngExt as _, SeedableRng as _, rngs::StdRng};
use receipt::light::{Digest, digest};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use types::{
    Action, Block, Millis, NanoMeshx,
    network::Genesis,
    state::{Account, Key},
};

/// The numbers [`consensus::Channels::register`] gives to the streams that are looked into here.
pub const VOTES: u64 = 0;
pub const CERTIFICATES: u64 = 1;
pub const BLOCKS: u64 = 4;
pub const TXS: u64 = 5;

/// Bytes for some validators.
pub type Parcel = (Vec<usize>, Vec<u8>);

/// How many old certificates a traitor keeps.
const STALE_MAX: usize = 16;
/// One message in so many brings noise along: more would only slow the simulation down.
const SPAM_EVERY: u32 = 4;

pub struct Traitor {
    treason: Treason,
    member: Member,
    rng: StdRng,
    /// The second block of each view this one led, by the first.
    twins: BTreeMap<Digest, Digest>,
    stale: Vec<Vec<u8>>,
    facts: Arc<Facts>,
}

impl Traitor {
    pub fn new(treason: Treason, member: Member, seed: u64, facts: Arc<Facts>) -> Self {
        let rng = StdRng::seed_from_u64(seed);
        Self { treason, member, rng, twins: BTreeMap::new(), stale: Vec::new(), facts }
    }

    /// What goes out instead of `bytes` to `to`.
    pub fn speak(&mut self, channel: u64, to: Vec<usize>, bytes: Vec<u8>) -> Vec<Parcel> {
        match (self.treason, channel) {
            (Treason::Equivocate, BLOCKS) => self.two_blocks(to, bytes),
            (Treason::Equivocate, VOTES) => {
                let Some(second) = self.second_vote(&bytes) else { return vec![(to, bytes)] };
                self.facts.count("two votes in a view");
                let (some, others) = halves(to);
                vec![(some, bytes), (others, second)]
            }
            (Treason::DoubleSign, VOTES) => {
                let Some(second) = self.second_vote(&bytes) else { return vec![(to, bytes)] };
                self.facts.count("two votes to one peer");
                vec![(to.clone(), bytes), (to, second)]
            }
            (Treason::WithholdBlock, BLOCKS) => {
                self.facts.count("withheld block");
                vec![(to.into_iter().take(1).collect(), bytes)]
            }
            (Treason::StaleCertificates, CERTIFICATES) => {
                let old = self.stale.len();
                let stale = (old > 0).then(|| self.stale[self.rng.random_range(0..old)].clone());
                self.stale.push(bytes.clone());
                if self.stale.len() > STALE_MAX {
                    self.stale.remove(0);
                }
                let Some(stale) = stale else { return vec![(to, bytes)] };
                self.facts.count("stale certificate");
                vec![(to, stale)]
            }
            (Treason::Spam, _) => {
                let mut parcels = vec![(to.clone(), bytes.clone())];
                if self.rng.random_range(0..SPAM_EVERY) == 0 {
                    self.facts.count("spam");
                    parcels.push((to, self.noise(channel, bytes)));
                }
                parcels
            }
            _ => vec![(to, bytes)],
        }
    }

    /// Random bytes, or a message of the right form with one byte wrong.
    fn noise(&mut self, channel: u64, mut bytes: Vec<u8>) -> Vec<u8> {
        if channel == TXS || self.rng.random() {
            let at = self.rng.random_range(0..bytes.len().max(1));
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << self.rng.random_range(0..8_u32);
            }
            return bytes;
        }
        let mut noise = vec![0; self.rng.random_range(0..300)];
        self.rng.fill_bytes(&mut noise);
        noise
    }

    /// Half of the others get this block, half a twin that differs in a millisecond and is as valid.
    fn two_blocks(&mut self, to: Vec<usize>, bytes: Vec<u8>) -> Vec<Parcel> {
        let Ok(block) = Block::decode(bytes.clone()) else { return vec![(to, bytes)] };
        let mut twin = block.clone();
        twin.header.timestamp = Millis::new(twin.header.timestamp.get() + 1);
        self.twins.insert(digest(&block.header.id()), digest(&twin.header.id()));
        self.facts.count("two blocks in a view");
        let (some, others) = halves(to);
        vec![(some, bytes), (others, twin.encode().to_vec())]
    }

    /// A second vote beside this one: for the twin if there is one, else for something nobody has.
    fn second_vote(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let hand = self.member.hand.clone();
        let (term, vote) = of_term(bytes)?;
        let second = match vote {
            Vote::Notarize(vote) => {
                Vote::Notarize(Notarize::sign(&hand, self.other(&vote.proposal))?)
            }
            Vote::Finalize(vote) => {
                Vote::Finalize(Finalize::sign(&hand, self.other(&vote.proposal))?)
            }
            Vote::Nullify(_) => return None,
        };
        let mut bytes = UInt(term).encode().to_vec();
        bytes.extend_from_slice(&Vote::<Guarded, Digest>::encode(&second));
        Some(bytes)
    }

    fn other(&mut self, vow: &Vow<Digest>) -> Vow<Digest> {
        let mut random = [0; 32];
        self.rng.fill_bytes(&mut random);
        let payload = self.twins.get(&vow.payload).copied().unwrap_or(Digest::from(random));
        Vow::new(vow.round, vow.parent, payload)
    }
}

fn halves(mut to: Vec<usize>) -> (Vec<usize>, Vec<usize>) {
    let others = to.split_off(to.len() / 2);
    (to, others)
}

/// A vote, and the term whose engine it is for: that is sent before it.
fn of_term(bytes: &[u8]) -> Option<(u64, Vote<Guarded, Digest>)> {
    let mut bytes = bytes::Bytes::copy_from_slice(bytes);
    let UInt(term) = UInt::<u64>::read(&mut bytes).ok()?;
    Some((term, Vote::decode(bytes).ok()?))
}

/// What a vote says, for those who watch the wire.
pub fn read_vote(bytes: &[u8]) -> Option<(Round, crate::facts::Cast)> {
    use crate::facts::Cast;
    let (_, vote) = of_term(bytes)?;
    let cast = match &vote {
        Vote::Notarize(vote) => Cast::Notarize(vote.proposal.payload),
        Vote::Nullify(_) => Cast::Nullify,
        Vote::Finalize(vote) => Cast::Finalize(vote.proposal.payload),
    };
    Some((Round::new(vote.epoch(), vote.view()), cast))
}

/// A transition that tells the truth about others' blocks and lies in its own.
pub struct Tampered {
    pub inner: Arc<dyn Transition>,
    pub treason: Treason,
    pub committee: Arc<Committee>,
    pub facts: Arc<Facts>,
    pub rng: Mutex<StdRng>,
}

impl Transition for Tampered {
    fn apply<'a>(
        &'a self,
        before: Before<'a>,
        genesis: &'a Genesis,
        context: &'a BlockContext,
        mut proposal: Proposal,
        mode: Mode,
    ) -> BoxFuture<'a, Result<Applied, Refusal>> {
        async move {
            let smuggled = match (self.treason, mode) {
                (Treason::InvalidTx, Mode::Build) => Some(self.smuggled()),
                _ => None,
            };
            proposal.txs.splice(0..0, smuggled.clone());
            let mut applied = self.inner.apply(before, genesis, context, proposal, mode).await?;
            if let Some(tx) = smuggled.filter(|tx| !applied.included.contains(tx)) {
                applied.included.insert(0, tx);
            }
            if (self.treason, mode) == (Treason::BadStateRoot, Mode::Build) {
                self.enrich(&mut applied);
            }
            Ok(applied)
        }
        .boxed()
    }
}

impl Tampered {
    /// Give the first client a fortune.
    fn enrich(&self, applied: &mut Applied) {
        self.facts.count("bad state root");
        let key = Key::Account(self.committee.clients[0].address);
        let account = Account { balance: NanoMeshx::new(u64::MAX / 4), nonce: 0 };
        applied.writes.retain(|(known, _)| *known != key);
        applied.writes.push((key, Some(account.encode().to_vec())));
    }

    /// A transaction that no state allows: an overdraft, or a nonce that is used.
    fn smuggled(&self) -> CheckedTx {
        self.facts.count("invalid transaction");
        let mut rng = self.rng.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let client = &self.committee.clients[0];
        let next = self.facts.get().nonces.get(&client.address).copied().unwrap_or(0);
        let (nonce, amount) = if next > 0 && rng.random() {
            (next - 1, 1 + u64::from(rng.random::<u8>()))
        } else {
            (next, u64::MAX / 2)
        };
        let to = self.committee.clients[1].address;
        let action = Action::Transfer { to, amount: NanoMeshx::new(amount) };
        let tx = client.sign(&self.committee.network, nonce, NanoMeshx::ZERO, action);
        let chain = self.committee.genesis.chain;
        check_tx(tx, &self.committee.network, chain).expect("the signature is real")
    }
}

//! Between the engine and commonware's simulated network: where messages are lost, doubled, delayed,
//! cut off, replaced by liars, and watched.
//!
//! The network below gives every link its latency and jitter and keeps messages in order. What it has
//! no word for happens here, message by message and recipient by recipient, and is counted.

use crate::{
    committee::Committee,
    facts::Facts,
    treason::{Traitor, VOTES, read_vote},
};
use commonware_actor::{Feedback, Unreliable};
use commonware_p2p::{CheckedSender, LimitedSender, Recipients, Sender as _, simulated};
use commonware_runtime::{
    Clock as _, IoBuf, IoBufs, Spawner as _, Supervisor as _, deterministic::Context,
};
use network::PublicKey;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

type Inner = simulated::Sender<PublicKey, Context>;

/// How the whole network is doing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    pub loss_percent: u8,
    pub duplication_percent: u8,
    pub delay_percent: u8,
    pub delay_ms: u64,
}

pub struct Wire {
    committee: Arc<Committee>,
    facts: Arc<Facts>,
    context: Context,
    state: Mutex<State>,
}

struct State {
    rng: StdRng,
    weather: Weather,
    /// How many reasons there are that the first is not heard by the second.
    cuts: BTreeMap<(usize, usize), u32>,
    traitors: BTreeMap<usize, Traitor>,
}

impl Wire {
    pub fn new(
        context: Context,
        committee: Arc<Committee>,
        facts: Arc<Facts>,
        seed: u64,
        traitors: BTreeMap<usize, Traitor>,
    ) -> Arc<Self> {
        let rng = StdRng::seed_from_u64(seed);
        let state = State { rng, weather: Weather::default(), cuts: BTreeMap::new(), traitors };
        Arc::new(Self { committee, facts, context, state: Mutex::new(state) })
    }

    /// `me`'s sender on a channel, with everything above between it and the network.
    pub fn sender(self: &Arc<Self>, me: usize, channel: u64, inner: Inner) -> WireSender {
        WireSender { wire: self.clone(), me, channel, inner }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub fn weather(&self, change: impl FnOnce(&mut Weather)) {
        change(&mut self.state().weather);
    }

    /// From now on `from` is not heard by `to`.
    pub fn cut(&self, from: usize, to: usize) {
        *self.state().cuts.entry((from, to)).or_default() += 1;
    }

    /// One reason less for that.
    pub fn mend(&self, from: usize, to: usize) {
        let mut state = self.state();
        if let Some(reasons) = state.cuts.get_mut(&(from, to)) {
            *reasons -= 1;
            if *reasons == 0 {
                state.cuts.remove(&(from, to));
            }
        }
    }

    /// Everything is well again, except that liars lie.
    pub fn heal(&self) {
        let mut state = self.state();
        state.cuts.clear();
        state.weather = Weather::default();
    }

    /// What becomes of a message: for each copy that goes out, to whom and how much later.
    fn fate(&self, me: usize, channel: u64, to: &[usize], bytes: Vec<u8>) -> Vec<Copy> {
        self.facts.tick(&self.context);
        let mut state = self.state();
        let parcels = match state.traitors.get_mut(&me) {
            Some(traitor) => traitor.speak(channel, to.to_vec(), bytes),
            None => vec![(to.to_vec(), bytes)],
        };
        let mut copies = Vec::new();
        for (to, bytes) in parcels {
            if channel == VOTES
                && let Some((round, cast)) = read_vote(&bytes)
            {
                self.facts.vote(me, round, cast);
            }
            let bytes = IoBuf::from(bytes);
            for to in to {
                state.copies(&self.facts, me, to, &bytes, &mut copies);
            }
        }
        copies
    }
}

struct Copy {
    to: usize,
    bytes: IoBuf,
    later_ms: u64,
}

impl State {
    fn happens(&mut self, percent: u8) -> bool {
        percent > 0 && self.rng.random_range(0..100) < percent
    }

    fn copies(
        &mut self,
        facts: &Facts,
        me: usize,
        to: usize,
        bytes: &IoBuf,
        copies: &mut Vec<Copy>,
    ) {
        if self.cuts.contains_key(&(me, to)) {
            return facts.count("message cut off");
        }
        let weather = self.weather;
        if self.happens(weather.loss_percent) {
            return facts.count("message lost");
        }
        let mut later_ms = 0;
        if self.happens(weather.delay_percent) {
            facts.count("message delayed");
            later_ms = self.rng.random_range(1..=weather.delay_ms);
        }
        copies.push(Copy { to, bytes: bytes.clone(), later_ms });
        if self.happens(weather.duplication_percent) {
            facts.count("message doubled");
            let later_ms = self.rng.random_range(0..=500);
            copies.push(Copy { to, bytes: bytes.clone(), later_ms });
        }
    }
}

#[derive(Clone)]
pub struct WireSender {
    wire: Arc<Wire>,
    me: usize,
    channel: u64,
    inner: Inner,
}

impl WireSender {
    fn numbers(&self, recipients: Recipients<PublicKey>) -> Vec<usize> {
        let committee = &self.wire.committee;
        let others = |number: &usize| *number != self.me;
        match recipients {
            Recipients::All => (0..committee.members.len()).filter(others).collect(),
            Recipients::Some(keys) => {
                keys.iter().filter_map(|key| committee.number_of(key)).filter(others).collect()
            }
            Recipients::One(key) => committee.number_of(&key).filter(others).into_iter().collect(),
        }
    }
}

impl LimitedSender for WireSender {
    type PublicKey = PublicKey;
    type Checked<'a> = WireChecked<'a>;
    fn check(&mut self, recipients: Recipients<PublicKey>) -> Result<WireChecked<'_>, SystemTime> {
        let to = self.numbers(recipients);
        Ok(WireChecked { sender: self, to })
    }
}

pub struct WireChecked<'a> {
    sender: &'a mut WireSender,
    to: Vec<usize>,
}

impl CheckedSender for WireChecked<'_> {
    type PublicKey = PublicKey;

    fn recipients(&self) -> Vec<PublicKey> {
        let members = &self.sender.wire.committee.members;
        self.to.iter().map(|number| members[*number].public.clone()).collect()
    }

    fn send(self, message: impl Into<IoBufs> + Send, priority: bool) -> Unreliable<Feedback> {
        let WireSender { wire, me, channel, inner } = self.sender;
        let bytes = message.into().coalesce().as_ref().to_vec();
        for copy in wire.fate(*me, *channel, &self.to, bytes) {
            let to = Recipients::One(wire.committee.members[copy.to].public.clone());
            if copy.later_ms == 0 {
                inner.send(to, copy.bytes, priority);
                continue;
            }
            let mut inner = inner.clone();
            wire.context.child("late").spawn(move |context| async move {
                context.sleep(Duration::from_millis(copy.later_ms)).await;
                inner.send(to, copy.bytes, priority);
            });
        }
        Unreliable::new(Feedback::Ok)
    }
}

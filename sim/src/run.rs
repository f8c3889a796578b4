//! One simulation from its scenario to its outcome.
//!
//! A director walks through the scenario's faults on virtual time. A power cut ends the runtime with
//! everything in it; the next one starts from what its disks had kept. Everything observed lives
//! outside, in [`Facts`].

use crate::{
    audit,
    committee::{STARTED, deal_committee},
    facts::Facts,
    machine::Machine,
    plants::Plants,
    properties::{Property, Violation},
    scenario::{Fault, Moment, Scenario, Treason},
    traffic,
    treason::{Tampered, Traitor},
    watched::Watched,
    wire::{Weather, Wire},
    world::{Node, World},
};
use commonware_p2p::simulated::{self, Link, Oracle};
use commonware_runtime::{
    Clock as _, Handle, Quota, Spawner as _, Supervisor as _,
    deterministic::{
        self, Checkpoint, Context, FaultConfig, PartialWriteMode, ResizeConfig, WriteConfig,
    },
};
use commonware_utils::{NZU32, NZUsize, Probability, probability};
use consensus::{ChainConfig, Channels, Keep, Transition, message_bytes_max, start_on};
use network::PublicKey;
use rand::{SeedableRng as _, rngs::StdRng};
use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, atomic::Ordering},
    time::{Duration, UNIX_EPOCH},
};
use types::Millis;

/// What came of a simulation.
pub struct Outcome {
    /// The seed it was drawn from; the same seed gives the same outcome.
    pub seed: u64,
    /// How many validators there were.
    pub validators: usize,
    /// Blocks that became final.
    pub heights: u64,
    /// Transactions in final blocks.
    pub transactions: u64,
    /// Transactions that a correct validator accepted from a client.
    pub acknowledged: u64,
    /// Jobs that final blocks hold.
    pub jobs: u64,
    /// How long it took, in milliseconds of virtual time.
    pub virtual_ms: u64,
    /// How often each kind of fault happened.
    pub faults: BTreeMap<&'static str, u64>,
    /// Traitors that were proved to have signed twice, and the correct validators that can prove it.
    pub accused: BTreeMap<usize, BTreeSet<usize>>,
    /// How often each property was checked.
    pub checks: BTreeMap<Property, u64>,
    /// What did not hold; empty if all is well.
    pub violations: Vec<Violation>,
    /// What happened, line by line, for a person who looks for the cause.
    pub log: Vec<String>,
    /// A hash of everything that happened in the runtime, in its order.
    pub trace: String,
}

/// Messages a second from one peer to another on one channel; enough for any of them.
const QUOTA: Quota = Quota::per_second(NZU32!(2_048));
/// After healing, the chain must do what it owes within this much virtual time.
const PATIENCE_MS: u64 = 120_000;
/// Jobs wait for their beacon for a few blocks; those without free workers queue up anew.
const QUEUE_BLOCKS: u64 = 8;
/// How often the director looks around while it waits.
const GLANCE: Duration = Duration::from_millis(100);

/// Run `scenario`, with bugs planted if any.
pub fn run(scenario: &Scenario, plants: Plants) -> Outcome {
    let block = Millis::new(scenario.block_ms);
    let workers = scenario.workers.len();
    let committee = Arc::new(deal_committee(
        scenario.seed,
        (scenario.validators, scenario.seats),
        scenario.clients,
        workers,
        (block, scenario.term_blocks),
    ));
    let traitors: BTreeSet<usize> = scenario.traitors.iter().map(|(number, _)| *number).collect();
    let facts = Arc::new(Facts::new(committee.clone(), traitors));
    facts.say(format_args!("{scenario:?}"));

    let mut next = Next { fault: 0, power_cuts: 0 };
    let mut runtime = deterministic::Runner::new(config(scenario));
    let trace = loop {
        let segment = catch_unwind(AssertUnwindSafe(|| {
            let (scenario, committee) = (scenario.clone(), committee.clone());
            let (facts, plants) = (facts.clone(), plants.clone());
            runtime.start_and_recover(move |context| async move {
                let end = segment(&context, scenario, committee, facts, plants, next).await;
                (end, context.auditor().state())
            })
        }));
        match segment {
            Err(panic) => {
                let what = panic_text(panic.as_ref());
                facts.check(Property::NoPanic, Err(what));
                break String::from("panicked");
            }
            Ok(((End::Done, trace), _)) => {
                facts.check(Property::NoPanic, Ok(()));
                break trace;
            }
            Ok(((End::PowerCut(after), _), checkpoint)) => {
                next = after;
                runtime = recovered(checkpoint);
            }
        }
    };
    outcome(scenario, &facts, trace)
}

fn recovered(checkpoint: Checkpoint) -> deterministic::Runner {
    deterministic::Runner::from(checkpoint)
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}

fn outcome(scenario: &Scenario, facts: &Facts, trace: String) -> Outcome {
    let facts = facts.get().clone();
    Outcome {
        seed: scenario.seed,
        validators: scenario.validators,
        heights: facts.blocks.len() as u64,
        transactions: facts.included.len() as u64,
        acknowledged: facts.acknowledged,
        jobs: facts.jobs.len() as u64,
        virtual_ms: facts.now_ms,
        faults: facts.faults,
        accused: facts.accused,
        checks: facts.checks,
        violations: facts.violations,
        log: facts.log,
        trace,
    }
}

fn config(scenario: &Scenario) -> deterministic::Config {
    let cut = scenario.faults.iter().find_map(|(_, fault)| match fault {
        Fault::PowerCut { torn_percent, scattered } => Some((*torn_percent, *scattered)),
        _ => None,
    });
    let (percent, scattered) = cut.unwrap_or((0, false));
    let never = probability!(0.0);
    let faults = FaultConfig::default()
        .write(WriteConfig {
            failure_rate: never,
            retention_rate: Probability::new(u64::from(percent), 100).unwrap_or(never),
            mode: if scattered { PartialWriteMode::Subset } else { PartialWriteMode::Prefix },
        })
        .resize(ResizeConfig { failure_rate: never, partial_rate: never });
    deterministic::Config::new()
        .with_seed(scenario.seed)
        .with_start_time(UNIX_EPOCH + Duration::from_millis(STARTED.get()))
        .with_storage_fault_config(faults)
}

/// Where a runtime takes over.
#[derive(Clone, Copy)]
struct Next {
    /// The first fault that is still to come.
    fault: usize,
    power_cuts: u32,
}

enum End {
    Done,
    PowerCut(Next),
}

/// What the director does at a moment.
enum Step {
    Begin(Fault),
    Restart(usize),
    Wipe(usize),
    Mend(Vec<(usize, usize)>),
    FastDisk(usize),
    Calm(fn(&mut Weather)),
    Heal,
}

struct Director<'a> {
    context: &'a Context,
    world: Arc<World>,
    wire: Arc<Wire>,
    oracle: Oracle<PublicKey, Context>,
    handles: Vec<Option<Handle<()>>>,
    lives: Vec<u32>,
    power_cuts: u32,
    steps: BTreeMap<(Moment, usize), Step>,
}

async fn segment(
    context: &Context,
    scenario: Scenario,
    committee: Arc<crate::committee::Committee>,
    facts: Arc<Facts>,
    plants: Plants,
    next: Next,
) -> End {
    let keys: Vec<PublicKey> = committee.members.iter().map(|m| m.public.clone()).collect();
    let (network, oracle) = simulated::Network::new_with_peers(
        context.child("network"),
        simulated::Config {
            max_size: message_bytes_max(),
            max_peers_per_set: NonZeroUsize::new(keys.len()).expect("a committee has members"),
            disconnect_on_block: true,
            tracked_peer_sets: NZUsize!(1),
        },
        keys.clone(),
    )
    .await;
    network.start();
    for from in &keys {
        for to in keys.iter().filter(|to| *to != from) {
            let link = Link {
                latency: Duration::from_millis(scenario.latency_ms),
                jitter: Duration::from_millis(scenario.jitter_ms),
                success_rate: probability!(1.0),
            };
            oracle.add_link(from.clone(), to.clone(), link).await.expect("the link is new");
        }
    }
    let mut liars: BTreeMap<usize, Treason> = scenario.traitors.iter().copied().collect();
    if let Some(number) = plants.equivocator {
        liars.insert(number, Treason::Equivocate);
    }
    let seed = scenario.seed.wrapping_add(u64::from(next.power_cuts) << 32);
    let liars = liars
        .into_iter()
        .map(|(number, treason)| {
            let member = committee.members[number].clone();
            let seed = seed.wrapping_add(number as u64);
            (number, Traitor::new(treason, member, seed, facts.clone()))
        })
        .collect();
    let wire = Wire::new(context.child("wire"), committee.clone(), facts.clone(), seed, liars);
    let nodes = (0..keys.len()).map(|_| Node::default()).collect();
    let world = Arc::new(World {
        scenario,
        committee,
        facts,
        plants,
        nodes,
        healed: false.into(),
        closing: false.into(),
    });
    let mut director = Director {
        context,
        world,
        wire,
        oracle,
        handles: keys.iter().map(|_| None).collect(),
        lives: vec![0; keys.len()],
        power_cuts: next.power_cuts,
        steps: BTreeMap::new(),
    };
    director.play(next.fault).await
}

impl Director<'_> {
    fn now(&self) -> Moment {
        self.world.facts.tick(self.context)
    }

    async fn play(&mut self, first: usize) -> End {
        let scenario = self.world.scenario.clone();
        for (index, (at, fault)) in scenario.faults.iter().enumerate().skip(first) {
            self.steps.insert((*at, index), Step::Begin(fault.clone()));
        }
        self.steps.insert((scenario.healed, usize::MAX), Step::Heal);
        for (number, treason) in &scenario.traitors {
            if *treason == Treason::WrongClock {
                let ahead = if scenario.seed.is_multiple_of(2) { 30_000 } else { -30_000 };
                self.world.nodes[*number].defects.clock_ahead_ms.store(ahead, Ordering::Relaxed);
                self.world.facts.count("wrong clock");
            }
        }
        for number in 0..scenario.validators {
            self.start(number).await;
        }
        for number in 0..scenario.clients {
            let world = self.world.clone();
            self.context
                .child("client")
                .with_attribute("number", number)
                .spawn(move |context| traffic::client(context, world, number));
        }
        for number in 0..scenario.workers.len() {
            let world = self.world.clone();
            self.context
                .child("worker")
                .with_attribute("number", number)
                .spawn(move |context| traffic::worker(context, world, number));
        }
        while let Some(((at, index), step)) = self.steps.pop_first() {
            while self.now() < at {
                let left = Duration::from_millis(at - self.now());
                self.context.sleep(left.min(GLANCE)).await;
                if self.world.facts.broken() {
                    return End::Done;
                }
            }
            match step {
                Step::Begin(Fault::PowerCut { torn_percent, scattered }) => {
                    self.world.facts.count("power cut");
                    self.world.facts.say(format_args!(
                        "power fails; {torn_percent} % of unsynced bytes survive, scattered: {scattered}"
                    ));
                    let power_cuts = self.power_cuts + 1;
                    return End::PowerCut(Next { fault: index + 1, power_cuts });
                }
                Step::Begin(fault) => self.begin(fault, at),
                Step::Restart(number) => self.start(number).await,
                Step::Wipe(number) => {
                    self.wipe(number).await;
                    self.start(number).await;
                }
                Step::Mend(cuts) => cuts.iter().for_each(|(from, to)| self.wire.mend(*from, *to)),
                Step::FastDisk(number) => {
                    self.world.nodes[number].defects.disk_ms.store(0, Ordering::Relaxed);
                }
                Step::Calm(change) => self.wire.weather(change),
                Step::Heal => break,
            }
        }
        self.heal().await;
        self.calm().await;
        End::Done
    }

    fn later(&mut self, at: Moment, step: Step) {
        // Numbered after all faults, so that what ends at a moment ends before the healing.
        let number = 1_000 + self.steps.len();
        self.steps.insert((at, number), step);
    }

    fn begin(&mut self, fault: Fault, at: Moment) {
        let (facts, nodes) = (self.world.facts.clone(), self.world.clone());
        facts.say(format_args!("{fault:?}"));
        match fault {
            Fault::Crash { validator, ms } => {
                facts.count("crash");
                self.crash(validator);
                self.later(at + ms, Step::Restart(validator));
            }
            Fault::Wipe { validator, ms } => {
                facts.count("wiped disk");
                self.crash(validator);
                self.later(at + ms, Step::Wipe(validator));
            }
            Fault::PowerCut { .. } => {}
            Fault::Partition { side, ms } => {
                facts.count("partition");
                let mut cuts = Vec::new();
                for from in 0..nodes.nodes.len() {
                    for to in 0..nodes.nodes.len() {
                        if side.contains(&from) != side.contains(&to) {
                            cuts.push((from, to));
                        }
                    }
                }
                self.cut(cuts, at + ms);
            }
            Fault::OneWay { from, to, ms } => {
                facts.count("asymmetric partition");
                self.cut(vec![(from, to)], at + ms);
            }
            Fault::SlowDisk { validator, by_ms, ms } => {
                facts.count("slow disk");
                nodes.nodes[validator].defects.disk_ms.store(by_ms, Ordering::Relaxed);
                self.later(at + ms, Step::FastDisk(validator));
            }
            Fault::ClockSkew { validator, ahead_ms } => {
                facts.count("clock skew");
                nodes.nodes[validator].defects.clock_ahead_ms.store(ahead_ms, Ordering::Relaxed);
            }
            Fault::Loss { percent, ms } => {
                facts.count("lossy network");
                self.wire.weather(|weather| weather.loss_percent = percent);
                self.later(at + ms, Step::Calm(|weather| weather.loss_percent = 0));
            }
            Fault::Duplication { percent, ms } => {
                facts.count("doubling network");
                self.wire.weather(|weather| weather.duplication_percent = percent);
                self.later(at + ms, Step::Calm(|weather| weather.duplication_percent = 0));
            }
            Fault::Delay { percent, by_ms, ms } => {
                facts.count("delaying network");
                self.wire.weather(|weather| {
                    (weather.delay_percent, weather.delay_ms) = (percent, by_ms);
                });
                self.later(at + ms, Step::Calm(|weather| weather.delay_percent = 0));
            }
        }
    }

    fn cut(&mut self, cuts: Vec<(usize, usize)>, until: Moment) {
        cuts.iter().for_each(|(from, to)| self.wire.cut(*from, *to));
        self.later(until, Step::Mend(cuts));
    }

    /// The process is gone, with everything it had not synced.
    fn crash(&mut self, number: usize) {
        if let Some(handle) = self.handles[number].take() {
            handle.abort();
            self.world.nodes[number].set(None);
        }
    }

    async fn wipe(&mut self, number: usize) {
        // Another fault may have started it meanwhile.
        if let Some(handle) = self.handles[number].take() {
            handle.abort();
            self.world.nodes[number].set(None);
            self.context.sleep(GLANCE).await;
        }
        self.machine(number).wipe().await;
        self.world.facts.wiped(number);
        self.world.facts.say(format_args!("validator {number} has an empty disk"));
    }

    fn machine(&self, number: usize) -> Machine {
        Machine::new(
            self.context.child("validator").with_attribute("number", number),
            self.world.nodes[number].defects.clone(),
        )
    }

    async fn start(&mut self, number: usize) {
        if self.handles[number].is_some() {
            return;
        }
        let world = self.world.clone();
        let member = &world.committee.members[number];
        let control = self.oracle.control(member.public.clone());
        let mut ends = Vec::new();
        for channel in 0..consensus::CHANNELS {
            let (sender, receiver) =
                control.register(channel, QUOTA).await.expect("the network runs");
            ends.push(Some((self.wire.sender(number, channel, sender), receiver)));
        }
        let channels = Channels::register(|channel| {
            let slot = ends.get_mut(usize::try_from(channel).expect("a few channels"));
            slot.and_then(Option::take).expect("each channel is asked for once")
        });
        let config = ChainConfig {
            network_keys: world.committee.network_keys.clone(),
            genesis: world.committee.genesis.clone(),
            key: member.key.clone(),
            share: member.share.clone(),
            peers: world.committee.members.iter().map(|member| member.public.clone()).collect(),
            partition: format!("validator-{number}"),
            new_network: world.plants.forgetful || self.power_cuts == 0 && self.lives[number] == 0,
            pool: mempool::Limits::default(),
            rest: None,
            keep: Keep::NETWORK,
            cache_bytes: 1 << 20,
        };
        let transition = self.transition(number);
        self.lives[number] += 1;
        if self.lives[number] > 1 {
            world.facts.count("restart");
            world.facts.say(format_args!("validator {number} starts again"));
        }
        let machine = self.machine(number);
        let world = world.clone();
        let handle = machine.spawn(move |machine| async move {
            let engine = machine.child("engine");
            let chain = Box::pin(start_on(engine, config, channels, control, transition)).await;
            let chain = chain.expect("the dealer's keys fit");
            world.nodes[number].set(Some(chain.clone()));
            audit::watch(&machine, &world, number, chain).await;
        });
        self.handles[number] = Some(handle);
    }

    fn transition(&self, number: usize) -> Arc<dyn Transition> {
        let world = &self.world;
        let (committee, facts) = (world.committee.clone(), world.facts.clone());
        let treason = world.scenario.traitors.iter().find(|(traitor, _)| *traitor == number);
        let inner = world.plants.transition(&committee, self.power_cuts);
        match treason {
            Some((_, treason)) => {
                let rng = Mutex::new(StdRng::seed_from_u64(world.scenario.seed));
                Arc::new(Tampered { inner, treason: *treason, committee, facts, rng })
            }
            None => Arc::new(Watched { inner, facts, validator: number }),
        }
    }

    async fn heal(&mut self) {
        let world = self.world.clone();
        self.wire.heal();
        for number in world.scenario.correct() {
            let defects = &world.nodes[number].defects;
            defects.disk_ms.store(0, Ordering::Relaxed);
            defects.clock_ahead_ms.store(0, Ordering::Relaxed);
        }
        // What died a moment ago has let go of its files by then.
        self.context.sleep(GLANCE).await;
        for number in 0..world.scenario.validators {
            self.start(number).await;
        }
        world.healed.store(true, Ordering::Relaxed);
        world.facts.say("healed");
    }

    /// Wait for what the chain owes once nothing is wrong any more.
    async fn calm(&mut self) {
        let world = self.world.clone();
        let deadline = self.now() + PATIENCE_MS;
        let goal = world.facts.get().blocks.len() as u64 + world.scenario.calm_blocks;
        loop {
            self.context.sleep(GLANCE).await;
            let now = self.now();
            if world.facts.broken() {
                return;
            }
            let owed = self.owed(goal);
            if owed.is_none() {
                break;
            }
            if now >= deadline {
                let owed = owed.unwrap_or_default();
                world.facts.check(Property::Liveness, Err(owed));
                return;
            }
        }
        world.facts.check(Property::Liveness, Ok(()));
        let blocked = self.oracle.blocked().await.unwrap_or_default();
        for (by, peer) in blocked {
            let numbers = (world.committee.number_of(&by), world.committee.number_of(&peer));
            let (Some(by), Some(peer)) = numbers else { continue };
            world.facts.count("liar blocked");
            if !world.scenario.is_traitor(by) && !world.scenario.is_traitor(peer) {
                let what = format!("correct validator {by} blocked correct validator {peer}");
                world.facts.check(Property::Heard, Err(what));
            }
        }
        world.facts.check(Property::Heard, Ok(()));
        for number in world.scenario.correct() {
            if let Some(chain) = world.nodes[number].chain() {
                audit::sweep(&world, number, &chain).await;
            }
        }
        world.facts.check(Property::Equivocation, Ok(()));
    }

    /// What is still missing, if anything.
    fn owed(&self, goal: u64) -> Option<String> {
        let world = &self.world;
        let facts = world.facts.get();
        let behind = world.scenario.correct().find(|number| facts.heights[*number] < goal);
        if let Some(number) = behind {
            return Some(format!(
                "validator {number} is at height {}, which should have passed {goal}",
                facts.heights[number]
            ));
        }
        world.closing.store(true, Ordering::Relaxed);
        if facts.open_jobs() > 0 {
            return Some(format!("{} jobs are still open", facts.open_jobs()));
        }
        let top = facts.blocks.len() as u64;
        if let Some(oldest) = facts.queue_oldest.filter(|oldest| oldest + QUEUE_BLOCKS < top) {
            return Some(format!(
                "at height {top} jobs of height {oldest} still wait for their draw"
            ));
        }
        let waiting = facts
            .promised
            .iter()
            .find(|(sender, nonce)| facts.nonces.get(sender).copied().unwrap_or(0) <= *nonce);
        waiting.map(|(sender, nonce)| {
            format!(
                "a transaction of {sender} with nonce {nonce} was acknowledged and never included"
            )
        })
    }
}

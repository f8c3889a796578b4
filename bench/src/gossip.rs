//! Announcements among nodes that all know each other: the overlay's gossip over Noise IK, beside libp2p's noise.

use crate::{kind::Kind, sybils::secured, usage::process_cpu_seconds};
use anyhow::{Context as _, Result, bail};
use crypto::SigningKey;
use futures::StreamExt as _;
use libp2p::{
    Multiaddr, PeerId, Swarm, Transport as _,
    core::{muxing::StreamMuxerBox, transport::Boxed, upgrade::Version},
    gossipsub::{self, IdentTopic, PublishError},
    identity,
    multiaddr::Protocol,
    swarm::SwarmEvent,
    tcp, yamux,
};
use network::ik::Identity;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::Notify, task::JoinSet};

/// Nodes of the mesh, one of which publishes.
pub(crate) const NODES: usize = 8;
/// Messages that may be on their way: fewer than a peer's queue holds, so that none is dropped.
const WINDOW: u64 = 512;
/// Looked at the clock and at what has arrived after so many.
const ROUND: u64 = 64;
/// Meshes are grafted at heartbeats, one second apart.
const SETTLED_AFTER: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(20);

/// What arrived within the time.
pub(crate) struct Delivered {
    /// Messages times subscribers that have them.
    pub(crate) deliveries: f64,
    pub(crate) seconds: f64,
    /// Seconds of a core, all nodes together.
    pub(crate) cpu: f64,
    /// Deliveries that did not happen.
    pub(crate) lost: f64,
}

/// What all nodes count together.
#[derive(Default)]
struct Tally {
    delivered: AtomicU64,
    subscribed: AtomicU64,
    progress: Notify,
}

/// Publish for `time`, and count who has it.
pub(crate) fn deliveries(kind: Kind, message_bytes: usize, time: Duration) -> Result<Delivered> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(async {
        let tally = Arc::new(Tally::default());
        let topic = IdentTopic::new("bench");
        let mut running = JoinSet::new();
        let mut known: Vec<Multiaddr> = Vec::new();
        let mut publisher = None;
        for index in 0..NODES {
            let (mut swarm, at) = listening(kind, index, &topic).await?;
            for other in &known {
                swarm.dial(other.clone())?;
            }
            known.push(at);
            if index == 0 {
                publisher = Some(swarm);
            } else {
                running.spawn(subscribe(swarm, tally.clone()));
            }
        }
        let mut publisher = publisher.context("a mesh has nodes")?;
        settle(&mut publisher, &tally).await?;
        publish(&mut publisher, &topic, &tally, message_bytes, time).await
    })
}

async fn listening(
    kind: Kind,
    index: usize,
    topic: &IdentTopic,
) -> Result<(Swarm<gossipsub::Behaviour>, Multiaddr)> {
    let seed = [u8::try_from(index)? + 1; 32];
    let pair = identity::Keypair::ed25519_from_bytes(seed)?;
    let id = pair.public().to_peer_id();
    let mut gossip = overlay::gossip().map_err(anyhow::Error::msg)?;
    gossip.subscribe(topic)?;
    let settings = libp2p::swarm::Config::with_tokio_executor()
        .with_idle_connection_timeout(Duration::from_secs(120));
    let mut swarm = Swarm::new(transport(kind, &pair, seed)?, gossip, id, settings);
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
    loop {
        match swarm.select_next_some().await {
            SwarmEvent::NewListenAddr { address, .. } => {
                return Ok((swarm, address.with(Protocol::P2p(id))));
            }
            SwarmEvent::ListenerClosed { reason, .. } => bail!("not listening: {reason:?}"),
            _ => {}
        }
    }
}

fn transport(
    kind: Kind,
    pair: &identity::Keypair,
    seed: [u8; 32],
) -> Result<Boxed<(PeerId, StreamMuxerBox)>> {
    let sockets = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
    if kind == Kind::Libp2p {
        let noise = libp2p_noise::Config::new(pair)?;
        let muxer = yamux::Config::default();
        return Ok(sockets.upgrade(Version::V1).authenticate(noise).multiplex(muxer).boxed());
    }
    let (me, suites) = (Identity::new(&SigningKey::from_seed(&seed)), kind.suites());
    Ok(sockets.and_then(move |io, end| secured(io, end, me.clone(), suites)).boxed())
}

async fn subscribe(mut swarm: Swarm<gossipsub::Behaviour>, tally: Arc<Tally>) {
    loop {
        if let SwarmEvent::Behaviour(event) = swarm.select_next_some().await {
            tally.count(&event);
            if let gossipsub::Event::Message { propagation_source, message_id, .. } = event {
                let accept = gossipsub::MessageAcceptance::Accept;
                let gossip = swarm.behaviour_mut();
                gossip.report_message_validation_result(&message_id, &propagation_source, accept);
            }
        }
    }
}

impl Tally {
    fn count(&self, event: &gossipsub::Event) {
        match event {
            gossipsub::Event::Message { .. } => {
                let before = self.delivered.fetch_add(1, Ordering::Relaxed);
                // The publisher need not hear of each.
                if before.is_multiple_of(ROUND) {
                    self.progress.notify_one();
                }
            }
            gossipsub::Event::Subscribed { .. } => {
                self.subscribed.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        }
    }
}

/// Until all know that all have subscribed, and meshes are grafted.
async fn settle(publisher: &mut Swarm<gossipsub::Behaviour>, tally: &Tally) -> Result<()> {
    let all = (NODES * (NODES - 1)) as u64;
    let (begun, mut since) = (Instant::now(), None);
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    loop {
        tokio::select! {
            event = publisher.select_next_some() => {
                if let SwarmEvent::Behaviour(event) = event {
                    tally.count(&event);
                }
            }
            _ = tick.tick() => {}
        }
        if tally.subscribed.load(Ordering::Relaxed) >= all {
            let since = *since.get_or_insert_with(Instant::now);
            if since.elapsed() >= SETTLED_AFTER {
                return Ok(());
            }
        } else if begun.elapsed() > PATIENCE {
            bail!("{NODES} nodes on loopback did not find each other within {PATIENCE:?}");
        }
    }
}

async fn publish(
    publisher: &mut Swarm<gossipsub::Behaviour>,
    topic: &IdentTopic,
    tally: &Tally,
    message_bytes: usize,
    time: Duration,
) -> Result<Delivered> {
    let others = (NODES - 1) as u64;
    let mut message = vec![7; message_bytes.max(8)];
    let (begun, cpu, mut sent) = (Instant::now(), process_cpu_seconds(), 0_u64);
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    let (mut last, mut done) = (Instant::now(), 0);
    loop {
        let delivered = tally.delivered.load(Ordering::Relaxed);
        if delivered > done {
            (last, done) = (Instant::now(), delivered);
        }
        let (over, waiting) = (begun.elapsed() >= time, sent * others - delivered);
        // A message that has not come within a second is lost.
        if over && (waiting == 0 || last.elapsed() > Duration::from_secs(1)) {
            return Ok(Delivered {
                deliveries: delivered as f64,
                seconds: last.duration_since(begun).as_secs_f64(),
                cpu: process_cpu_seconds() - cpu,
                lost: waiting as f64,
            });
        }
        let stalled = last.elapsed() > Duration::from_secs(1);
        if !over && (waiting < WINDOW * others || stalled) {
            for _ in 0..ROUND {
                message[..8].copy_from_slice(&sent.to_be_bytes());
                match publisher.behaviour_mut().publish(topic.clone(), message.clone()) {
                    Ok(_) => sent += 1,
                    Err(PublishError::AllQueuesFull(_)) => break,
                    Err(error) => return Err(error).context("cannot publish"),
                }
            }
            last = if stalled { Instant::now() } else { last };
            // What was published goes out when the swarm is polled, which must not wait for an event.
            tokio::select! {
                biased;
                _ = publisher.select_next_some() => {}
                () = tokio::task::yield_now() => {}
            }
            continue;
        }
        tokio::select! {
            _ = publisher.select_next_some() => {}
            () = tally.progress.notified() => {}
            _ = tick.tick() => {}
        }
    }
}

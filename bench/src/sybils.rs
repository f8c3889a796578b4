//! Five thousand identities of one attacker, from two neighbourhoods, in a Kademlia of honest overlays on loopback.
//!
//! Each of them listens, comes to an honest node to be let into its table, leaves it a record and a provider, and
//! answers every question with the twenty sybils of all that are nearest to what was asked for; every fourth
//! answers nothing and holds the stream. What honest nodes store with them is gone.

use crate::{
    report::Report,
    usage::{memory_mib, percentile},
};
use anyhow::{Context as _, Result, bail, ensure};
use crypto::SigningKey;
use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, StreamExt as _};
use libp2p::{
    Multiaddr, PeerId, StreamProtocol, Swarm, Transport as _,
    core::{
        ConnectedPoint,
        muxing::StreamMuxerBox,
        upgrade::{InboundConnectionUpgrade as _, OutboundConnectionUpgrade as _},
    },
    identify, identity,
    kad::{KBucketDistance, KBucketKey},
    swarm::{NetworkBehaviour, SwarmEvent},
    yamux,
};
use network::ik::{Identity, Responder, Stream, Suites};
use overlay::{Config, GateLimits, Overlay, PeerRecord, Role, Roles};
use std::{
    io,
    sync::{Arc, OnceLock},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{sync::watch, task::JoinSet};
use types::{ChainId, Hash, Millis};

/// How large it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crowd {
    pub(crate) sybils: usize,
    pub(crate) honest: usize,
    pub(crate) lookups: usize,
}

/// Honest lookups that must find what they look for, of a hundred.
const FOUND_MIN: f64 = 99.0;
/// Resident memory may grow by so much, and so much for each node of the process, honest or not: both ends of every
/// connection are in it.
const GROWTH_MIB: f64 = 128.0;
const GROWTH_MIB_PER_NODE: f64 = 0.5;
const PATIENCE: Duration = Duration::from_secs(30);
/// Without limits each honest node is connected to all of them, and a process has so many sockets.
const UNLIMITED_SYBILS_MAX: usize = 300;
/// Lookups at once.
const AT_ONCE: usize = 8;
/// Honest nodes that say they are validators of Europe.
const VALIDATORS: usize = 4;
const NETWORK: Hash = Hash([8; 32]);
/// A peer's answer in Kademlia names so many.
const NAMED: usize = 20;
const QUESTION_BYTES_MAX: u64 = 16 * 1024;

/// Run it, with the node's limits and without them.
///
/// # Errors
/// If honest lookups fail while the limits hold, or memory grows beyond them.
pub(crate) async fn run(crowd: Crowd, report: &mut Report) -> Result<()> {
    report.load("sybils_honest_nodes", crowd.honest);
    report.load("sybils_lookups", crowd.lookups);
    let defended = attacked(crowd, true).await?;
    // What stands on both ends of this process's connections must be gone first.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let few = Crowd {
        sybils: crowd.sybils.min(UNLIMITED_SYBILS_MAX),
        lookups: crowd.lookups.min(100),
        ..crowd
    };
    report.load("sybils_without_limits", few.sybils);
    let undefended = attacked(few, false).await?;
    let mut figure = |what: &str, value: f64| report.figure(&format!("sybils_{what}"), value);
    figure("honest_lookups_found_percent", defended.found_percent);
    figure("honest_lookups_ms_p50", defended.ms[0]);
    figure("honest_lookups_ms_p99", defended.ms[1]);
    figure("honest_validators_found_of_4", defended.validators as f64);
    figure("in_honest_tables_each", defended.in_tables);
    figure("connected_to_honest_each", defended.connected);
    figure("seconds", defended.seconds);
    figure("memory_growth_mib_both_sides", defended.growth);
    figure("without_limits_found_percent", undefended.found_percent);
    figure("without_limits_in_honest_tables_each", undefended.in_tables);
    let nodes = (crowd.sybils + crowd.honest) as f64;
    ensure!(
        defended.found_percent >= FOUND_MIN,
        "{:.1} % of honest lookups found what they looked for",
        defended.found_percent
    );
    ensure!(
        defended.growth <= GROWTH_MIB + GROWTH_MIB_PER_NODE * nodes,
        "it grew by {} MiB",
        defended.growth
    );
    ensure!(defended.validators > 0, "no honest validator is found");
    Ok(())
}

struct Outcome {
    found_percent: f64,
    /// Milliseconds of a lookup: half of them, 99 of 100.
    ms: [f64; 2],
    validators: usize,
    /// Sybils in the table of an honest node, in the mean; and connections with them.
    in_tables: f64,
    connected: f64,
    seconds: f64,
    growth: f64,
}

async fn attacked(crowd: Crowd, limits: bool) -> Result<Outcome> {
    let begun = Instant::now();
    // Half of the honest nodes were there before; the others come into what the attacker has made of it.
    let mut honest = Vec::new();
    let first = crowd.honest / 2;
    for index in 0..first {
        honest.push(Honest::start(index, &honest, limits).await?);
    }
    settle(&honest, (first - 1).min(12)).await?;
    let before = memory_mib();
    let (go, wait) = watch::channel(false);
    let lies = Arc::new(Lies::default());
    let mut sybils = JoinSet::new();
    let mut named = Vec::new();
    for index in 0..crowd.sybils {
        let sybil = Sybil::listen(index, &lies)?;
        let (sybil, place) = sybil.placed().await?;
        named.push((sybil.id, place));
        let victim = honest[index % honest.len()].at.clone();
        sybils.spawn(sybil.attack(victim, wait.clone()));
    }
    lies.tell(named);
    go.send_replace(true);
    tokio::time::sleep(Duration::from_secs(5)).await;
    for index in first..crowd.honest {
        honest.push(Honest::start(index, &honest, limits).await?);
    }
    settle(&honest, (first - 1).min(12)).await?;
    // A record is put where its node looks for a place; all have done so by then.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (found, mut ms) = look_up(&honest, crowd.lookups).await?;
    let growth = memory_mib() - before;
    let providers = honest[first].overlay.providers(Role::Validator, ChainId::Europe).await?;
    let validators =
        honest.iter().take(VALIDATORS).filter(|node| providers.contains(&node.overlay.id()));
    let validators = validators.count();
    let (mut in_tables, mut connected) = (0, 0);
    for node in &honest {
        let peers = node.overlay.status().await?.peers;
        let strange = |peer: &&overlay::PeerInfo| lies.is_told(&peer.peer);
        connected += peers.iter().filter(strange).count();
        in_tables += peers.iter().filter(strange).filter(|peer| peer.in_table).count();
    }
    sybils.shutdown().await;
    let each = |count: usize| count as f64 / honest.len() as f64;
    Ok(Outcome {
        found_percent: 100.0 * found as f64 / crowd.lookups as f64,
        ms: [50, 99].map(|part| percentile(&mut ms, part)),
        validators,
        in_tables: each(in_tables),
        connected: each(connected),
        seconds: begun.elapsed().as_secs_f64(),
        growth,
    })
}

/// Honest nodes look for honest nodes, a few at once; how many are found, and in how many milliseconds.
async fn look_up(honest: &[Honest], lookups: usize) -> Result<(usize, Vec<f64>)> {
    let (mut found, mut ms) = (0, Vec::new());
    for first in (0..lookups).step_by(AT_ONCE) {
        let batch = (first..lookups.min(first + AT_ONCE)).map(async |index| {
            // 7 and 3 share nothing with each other: everybody looks, and everybody is looked for.
            let from = &honest[index * 7 % honest.len()];
            let mut to = &honest[(index * 3 + 1 + index / honest.len()) % honest.len()];
            if from.overlay.id() == to.overlay.id() {
                to = &honest[(index * 7 + 1) % honest.len()];
            }
            let begun = Instant::now();
            let record = from.overlay.find(to.overlay.id()).await;
            (record.is_ok(), begun.elapsed().as_secs_f64() * 1_000.0)
        });
        for (known, took) in futures::future::join_all(batch).await {
            found += usize::from(known);
            ms.push(took);
        }
    }
    Ok((found, ms))
}

/// Wait until everybody has as many honest nodes in its table.
async fn settle(honest: &[Honest], wanted: usize) -> Result<()> {
    let begun = Instant::now();
    for node in honest {
        while node.overlay.status().await?.table < wanted {
            if begun.elapsed() > PATIENCE {
                let mut tables = Vec::new();
                for node in honest {
                    tables.push(node.overlay.status().await?.table);
                }
                bail!("honest nodes meet too few others: {tables:?}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}

struct Honest {
    overlay: Overlay,
    at: overlay::PeerAddress,
}

fn key(kind: &str, index: usize) -> SigningKey {
    let index = index.to_be_bytes();
    SigningKey::from_seed(&types::domain_hash("meshx/bench-sybil/v1", &[kind.as_bytes(), &index]).0)
}

fn namespace() -> Vec<u8> {
    [b"overlay", &NETWORK.0[..]].concat()
}

impl Honest {
    /// Each lives in a neighbourhood of its own: 127.10.1.0/24, 127.10.2.0/24, …
    async fn start(index: usize, known: &[Self], limits: bool) -> Result<Self> {
        let (high, low) = (10 + index / 250, 1 + index % 250);
        let listen = vec![format!("/ip4/127.{high}.{low}.1/tcp/0").parse()?];
        let role = if index < VALIDATORS { Role::Validator } else { Role::Aggregator };
        let unlimited = GateLimits {
            at_once: 100_000,
            burst: 100_000,
            per_second: 100_000,
            looked_up: 100_000,
            near_too: false,
        };
        let counted = GateLimits { near_too: true, ..GateLimits::default() };
        let config = Config {
            roles: Roles::default().with(role),
            chain: ChainId::Europe,
            map_port: false,
            bootstrap: known.iter().take(2).map(|node| node.at.clone()).collect(),
            limits: if limits { counted } else { unlimited },
            ..Config::new(key("honest", index), NETWORK, listen)
        };
        let overlay = Overlay::start(config)?;
        let at = overlay.listening().await?.remove(0);
        Ok(Self { overlay, at })
    }
}

/// The nodes that the attacker names: all of its own, by where they are in the table's space.
#[derive(Default)]
struct Lies(OnceLock<Vec<(KBucketKey<PeerId>, Multiaddr)>>);

impl Lies {
    fn tell(&self, named: Vec<(PeerId, Multiaddr)>) {
        let keyed = named.into_iter().map(|(id, place)| (KBucketKey::from(id), place)).collect();
        assert!(self.0.set(keyed).is_ok(), "told once");
    }

    fn is_told(&self, peer: &PeerId) -> bool {
        self.0.get().is_some_and(|all| all.iter().any(|(key, _)| key.preimage() == peer))
    }

    /// The nearest to `key`, as Kademlia's message has peers.
    fn nearest(&self, key: &[u8], field: u8) -> Vec<u8> {
        let Some(all) = self.0.get() else { return Vec::new() };
        let target = KBucketKey::new(key.to_vec());
        let mut near: Vec<(KBucketDistance, usize)> = all
            .iter()
            .enumerate()
            .map(|(index, (key, _))| (key.distance(&target), index))
            .collect();
        let count = NAMED.min(near.len().saturating_sub(1));
        near.select_nth_unstable(count);
        near.truncate(count);
        let mut bytes = Vec::new();
        for (_, index) in near {
            let (key, place) = &all[index];
            put(&mut bytes, field, &peer(key.preimage(), place));
        }
        bytes
    }
}

#[derive(NetworkBehaviour)]
struct Speaks {
    identify: identify::Behaviour,
    streams: libp2p_stream::Behaviour,
}

/// One identity of the attacker.
struct Sybil {
    index: usize,
    id: PeerId,
    key: SigningKey,
    swarm: Swarm<Speaks>,
    streams: libp2p_stream::IncomingStreams,
    control: libp2p_stream::Control,
    lies: Arc<Lies>,
}

fn protocol() -> StreamProtocol {
    StreamProtocol::try_from_owned(format!("/meshx/{}/kad/1", short())).expect("begins with /")
}

fn short() -> String {
    NETWORK.0[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Sybil {
    /// Half of them live in 127.66.6.0/24, half in 127.66.7.0/24.
    fn listen(index: usize, lies: &Arc<Lies>) -> Result<Self> {
        let key = key("sybil", index);
        let pair = identity::Keypair::ed25519_from_bytes(&mut key.seed()[..])?;
        let (me, id) = (Identity::new(&key), pair.public().to_peer_id());
        let transport = overlay::HomeTcp::default()
            .and_then(move |io, end| secured(io, end, me.clone(), Suites::HybridOnly))
            .boxed();
        let identify = identify::Config::new(format!("/meshx/{}/1", short()), pair.public());
        let streams = libp2p_stream::Behaviour::new();
        let mut control = streams.new_control();
        let accepted = control.accept(protocol())?;
        let speaks = Speaks { identify: identify::Behaviour::new(identify), streams };
        let settings = libp2p::swarm::Config::with_tokio_executor()
            .with_idle_connection_timeout(Duration::from_secs(120));
        let mut swarm = Swarm::new(transport, speaks, id, settings);
        let (net, host) = (6 + index % 2, 1 + index / 2 % 250);
        swarm.listen_on(format!("/ip4/127.66.{net}.{host}/tcp/0").parse()?)?;
        Ok(Self { index, id, key, swarm, streams: accepted, control, lies: lies.clone() })
    }

    async fn placed(mut self) -> Result<(Self, Multiaddr)> {
        loop {
            match self.swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { address, .. } => return Ok((self, address)),
                SwarmEvent::ListenerError { error, .. } => {
                    return Err(error).context("no more listeners: raise ulimit -n to 20,000");
                }
                SwarmEvent::ListenerClosed { reason, .. } => bail!("not listening: {reason:?}"),
                _ => {}
            }
        }
    }

    async fn attack(mut self, victim: overlay::PeerAddress, mut go: watch::Receiver<bool>) {
        let mut answering = JoinSet::new();
        let mut begun = false;
        loop {
            tokio::select! {
                changed = go.changed(), if !begun => {
                    begun = true;
                    if changed.is_err() || self.swarm.dial(victim.full().clone()).is_err() {
                        return;
                    }
                    let (control, peer, key) = (self.control.clone(), victim.peer(), self.key.clone());
                    answering.spawn(async move { drop(leave(control, peer, key).await) });
                }
                Some((_, stream)) = self.streams.next() => {
                    let (lies, silent) = (self.lies.clone(), self.index % 4 == 3);
                    answering.spawn(async move { drop(answer(stream, &lies, silent).await) });
                }
                _ = self.swarm.select_next_some() => {}
                Some(_) = answering.join_next() => {}
            }
        }
    }
}

/// Noise IK, then yamux, as the overlay has it.
pub(crate) async fn secured<T>(
    io: T,
    end: ConnectedPoint,
    me: Identity,
    suites: Suites,
) -> io::Result<(PeerId, StreamMuxerBox)>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    if end.is_dialer() {
        let peer = overlay::PeerAddress::new(end.get_remote_address().clone());
        let peer = peer.map_err(io::Error::other)?.peer();
        let identity = overlay::identity_of(&peer).map_err(io::Error::other)?;
        let link = Stream::initiate(io, &me, suites, &namespace(), identity).await?;
        let muxer = yamux::Config::default().upgrade_outbound(link, "/yamux").await?;
        return Ok((peer, StreamMuxerBox::new(muxer)));
    }
    let responder = Responder { me, suites, namespace: namespace() };
    let link = Stream::respond(io, &responder).await?;
    let peer = overlay::peer_id(&link.peer().public()).map_err(io::Error::other)?;
    let muxer = yamux::Config::default().upgrade_inbound(link, "/yamux").await?;
    Ok((peer, StreamMuxerBox::new(muxer)))
}

/// Leave one's own record, which is valid, and say that one is a validator of Europe.
async fn leave(mut control: libp2p_stream::Control, victim: PeerId, key: SigningKey) -> Result<()> {
    tokio::time::sleep(Duration::from_secs(1)).await;
    let id = overlay::peer_id(&key.public())?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let own = PeerRecord {
        identity: types::PublicKey(key.public()),
        network: NETWORK,
        roles: Roles::default().with(Role::Validator),
        chain: ChainId::Europe,
        cell: None,
        issued: Millis::new(u64::try_from(since.as_millis())?),
        addresses: vec!["/ip4/127.66.6.1/tcp/1".parse()?],
    };
    let name = PeerRecord::key(&id);
    let mut record = Vec::new();
    put(&mut record, 1, &name);
    put(&mut record, 2, &own.sign(&key));
    let mut message = vec![KIND, PUT_VALUE];
    put(&mut message, 2, &name);
    put(&mut message, 3, &record);
    let mut stream = control.open_stream(victim, protocol()).await?;
    send(&mut stream, &message).await?;
    let role = format!("/meshx/role/{}/{}", Role::Validator.name(), ChainId::Europe);
    let mut message = vec![KIND, ADD_PROVIDER];
    put(&mut message, 2, role.as_bytes());
    put(&mut message, PROVIDERS, &peer(&id, &own.addresses[0]));
    let mut second = control.open_stream(victim, protocol()).await?;
    send(&mut second, &message).await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    Ok(())
}

// Kademlia's messages (libp2p specifications, kad-dht): protocol buffers behind their length.
const KIND: u8 = 1 << 3;
const PUT_VALUE: u8 = 0;
const ADD_PROVIDER: u8 = 2;
const GET_PROVIDERS: u8 = 3;
const CLOSER: u8 = 8;
const PROVIDERS: u8 = 9;

fn varint(bytes: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn put(bytes: &mut Vec<u8>, field: u8, value: &[u8]) {
    bytes.push(field << 3 | 2);
    varint(bytes, value.len());
    bytes.extend_from_slice(value);
}

fn peer(id: &PeerId, place: &Multiaddr) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(&mut bytes, 1, &id.to_bytes());
    put(&mut bytes, 2, &place.to_vec());
    bytes
}

async fn send(stream: &mut libp2p::Stream, message: &[u8]) -> io::Result<()> {
    let mut bytes = Vec::new();
    varint(&mut bytes, message.len());
    bytes.extend_from_slice(message);
    stream.write_all(&bytes).await?;
    stream.flush().await
}

async fn number(stream: &mut libp2p::Stream) -> io::Result<u64> {
    let (mut value, mut byte) = (0, [0]);
    for shift in (0..35).step_by(7) {
        stream.read_exact(&mut byte).await?;
        value |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] < 0x80 {
            return Ok(value);
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// Answer what comes with sybils, or (`silent`) with nothing for as long as the stream lives.
async fn answer(mut stream: libp2p::Stream, lies: &Lies, silent: bool) -> Result<()> {
    loop {
        let length = number(&mut stream).await?;
        ensure!(length <= QUESTION_BYTES_MAX, "too long");
        let mut question = vec![0; usize::try_from(length)?];
        stream.read_exact(&mut question).await?;
        if silent {
            continue;
        }
        let (kind, key) = read(&question).context("no question")?;
        let mut message = vec![KIND, kind];
        match kind {
            // "Stored."
            PUT_VALUE => message = question,
            ADD_PROVIDER => continue,
            _ => message.extend(lies.nearest(&key, CLOSER)),
        }
        if kind == GET_PROVIDERS {
            message.extend(lies.nearest(&key, PROVIDERS));
        }
        send(&mut stream, &message).await?;
    }
}

/// A question's kind and key.
fn read(mut bytes: &[u8]) -> Option<(u8, Vec<u8>)> {
    fn varint(bytes: &mut &[u8]) -> Option<usize> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let (byte, rest) = bytes.split_first()?;
            *bytes = rest;
            value |= usize::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
    let (mut kind, mut key) = (0, Vec::new());
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let value = varint(&mut bytes)?;
        if tag == usize::from(KIND) {
            kind = u8::try_from(value).ok()?;
        } else if tag & 7 == 2 {
            let (held, rest) = bytes.split_at_checked(value)?;
            bytes = rest;
            if tag >> 3 == 2 {
                key = held.to_vec();
            }
        }
    }
    Some((kind, key))
}

//! The one task that owns the swarm: commands in, events out, and what must be done in between.
//!
//! ```text
//!  Command ──▶ obey ─────────┬─▶ connections   dialled, met, lost
//!  libp2p ───▶ events ───────┼─▶ table         who is where, and may come into the routing table
//!  every 2 s ▶ upkeep ───────┼─▶ lookups       what somebody here looks for
//!                            ├─▶ kept          what is kept for others
//!                            ├─▶ reachable     where this node is reached
//!                            └─▶ gossip, status
//! ```

mod connections;
mod events;
mod gossip;
mod kept;
mod lookups;
mod reachable;
mod role_key;
mod status;
mod table;
mod upkeep;

use crate::{
    behaviour::{Behaviour, RECORD_LIVES, RECORDS_MAX},
    command::Command,
    config::Config,
    error::OverlayError,
    gate::Prefix,
    message::Gossip,
    meter::Meter,
    nat::MapBy,
    places::Places,
    pressure::Pressure,
    quota::Quota,
    standing::Standing,
    transport::{Security, transport},
    turn::TurnTransport,
};
use connections::Known;
use futures::StreamExt as _;
use libp2p::{Multiaddr, PeerId, Swarm, identity, kad, relay, swarm::ConnectionId};
use libp2p_stream::Control;
use lookups::Query;
use network::ik::Identity;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::SocketAddr,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::{broadcast, mpsc, oneshot};
use types::Millis;

/// How often the driver looks whether something is due.
const TICK: Duration = Duration::from_secs(2);
/// A connection that carries nothing is closed after this.
const IDLE: Duration = Duration::from_secs(120);
/// Records kept of those that one neighbourhood brings, and providers of one key that live in it.
const RECORDS_PREFIX_MAX: usize = 256;
const PROVIDERS_PREFIX_MAX: usize = 4;

/// Who knows which roles this node has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Nobody,
    /// Those who ask here.
    Here,
    /// Nodes of the table.
    Others,
}

pub(crate) struct Driver {
    config: Config,
    swarm: Swarm<Behaviour>,
    commands: mpsc::Receiver<Command>,
    gossip: broadcast::Sender<Gossip>,
    peers: BTreeMap<PeerId, Known>,
    queries: HashMap<kad::QueryId, Query>,
    dialling: HashMap<PeerId, Vec<oneshot::Sender<Result<(), OverlayError>>>>,
    table: Places,
    /// What is kept for others, by the neighbourhoods that brought it.
    records: Quota<Prefix, kad::RecordKey>,
    providers: Quota<(kad::RecordKey, Prefix), PeerId>,
    relays: BTreeMap<PeerId, bool>,
    started: Instant,
    last_bootstrap: Option<Instant>,
    last_record: Option<Instant>,
    told: Told,
    mapped: Option<(MapBy, SocketAddr)>,
    onion: Option<Multiaddr>,
    turn: Option<SocketAddr>,
    /// Connections that this node makes where a peer has invited it to.
    invited: HashSet<ConnectionId>,
    /// Peers that somebody here asked for by name.
    asked_for: HashSet<PeerId>,
    standing: Standing,
    last_rotation: Instant,
    /// Peers that keep a list of those who come, and when it was visited last.
    points: BTreeMap<PeerId, Option<Instant>>,
    meter: Meter,
}

impl Driver {
    pub(crate) fn new(
        mut config: Config,
        commands: mpsc::Receiver<Command>,
        gossip: broadcast::Sender<Gossip>,
        meter: Meter,
        turn: TurnTransport,
    ) -> Result<Self, OverlayError> {
        let start = |error: String| OverlayError::Start(error);
        let mut seed = config.key.seed();
        let pair = identity::Keypair::ed25519_from_bytes(&mut seed[..])
            .map_err(|error| start(error.to_string()))?;
        let me = pair.public().to_peer_id();
        let (circuits, client) = relay::client::new(me);
        let security = Security {
            me: Identity::new(&config.key),
            suites: config.suites,
            // Validators' sockets have the same keys and another namespace.
            namespace: [b"overlay", &config.network.0[..]].concat(),
            meter: meter.clone(),
            pressure: Pressure::default(),
        };
        let transport = transport(security, circuits, config.tor.clone(), turn)
            .map_err(|error| start(error.to_string()))?;
        let behaviour = Behaviour::new(&config, pair, client).map_err(start)?;
        let settings =
            libp2p::swarm::Config::with_tokio_executor().with_idle_connection_timeout(IDLE);
        let mut swarm = Swarm::new(transport, behaviour, me, settings);
        for address in &config.listen {
            swarm.listen_on(address.clone()).map_err(|error| OverlayError::Listen {
                address: address.clone(),
                error: events::reasons(&error),
            })?;
        }
        for address in &config.announce {
            swarm.add_external_address(address.clone());
        }
        let asns = std::mem::take(&mut config.asns);
        Ok(Self {
            config,
            swarm,
            commands,
            gossip,
            peers: BTreeMap::new(),
            queries: HashMap::new(),
            dialling: HashMap::new(),
            table: Places::new(asns),
            records: Quota::new(RECORDS_PREFIX_MAX, 2 * RECORDS_MAX, RECORD_LIVES),
            providers: Quota::new(PROVIDERS_PREFIX_MAX, 2 * RECORDS_MAX, RECORD_LIVES),
            relays: BTreeMap::new(),
            started: Instant::now(),
            last_bootstrap: None,
            last_record: None,
            told: Told::Nobody,
            mapped: None,
            onion: None,
            turn: None,
            invited: HashSet::new(),
            asked_for: HashSet::new(),
            standing: Standing::default(),
            last_rotation: Instant::now(),
            points: BTreeMap::new(),
            meter,
        })
    }

    pub(crate) fn control(&self) -> Control {
        self.swarm.behaviour().streams.new_control()
    }

    /// Until every handle is gone.
    pub(crate) async fn run(mut self) {
        let mut tick = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return,
                },
                event = self.swarm.select_next_some() => self.on_event(event),
                _ = tick.tick() => self.look(),
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Dial { peer, at, answer } => self.dial(peer, at, Some(answer)),
            Command::Find { peer, answer } => self.find(peer, answer),
            Command::Closest { key, answer } => self.find_closest(key, answer),
            Command::Providers { role, chain, cell, answer } => {
                self.find_providers(role, chain, cell, answer);
            }
            Command::Status(answer) => drop(answer.send(self.status())),
            Command::Mapped(now) => self.on_mapped(now),
            Command::Onion(now) => self.on_onion(now),
            Command::Turn(now) => self.on_turn(now),
            Command::Invited { peer, at } => self.on_invited(peer, at),
            Command::Blame(peer, fault) => self.blame(peer, fault),
            Command::Publish { topic, data } => self.publish(topic, data),
            Command::Subscribe { topic } => self.subscribe(topic),
            Command::Judge { message, from, verdict } => self.judge(&message, from, verdict),
            Command::Lead(addresses) => {
                for address in addresses {
                    self.dial_found(address.peer(), std::slice::from_ref(address.full()));
                }
            }
        }
    }
}

fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

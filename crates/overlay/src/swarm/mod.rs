//! The one task that owns the swarm: commands in, events out, and what must be done in between.

mod upkeep;

use crate::{
    Cell, PeerAddress,
    address::{at_socket, host_of, identity_of, is_circuit, place, relay_of, same_host},
    behaviour::{Behaviour, BehaviourEvent, RECORD_LIVES, RECORDS_MAX},
    gate::Prefix,
    meter::{Meter, Way},
    nat::MapBy,
    overlay::{Config, Gossip, OverlayError, Path, PeerInfo, SEEN_AS_MAX, Status, Verdict},
    places::Places,
    pressure::Pressure,
    quota::Quota,
    record::{BadRecord, PeerRecord, Role},
    rendezvous,
    standing::{Fault, Standing},
    transport::{Security, transport},
    turn::TurnTransport,
};
use futures::StreamExt as _;
use libp2p::{
    Multiaddr, PeerId, Swarm,
    core::ConnectedPoint,
    dcutr, gossipsub, identify, identity, kad, mdns,
    multiaddr::Protocol,
    ping, relay,
    swarm::{
        ConnectionId, SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use libp2p_stream::Control;
use network::ik::Identity;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::{broadcast, mpsc, oneshot};
use types::{ChainId, Millis};

/// How often the driver looks whether something is due.
const TICK: Duration = Duration::from_secs(2);
/// A connection that carries nothing is closed after this.
const IDLE: Duration = Duration::from_secs(120);
/// Records kept of those that one neighbourhood brings, and providers of one key that live in it.
const RECORDS_PREFIX_MAX: usize = 256;
const PROVIDERS_PREFIX_MAX: usize = 4;
/// Peers asked for by name that are remembered as such.
const ASKED_FOR_MAX: usize = 256;
/// Lists of those who come that are visited.
const POINTS_MAX: usize = 3;
/// Addresses kept of one node.
const ADDRESSES_MAX: usize = 4;

/// What the handle asks.
pub(crate) enum Command {
    Dial {
        peer: PeerId,
        at: Option<Multiaddr>,
        answer: oneshot::Sender<Result<(), OverlayError>>,
    },
    Find {
        peer: PeerId,
        answer: oneshot::Sender<Option<PeerRecord>>,
    },
    Closest {
        key: Vec<u8>,
        answer: oneshot::Sender<Vec<PeerId>>,
    },
    Providers {
        role: Role,
        chain: ChainId,
        /// Only there.
        cell: Option<Cell>,
        answer: oneshot::Sender<Vec<PeerId>>,
    },
    Status(oneshot::Sender<Status>),
    /// The router passes on a port, or no longer.
    Mapped(Option<(MapBy, SocketAddr)>),
    /// Tor holds an onion service for this node, or no longer.
    Onion(Option<Multiaddr>),
    /// A TURN server holds an address for this node, or no longer.
    Turn(Option<SocketAddr>),
    /// A peer that is relayed has let this node in at its TURN server.
    Invited {
        peer: PeerId,
        at: Multiaddr,
    },
    /// A peer has done what no honest node does.
    Blame(PeerId, Fault),
    Publish {
        topic: String,
        data: Vec<u8>,
    },
    Subscribe {
        topic: String,
    },
    /// What somebody here thinks of a message.
    Judge {
        message: gossipsub::MessageId,
        from: PeerId,
        verdict: Verdict,
    },
    /// Somebody says where nodes are.
    Lead(Vec<PeerAddress>),
}

/// A query that somebody waits for, and what it has found.
enum Query {
    Find(PeerId, Option<(PeerRecord, Instant)>, oneshot::Sender<Option<PeerRecord>>),
    Closest(oneshot::Sender<Vec<PeerId>>),
    Providers(HashSet<PeerId>, oneshot::Sender<Vec<PeerId>>),
}

/// Who knows which roles this node has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Nobody,
    /// Those who ask here.
    Here,
    /// Nodes of the table.
    Others,
}

struct Known {
    connections: HashMap<ConnectionId, (Path, Multiaddr)>,
    punched: HashSet<ConnectionId>,
    rtt: Option<Duration>,
    agent: Option<String>,
    relays: bool,
    /// Where it sees this node come from.
    sees: Option<IpAddr>,
    since: Instant,
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
                error: error.to_string(),
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
            Command::Find { peer, answer } => {
                let key = kad::RecordKey::new(&PeerRecord::key(&peer));
                let query = self.swarm.behaviour_mut().kad.get_record(key);
                self.queries.insert(query, Query::Find(peer, None, answer));
            }
            Command::Closest { key, answer } => {
                let query = self.swarm.behaviour_mut().kad.get_closest_peers(key);
                self.queries.insert(query, Query::Closest(answer));
            }
            Command::Providers { role, chain, cell, answer } => {
                let key = kad::RecordKey::new(&role_key(role, chain, cell));
                let query = self.swarm.behaviour_mut().kad.get_providers(key);
                self.queries.insert(query, Query::Providers(HashSet::new(), answer));
            }
            Command::Status(answer) => drop(answer.send(self.status())),
            Command::Mapped(now) => self.on_mapped(now),
            Command::Onion(now) => self.on_onion(now),
            Command::Turn(now) => self.on_turn(now),
            Command::Invited { peer, at } => {
                // It is connected already, which is no reason not to dial.
                let options = DialOpts::peer_id(peer).condition(PeerCondition::Always);
                let options = options.addresses(vec![at]).build();
                let connection = options.connection_id();
                self.swarm.behaviour_mut().gate.want(connection);
                if self.swarm.dial(options).is_ok() {
                    self.invited.insert(connection);
                }
            }
            Command::Blame(peer, fault) => self.blame(peer, fault),
            Command::Publish { topic, data } => {
                let topic = gossipsub::IdentTopic::new(topic);
                self.meter.count("gossip", Way::Out);
                if let Err(error) = self.swarm.behaviour_mut().gossip.publish(topic, data) {
                    tracing::debug!(%error, "not published");
                }
            }
            Command::Subscribe { topic } => {
                let topic = gossipsub::IdentTopic::new(topic);
                if let Err(error) = self.swarm.behaviour_mut().gossip.subscribe(&topic) {
                    tracing::warn!(%error, "not subscribed");
                }
            }
            Command::Judge { message, from, verdict } => {
                let acceptance = match verdict {
                    Verdict::PassOn => gossipsub::MessageAcceptance::Accept,
                    Verdict::Keep => gossipsub::MessageAcceptance::Ignore,
                    Verdict::False => gossipsub::MessageAcceptance::Reject,
                };
                let gossip = &mut self.swarm.behaviour_mut().gossip;
                gossip.report_message_validation_result(&message, &from, acceptance);
                if verdict == Verdict::False {
                    self.blame(from, Fault::FalseGossip);
                }
            }
            Command::Lead(addresses) => {
                for address in addresses {
                    self.dial_found(address.peer(), std::slice::from_ref(address.full()));
                }
            }
        }
    }

    fn dial(
        &mut self,
        peer: PeerId,
        at: Option<Multiaddr>,
        answer: Option<oneshot::Sender<Result<(), OverlayError>>>,
    ) {
        if answer.is_some() && self.asked_for.len() < ASKED_FOR_MAX {
            self.asked_for.insert(peer);
        }
        if self.swarm.is_connected(&peer) {
            if let Some(answer) = answer {
                drop(answer.send(Ok(())));
            }
            return;
        }
        let options = DialOpts::peer_id(peer).condition(PeerCondition::NotDialing);
        let options = match at {
            Some(at) => options.addresses(vec![at]).extend_addresses_through_behaviour().build(),
            None => options.build(),
        };
        self.swarm.behaviour_mut().gate.want(options.connection_id());
        let begun = self.swarm.dial(options);
        let Some(answer) = answer else { return };
        match begun {
            // Somebody is dialling it already: the same answer serves both.
            Ok(()) | Err(libp2p::swarm::DialError::DialPeerConditionFalse(_)) => {
                self.dialling.entry(peer).or_default().push(answer);
            }
            Err(error) => {
                let error = OverlayError::Unreachable { peer, error: told(&error) };
                drop(answer.send(Err(error)));
            }
        }
    }

    fn on_mapped(&mut self, now: Option<(MapBy, SocketAddr)>) {
        if let Some((_, before)) = self.mapped.filter(|before| Some(*before) != now) {
            self.swarm.remove_external_address(&at_socket(before));
        }
        self.mapped = now;
        if let Some((by, address)) = now {
            tracing::info!(by = by.name(), %address, "the router passes a port on");
            // Others will say whether that is true: this only makes it worth a try.
            self.swarm.add_external_address(at_socket(address));
            self.last_record = None;
        }
    }

    fn on_onion(&mut self, now: Option<Multiaddr>) {
        if let Some(before) = std::mem::replace(&mut self.onion, now) {
            self.swarm.remove_external_address(&before);
        }
        if let Some(address) = &self.onion {
            tracing::info!(%address, "an onion service leads here");
            self.swarm.add_external_address(address.clone());
            self.last_record = None;
        }
    }

    fn on_turn(&mut self, now: Option<SocketAddr>) {
        if let Some(address) = now {
            tracing::info!(%address, "a TURN server has an address for this node");
        }
        self.turn = now;
    }

    fn answer_dial(&mut self, peer: PeerId, result: &Result<(), OverlayError>) {
        for answer in self.dialling.remove(&peer).unwrap_or_default() {
            drop(answer.send(result.clone()));
        }
    }

    fn reached_directly(&self) -> bool {
        self.swarm.external_addresses().any(|at| !is_circuit(at))
    }

    fn blame(&mut self, peer: PeerId, fault: Fault) {
        if self.standing.blame(peer, fault, Instant::now()) {
            tracing::info!(%peer, ?fault, "kept out for an hour");
            self.swarm.behaviour_mut().banned.block_peer(peer);
            self.swarm.behaviour_mut().kad.remove_peer(&peer);
            self.table.remove(&peer);
        }
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            SwarmEvent::NewListenAddr { address, .. } => {
                tracing::info!(%address, "listening");
                self.last_record = None;
            }
            SwarmEvent::ExternalAddrConfirmed { address } => {
                tracing::info!(%address, "others reach this node here");
                self.last_record = None;
                self.points.values_mut().for_each(|last| *last = None);
            }
            SwarmEvent::ListenerClosed { addresses, .. } => {
                for relay in addresses.iter().filter_map(relay_of) {
                    self.relays.remove(&relay);
                }
            }
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                let address = endpoint.get_remote_address().clone();
                let invited = self.invited.remove(&connection_id) || self.is_turn(&endpoint);
                let path = match (endpoint.is_relayed(), invited, endpoint.is_dialer()) {
                    (true, ..) => Path::Relayed,
                    (false, true, _) => Path::Turn,
                    (false, false, true) => Path::Direct,
                    (false, false, false) => Path::Inbound,
                };
                tracing::debug!(peer = %peer_id, %address, ?path, "connected");
                let known = self.peers.entry(peer_id).or_insert_with(|| Known {
                    connections: HashMap::new(),
                    punched: HashSet::new(),
                    rtt: None,
                    agent: None,
                    relays: false,
                    sees: None,
                    since: Instant::now(),
                });
                known.connections.insert(connection_id, (path, address));
                self.answer_dial(peer_id, &Ok(()));
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, num_established, .. } => {
                if let Some(known) = self.peers.get_mut(&peer_id) {
                    known.connections.remove(&connection_id);
                    known.punched.remove(&connection_id);
                }
                if num_established == 0 {
                    self.peers.remove(&peer_id);
                    self.meter.gone(&peer_id);
                    self.relays.remove(&peer_id);
                    self.points.remove(&peer_id);
                    self.asked_for.remove(&peer_id);
                }
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), connection_id, error } => {
                self.invited.remove(&connection_id);
                tracing::debug!(%peer, %error, "not reached");
                let error = OverlayError::Unreachable { peer, error: told(&error) };
                self.answer_dial(peer, &Err(error));
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                let error = reasons(&error);
                tracing::debug!(from = %send_back_addr, %error, "no handshake");
            }
            _ => {}
        }
    }

    /// Whether somebody came by this node's address at a TURN server.
    fn is_turn(&self, endpoint: &ConnectedPoint) -> bool {
        match endpoint {
            ConnectedPoint::Listener { local_addr, .. } => {
                self.turn.is_some_and(|turn| *local_addr == at_socket(turn))
            }
            ConnectedPoint::Dialer { .. } => false,
        }
    }

    fn on_behaviour(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                self.meter.count("identify", Way::In);
                self.on_identified(peer_id, info);
            }
            BehaviourEvent::Ping(ping::Event { peer, result: Ok(rtt), .. }) => {
                self.meter.count("ping", Way::Out);
                if let Some(known) = self.peers.get_mut(&peer) {
                    known.rtt = Some(rtt);
                }
            }
            BehaviourEvent::Kad(event) => self.on_kad(event),
            BehaviourEvent::Gossip(gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            }) => {
                self.meter.count("gossip", Way::In);
                let gossip = Gossip {
                    topic: message.topic.into_string(),
                    from: propagation_source,
                    data: message.data,
                    id: message_id,
                };
                drop(self.gossip.send(gossip));
            }
            BehaviourEvent::Circuits(relay::client::Event::ReservationReqAccepted {
                relay_peer_id,
                ..
            }) => {
                tracing::info!(relay = %relay_peer_id, "a relay holds a place for this node");
                self.relays.insert(relay_peer_id, true);
                self.last_record = None;
            }
            BehaviourEvent::Dcutr(dcutr::Event { remote_peer_id, result }) => match result {
                Ok(connection) => {
                    if let Some(known) = self.peers.get_mut(&remote_peer_id) {
                        known.punched.insert(connection);
                    }
                }
                Err(error) => tracing::debug!(peer = %remote_peer_id, %error, "no hole punched"),
            },
            BehaviourEvent::Meet(libp2p::rendezvous::client::Event::Discovered {
                registrations,
                ..
            }) => {
                let me = *self.swarm.local_peer_id();
                for found in registrations.into_iter().take(rendezvous::READ_MAX as usize) {
                    let peer = found.record.peer_id();
                    if peer != me {
                        self.meter.count("rendezvous", Way::In);
                        self.dial_found(peer, found.record.addresses());
                    }
                }
            }
            BehaviourEvent::Mdns(mdns::Event::Discovered(found)) => {
                for (peer, address) in found {
                    let full = place(&address).with(Protocol::P2p(peer));
                    self.dial(peer, Some(full), None);
                }
            }
            _ => {}
        }
    }

    /// A peer has said what it speaks and where it listens. Only addresses at the place it really is are
    /// believed: otherwise anybody fills tables with others' addresses.
    fn on_identified(&mut self, peer: PeerId, info: identify::Info) {
        let Some(known) = self.peers.get_mut(&peer) else { return };
        known.agent = Some(info.agent_version.chars().take(64).collect());
        if !is_circuit(&info.observed_addr) {
            known.sees = host_of(&info.observed_addr);
        }
        known.relays = info.protocols.contains(&relay::HOP_PROTOCOL_NAME);
        let keeps_list = info.protocols.iter().any(|name| name.as_ref() == rendezvous::PROTOCOL);
        if keeps_list && self.points.len() < POINTS_MAX {
            self.points.entry(peer).or_default();
        }
        let in_table = info
            .protocols
            .iter()
            .any(|protocol| self.swarm.behaviour().kad.protocol_names().contains(protocol));
        if !in_table {
            return;
        }
        let seen: Vec<Multiaddr> =
            known.connections.values().map(|(_, address)| address.clone()).collect();
        let dialled: Vec<Multiaddr> = known
            .connections
            .values()
            .filter(|(path, _)| *path == Path::Direct)
            .map(|(_, address)| place(address))
            .collect();
        let honest = info
            .listen_addrs
            .into_iter()
            .filter(|address| !is_circuit(address))
            .filter(|address| seen.iter().any(|seen| same_host(seen, address)));
        let addresses: Vec<Multiaddr> =
            dialled.into_iter().chain(honest).take(ADDRESSES_MAX).collect();
        for address in addresses {
            self.add_to_table(peer, address);
        }
    }

    /// Somebody says that `peer` is there: a stranger's word, so that it counts in its neighbourhood.
    fn dial_found(&mut self, peer: PeerId, addresses: &[Multiaddr]) {
        let addresses: Vec<Multiaddr> = (addresses.iter())
            .filter(|address| !is_circuit(address))
            .map(|address| place(address).with(Protocol::P2p(peer)))
            .take(ADDRESSES_MAX)
            .collect();
        let options = DialOpts::peer_id(peer).condition(PeerCondition::DisconnectedAndNotDialing);
        if let Err(error) = self.swarm.dial(options.addresses(addresses).build()) {
            tracing::debug!(%peer, %error, "not dialled");
        }
    }

    fn add_to_table(&mut self, peer: PeerId, address: Multiaddr) {
        let spared = self.swarm.behaviour().gate.spares(Prefix::of(&address));
        if !self.table.has(&peer) && !spared {
            let bucket = self.bucket_of(&peer);
            if !self.table.has_room(&address, |other| self.bucket_of(other) == bucket) {
                tracing::debug!(%peer, %address, "its neighbourhood has enough places in the table");
                return;
            }
        }
        let first = self.table.is_empty();
        let update = self.swarm.behaviour_mut().kad.add_address(&peer, place(&address));
        if matches!(update, kad::RoutingUpdate::Success) {
            self.table.insert(peer, &address);
        }
        if first && !self.table.is_empty() {
            drop(self.swarm.behaviour_mut().kad.bootstrap());
        }
    }

    fn bucket_of(&self, peer: &PeerId) -> Option<u32> {
        let key = |peer: &PeerId| kad::KBucketKey::from(*peer);
        key(self.swarm.local_peer_id()).distance(&key(peer)).ilog2()
    }

    fn on_kad(&mut self, event: kad::Event) {
        match &event {
            kad::Event::InboundRequest { .. } => self.meter.count("kad", Way::In),
            kad::Event::OutboundQueryProgressed { .. } => self.meter.count("kad", Way::Out),
            _ => {}
        }
        match event {
            kad::Event::RoutingUpdated { old_peer: Some(old), .. } => {
                self.table.remove(&old);
            }
            // A lookup has met a node that answered: it may come into the table where it answered.
            kad::Event::RoutablePeer { peer, address }
            | kad::Event::PendingRoutablePeer { peer, address } => {
                if self.swarm.is_connected(&peer) {
                    self.add_to_table(peer, address);
                }
            }
            kad::Event::InboundRequest {
                request: kad::InboundRequest::PutRecord { source, record: Some(record), .. },
            } => self.keep_record(&source, record),
            kad::Event::InboundRequest {
                request: kad::InboundRequest::AddProvider { record: Some(record) },
            } => self.keep_provider(record),
            kad::Event::OutboundQueryProgressed { id, result, step, .. } => {
                self.on_progress(id, result, step.last);
            }
            _ => {}
        }
    }

    /// Where `peer` is connected from.
    fn prefix_of(&self, peer: &PeerId) -> Prefix {
        let connections = self.peers.get(peer).map(|known| known.connections.values());
        let mut prefixes = connections.into_iter().flatten().map(|(_, at)| Prefix::of(at));
        prefixes.next().unwrap_or(Prefix::Named)
    }

    /// Remember for others who has a role. There are few roles, so that nobody fills the store with keys of his own.
    fn keep_provider(&mut self, record: kad::ProviderRecord) {
        if !is_role_key(&record.key) {
            return;
        }
        let prefix = self.prefix_of(&record.provider);
        let group = (record.key.clone(), prefix);
        if self.swarm.behaviour().gate.spares(prefix)
            || self.providers.admit(group, record.provider, Instant::now())
        {
            let store = self.swarm.behaviour_mut().kad.store_mut();
            drop(kad::store::RecordStore::add_provider(store, record));
        }
    }

    /// Keep a record for others, if it is what it says.
    fn keep_record(&mut self, source: &PeerId, record: kad::Record) {
        let opened = match PeerRecord::open(&record.value, self.config.network, now()) {
            Ok(opened) => opened,
            // Clocks differ, and records grow old on their way.
            Err(BadRecord::Age) => return,
            Err(_) => return self.blame(*source, Fault::FalseRecord),
        };
        let owner = crate::address::peer_id(&opened.identity.0);
        if !owner.is_ok_and(|owner| PeerRecord::key(&owner) == record.key.to_vec()) {
            return self.blame(*source, Fault::FalseRecord);
        }
        let prefix = self.prefix_of(source);
        if !self.swarm.behaviour().gate.spares(prefix)
            && !self.records.admit(prefix, record.key.clone(), Instant::now())
        {
            tracing::debug!(%source, "its neighbourhood has enough records here");
            return;
        }
        let store = self.swarm.behaviour_mut().kad.store_mut();
        let older = kad::store::RecordStore::get(store, &record.key)
            .and_then(|kept| PeerRecord::open(&kept.value, self.config.network, now()).ok());
        if older.is_none_or(|older| older.issued <= opened.issued) {
            drop(kad::store::RecordStore::put(store, record));
        }
    }

    fn on_progress(&mut self, id: kad::QueryId, result: kad::QueryResult, last: bool) {
        let Some(query) = self.queries.get_mut(&id) else { return };
        match (query, result) {
            (
                Query::Find(peer, found, _),
                kad::QueryResult::GetRecord(Ok(kad::GetRecordOk::FoundRecord(record))),
            ) => {
                let wanted = identity_of(peer).map(|identity| identity.public());
                let opened =
                    PeerRecord::open(&record.record.value, self.config.network, now()).ok();
                let opened = opened.filter(|opened| wanted == Ok(opened.identity.0));
                // The newest that is its own.
                if let Some(opened) = opened {
                    match found {
                        Some((found, _)) if found.issued >= opened.issued => {}
                        Some((found, _)) => *found = opened,
                        None => *found = Some((opened, Instant::now())),
                    }
                }
            }
            (
                Query::Providers(found, _),
                kad::QueryResult::GetProviders(Ok(kad::GetProvidersOk::FoundProviders {
                    providers,
                    ..
                })),
            ) => found.extend(providers),
            (Query::Closest(_), kad::QueryResult::GetClosestPeers(result)) if last => {
                let peers = match result {
                    Ok(found) => found.peers,
                    Err(kad::GetClosestPeersError::Timeout { peers, .. }) => peers,
                };
                if let Some(Query::Closest(answer)) = self.queries.remove(&id) {
                    drop(answer.send(peers.into_iter().map(|found| found.peer_id).collect()));
                }
                return;
            }
            _ => {}
        }
        if !last {
            return;
        }
        match self.queries.remove(&id) {
            Some(Query::Find(_, found, answer)) => {
                drop(answer.send(found.map(|(record, _)| record)));
            }
            Some(Query::Providers(found, answer)) => {
                drop(answer.send(found.into_iter().collect()));
            }
            Some(Query::Closest(answer)) => drop(answer.send(Vec::new())),
            None => {}
        }
    }

    /// Addresses that peers see this node come from, the most frequent first.
    fn seen_as(&self) -> Vec<IpAddr> {
        let mut seen: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for ip in self.peers.values().filter_map(|known| known.sees) {
            *seen.entry(ip).or_default() += 1;
        }
        let mut seen: Vec<(IpAddr, usize)> = seen.into_iter().collect();
        seen.sort_by_key(|(_, peers)| std::cmp::Reverse(*peers));
        seen.into_iter().map(|(ip, _)| ip).take(SEEN_AS_MAX).collect()
    }

    fn status(&mut self) -> Status {
        let peers = self
            .peers
            .iter()
            .filter_map(|(peer, known)| {
                let best = |(id, (path, address)): (&ConnectionId, &(Path, Multiaddr))| {
                    let punched = known.punched.contains(id);
                    (if punched { Path::HolePunched } else { *path }, address.clone())
                };
                // The best path there is: relayed only if nothing else stands.
                let mut paths: Vec<(Path, Multiaddr)> =
                    known.connections.iter().map(best).collect();
                paths.sort_by_key(|(path, _)| *path == Path::Relayed);
                let (path, address) = paths.into_iter().next()?;
                let (bytes_received, bytes_sent) = self.meter.bytes_of(peer);
                Some(PeerInfo {
                    bytes_received,
                    bytes_sent,
                    peer: *peer,
                    path,
                    address,
                    connections: u32::try_from(known.connections.len()).unwrap_or(u32::MAX),
                    rtt_ms: known.rtt.map(|rtt| rtt.as_secs_f64() * 1_000.0),
                    agent: known.agent.clone(),
                    in_table: self.table.has(peer),
                    seconds: known.since.elapsed().as_secs(),
                })
            })
            .collect();
        Status {
            id: *self.swarm.local_peer_id(),
            listen: self.swarm.listeners().filter(|at| !is_circuit(at)).cloned().collect(),
            reachable_at: self.swarm.external_addresses().cloned().collect(),
            mapped: self.mapped,
            onion: self.onion.clone(),
            turn: self.turn,
            seen_as: self.seen_as(),
            relays: self
                .relays
                .iter()
                .filter(|(_, held)| **held)
                .map(|(relay, _)| *relay)
                .collect(),
            table: self.table.len(),
            turned_away: self.swarm.behaviour().gate.refused(),
            banned: self.standing.banned(),
            peers,
        }
    }
}

/// What nodes with `role` on `chain` provide: anywhere, or in one cell.
fn role_key(role: Role, chain: ChainId, cell: Option<Cell>) -> Vec<u8> {
    let place = cell.map(|cell| format!("/{}", cell.index())).unwrap_or_default();
    format!("/meshx/role/{}/{chain}{place}", role.name()).into_bytes()
}

fn is_role_key(key: &kad::RecordKey) -> bool {
    let parsed = || {
        let text = std::str::from_utf8(key.as_ref()).ok()?.strip_prefix("/meshx/role/")?;
        let mut parts = text.split('/');
        let role = Role::of_name(parts.next()?)?;
        let chain = parts.next()?;
        let chain = ChainId::ALL.into_iter().find(|known| known.to_string() == chain)?;
        let cell = parts.next().map(|index| Cell::of_index(index.parse().ok()?));
        let cell = cell.map_or(Some(None), |cell| cell.map(Some))?;
        // One key for each: not with zeros in front, nor with more behind.
        Some(role_key(role, chain, cell) == key.as_ref())
    };
    parsed().unwrap_or(false)
}

fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The innermost reasons of a failed dial, one per address.
fn told(error: &libp2p::swarm::DialError) -> String {
    use libp2p::{TransportError, swarm::DialError};
    match error {
        DialError::Transport(errors) => errors
            .iter()
            .map(|(address, error)| match error {
                TransportError::MultiaddrNotSupported(_) => format!("{address}: not supported"),
                TransportError::Other(error) => format!("{address}: {error}"),
            })
            .collect::<Vec<_>>()
            .join("; "),
        DialError::NoAddresses => "no address of it is known".to_owned(),
        DialError::WrongPeerId { obtained, .. } => format!("{obtained} is there instead"),
        other => other.to_string(),
    }
}

/// An error and what is behind it.
fn reasons(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_roles_on_chains_are_provided() {
        let provided = |key: &[u8]| is_role_key(&kad::RecordKey::new(&key));
        assert!(provided(&role_key(Role::Validator, ChainId::Europe, None)));
        assert!(provided(&role_key(Role::Relay, ChainId::Backbone, Cell::of_index(647))));
        let plain = String::from_utf8(role_key(Role::Relay, ChainId::Europe, None)).unwrap();
        let longer =
            ["/648", "/07", "/7/", "/-1", "/"].map(|end| format!("{plain}{end}").into_bytes());
        let strange = [&b"/meshx/role/validator"[..], b"/meshx/role/owner/europe", b"", &[7; 32]];
        for stranger in strange.into_iter().chain(longer.iter().map(Vec::as_slice)) {
            assert!(!provided(stranger), "{stranger:?}");
        }
    }
}

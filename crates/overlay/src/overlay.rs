//! The handle: what the rest of a node asks of its overlay.

use crate::{
    AsnTable, Cell,
    address::{BadAddress, PeerAddress, peer_id, place, relay_of},
    gate::{GateLimits, Prefix},
    mapped,
    meter::{Meter, Way},
    nat::{self, MapBy},
    record::{PeerRecord, Role, Roles},
    standing::{Fault, Share},
    swarm::{self, Command},
    tor::{self, Tor},
    turn::{self, TurnServer, TurnTransport},
};
use crypto::SigningKey;
use futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _, future::join_all};
use libp2p::{Multiaddr, PeerId, Stream, StreamProtocol, gossipsub, multiaddr::Protocol};
use libp2p_stream::{Control, IncomingStreams};
use network::ik::Suites;
use serde::Serialize;
use std::{
    collections::HashSet,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::sync::{Mutex, broadcast, mpsc, oneshot};
use types::{ChainId, Hash};

/// Commands that wait for the swarm; more wait with whoever asks.
const COMMANDS_MAX: usize = 256;

/// What a node brings to its overlay.
#[derive(Clone, Debug)]
pub struct Config {
    pub key: SigningKey,
    /// Networks do not mix: a peer of another one fails the handshake.
    pub network: Hash,
    pub roles: Roles,
    /// The chain this node works on first.
    pub chain: ChainId,
    /// Where it stands, if others are to know: those nearby find it first.
    pub cell: Option<Cell>,
    pub listen: Vec<Multiaddr>,
    /// Where others reach this node, if that is known and not one of `listen`.
    pub announce: Vec<Multiaddr>,
    pub bootstrap: Vec<PeerAddress>,
    pub suites: Suites,
    /// Look for peers on the local network, and be found there.
    pub mdns: bool,
    /// Ask the router to pass the listening port on, if this machine has no address of its own on the internet.
    pub map_port: bool,
    /// Be reached as an onion service, and dial others that are; with [`Tor::only`] nothing else.
    pub tor: Option<Tor>,
    /// Have an address at this server, for those whom nothing but a relay leads here.
    pub turn: Option<TurnServer>,
    pub limits: GateLimits,
    /// Which provider an address is of, where that is known: few of one come into the table.
    pub asns: AsnTable,
}

impl Config {
    /// A node of `network` that listens on `listen` and knows nobody.
    #[must_use]
    pub fn new(key: SigningKey, network: Hash, listen: Vec<Multiaddr>) -> Self {
        Self {
            key,
            network,
            roles: Roles::default().with(Role::Edge),
            chain: ChainId::Backbone,
            cell: None,
            listen,
            announce: Vec::new(),
            bootstrap: Vec::new(),
            suites: Suites::default(),
            mdns: false,
            map_port: true,
            tor: None,
            turn: None,
            limits: GateLimits::default(),
            asns: AsnTable::default(),
        }
    }

    fn is_hidden(&self) -> bool {
        self.tor.as_ref().is_some_and(|tor| tor.only)
    }

    /// With [`Tor::only`], nothing that would show where this machine stands.
    fn hidden_if_asked(self) -> Self {
        if !self.is_hidden() {
            return self;
        }
        let loopback = "/ip4/127.0.0.1/tcp/0".parse().expect("an address");
        Self {
            listen: vec![loopback],
            announce: vec![],
            mdns: false,
            map_port: false,
            turn: None,
            cell: None,
            ..self
        }
    }
}

/// Why the overlay could not do something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverlayError {
    #[error(transparent)]
    Address(#[from] BadAddress),
    #[error("the overlay cannot start: {0}")]
    Start(String),
    #[error("{0}")]
    Tor(String),
    #[error("no address at the TURN server: {0}")]
    Turn(String),
    #[error("cannot listen on {address}: {error}")]
    Listen { address: Multiaddr, error: String },
    #[error("cannot reach {peer}: {error}")]
    Unreachable { peer: PeerId, error: String },
    #[error("{peer} does not speak {protocol}")]
    NotSpoken { peer: PeerId, protocol: String },
    #[error("{0} is served already")]
    Served(String),
    #[error("nobody knows {0}")]
    Unknown(PeerId),
    #[error("the overlay has stopped")]
    Stopped,
}

/// How a peer is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Path {
    /// Its address answered.
    Direct,
    /// It came to us.
    Inbound,
    /// A direct connection that was made through a relay's help.
    HolePunched,
    /// Through a TURN server that one side has an address at.
    Turn,
    /// Through a relay.
    Relayed,
}

impl Path {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Inbound => "inbound",
            Self::HolePunched => "hole-punched",
            Self::Turn => "turn",
            Self::Relayed => "relayed",
        }
    }
}

/// A connected peer.
#[derive(Clone, Debug, Serialize)]
pub struct PeerInfo {
    #[serde(serialize_with = "shown")]
    pub peer: PeerId,
    pub path: Path,
    #[serde(serialize_with = "shown")]
    pub address: Multiaddr,
    pub connections: u32,
    /// Milliseconds of the last ping's round trip.
    pub rtt_ms: Option<f64>,
    /// Program and version, as the peer says.
    pub agent: Option<String>,
    pub bytes_received: u64,
    pub bytes_sent: u64,
    /// Whether it is in our routing table.
    pub in_table: bool,
    /// Seconds since the first connection.
    pub seconds: u64,
}

/// How the overlay is.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    #[serde(serialize_with = "shown")]
    pub id: PeerId,
    #[serde(serialize_with = "all_shown")]
    pub listen: Vec<Multiaddr>,
    /// Addresses at which others have reached this node.
    #[serde(serialize_with = "all_shown")]
    pub reachable_at: Vec<Multiaddr>,
    /// The port of the router that leads here, and the protocol it was asked by.
    pub mapped: Option<(MapBy, SocketAddr)>,
    /// This node's address at a TURN server.
    pub turn: Option<SocketAddr>,
    /// Where others see this node come from, most of them first.
    pub seen_as: Vec<IpAddr>,
    /// Where this node is as an onion service.
    #[serde(serialize_with = "shown_if")]
    pub onion: Option<Multiaddr>,
    /// Relays that hold a place for this node.
    #[serde(serialize_with = "all_shown")]
    pub relays: Vec<PeerId>,
    /// Nodes in the routing table.
    pub table: usize,
    /// Handshakes not begun, because their neighbourhood was crowded.
    pub turned_away: u64,
    /// Identities that are kept out for what they did.
    pub banned: usize,
    pub peers: Vec<PeerInfo>,
}

fn shown<T: ToString, S: serde::Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&value.to_string())
}

fn shown_if<T: ToString, S: serde::Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.serialize_some(&value.to_string()),
        None => serializer.serialize_none(),
    }
}

fn all_shown<T: ToString, S: serde::Serializer>(
    values: &[T],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(ToString::to_string))
}

impl Status {
    /// Whom to begin with after a restart: peers that were dialled, longest connected first, one of each neighbourhood.
    #[must_use]
    pub fn anchors(&self) -> Vec<PeerAddress> {
        let mut direct: Vec<&PeerInfo> =
            self.peers.iter().filter(|peer| peer.path == Path::Direct && peer.in_table).collect();
        direct.sort_by_key(|peer| std::cmp::Reverse(peer.seconds));
        let mut prefixes = Vec::new();
        let mut anchors = Vec::new();
        for peer in direct {
            let prefix = Prefix::of(&peer.address);
            if prefix.is_near() || !prefixes.contains(&prefix) {
                prefixes.push(prefix);
                let full = place(&peer.address).with(Protocol::P2p(peer.peer));
                anchors.extend(PeerAddress::new(full));
            }
        }
        anchors.truncate(ANCHORS_MAX);
        anchors
    }
}

/// A message that somebody published.
#[derive(Clone, Debug)]
pub struct Gossip {
    pub topic: String,
    /// Who passed it on, not who made it: gossip is not signed here.
    pub from: PeerId,
    pub data: Vec<u8>,
    pub(crate) id: gossipsub::MessageId,
}

/// What to do with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is true and new: others shall hear it.
    PassOn,
    /// It is of no use to others, and nobody is to blame.
    Keep,
    /// Whoever passed it on could have seen that it is false: it counts as a fault.
    False,
}

/// A running overlay. Cloning shares it; it ends when the last clone is dropped.
#[derive(Clone)]
pub struct Overlay {
    id: PeerId,
    commands: mpsc::Sender<Command>,
    control: Control,
    gossip: broadcast::Sender<Gossip>,
    /// The router's port, to be given back.
    mapping: Arc<Mutex<Option<nat::Mapping>>>,
    meter: Meter,
    /// What each identity may open, whatever the protocol.
    share: Arc<Share>,
}

type Answer<T> = Result<T, OverlayError>;

/// Connections from a TURN server that are not taken yet; further ones are closed.
const ARRIVED_MAX: usize = 16;
/// Addresses of one's own that are remembered.
pub(crate) const SEEN_AS_MAX: usize = 4;

/// As many nearby are enough to choose from.
pub const NEAR_WANTED: usize = 3;
/// Peers to begin with after a restart.
pub const ANCHORS_MAX: usize = 4;

/// What the side that serves a stream sends first. The library drops streams that come faster than they are
/// accepted, without a word to either side; whoever has not been greeted opens another one.
const GREETING: u8 = b'+';
const GREETING_TIMEOUT: Duration = Duration::from_secs(10);
const GREETING_TRIES: u32 = 7;
const GREETING_PAUSE: Duration = Duration::from_millis(10);

/// Streams that others open for one protocol.
pub struct Incoming {
    streams: IncomingStreams,
    protocol: &'static str,
    meter: Meter,
    share: Arc<Share>,
    commands: mpsc::WeakSender<Command>,
}

impl Incoming {
    /// The next one. `None`: the overlay has ended.
    pub async fn next(&mut self) -> Option<Waiting> {
        loop {
            let (peer, stream) = self.streams.next().await?;
            self.meter.count(self.protocol, Way::In);
            if self.share.admits(peer) {
                return Some(Waiting { peer, stream });
            }
            if let Some(commands) = self.commands.upgrade() {
                // When the driver has more to do than it can, that is not the time for blame.
                drop(commands.try_send(Command::Blame(peer, Fault::Flood)));
            }
        }
    }
}

/// A stream that its opener does not use before it is served. Dropping it turns the opener away.
pub struct Waiting {
    pub peer: PeerId,
    stream: Stream,
}

impl Waiting {
    /// Let the opener begin.
    ///
    /// # Errors
    /// Of the connection.
    pub async fn serve(mut self) -> std::io::Result<Stream> {
        self.stream.write_all(&[GREETING]).await?;
        self.stream.flush().await?;
        Ok(self.stream)
    }
}

impl Overlay {
    /// Listen, dial the bootstrap list, and go on looking for peers. Needs a Tokio runtime.
    ///
    /// # Errors
    /// [`OverlayError::Start`], [`OverlayError::Listen`].
    pub fn start(config: Config) -> Answer<Self> {
        let id = peer_id(&config.key.public())?;
        let (commands, received) = mpsc::channel(COMMANDS_MAX);
        let (gossip, _) = broadcast::channel(1_024);
        let meter = Meter::default();
        let config = config.hidden_if_asked();
        let map_port = config.map_port;
        let onion = config.tor.clone().map(|tor| (tor, config.key.clone()));
        let (arrived, arriving) = mpsc::channel(ARRIVED_MAX);
        let (hidden, turn) = (config.is_hidden(), config.turn.clone());
        let arriving = TurnTransport::new(arriving);
        let driver = swarm::Driver::new(config, received, gossip.clone(), meter.clone(), arriving)?;
        let mut control = driver.control();
        if !hidden && let Ok(invitations) = control.accept(turn::PROTOCOL) {
            tokio::spawn(turn::answer_invitations(commands.downgrade(), invitations));
        }
        if let Some(server) = turn {
            let (commands, streams) = (commands.downgrade(), control.clone());
            tokio::spawn(turn::keep_allocation(commands, streams, server, arrived));
        }
        tokio::spawn(driver.run());
        let mapping: Arc<Mutex<Option<nat::Mapping>>> = Arc::default();
        if map_port {
            tokio::spawn(mapped::keep_mapped(commands.downgrade(), mapping.clone()));
        }
        if let Some((tor, key)) = onion {
            tokio::spawn(tor::keep_onion(commands.downgrade(), tor, key));
        }
        let share = Arc::default();
        Ok(Self { id, commands, control, gossip, mapping, meter, share })
    }

    /// Give back what others hold for this node: the router's port. Connections end with the last clone.
    pub async fn close(self) {
        if let Some(mapping) = self.mapping.lock().await.take() {
            nat::unmap(mapping).await;
        }
    }

    pub fn id(&self) -> PeerId {
        self.id
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Answer<T> {
        let (answer, wait) = oneshot::channel();
        self.commands.send(command(answer)).await.map_err(|_| OverlayError::Stopped)?;
        wait.await.map_err(|_| OverlayError::Stopped)
    }

    /// Where this node listens, once it does.
    ///
    /// # Errors
    /// [`OverlayError::Stopped`].
    pub async fn listening(&self) -> Answer<Vec<PeerAddress>> {
        loop {
            let status = self.status().await?;
            if !status.listen.is_empty() {
                let with_id =
                    |address: Multiaddr| PeerAddress::new(address.with(Protocol::P2p(self.id)));
                return Ok(status.listen.into_iter().filter_map(|at| with_id(at).ok()).collect());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Be connected to `address`.
    ///
    /// # Errors
    /// [`OverlayError::Unreachable`].
    pub async fn dial(&self, address: &PeerAddress) -> Answer<()> {
        // The library gives a circuit up whose relay is being dialled already, so the relay comes first.
        if let Some(relay) = relay_of(address.full()) {
            let is_circuit = |part: &Protocol<'_>| *part == Protocol::P2pCircuit;
            let at: Multiaddr =
                address.full().iter().take_while(|part| !is_circuit(part)).collect();
            self.dial_at(relay, at).await?;
        }
        self.dial_at(address.peer(), address.full().clone()).await
    }

    async fn dial_at(&self, peer: PeerId, at: Multiaddr) -> Answer<()> {
        self.ask(|answer| Command::Dial { peer, at: Some(at), answer }).await?
    }

    /// Be connected to `peer`, wherever it is.
    ///
    /// # Errors
    /// [`OverlayError::Unknown`], [`OverlayError::Unreachable`].
    pub async fn reach(&self, peer: PeerId) -> Answer<()> {
        let known = self.ask(|answer| Command::Dial { peer, at: None, answer }).await?;
        if known.is_ok() {
            return Ok(());
        }
        let record = self.find(peer).await?;
        let mut last = known;
        for address in record.addresses {
            let full = match address.iter().last() {
                Some(Protocol::P2p(last)) if last == peer => address,
                _ => address.with(Protocol::P2p(peer)),
            };
            last = self.dial(&PeerAddress::new(full)?).await;
            if last.is_ok() {
                break;
            }
        }
        last
    }

    /// A new stream to `peer`, for `protocol`, that somebody there serves.
    ///
    /// # Errors
    /// [`OverlayError::Unreachable`], [`OverlayError::NotSpoken`].
    pub async fn open(&self, peer: PeerId, protocol: &'static str) -> Answer<Stream> {
        let mut pause = GREETING_PAUSE;
        for _ in 0..GREETING_TRIES {
            let mut stream = self.open_once(peer, protocol).await?;
            let mut greeting = [0];
            let greeted =
                tokio::time::timeout(GREETING_TIMEOUT, stream.read_exact(&mut greeting)).await;
            if matches!(greeted, Ok(Ok(()))) && greeting == [GREETING] {
                return Ok(stream);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        let error = format!("nobody there takes up a stream for {protocol}");
        Err(OverlayError::Unreachable { peer, error })
    }

    async fn open_once(&self, peer: PeerId, protocol: &'static str) -> Answer<Stream> {
        use libp2p_stream::OpenStreamError;
        let mut control = self.control.clone();
        self.meter.count(protocol, Way::Out);
        control.open_stream(peer, StreamProtocol::new(protocol)).await.map_err(
            |error| match error {
                OpenStreamError::UnsupportedProtocol(protocol) => {
                    OverlayError::NotSpoken { peer, protocol: protocol.to_string() }
                }
                other => OverlayError::Unreachable { peer, error: other.to_string() },
            },
        )
    }

    /// Streams that others open for `protocol`.
    ///
    /// # Errors
    /// [`OverlayError::Served`]: somebody here accepts them already.
    pub fn accept(&self, protocol: &'static str) -> Answer<Incoming> {
        let mut control = self.control.clone();
        control
            .accept(StreamProtocol::new(protocol))
            .map(|streams| Incoming {
                streams,
                protocol,
                meter: self.meter.clone(),
                share: self.share.clone(),
                commands: self.commands.downgrade(),
            })
            .map_err(|_| OverlayError::Served(protocol.to_owned()))
    }

    /// What `peer` says of itself, from whoever keeps its record.
    ///
    /// # Errors
    /// [`OverlayError::Unknown`].
    pub async fn find(&self, peer: PeerId) -> Answer<PeerRecord> {
        self.ask(|answer| Command::Find { peer, answer }).await?.ok_or(OverlayError::Unknown(peer))
    }

    /// The nodes nearest to `key` in the network's table, nearest first.
    ///
    /// # Errors
    /// [`OverlayError::Stopped`].
    pub async fn closest(&self, key: Vec<u8>) -> Answer<Vec<PeerId>> {
        self.ask(|answer| Command::Closest { key, answer }).await
    }

    /// Nodes that say they have `role` on `chain`.
    ///
    /// # Errors
    /// [`OverlayError::Stopped`].
    pub async fn providers(&self, role: Role, chain: ChainId) -> Answer<Vec<PeerId>> {
        self.ask(|answer| Command::Providers { role, chain, cell: None, answer }).await
    }

    /// The same, those first that say they stand in `cell`, then those around it; from anywhere if that are fewer than
    /// [`NEAR_WANTED`].
    ///
    /// # Errors
    /// [`OverlayError::Stopped`].
    pub async fn providers_near(
        &self,
        role: Role,
        chain: ChainId,
        cell: Cell,
    ) -> Answer<Vec<PeerId>> {
        let mut found: Vec<PeerId> = Vec::new();
        for cells in [vec![Some(cell)], cell.around().into_iter().map(Some).collect(), vec![None]] {
            let asked = cells.into_iter().map(async |cell| {
                self.ask(|answer| Command::Providers { role, chain, cell, answer }).await
            });
            for more in join_all(asked).await {
                found.extend(more?);
            }
            let mut seen = HashSet::new();
            found.retain(|peer| seen.insert(*peer));
            if found.len() >= NEAR_WANTED {
                break;
            }
        }
        Ok(found)
    }

    /// # Errors
    /// [`OverlayError::Stopped`].
    pub async fn status(&self) -> Answer<Status> {
        self.ask(Command::Status).await
    }

    /// Peers, bytes and protocols in the text that Prometheus reads.
    ///
    /// # Errors
    /// [`OverlayError::Stopped`].
    pub async fn metrics(&self) -> Answer<String> {
        let status = self.status().await?;
        Ok(self.meter.text(&status))
    }

    /// Pass `data` to everybody who listens to `topic`.
    ///
    /// # Errors
    /// [`OverlayError::Stopped`].
    pub async fn publish(&self, topic: &str, data: Vec<u8>) -> Answer<()> {
        let topic = topic.to_owned();
        self.commands
            .send(Command::Publish { topic, data })
            .await
            .map_err(|_| OverlayError::Stopped)
    }

    /// Say what `message` is worth. A message that nobody judges goes no further.
    ///
    /// # Errors
    /// [`OverlayError::Stopped`].
    pub async fn judge(&self, message: &Gossip, verdict: Verdict) -> Answer<()> {
        let (message, from) = (message.id.clone(), message.from);
        self.commands
            .send(Command::Judge { message, from, verdict })
            .await
            .map_err(|_| OverlayError::Stopped)
    }

    /// Look for nodes at `addresses`, which somebody says they have. Whoever is there comes into the table by the same
    /// rules as everybody else.
    ///
    /// # Errors
    /// [`OverlayError::Stopped`].
    pub async fn lead(&self, addresses: Vec<PeerAddress>) -> Answer<()> {
        self.commands.send(Command::Lead(addresses)).await.map_err(|_| OverlayError::Stopped)
    }

    /// Listen to `topic`. Each message is to be [judged](Self::judge). A listener that falls a thousand messages behind misses the oldest.
    ///
    /// # Errors
    /// [`OverlayError::Stopped`].
    pub async fn subscribe(&self, topic: &str) -> Answer<broadcast::Receiver<Gossip>> {
        let receiver = self.gossip.subscribe();
        let topic = topic.to_owned();
        self.commands
            .send(Command::Subscribe { topic })
            .await
            .map_err(|_| OverlayError::Stopped)?;
        Ok(receiver)
    }
}

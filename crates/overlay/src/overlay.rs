//! The handle: what the rest of a node asks of its overlay.

use crate::{
    Cell,
    address::{PeerAddress, peer_id, relay_of},
    command::{COMMANDS_MAX, Command},
    config::Config,
    error::OverlayError,
    incoming::{Incoming, is_greeted},
    mapped,
    message::{Gossip, Verdict},
    meter::{Meter, Way},
    nat,
    record::{PeerRecord, Role},
    standing::Share,
    status::Status,
    swarm, tor,
    turn::{self, TurnTransport},
};
use futures::future::join_all;
use libp2p::{Multiaddr, PeerId, Stream, StreamProtocol, multiaddr::Protocol};
use libp2p_stream::Control;
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::sync::{Mutex, broadcast, mpsc, oneshot};
use types::ChainId;

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
    /// What each identity may open, over all protocols.
    share: Arc<Share>,
}

type Answer<T> = Result<T, OverlayError>;

/// Connections from a TURN server that are not taken yet; further ones are closed.
const ARRIVED_MAX: usize = 16;
/// A stream that nobody has greeted is opened again so often, after a pause that doubles.
const GREETING_TRIES: u32 = 7;
const GREETING_PAUSE: Duration = Duration::from_millis(10);
/// As many nearby are enough to choose from.
pub const NEAR_WANTED: usize = 3;
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

    /// This node's own identity, as others dial it.
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
            if is_greeted(&mut stream).await {
                return Ok(stream);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        let error = format!("the peer accepts no stream for {protocol}");
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

    /// What `peer` says of itself, from the nodes that keep its record.
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

    /// How the overlay is: where it is reached, and who is connected by which path.
    ///
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

    /// Look for nodes at `addresses`, which somebody says they have. A node that is there comes into the table by the same
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
        // Before the swarm hears of the topic: a message that comes at once must not be missed.
        let receiver = self.gossip.subscribe();
        let topic = topic.to_owned();
        self.commands
            .send(Command::Subscribe { topic })
            .await
            .map_err(|_| OverlayError::Stopped)?;
        Ok(receiver)
    }
}

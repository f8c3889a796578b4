//! The connection to a TURN server that keeps an allocation: RFC 8656 with the TCP of RFC 6062.

use super::{Arrived, TurnServer};
use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use stun_types::{
    attribute::{ErrorCode, Nonce, Realm, Username},
    message::{
        IntegrityAlgorithm, LongTermCredentials, LongTermKeyCredentials, Message, MessageClass,
        MessageIntegrityCredentials, MessageWrite as _, MessageWriteExt as _, MessageWriteVec,
        Method, TransactionId,
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, lookup_host},
    sync::{mpsc, oneshot},
    time::{Instant, timeout},
};
use turn_types::{
    attribute::{ConnectionId, Lifetime, RequestedTransport, XorPeerAddress, XorRelayedAddress},
    message::{ALLOCATE, CONNECTION_ATTEMPT, CONNECTION_BIND, CREATE_PERMISSION, REFRESH},
};

/// How long the server may take for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Longest message of a server in bytes; those used here have a few hundred.
const MESSAGE_BYTES_MAX: usize = 2_048;
/// Permissions last 300 s (RFC 8656 §9).
const PERMIT_AGAIN: Duration = Duration::from_secs(240);
/// Nobody asks for longer, and nobody waits with the renewal until the end.
const LIFETIME: Duration = Duration::from_secs(600);
/// Peers let in at once; the oldest makes room.
const PERMITS_MAX: usize = 64;
/// Announced connections that have not been fetched yet.
const ATTEMPTS_MAX: usize = 16;
const HEADER_BYTES: usize = 20;
/// Protocol number of TCP, as `REQUESTED-TRANSPORT` has it.
const TCP: u8 = 6;
const UNAUTHENTICATED: u16 = 401;
const STALE_NONCE: u16 = 438;

/// Somebody to be let in; the answer comes when the server knows.
pub(super) type Permit = (IpAddr, oneshot::Sender<()>);

/// What stands behind the requests of one connection.
#[derive(Clone)]
struct Pass {
    key: LongTermKeyCredentials,
    nonce: String,
}

impl Pass {
    fn of(server: &TurnServer, refusal: &Message<'_>) -> Option<Self> {
        let realm = refusal.attribute::<Realm>().ok()?.realm().to_owned();
        let nonce = refusal.attribute::<Nonce>().ok()?.nonce().to_owned();
        let credentials = LongTermCredentials::new(server.user.clone(), server.password.clone());
        Some(Self { key: credentials.to_key(realm), nonce })
    }
}

/// An allocation, kept as long as this lives.
pub(super) struct Control {
    server: TurnServer,
    place: SocketAddr,
    stream: TcpStream,
    unread: Vec<u8>,
    pass: Pass,
    relayed: SocketAddr,
    lifetime: Duration,
    renewed: Instant,
    /// Who is let in, and since when the server knows.
    permits: BTreeMap<IpAddr, Instant>,
    /// Connections that the server holds for this node: their numbers, and from where.
    attempts: VecDeque<(u32, SocketAddr)>,
}

impl Control {
    pub(super) async fn open(server: &TurnServer) -> io::Result<Self> {
        let place = lookup_host(&server.place).await?.next();
        let place = place.ok_or_else(|| io::Error::other("no such host"))?;
        let stream = within(TcpStream::connect(place)).await?;
        let nobody = LongTermCredentials::new(String::new(), String::new()).to_key(String::new());
        let mut control = Self {
            server: server.clone(),
            place,
            stream,
            unread: Vec::new(),
            pass: Pass { key: nobody, nonce: String::new() },
            relayed: place,
            lifetime: LIFETIME,
            renewed: Instant::now(),
            permits: BTreeMap::new(),
            attempts: VecDeque::new(),
        };
        let answer = control.ask(ALLOCATE, Asked::Allocation).await?;
        let message = parsed(&answer)?;
        let relayed = message.attribute::<XorRelayedAddress>();
        let relayed = relayed.map_err(|_| io::Error::other("the TURN server names no address"))?;
        control.relayed = relayed.addr(message.transaction_id());
        control.lifetime = lifetime_of(&message);
        Ok(control)
    }

    pub(super) const fn relayed(&self) -> SocketAddr {
        self.relayed
    }

    /// Let connections from `peer` in.
    async fn permit(&mut self, peer: IpAddr) -> io::Result<()> {
        if self.permits.len() >= PERMITS_MAX && !self.permits.contains_key(&peer) {
            // It is forgotten there when it is not renewed.
            let oldest = self.permits.iter().min_by_key(|(_, since)| **since);
            if let Some(oldest) = oldest.map(|(peer, _)| *peer) {
                self.permits.remove(&oldest);
            }
        }
        self.ask(CREATE_PERMISSION, Asked::Permission(peer)).await?;
        self.permits.insert(peer, Instant::now());
        Ok(())
    }

    /// When something has to be renewed.
    fn due(&self) -> Instant {
        let permits = self.permits.values().map(|since| *since + PERMIT_AGAIN);
        permits.chain([self.renewed + self.lifetime / 2]).min().unwrap_or(self.renewed)
    }

    /// Let in who is asked for, renew what is due, and bring who arrives, until the server is gone.
    pub(super) async fn serve(
        &mut self,
        arrived: &mpsc::Sender<Arrived>,
        asked: &mut mpsc::Receiver<Permit>,
    ) -> io::Result<()> {
        loop {
            while let Some((id, from)) = self.attempts.pop_front() {
                let fetch = fetch(self.place, self.pass.clone(), id);
                let (relayed, arrived) = (self.relayed, arrived.clone());
                tokio::spawn(async move {
                    match within(fetch).await {
                        // Who comes faster than connections are taken is turned away.
                        Ok(stream) => drop(arrived.try_send(Arrived { stream, from, relayed })),
                        Err(error) => tracing::debug!(%from, %error, "not brought by TURN"),
                    }
                });
            }
            let due = self.due();
            tokio::select! {
                message = next_message(&mut self.stream, &mut self.unread) => {
                    let message = message?;
                    self.hear(&message);
                }
                Some((peer, answer)) = asked.recv() => {
                    self.permit(peer).await?;
                    // The caller may have gone.
                    answer.send(()).unwrap_or_default();
                }
                () = tokio::time::sleep_until(due) => self.renew().await?,
            }
        }
    }

    async fn renew(&mut self) -> io::Result<()> {
        let now = Instant::now();
        if self.renewed + self.lifetime / 2 <= now {
            let answer = self.ask(REFRESH, Asked::Allocation).await?;
            self.lifetime = lifetime_of(&parsed(&answer)?);
            self.renewed = now;
        }
        let due = self.permits.iter().filter(|(_, since)| **since + PERMIT_AGAIN <= now);
        for peer in due.map(|(peer, _)| *peer).collect::<Vec<_>>() {
            self.permit(peer).await?;
        }
        Ok(())
    }

    /// One request and its answer. What the server says by itself meanwhile is kept.
    async fn ask(&mut self, method: Method, asked: Asked) -> io::Result<Vec<u8>> {
        // Once to be told realm and nonce, once with them, and once more if that nonce had just grown stale.
        for _ in 0..3 {
            let known = !self.pass.nonce.is_empty();
            let (id, bytes) = request(method, asked, known.then_some(&self.pass))?;
            within(async {
                self.stream.write_all(&bytes).await?;
                self.stream.flush().await
            })
            .await?;
            let answer = within(self.answer_to(id)).await?;
            let message = parsed(&answer)?;
            if message.has_class(MessageClass::Success) {
                return Ok(answer);
            }
            let code = message.attribute::<ErrorCode>();
            let code = code.map_err(|_| io::Error::other("a refusal without a reason"))?;
            let first = code.code() == UNAUTHENTICATED && !known;
            if !first && code.code() != STALE_NONCE {
                let text = format!("the TURN server says {} {}", code.code(), code.reason());
                return Err(io::Error::other(text));
            }
            self.pass = Pass::of(&self.server, &message)
                .ok_or_else(|| io::Error::other("a TURN server without realm or nonce"))?;
        }
        Err(io::Error::other("the TURN server's nonces do not last"))
    }

    async fn answer_to(&mut self, id: TransactionId) -> io::Result<Vec<u8>> {
        loop {
            let bytes = next_message(&mut self.stream, &mut self.unread).await?;
            let message = parsed(&bytes)?;
            if message.is_response() && message.transaction_id() == id {
                return Ok(bytes);
            }
            self.hear(&bytes);
        }
    }

    /// RFC 6062 §5.3: a peer that it lets in has connected to the relayed address.
    fn hear(&mut self, bytes: &[u8]) {
        let Ok(message) = Message::from_bytes(bytes) else { return };
        let attempt = message.has_class(MessageClass::Indication)
            && message.has_method(CONNECTION_ATTEMPT)
            && self.attempts.len() < ATTEMPTS_MAX;
        let connection = message.attribute::<ConnectionId>();
        let peer = message.attribute::<XorPeerAddress>();
        if let (true, Ok(connection), Ok(peer)) = (attempt, connection, peer) {
            self.attempts.push_back((connection.id(), peer.addr(message.transaction_id())));
        }
    }
}

/// What a request asks for.
#[derive(Clone, Copy)]
enum Asked {
    Allocation,
    Permission(IpAddr),
    Connection(u32),
}

fn request(
    method: Method,
    asked: Asked,
    pass: Option<&Pass>,
) -> io::Result<(TransactionId, Vec<u8>)> {
    let mut request = Message::builder_request(method, MessageWriteVec::new());
    let id = request.transaction_id();
    let seconds = u32::try_from(LIFETIME.as_secs()).unwrap_or(u32::MAX);
    let written = match asked {
        Asked::Allocation if method == ALLOCATE => request
            .add_attribute(&RequestedTransport::new(TCP))
            .and_then(|()| request.add_attribute(&Lifetime::new(seconds))),
        Asked::Allocation => request.add_attribute(&Lifetime::new(seconds)),
        Asked::Permission(peer) => {
            request.add_attribute(&XorPeerAddress::new(SocketAddr::new(peer, 0), id))
        }
        Asked::Connection(connection) => request.add_attribute(&ConnectionId::new(connection)),
    };
    written.map_err(io::Error::other)?;
    if let Some(Pass { key, nonce }) = pass {
        request
            .add_attribute(&Username::new(key.username()).map_err(io::Error::other)?)
            .and_then(|()| request.add_attribute(&Realm::new(key.realm())?))
            .and_then(|()| request.add_attribute(&Nonce::new(nonce)?))
            .map_err(io::Error::other)?;
        let key = MessageIntegrityCredentials::LongTerm(key.clone());
        request.add_message_integrity(&key, IntegrityAlgorithm::Sha1).map_err(io::Error::other)?;
    }
    Ok((id, request.finish()))
}

/// RFC 6062 §4.4: take one connection over. What follows the answer is the peer's.
async fn fetch(place: SocketAddr, pass: Pass, connection: u32) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(place).await?;
    stream.set_nodelay(true)?;
    let (id, bytes) = request(CONNECTION_BIND, Asked::Connection(connection), Some(&pass))?;
    stream.write_all(&bytes).await?;
    stream.flush().await?;
    // Not one byte more than the answer.
    let mut answer = vec![0; HEADER_BYTES];
    stream.read_exact(&mut answer).await?;
    let all = message_bytes(&answer)?;
    answer.resize(all, 0);
    stream.read_exact(&mut answer[HEADER_BYTES..]).await?;
    let message = parsed(&answer)?;
    if message.transaction_id() == id && message.has_class(MessageClass::Success) {
        return Ok(stream);
    }
    Err(io::Error::other("the TURN server keeps the connection"))
}

/// The next message. Nothing is lost if this is not awaited to its end.
async fn next_message(stream: &mut TcpStream, unread: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    loop {
        if unread.len() >= HEADER_BYTES {
            let all = message_bytes(unread)?;
            if unread.len() >= all {
                let rest = unread.split_off(all);
                return Ok(std::mem::replace(unread, rest));
            }
        }
        if stream.read_buf(unread).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// How long the message is that begins so (RFC 8489 §5).
fn message_bytes(header: &[u8]) -> io::Result<usize> {
    let length = match header {
        [first, _, high, low, ..] if first & 0xc0 == 0 => u16::from_be_bytes([*high, *low]),
        _ => return Err(io::Error::other("not STUN")),
    };
    let all = HEADER_BYTES + usize::from(length);
    if all > MESSAGE_BYTES_MAX {
        return Err(io::Error::other(format!("a STUN message of {all} bytes")));
    }
    Ok(all)
}

fn parsed(bytes: &[u8]) -> io::Result<Message<'_>> {
    Message::from_bytes(bytes).map_err(io::Error::other)
}

fn lifetime_of(message: &Message<'_>) -> Duration {
    let named = message.attribute::<Lifetime>().map(|lifetime| lifetime.seconds());
    // At least a minute: a server must not have this node ask all the time.
    named.map_or(LIFETIME, |seconds| Duration::from_secs(u64::from(seconds).clamp(60, 3_600)))
}

async fn within<T>(doing: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(ANSWER_WITHIN, doing)
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the TURN server does not answer"))?
}

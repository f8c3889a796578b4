//! Through a Tor daemon: dialled by SOCKS5, reached as an onion service (rend-spec-v3).
//!
//! The daemon is asked over its control port to hold an onion service whose key follows from the node's own, so
//! that the address stays the same, and to drop it when the connection to it ends.

use crate::{command::Command, error::OverlayError};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use crypto::SigningKey;
use futures::future::{BoxFuture, FutureExt as _};
use libp2p::{
    Multiaddr, Transport,
    core::transport::{DialOpts, ListenerId, TransportError, TransportEvent},
    multiaddr::Protocol,
    tcp,
};
use sha2::{Digest as _, Sha512};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    sync::{mpsc, oneshot},
};
use tokio_socks::tcp::Socks5Stream;

/// Where the daemon is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tor {
    /// Its SOCKS5 port.
    pub socks: SocketAddr,
    /// Its control port.
    pub control: SocketAddr,
    /// The control port's password; otherwise its cookie file is read, or nothing is asked.
    pub password: Option<String>,
    /// No connection is made but through the daemon, and nobody comes in but through it. Otherwise it is one more way.
    pub only: bool,
}

/// The port of the onion service; the listener may have another.
const ONION_PORT: u16 = 8_800;
/// An onion service is dialled in seconds, where an address takes milliseconds.
const DIAL_TIMEOUT: Duration = Duration::from_secs(90);
/// How long the daemon may take to answer a command.
const CONTROL_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest answer of the daemon in bytes.
const ANSWER_BYTES_MAX: u64 = 16_384;
/// How long to wait before a daemon that went away is asked again.
const AGAIN: Duration = Duration::from_secs(5);

/// Dials through the daemon; listens on loopback, where the daemon brings those who come.
pub(crate) struct TorTransport {
    tor: Tor,
    listener: tcp::tokio::Transport,
}

impl TorTransport {
    pub(crate) fn new(tor: Tor) -> Self {
        let listener = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
        Self { tor, listener }
    }
}

/// What the daemon is asked to dial.
fn target(address: &Multiaddr, only: bool) -> Option<(String, u16)> {
    let mut parts = address.iter();
    let host = match parts.next()? {
        Protocol::Onion3(onion) => {
            return Some((format!("{}.onion", onion_name(onion.hash())), onion.port()));
        }
        _ if !only => return None,
        Protocol::Ip4(ip) => ip.to_string(),
        Protocol::Ip6(ip) => ip.to_string(),
        // The daemon looks names up: asking here would tell a resolver.
        Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name) => name.into_owned(),
        _ => return None,
    };
    match (parts.next()?, parts.next()) {
        (Protocol::Tcp(port), None | Some(Protocol::P2p(_))) => Some((host, port)),
        _ => None,
    }
}

impl Transport for TorTransport {
    type Output = tcp::tokio::TcpStream;
    type Error = io::Error;
    type ListenerUpgrade = <tcp::tokio::Transport as Transport>::ListenerUpgrade;
    type Dial = BoxFuture<'static, io::Result<Self::Output>>;

    fn listen_on(
        &mut self,
        id: ListenerId,
        address: Multiaddr,
    ) -> Result<(), TransportError<Self::Error>> {
        let loopback = match address.iter().next() {
            Some(Protocol::Ip4(ip)) => ip.is_loopback(),
            Some(Protocol::Ip6(ip)) => ip.is_loopback(),
            _ => false,
        };
        if !loopback {
            return Err(TransportError::MultiaddrNotSupported(address));
        }
        self.listener.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.listener.remove_listener(id)
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        _: DialOpts,
    ) -> Result<Self::Dial, TransportError<Self::Error>> {
        let Some((host, port)) = target(&address, self.tor.only) else {
            return Err(TransportError::MultiaddrNotSupported(address));
        };
        let socks = self.tor.socks;
        // Tor takes another circuit for another name: peers cannot be linked by the circuit they share.
        let isolated = match address.iter().last() {
            Some(Protocol::P2p(peer)) => peer.to_string(),
            _ => format!("{host}:{port}"),
        };
        Ok(async move {
            let dial =
                Socks5Stream::connect_with_password(socks, (host.as_str(), port), &isolated, "-");
            let stream = tokio::time::timeout(DIAL_TIMEOUT, dial)
                .await
                .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
                .map_err(|error| io::Error::other(format!("Tor at {socks}: {error}")))?;
            let stream = stream.into_inner();
            stream.set_nodelay(true)?;
            Ok(tcp::tokio::TcpStream(stream))
        }
        .boxed())
    }

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
        Pin::new(&mut self.listener).poll(context)
    }
}

/// The 56 characters of an onion address.
fn onion_name(hash: &[u8; 35]) -> String {
    base32(hash)
}

/// RFC 4648, lower case, for lengths that need no padding.
fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    bytes
        .chunks(5)
        .flat_map(|chunk| {
            let mut five = [0; 8];
            five[3..3 + chunk.len()].copy_from_slice(chunk);
            let bits = u64::from_be_bytes(five);
            (0..8).map(move |index| char::from(LETTERS[(bits >> (35 - 5 * index)) as usize & 31]))
        })
        .collect()
}

/// The secret key of a node's onion service as `ADD_ONION` takes it: `SHA-512(seed)`, clamped (RFC 8032 §5.1.5), of
/// a seed that follows from the node's. Not the node's own key: the daemon has no business with that.
fn onion_key(key: &SigningKey) -> String {
    let seed = types::domain_hash("meshx/onion-key/v1", &[key.seed().as_slice()]);
    let mut secret: [u8; 64] = Sha512::digest(seed.0).into();
    secret[0] &= 248;
    secret[31] = secret[31] & 63 | 64;
    format!("ED25519-V3:{}", BASE64.encode(secret))
}

/// Hold an onion service for the overlay behind `commands` as long as it lives.
pub(crate) async fn keep_onion(commands: mpsc::WeakSender<Command>, tor: Tor, key: SigningKey) {
    let mut told = false;
    loop {
        let Some(listener) = loopback_listener(&commands).await else { return };
        match Control::open(&tor).await {
            Ok(mut control) => match control.add_onion(&onion_key(&key), listener).await {
                Ok(address) => {
                    told = false;
                    tell(&commands, Some(address)).await;
                    tokio::select! {
                        () = control.ended() => {}
                        () = gone(&commands) => return,
                    }
                    tell(&commands, None).await;
                }
                Err(error) => tracing::warn!(%error, "Tor holds no onion service for this node"),
            },
            Err(error) if !told => {
                told = true;
                tracing::warn!(control = %tor.control, %error, "Tor's control port; is ControlPort set in torrc?");
            }
            Err(_) => {}
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn tell(commands: &mpsc::WeakSender<Command>, onion: Option<Multiaddr>) {
    if let Some(commands) = commands.upgrade() {
        drop(commands.send(Command::Onion(onion)).await);
    }
}

async fn gone(commands: &mpsc::WeakSender<Command>) {
    while commands.strong_count() > 0 {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Where this machine's daemon reaches the overlay; `None` when the overlay is gone.
async fn loopback_listener(commands: &mpsc::WeakSender<Command>) -> Option<SocketAddr> {
    loop {
        let (answer, wait) = oneshot::channel();
        commands.upgrade()?.send(Command::Status(answer)).await.ok()?;
        let status = wait.await.ok()?;
        let local = status.listen.iter().find_map(|address| {
            let host = crate::address::host_of(address)?;
            let port = crate::address::port_of(address)?;
            let host = if host.is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { host };
            Some(SocketAddr::new(host, port))
        });
        if local.is_some() {
            return local;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A control connection (control-spec), as much of it as an onion service needs.
struct Control {
    stream: BufReader<TcpStream>,
}

impl Control {
    async fn open(tor: &Tor) -> io::Result<Self> {
        let stream = tokio::time::timeout(CONTROL_TIMEOUT, TcpStream::connect(tor.control))
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        let mut control = Self { stream: BufReader::new(stream) };
        let authenticate = match &tor.password {
            Some(password) => format!("AUTHENTICATE {}", quoted(password)),
            None => match cookie_file(&control.ask("PROTOCOLINFO 1").await?) {
                Some(path) => {
                    let cookie = tokio::fs::read(&path).await.map_err(|error| {
                        io::Error::other(format!("{}: {error}", path.display()))
                    })?;
                    format!("AUTHENTICATE {}", hex::encode(&cookie[..cookie.len().min(64)]))
                }
                None => "AUTHENTICATE".to_owned(),
            },
        };
        control.ask(&authenticate).await?;
        Ok(control)
    }

    async fn add_onion(&mut self, key: &str, to: SocketAddr) -> io::Result<Multiaddr> {
        let answer = self.ask(&format!("ADD_ONION {key} Port={ONION_PORT},{to}")).await?;
        let id = answer.iter().find_map(|line| line.strip_prefix("ServiceID="));
        let address = id.and_then(|id| format!("/onion3/{id}:{ONION_PORT}").parse().ok());
        address.ok_or_else(|| io::Error::other("the daemon names no onion address"))
    }

    /// One command and the lines of its answer, without their codes.
    async fn ask(&mut self, command: &str) -> io::Result<Vec<String>> {
        let asked = async {
            self.stream.write_all(format!("{command}\r\n").as_bytes()).await?;
            let mut lines = Vec::new();
            let mut answer = (&mut self.stream).take(ANSWER_BYTES_MAX);
            loop {
                let mut line = String::new();
                if answer.read_line(&mut line).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                let line = line.trim_end();
                match (line.get(..3), line.get(3..4), line.get(4..)) {
                    (Some("250"), Some("-"), Some(text)) => lines.push(text.to_owned()),
                    (Some("250"), Some(" "), _) => return Ok(lines),
                    // Events that nobody here has asked for.
                    (Some("650"), ..) => {}
                    _ => return Err(io::Error::other(format!("Tor says {line:?}"))),
                }
            }
        };
        tokio::time::timeout(CONTROL_TIMEOUT, asked)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    /// Until the daemon closes the connection; the onion service is gone then.
    async fn ended(&mut self) {
        let mut ignored = [0; 1_024];
        while matches!(self.stream.read(&mut ignored).await, Ok(read) if read > 0) {}
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// `AUTH METHODS=COOKIE,… COOKIEFILE="…"`: the file, unless nothing is asked for.
fn cookie_file(lines: &[String]) -> Option<PathBuf> {
    let auth = lines.iter().find(|line| line.starts_with("AUTH "))?;
    if auth.contains("METHODS=NULL") {
        return None;
    }
    let (_, rest) = auth.split_once("COOKIEFILE=\"")?;
    let end = rest.rfind('"')?;
    Some(PathBuf::from(rest[..end].replace("\\\"", "\"").replace("\\\\", "\\")))
}

/// Whether the daemon answers on both ports; what it says of how far it is.
///
/// # Errors
/// [`OverlayError::Tor`]: which port, and why.
pub async fn tor_state(tor: &Tor) -> Result<String, OverlayError> {
    let failed = |what: &str, error: &io::Error| OverlayError::Tor(format!("{what}: {error}"));
    TcpStream::connect(tor.socks)
        .await
        .map_err(|error| failed(&format!("Tor's SOCKS port {}", tor.socks), &error))?;
    let control = || format!("Tor's control port {}", tor.control);
    let mut open = Control::open(tor).await.map_err(|error| failed(&control(), &error))?;
    let phase = open.ask("GETINFO status/bootstrap-phase").await;
    let phase = phase.map_err(|error| failed(&control(), &error))?;
    let progress = phase
        .iter()
        .flat_map(|line| line.split(' '))
        .find_map(|word| word.strip_prefix("PROGRESS="));
    Ok(format!("{} % bootstrapped", progress.unwrap_or("?")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_is_that_of_rfc_4648() {
        assert_eq!(base32(b"fooba"), "mzxw6ytb");
        assert_eq!(base32(b"foobafooba"), "mzxw6ytbmzxw6ytb");
        assert_eq!(base32(&[255; 35]).len(), 56);
    }

    #[test]
    fn only_what_tor_can_dial_is_dialled() {
        let at = |text: &str, only| target(&text.parse().unwrap(), only);
        let onion = "/onion3/vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd:8800";
        let name = "vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd.onion".to_owned();
        assert_eq!(at(onion, false), Some((name.clone(), 8_800)));
        assert_eq!(at(onion, true), Some((name, 8_800)));
        assert_eq!(at("/ip4/192.0.2.1/tcp/1", true), Some(("192.0.2.1".into(), 1)));
        assert_eq!(at("/ip4/192.0.2.1/tcp/1", false), None, "TCP's own business");
        assert_eq!(at("/dns4/example.org/tcp/1", true), Some(("example.org".into(), 1)));
        assert_eq!(at("/ip4/192.0.2.1/udp/1", true), None);
        assert_eq!(at("/ip4/192.0.2.1/tcp/1/ws", true), None);
    }

    #[test]
    fn cookies_and_passwords_are_quoted_as_the_specification_says() {
        let lines = |text: &str| vec!["VERSION Tor=\"0.4\"".to_owned(), text.to_owned()];
        let cookie = lines("AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"/a b/\\\"c\"");
        assert_eq!(cookie_file(&cookie), Some("/a b/\"c".into()));
        assert_eq!(cookie_file(&lines("AUTH METHODS=NULL")), None);
        assert_eq!(quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
    }

    #[test]
    fn the_onion_key_is_the_nodes_and_not_its_key() {
        let (one, other) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
        assert_eq!(onion_key(&one), onion_key(&one));
        assert_ne!(onion_key(&one), onion_key(&other));
        let secret = BASE64.decode(onion_key(&one).strip_prefix("ED25519-V3:").unwrap()).unwrap();
        assert_eq!((secret.len(), secret[0] & 7, secret[31] >> 6), (64, 0, 1));
    }
}

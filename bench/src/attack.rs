//! What strangers may try at a node's door, against a real overlay on loopback, and what it costs them and the node.
//!
//! Every /24 of 127.0.0.0/8 counts as a neighbourhood of its own, so attackers and honest peers come from different ones.

use crate::{
    report::Report,
    sybils::{self, Crowd},
    usage::{memory_mib, percentile},
};
use anyhow::{Context as _, Result, bail, ensure};
use crypto::SigningKey;
use futures::{AsyncRead, AsyncWrite, future::join_all};
use network::ik::{Identity, PeerIdentity, Stream, Suites};
use overlay::{Config, GateLimits, Overlay, Role, Roles};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex},
    task,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};
use types::Hash;

/// What strangers try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attack {
    /// An honest handshake, recorded and sent again.
    Replay,
    /// Handshakes with another static key, of another network, without ML-KEM.
    WrongKey,
    /// Truncated, oversized, random and changed frames, before and after the handshake.
    Frames,
    /// Connections that send a byte now and then.
    SlowLoris,
    /// Connections from one neighbourhood, as many as go.
    Flood,
    /// Thousands of identities from two neighbourhoods in a Kademlia of honest nodes.
    Sybils,
}

impl Attack {
    /// Every attack, in the order in which `--attack all` makes them.
    pub const ALL: [Self; 6] =
        [Self::Replay, Self::WrongKey, Self::Frames, Self::SlowLoris, Self::Flood, Self::Sybils];

    /// The name in reports, such as `wrong_key`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::WrongKey => "wrong_key",
            Self::Frames => "frames",
            Self::SlowLoris => "slow_loris",
            Self::Flood => "flood",
            Self::Sybils => "sybils",
        }
    }

    /// Attempts where none are asked for. A slow connection holds two descriptors of this process.
    const fn usual(self) -> usize {
        match self {
            Self::Replay | Self::Frames => 1_000,
            Self::WrongKey => 300,
            Self::SlowLoris => 400,
            Self::Flood => 10_000,
            Self::Sybils => 5_000,
        }
    }
}

/// What `bench net --attack` is asked to do.
#[derive(Clone, Debug)]
pub struct AttackLoad {
    /// Which attacks, one after the other.
    pub attacks: Vec<Attack>,
    /// Attempts of each; by default what is usual for it.
    pub attempts: Option<usize>,
    /// Honest nodes among sybils.
    pub honest: usize,
    /// Lookups of one honest node by another, altogether.
    pub lookups: usize,
}

/// The node must not grow by more than this under any attack: pages of the allocator, not what attackers leave.
const GROWTH_MIB_MAX: f64 = 64.0;
/// Attempts at once.
const AT_ONCE: usize = 64;
/// An attacker waits this long for the node to hang up.
const PATIENCE: Duration = Duration::from_secs(20);
/// Slow connections send this often.
const DRIP: Duration = Duration::from_secs(1);
/// Honest peers that come while the attack goes on.
const HONEST: usize = 20;
const NETWORK: Hash = Hash([7; 32]);
/// Which neighbourhood honest peers come from: 127.9.9.0/24.
const HONEST_NET: u16 = 9 << 8 | 9;

/// Attack a node, one way after the other.
///
/// # Errors
/// If it lets anybody in, turns honest peers away, or keeps what attackers leave.
pub fn attack(load: &AttackLoad) -> Result<Report> {
    let mut report = Report::new("net --attack", &std::env::temp_dir());
    report.load("node", "one overlay on loopback, in the attackers' process");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for attack in &load.attacks {
        let attempts = load.attempts.unwrap_or(attack.usual());
        report.load(&format!("{}_attempts", attack.name()), attempts);
        let crowd = Crowd { sybils: attempts, honest: load.honest, lookups: load.lookups };
        let done = match attack {
            Attack::Sybils => runtime.block_on(sybils::run(crowd, &mut report)),
            _ => runtime.block_on(run(*attack, attempts, &mut report)),
        };
        done.context(attack.name())?;
    }
    Ok(report)
}

async fn run(attack: Attack, attempts: usize, report: &mut Report) -> Result<()> {
    let target = Target::start().await?;
    // What a first connection allocates for good is not the attackers'.
    target.honest(0).await?;
    let (before, begun) = (memory_mib(), Instant::now());
    let attacking = async {
        match attack {
            Attack::Replay => target.replayed(attempts).await,
            Attack::WrongKey => target.wrongly_keyed(attempts).await,
            Attack::Frames => target.malformed(attempts).await,
            Attack::SlowLoris => target.slowly(attempts).await,
            Attack::Flood => target.flooded(attempts).await,
            Attack::Sybils => bail!("one node is no Kademlia"),
        }
    };
    let honest = async {
        let mut waits = Vec::new();
        for index in 1..=HONEST {
            waits.push(target.honest(index).await?.as_secs_f64() * 1_000.0);
        }
        anyhow::Ok(waits)
    };
    let (turned, honest) = futures::join!(attacking, honest);
    let (seconds, growth) = (begun.elapsed().as_secs_f64(), memory_mib() - before);
    let mut honest = honest.context("an honest peer was turned away")?;
    let turned = turned?;
    let mut figure =
        |what: &str, value: f64| report.figure(&format!("{}_{what}", attack.name()), value);
    figure("turned_away", turned.away as f64);
    figure("answered_then_dropped", turned.answered as f64);
    figure("let_in", turned.let_in as f64);
    figure("seconds", seconds);
    figure("honest_let_in_of_20", honest.len() as f64);
    figure("honest_ms_p50", percentile(&mut honest, 50));
    figure("honest_ms_max", percentile(&mut honest, 100));
    figure("memory_growth_mib", growth);
    ensure!(turned.let_in == 0, "{} attackers were let in", turned.let_in);
    ensure!(turned.away + turned.answered == attempts, "{turned:?} of {attempts}");
    ensure!(growth <= GROWTH_MIB_MAX, "the node grew by {growth} MiB");
    Ok(())
}

/// What became of the attackers.
#[derive(Clone, Copy, Debug, Default)]
struct Turned {
    /// Without an answer.
    away: usize,
    /// The node computed a handshake, and hung up then.
    answered: usize,
    let_in: usize,
}

impl Turned {
    fn add(mut self, end: End) -> Self {
        match end {
            End::Away => self.away += 1,
            End::Answered => self.answered += 1,
            End::LetIn => self.let_in += 1,
        }
        self
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Away,
    Answered,
    LetIn,
}

/// The node that is attacked.
struct Target {
    overlay: Overlay,
    at: SocketAddr,
    identity: PeerIdentity,
    namespace: Vec<u8>,
}

fn key(seed: usize) -> SigningKey {
    SigningKey::from_seed(&types::domain_hash("meshx/bench-attack/v1", &[&seed.to_be_bytes()]).0)
}

impl Target {
    async fn start() -> Result<Self> {
        let key = key(0);
        let identity = PeerIdentity::new(key.public())?;
        let listen = vec!["/ip4/127.0.0.1/tcp/0".parse()?];
        let config = Config {
            roles: Roles::default().with(Role::Relay),
            map_port: false,
            limits: GateLimits::default(),
            ..Config::new(key, NETWORK, listen)
        };
        let overlay = Overlay::start(config)?;
        let address = overlay.listening().await?.remove(0).place().to_string();
        let port = address.rsplit('/').next().context("a port")?.parse()?;
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Self { overlay, at, identity, namespace: [b"overlay", &NETWORK.0[..]].concat() })
    }

    /// A connection from the neighbourhood 127.`net`.
    async fn connect(&self, net: u16) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        let [high, low] = net.to_be_bytes();
        socket.bind((Ipv4Addr::new(127, high, low, 1), 0).into())?;
        let stream = socket.connect(self.at).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// A connection, unless the node hangs up at once. What this process lacks for one is no merit of the node's.
    async fn knock(&self, net: u16) -> Result<Option<TcpStream>> {
        match self.connect(net).await {
            Ok(stream) => Ok(Some(stream)),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error).context("cannot attack: raise ulimit -n, or lower --attempts"),
        }
    }

    /// Somebody with the right key comes, is let in, and leaves; how long that took.
    async fn honest(&self, index: usize) -> Result<Duration> {
        let begun = Instant::now();
        let me = Identity::new(&key(1_000_000 + index));
        let io = self.connect(HONEST_NET).await?.compat();
        let link = Stream::initiate(io, &me, Suites::HybridOnly, &self.namespace, self.identity);
        let link = tokio::time::timeout(PATIENCE, link).await.context("no handshake in time")??;
        let peer = overlay::peer_id(&me.public())?;
        while !self.overlay.status().await?.peers.iter().any(|known| known.peer == peer) {
            ensure!(begun.elapsed() < PATIENCE, "let in, and not known");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(link);
        Ok(begun.elapsed())
    }

    /// An honest handshake, and the bytes that its initiator sent.
    async fn recorded(&self, index: usize, net: u16) -> Result<(Identity, Vec<u8>)> {
        let me = Identity::new(&key(2_000_000 + index));
        let sent = Arc::new(Mutex::new(Vec::new()));
        let io = Recording { io: self.connect(net).await?.compat(), sent: sent.clone() };
        let link = Stream::initiate(io, &me, Suites::HybridOnly, &self.namespace, self.identity);
        drop(link.await?);
        let bytes = sent.lock().expect("no panic while locked").clone();
        Ok((me, bytes))
    }

    async fn knows(&self, who: &Identity) -> Result<bool> {
        let peer = overlay::peer_id(&who.public())?;
        Ok(self.overlay.status().await?.peers.iter().any(|known| known.peer == peer))
    }

    /// Attempts in batches; `attempt` is given its number.
    async fn all<F: Future<Output = Result<End>>>(
        attempts: usize,
        attempt: impl Fn(usize) -> F,
    ) -> Result<Turned> {
        let mut turned = Turned::default();
        for first in (0..attempts).step_by(AT_ONCE) {
            let batch = (first..attempts.min(first + AT_ONCE)).map(&attempt);
            for end in join_all(batch).await {
                turned = turned.add(end?);
            }
        }
        Ok(turned)
    }

    async fn replayed(&self, attempts: usize) -> Result<Turned> {
        let (me, bytes) = self.recorded(0, 20 << 8).await?;
        let begun = Instant::now();
        while self.knows(&me).await? {
            ensure!(begun.elapsed() < PATIENCE, "the honest connection stays");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let bytes = &bytes;
        let mut turned =
            Self::all(attempts, async |index| self.send(net(20, index), bytes).await).await?;
        if self.knows(&me).await? {
            turned.let_in += 1;
        }
        Ok(turned)
    }

    async fn wrongly_keyed(&self, attempts: usize) -> Result<Turned> {
        Self::all(attempts, async |index| {
            let me = Identity::new(&key(3_000_000 + index));
            let (suites, namespace, peer) = match index % 3 {
                0 => {
                    let other = PeerIdentity::new(key(4_000_000 + index).public())?;
                    (Suites::HybridOnly, self.namespace.clone(), other)
                }
                1 => (Suites::HybridOnly, b"overlay of another network".to_vec(), self.identity),
                _ => (Suites::OfferClassic, self.namespace.clone(), self.identity),
            };
            let Some(io) = self.knock(net(30, index)).await? else { return Ok(End::Away) };
            let made = Stream::initiate(io.compat(), &me, suites, &namespace, peer);
            Ok(match tokio::time::timeout(PATIENCE, made).await {
                Ok(Ok(_)) => End::LetIn,
                // In the first two cases it could read nothing; in the third it would not.
                _ => End::Away,
            })
        })
        .await
    }

    async fn malformed(&self, attempts: usize) -> Result<Turned> {
        let (me, valid) = self.recorded(1, 40 << 8).await?;
        let begun = Instant::now();
        while self.knows(&me).await? && begun.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // The initiator's first frame; what follows belongs to another handshake's keys.
        let length = usize::from(u16::from_be_bytes([valid[0], valid[1]])) + 2;
        let first = &valid[..length];
        let mut turned = Self::all(attempts, async |index| {
            let noise = types::domain_hash("meshx/bench-noise/v1", &[&index.to_be_bytes()]).0;
            let place = usize::from(u16::from_be_bytes([noise[0], noise[1]]));
            let bytes = match index % 5 {
                0 => first[..place % first.len()].to_vec(),
                1 => [&[0xff, 0xff][..], &noise.repeat(2_048)].concat(),
                2 => noise.repeat(1 + place % 64),
                3 => {
                    let mut flipped = first.to_vec();
                    flipped[place % first.len()] ^= 1 << (noise[2] % 8);
                    flipped
                }
                // A handshake that is answered, and records of nobody's keys after it.
                _ => [first, &[0xff, 0xff], &noise.repeat(2_048)[..65_535]].concat(),
            };
            self.send(net(40, index), &bytes).await
        })
        .await?;
        if self.knows(&me).await? {
            turned.let_in += 1;
        }
        Ok(turned)
    }

    async fn slowly(&self, attempts: usize) -> Result<Turned> {
        let (_, valid) = self.recorded(2, 50 << 8).await?;
        let valid = &valid;
        // All at once: each is held open as long as the node lets it.
        let slow = (0..attempts).map(async |index| -> Result<End> {
            let Some(mut io) = self.knock(net(50, index % 4)).await? else { return Ok(End::Away) };
            let begun = Instant::now();
            for byte in valid {
                let mut answer = [0];
                let dripped = io.write_all(&[*byte]).await;
                let read = tokio::time::timeout(DRIP, io.read(&mut answer)).await;
                if dripped.is_err() || matches!(read, Ok(Ok(0) | Err(_))) {
                    return Ok(End::Away);
                }
                ensure!(begun.elapsed() < PATIENCE, "a slow connection stays");
            }
            Ok(End::LetIn)
        });
        let mut turned = Turned::default();
        for end in join_all(slow).await {
            turned = turned.add(end?);
        }
        Ok(turned)
    }

    async fn flooded(&self, attempts: usize) -> Result<Turned> {
        let (_, valid) = self.recorded(3, 60 << 8).await?;
        let valid = &valid;
        // Another neighbourhood than the recording's, the same for all.
        Self::all(attempts, async |_| self.send(61 << 8, valid).await).await
    }

    /// Send `bytes`, hang up on that side, and see what the node does.
    async fn send(&self, net: u16, bytes: &[u8]) -> Result<End> {
        let Some(mut io) = self.knock(net).await? else { return Ok(End::Away) };
        if io.write_all(bytes).await.is_err() || io.shutdown().await.is_err() {
            return Ok(End::Away);
        }
        let mut answer = Vec::new();
        let mut io = io.take(1 << 20);
        let read = tokio::time::timeout(PATIENCE, io.read_to_end(&mut answer));
        let read = read.await.context("the node neither answers nor hangs up")?;
        Ok(if answer.is_empty() || read.is_err() && answer.len() < 2 {
            End::Away
        } else {
            End::Answered
        })
    }
}

/// Neighbourhoods by the dozen, so that the gate is not what keeps them out.
fn net(high: u8, index: usize) -> u16 {
    u16::from(high) << 8 | (1 + u16::try_from(index % 200).expect("below 200"))
}

/// A stream whose written bytes are kept.
struct Recording {
    io: Compat<TcpStream>,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl AsyncRead for Recording {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
        buffer: &mut [u8],
    ) -> task::Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl AsyncWrite for Recording {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
        bytes: &[u8],
    ) -> task::Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.io).poll_write(context, bytes);
        if let task::Poll::Ready(Ok(count)) = &done {
            self.sent.lock().expect("no panic while locked").extend_from_slice(&bytes[..*count]);
        }
        done
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> task::Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_close(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> task::Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_close(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_let_in_and_honest_nodes_find_each_other() {
        let load = AttackLoad {
            attacks: Attack::ALL.to_vec(),
            attempts: Some(64),
            honest: 12,
            lookups: 60,
        };
        // It fails by itself where a limit does not hold.
        let report = attack(&load).unwrap();
        for attack in Attack::ALL.iter().filter(|attack| **attack != Attack::Sybils) {
            assert_eq!(report.results[&format!("{}_let_in", attack.name())], 0.0);
        }
        // Without the limits, the same crowd gets into many more tables.
        let of = |name: &str| report.results[&format!("sybils_{name}")].as_f64().unwrap();
        assert!(of("in_honest_tables_each") < of("without_limits_in_honest_tables_each"));
    }
}

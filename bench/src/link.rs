//! Encrypted links: Noise IK as every connection of MeshX has it, beside the noise that libp2p brings.

use crate::{gossip, kind::Kind, report::Report, usage::thread_cpu_seconds};
use anyhow::{Context as _, Result, ensure};
use crypto::SigningKey;
use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use libp2p_core::upgrade::{InboundConnectionUpgrade as _, OutboundConnectionUpgrade as _};
use network::ik::{Identity, PeerIdentity, Responder, Stream};
use std::{
    io,
    net::{TcpListener, TcpStream},
    time::{Duration, Instant},
};
use tokio_util::compat::TokioAsyncReadCompatExt as _;

/// What `bench net` is asked to do.
#[derive(Clone, Copy, Debug)]
pub struct LinkLoad {
    /// Bytes of a message, its length not counted.
    pub message_bytes: usize,
    /// Seconds of each measurement.
    pub seconds: usize,
}

/// As many bytes as one record carries are written together.
const BATCH_BYTES: usize = 65_519;
const READ_BYTES: usize = 256 * 1024;

trait Link: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Link for T {}

/// Both sides' keys, made once.
struct Ends {
    here: Identity,
    there: Identity,
    peer: PeerIdentity,
    libp2p: [libp2p_identity::Keypair; 2],
}

impl Ends {
    fn new() -> Result<Self> {
        let key = |seed| SigningKey::from_seed(&[seed; 32]);
        let pair = |seed| libp2p_identity::Keypair::ed25519_from_bytes([seed; 32]);
        let there = Identity::new(&key(2));
        Ok(Self {
            here: Identity::new(&key(1)),
            peer: PeerIdentity::new(there.public())?,
            there,
            libp2p: [pair(1)?, pair(2)?],
        })
    }

    async fn dial(&self, kind: Kind, io: impl Link + 'static) -> io::Result<Box<dyn Link>> {
        if kind == Kind::Libp2p {
            let noise = libp2p_noise::Config::new(&self.libp2p[0]).map_err(io::Error::other)?;
            let (_, link) = noise.upgrade_outbound(io, "/noise").await.map_err(io::Error::other)?;
            return Ok(Box::new(link));
        }
        Ok(Box::new(Stream::initiate(io, &self.here, kind.suites(), b"bench", self.peer).await?))
    }

    async fn accept(&self, kind: Kind, io: impl Link + 'static) -> io::Result<Box<dyn Link>> {
        if kind == Kind::Libp2p {
            let noise = libp2p_noise::Config::new(&self.libp2p[1]).map_err(io::Error::other)?;
            let (_, link) = noise.upgrade_inbound(io, "/noise").await.map_err(io::Error::other)?;
            return Ok(Box::new(link));
        }
        let (me, suites) = (self.there.clone(), kind.suites());
        let responder = Responder { me, suites, namespace: b"bench".to_vec() };
        Ok(Box::new(Stream::respond(io, &responder).await?))
    }
}

/// Measure handshakes, messages and bytes over loopback TCP, a thread each for sender and receiver; then gossip.
///
/// # Errors
/// If a link breaks, or the machine has no loopback.
pub fn link(load: &LinkLoad) -> Result<Report> {
    ensure!(load.message_bytes > 0 && load.message_bytes < 60_000, "messages of 1 to 60,000 bytes");
    let mut report = Report::new("net", &std::env::temp_dir());
    report.load("message_bytes", load.message_bytes);
    report.load("seconds_each", load.seconds);
    report.load("threads", "one sender, one receiver, loopback TCP");
    report
        .load("gossip", format!("{} nodes that all know each other, one publishes", gossip::NODES));
    let ends = Ends::new()?;
    let time = Duration::from_secs(load.seconds.max(1) as u64);
    for kind in Kind::ALL {
        let name = kind.name();
        report.figure(&format!("{name}_handshake_us_both_sides"), handshakes(&ends, kind, time)?);
        for (mode, each) in [("batched", false), ("flushed_each", true)] {
            let done = messages(&ends, kind, load.message_bytes, each, time)?;
            report.figure(&format!("{name}_{mode}_msg_per_s"), done.messages / done.seconds);
            report.figure(
                &format!("{name}_{mode}_msg_per_sender_core_s"),
                done.messages / done.sender,
            );
            report.figure(
                &format!("{name}_{mode}_msg_per_receiver_core_s"),
                done.messages / done.receiver,
            );
            if !each {
                let megabytes = done.messages * (load.message_bytes + 4) as f64 / 1e6;
                report.figure(&format!("{name}_mb_per_s"), megabytes / done.seconds);
            }
        }
    }
    for kind in [Kind::Hybrid, Kind::Libp2p] {
        let (name, done) = (kind.name(), gossip::deliveries(kind, load.message_bytes, time)?);
        report.figure(&format!("{name}_gossip_deliveries_per_s"), done.deliveries / done.seconds);
        report.figure(&format!("{name}_gossip_deliveries_per_core_s"), done.deliveries / done.cpu);
        report.figure(&format!("{name}_gossip_deliveries_lost"), done.lost);
    }
    Ok(report)
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")
}

/// Microseconds of one handshake, both sides on this thread, in memory.
fn handshakes(ends: &Ends, kind: Kind, time: Duration) -> Result<f64> {
    runtime()?.block_on(async {
        let (begun, mut done) = (Instant::now(), 0_u32);
        while begun.elapsed() < time || done == 0 {
            let (here, there) = tokio::io::duplex(16_384);
            let (dialled, accepted) =
                futures::join!(ends.dial(kind, here.compat()), ends.accept(kind, there.compat()));
            dialled?;
            accepted?;
            done += 1;
        }
        Ok(begun.elapsed().as_secs_f64() * 1e6 / f64::from(done))
    })
}

struct Done {
    messages: f64,
    seconds: f64,
    /// Seconds of a core.
    sender: f64,
    receiver: f64,
}

fn messages(ends: &Ends, kind: Kind, bytes: usize, each: bool, time: Duration) -> Result<Done> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no loopback")?;
    let address = listener.local_addr()?;
    std::thread::scope(|scope| {
        let receiving = scope.spawn(move || -> Result<(f64, f64, f64)> {
            let (socket, _) = listener.accept()?;
            runtime()?.block_on(async {
                let mut link = ends.accept(kind, tokio_socket(socket)?).await?;
                let (begun, cpu) = (Instant::now(), thread_cpu_seconds());
                let mut buffer = vec![0; READ_BYTES];
                let (mut have, mut messages, mut last) = (0, 0_u64, Instant::now());
                loop {
                    let read = link.read(&mut buffer[have..]).await?;
                    if read == 0 {
                        break;
                    }
                    have += read;
                    let mut at = 0;
                    while let Some(header) = buffer[at..have].first_chunk() {
                        let length = u32::from_be_bytes(*header) as usize;
                        ensure!(length == bytes, "a message of {length} bytes");
                        if have - at < 4 + length {
                            break;
                        }
                        messages += 1;
                        at += 4 + length;
                    }
                    buffer.copy_within(at..have, 0);
                    have -= at;
                    last = Instant::now();
                }
                Ok((
                    messages as f64,
                    last.duration_since(begun).as_secs_f64(),
                    thread_cpu_seconds() - cpu,
                ))
            })
        });
        let sending = scope.spawn(move || -> Result<f64> {
            let socket = TcpStream::connect(address)?;
            runtime()?.block_on(async {
                let mut link = ends.dial(kind, tokio_socket(socket)?).await?;
                let mut message = u32::try_from(bytes)?.to_be_bytes().to_vec();
                message.resize(4 + bytes, 7);
                let batch = message.repeat(if each { 1 } else { BATCH_BYTES / message.len() });
                let (begun, cpu) = (Instant::now(), thread_cpu_seconds());
                while begun.elapsed() < time {
                    // Looking at the clock costs more than a small message.
                    for _ in 0..64 {
                        link.write_all(&batch).await?;
                        if each {
                            link.flush().await?;
                        }
                    }
                }
                link.close().await?;
                Ok(thread_cpu_seconds() - cpu)
            })
        });
        let sender = sending.join().map_err(|_| anyhow::anyhow!("the sender panicked"))??;
        let (messages, seconds, receiver) =
            receiving.join().map_err(|_| anyhow::anyhow!("the receiver panicked"))??;
        Ok(Done { messages, seconds, sender, receiver })
    })
}

fn tokio_socket(socket: TcpStream) -> Result<impl Link + 'static> {
    socket.set_nodelay(true)?;
    socket.set_nonblocking(true)?;
    Ok(tokio::net::TcpStream::from_std(socket)?.compat())
}

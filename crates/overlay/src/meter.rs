//! What is counted: bytes of each connected peer, and streams and bytes of each protocol.

use crate::Status;
use futures::{AsyncRead, AsyncWrite};
use libp2p::PeerId;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

/// Bytes in both directions.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    received: AtomicU64,
    sent: AtomicU64,
}

impl Traffic {
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.received.load(Ordering::Relaxed), self.sent.load(Ordering::Relaxed))
    }
}

/// Things of a protocol that came in and went out.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    inbound: u64,
    outbound: u64,
}

/// Shared by the swarm and by what it carries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter {
    peers: Arc<Mutex<BTreeMap<PeerId, Arc<Traffic>>>>,
    /// Of peers that have left.
    past: Arc<Traffic>,
    protocols: Arc<Mutex<BTreeMap<&'static str, Counts>>>,
}

/// Which way something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    In,
    Out,
}

impl Meter {
    /// `stream` of `peer`, counted from now on.
    pub(crate) fn on<S>(&self, peer: PeerId, stream: S) -> Metered<S> {
        let mut peers = self.peers.lock().expect("no panic while locked");
        let traffic = peers.entry(peer).or_default().clone();
        Metered { stream, traffic }
    }

    /// A peer has gone: its bytes go on counting in the sum, and its name is dropped.
    pub(crate) fn gone(&self, peer: &PeerId) {
        let gone = self.peers.lock().expect("no panic while locked").remove(peer);
        let (received, sent) = gone.map(|traffic| traffic.bytes()).unwrap_or_default();
        self.past.received.fetch_add(received, Ordering::Relaxed);
        self.past.sent.fetch_add(sent, Ordering::Relaxed);
    }

    pub(crate) fn bytes_of(&self, peer: &PeerId) -> (u64, u64) {
        let peers = self.peers.lock().expect("no panic while locked");
        peers.get(peer).map(|traffic| traffic.bytes()).unwrap_or_default()
    }

    /// One more of `protocol`: a stream, a request or a message.
    pub(crate) fn count(&self, protocol: &'static str, way: Way) {
        let mut protocols = self.protocols.lock().expect("no panic while locked");
        let counts = protocols.entry(protocol).or_default();
        match way {
            Way::In => counts.inbound += 1,
            Way::Out => counts.outbound += 1,
        }
    }

    fn total(&self) -> (u64, u64) {
        let peers = self.peers.lock().expect("no panic while locked");
        peers.values().map(|traffic| traffic.bytes()).fold(self.past.bytes(), |sum, bytes| {
            (sum.0.saturating_add(bytes.0), sum.1.saturating_add(bytes.1))
        })
    }

    /// The text that Prometheus reads.
    pub(crate) fn text(&self, status: &Status) -> String {
        let mut text = String::new();
        let mut say = |name: &str, help: &str, kind: &str, values: &[(String, f64)]| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in values {
                let _ = writeln!(text, "{name}{labels} {value}");
            }
        };
        let bytes = |(received, sent): (u64, u64), labels: &str| {
            [("in", received), ("out", sent)]
                .map(|(way, bytes)| (format!("{{{labels}direction=\"{way}\"}}"), bytes as f64))
        };
        say(
            "meshx_overlay_bytes_total",
            "Bytes of all connections.",
            "counter",
            &bytes(self.total(), ""),
        );
        let each: Vec<_> = (status.peers.iter())
            .flat_map(|peer| bytes(self.bytes_of(&peer.peer), &format!("peer=\"{}\",", peer.peer)))
            .collect();
        say("meshx_overlay_peer_bytes_total", "Bytes of a connected peer.", "counter", &each);
        let rtt: Vec<_> = (status.peers.iter())
            .filter_map(|peer| {
                Some((format!("{{peer=\"{}\"}}", peer.peer), peer.rtt_ms? / 1_000.0))
            })
            .collect();
        say("meshx_overlay_peer_rtt_seconds", "Round trip of the last ping.", "gauge", &rtt);
        let mut paths: BTreeMap<&str, u32> = BTreeMap::new();
        for peer in &status.peers {
            *paths.entry(peer.path.name()).or_default() += 1;
        }
        let paths: Vec<_> = (paths.into_iter())
            .map(|(path, count)| (format!("{{path=\"{path}\"}}"), f64::from(count)))
            .collect();
        say(
            "meshx_overlay_peers",
            "Connected peers by the path that carries them.",
            "gauge",
            &paths,
        );
        let one = |value: f64| [(String::new(), value)];
        say(
            "meshx_overlay_table_nodes",
            "Nodes in the routing table.",
            "gauge",
            &one(status.table as f64),
        );
        let far: Vec<_> = (RTT_BUCKETS_MS.iter().zip(by_rtt(status)))
            .map(|(most, count)| {
                let most = most.map_or("+Inf".to_owned(), |ms| format!("{}", ms / 1_000.0));
                (format!("{{seconds_max=\"{most}\"}}"), count as f64)
            })
            .collect();
        say(
            "meshx_overlay_table_peers_by_rtt",
            "Connected nodes of the routing table by the last ping's round trip; each in one class.",
            "gauge",
            &far,
        );
        say(
            "meshx_overlay_turned_away_total",
            "Handshakes not begun, because their neighbourhood was crowded.",
            "counter",
            &one(status.turned_away as f64),
        );
        let protocols = self.protocols.lock().expect("no panic while locked").clone();
        let counted: Vec<_> = (protocols.into_iter())
            .flat_map(|(protocol, counts)| {
                [("in", counts.inbound), ("out", counts.outbound)].map(|(way, count)| {
                    let labels = format!("{{protocol=\"{protocol}\",direction=\"{way}\"}}");
                    (labels, count as f64)
                })
            })
            .collect();
        say(
            "meshx_overlay_protocol_total",
            "Streams, requests and messages of a protocol.",
            "counter",
            &counted,
        );
        text
    }
}

/// Classes of distance: a city, a country, a continent, the world, and what is slow for other reasons.
const RTT_BUCKETS_MS: [Option<f64>; 5] = [Some(5.0), Some(25.0), Some(80.0), Some(250.0), None];

/// How many of the table are in each class. Who has not answered a ping yet is in none.
fn by_rtt(status: &Status) -> [usize; 5] {
    let mut counts = [0; 5];
    for rtt in status.peers.iter().filter(|peer| peer.in_table).filter_map(|peer| peer.rtt_ms) {
        let class = RTT_BUCKETS_MS.iter().position(|most| most.is_none_or(|most| rtt <= most));
        counts[class.unwrap_or(RTT_BUCKETS_MS.len() - 1)] += 1;
    }
    counts
}

/// A stream whose bytes are counted.
pub(crate) struct Metered<S> {
    stream: S,
    traffic: Arc<Traffic>,
}

fn counted(counter: &AtomicU64, done: &Poll<io::Result<usize>>) {
    if let Poll::Ready(Ok(bytes)) = done {
        counter.fetch_add(*bytes as u64, Ordering::Relaxed);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_read(context, buffer);
        counted(&self.traffic.received, &done);
        done
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(context, bytes);
        counted(&self.traffic.sent, &done);
        done
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(context)
    }
}

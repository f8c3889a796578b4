//! Who is let in at the TURN server, and how he hears of it. Both ends run this over a stream of the relayed connection.
//!
//! ```text
//! who has an address there          the peer
//!     address and port  ─────────▶
//!                       ◀─────────  how others see him: up to four IP addresses
//!     (lets these in)
//!                  "go" ─────────▶  dials the address; the handshake is as with everybody
//! ```

use super::{
    Arrived, TurnServer,
    control::{Control, Permit},
};
use crate::{
    address::at_socket,
    command::Command,
    nat::is_global,
    status::{Path, SEEN_AS_MAX, Status},
};
use futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use libp2p::{PeerId, StreamProtocol, multiaddr::Protocol};
use libp2p_stream::{Control as Streams, IncomingStreams};
use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{Instant, timeout},
};

pub(crate) const PROTOCOL: StreamProtocol = StreamProtocol::new("/meshx/turn/1");
/// How often peers are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A hole has been punched by then, or will not be.
const RELAYED_FOR_SECONDS: u64 = 6;
const INVITE_AGAIN: Duration = Duration::from_secs(60);
/// How long one of these conversations may take.
const TALK: Duration = Duration::from_secs(20);
/// Conversations at once; further invitations are dropped, and come again.
const TALKS_MAX: usize = 16;
/// How long to wait before a server that went away is asked again.
const SERVER_AGAIN: Duration = Duration::from_secs(10);
const GO: u8 = b'!';

/// Have an address at `server`, and invite those who come through a relay, as long as the overlay lives.
pub(crate) async fn keep_allocation(
    commands: mpsc::WeakSender<Command>,
    streams: Streams,
    server: TurnServer,
    arrived: mpsc::Sender<Arrived>,
) {
    let mut told = false;
    while commands.strong_count() > 0 {
        match Control::open(&server).await {
            Ok(mut control) => {
                told = false;
                let (permits, mut asked) = mpsc::channel(TALKS_MAX);
                let relayed = control.relayed();
                tell(&commands, Some(relayed)).await;
                tokio::select! {
                    ended = control.serve(&arrived, &mut asked) => {
                        tracing::warn!(place = %server.place, ?ended, "the TURN server is gone");
                    }
                    () = invite_all(&commands, &streams, relayed, &permits) => return,
                }
                tell(&commands, None).await;
            }
            Err(error) if !told => {
                told = true;
                tracing::warn!(place = %server.place, %error, "no address at the TURN server");
            }
            Err(_) => {}
        }
        tokio::time::sleep(SERVER_AGAIN).await;
    }
}

async fn tell(commands: &mpsc::WeakSender<Command>, relayed: Option<SocketAddr>) {
    if let Some(commands) = commands.upgrade() {
        drop(commands.send(Command::Turn(relayed)).await);
    }
}

async fn status(commands: &mpsc::WeakSender<Command>) -> Option<Status> {
    let (answer, wait) = oneshot::channel();
    commands.upgrade()?.send(Command::Status(answer)).await.ok()?;
    wait.await.ok()
}

/// Until the overlay is gone.
async fn invite_all(
    commands: &mpsc::WeakSender<Command>,
    streams: &Streams,
    relayed: SocketAddr,
    permits: &mpsc::Sender<Permit>,
) {
    let mut invited: BTreeMap<PeerId, Instant> = BTreeMap::new();
    let mut talks = JoinSet::new();
    while let Some(status) = status(commands).await {
        while talks.try_join_next().is_some() {}
        invited.retain(|_, at| at.elapsed() < INVITE_AGAIN);
        for known in status.peers {
            let lasting = known.path == Path::Relayed && known.seconds >= RELAYED_FOR_SECONDS;
            if !lasting || invited.contains_key(&known.peer) || talks.len() >= TALKS_MAX {
                continue;
            }
            invited.insert(known.peer, Instant::now());
            let (streams, permits, peer) = (streams.clone(), permits.clone(), known.peer);
            talks.spawn(async move {
                let talk = timeout(TALK, invite(streams, peer, relayed, permits)).await;
                tracing::debug!(%peer, ?talk, "invited to the TURN server");
            });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn invite(
    mut streams: Streams,
    peer: PeerId,
    relayed: SocketAddr,
    permits: mpsc::Sender<Permit>,
) -> io::Result<()> {
    let mut stream = streams.open_stream(peer, PROTOCOL).await.map_err(io::Error::other)?;
    stream.write_all(&encoded(relayed)).await?;
    stream.flush().await?;
    let mut count = [0];
    stream.read_exact(&mut count).await?;
    // No more than an honest peer names: each address that is let in takes the place of another one's.
    for _ in 0..usize::from(count[0]).min(SEEN_AS_MAX) {
        let mut ip = [0; 16];
        stream.read_exact(&mut ip).await?;
        let (answer, wait) = oneshot::channel();
        let permit = (Ipv6Addr::from(ip).to_canonical(), answer);
        permits.send(permit).await.map_err(io::Error::other)?;
        // The server may know no IPv6, say: the others still count.
        drop(wait.await);
    }
    stream.write_all(&[GO]).await?;
    stream.close().await
}

/// Follow invitations as long as the overlay lives.
pub(crate) async fn answer_invitations(
    commands: mpsc::WeakSender<Command>,
    mut incoming: IncomingStreams,
) {
    let mut talks = JoinSet::new();
    while let Some((peer, stream)) = incoming.next().await {
        while talks.try_join_next().is_some() {}
        if talks.len() < TALKS_MAX {
            let commands = commands.clone();
            talks.spawn(async move { timeout(TALK, follow(commands, peer, stream)).await });
        }
    }
}

async fn follow(
    commands: mpsc::WeakSender<Command>,
    peer: PeerId,
    mut stream: libp2p::Stream,
) -> io::Result<()> {
    let mut place = [0; 18];
    stream.read_exact(&mut place).await?;
    let place = decoded(place);
    let stopped = || io::Error::other("the overlay has stopped");
    let status = status(&commands).await.ok_or_else(stopped)?;
    let relayed = status.peers.iter().any(|at| at.peer == peer && at.path == Path::Relayed);
    if !relayed || !may_dial(place, &status.seen_as) {
        return Err(io::Error::other(format!("no business at {place}")));
    }
    stream.write_all(&[u8::try_from(status.seen_as.len()).unwrap_or(0)]).await?;
    for seen in &status.seen_as {
        stream.write_all(&v6(*seen).octets()).await?;
    }
    stream.flush().await?;
    let mut go = [0];
    stream.read_exact(&mut go).await?;
    let at = at_socket(place).with(Protocol::P2p(peer));
    let commands = commands.upgrade().ok_or_else(stopped)?;
    commands.send(Command::Invited { peer, at }).await.map_err(|_| stopped())
}

/// A peer may send this node to servers of the internet; into a private network only if this node is seen there.
fn may_dial(place: SocketAddr, seen_as: &[IpAddr]) -> bool {
    let private = |ip: IpAddr| !is_global(ip);
    !seen_as.is_empty()
        && place.port() != 0
        && (is_global(place.ip()) || seen_as.iter().copied().all(private))
}

fn v6(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

fn encoded(place: SocketAddr) -> [u8; 18] {
    let mut bytes = [0; 18];
    bytes[..16].copy_from_slice(&v6(place.ip()).octets());
    bytes[16..].copy_from_slice(&place.port().to_be_bytes());
    bytes
}

fn decoded(bytes: [u8; 18]) -> SocketAddr {
    let (ip, port) = bytes.split_at(16);
    let ip: [u8; 16] = ip.try_into().expect("16 of 18");
    SocketAddr::new(Ipv6Addr::from(ip).to_canonical(), u16::from_be_bytes([port[0], port[1]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_survive_the_way() {
        for place in ["11.77.0.10:49160", "[2001:db8::7]:1", "127.0.0.1:65535"] {
            let place: SocketAddr = place.parse().unwrap();
            assert_eq!(decoded(encoded(place)), place);
        }
    }

    #[test]
    fn nobody_is_sent_into_a_network_he_is_not_seen_in() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let place = |text: &str| text.parse::<SocketAddr>().unwrap();
        assert!(may_dial(place("8.8.4.4:3478"), &[ip("9.9.9.9")]));
        assert!(may_dial(place("10.0.0.7:3478"), &[ip("10.0.0.9")]));
        assert!(!may_dial(place("10.0.0.7:3478"), &[ip("9.9.9.9")]));
        assert!(!may_dial(place("127.0.0.1:22"), &[ip("9.9.9.9"), ip("127.0.0.1")]));
        assert!(!may_dial(place("8.8.4.4:0"), &[ip("9.9.9.9")]));
        assert!(!may_dial(place("8.8.4.4:3478"), &[]), "nobody would be let in");
    }
}

//! Connections, streams, and what keeps them from standing.

use crate::{config, start, until};
use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use network::ik::Suites;
use overlay::{BadAddress, GateLimits, Overlay, OverlayError, Path, PeerAddress, Role, Roles};
use types::Hash;

const ECHO: &str = "/test/echo/1";

/// Answer every stream with what it sends.
pub fn echo(overlay: &Overlay) {
    let mut incoming = overlay.accept(ECHO).unwrap();
    tokio::spawn(async move {
        while let Some(waiting) = incoming.next().await {
            tokio::spawn(async move {
                let stream = waiting.serve().await.unwrap();
                let (reader, mut writer) = stream.split();
                drop(futures::io::copy(reader, &mut writer).await);
                drop(writer.close().await);
            });
        }
    });
}

pub async fn echoes(from: &Overlay, to: overlay::PeerId) -> bool {
    let Ok(mut stream) = from.open(to, ECHO).await else { return false };
    let sent: Vec<u8> = (0..300_000_u32).map(|n| u8::try_from(n % 241).unwrap()).collect();
    let (mut reader, mut writer) = futures::AsyncReadExt::split(&mut stream);
    let mut got = Vec::new();
    let writing = async {
        writer.write_all(&sent).await.unwrap();
        writer.close().await.unwrap();
    };
    let reading = async {
        let read = reader.read_to_end(&mut got).await;
        read.is_ok()
    };
    let ((), whole) = futures::join!(writing, reading);
    whole && got == sent
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_meet_and_know_each_other_by_identity() {
    let (here, _) = start(config(1, &[])).await;
    let (there, address) = start(config(2, &[])).await;
    echo(&there);
    here.dial(&address).await.unwrap();
    assert!(echoes(&here, there.id()).await);
    let path = |status: overlay::Status| status.peers.into_iter().next().map(|peer| peer.path);
    assert_eq!(path(here.status().await.unwrap()), Some(Path::Direct));
    assert_eq!(path(there.status().await.unwrap()), Some(Path::Inbound));
    // All at once, more than the library's queue holds.
    let many = futures::future::join_all((0..32).map(|_| echoes(&here, there.id()))).await;
    assert_eq!(many.iter().filter(|whole| **whole).count(), 32);
    let refused = here.open(there.id(), "/test/other/1").await.map(|_| ());
    assert!(matches!(refused, Err(OverlayError::NotSpoken { .. })), "{refused:?}");
    assert!(matches!(there.accept(ECHO), Err(OverlayError::Served(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_without_an_identity_is_no_address() {
    let refused = "/ip4/127.0.0.1/tcp/9".parse::<PeerAddress>().unwrap_err();
    assert!(refused.to_string().contains("/p2p/"), "{refused}");
    assert!(matches!("nonsense".parse::<PeerAddress>(), Err(BadAddress::Malformed(_))));
    // A hashed key, as RSA identities have: no Noise IK to that.
    let hashed = "/ip4/127.0.0.1/tcp/9/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";
    assert!(matches!(hashed.parse::<PeerAddress>(), Err(BadAddress::NotEd25519(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_identity_another_network_and_another_suite_are_not_reached() {
    let (here, _) = start(config(1, &[])).await;
    let (_there, address) = start(config(2, &[])).await;
    let (other, _) = start(config(3, &[])).await;
    // Somebody else is expected where 2 listens.
    let wrong = format!("{}/p2p/{}", address.place(), other.id()).parse().unwrap();
    assert!(matches!(here.dial(&wrong).await, Err(OverlayError::Unreachable { .. })));

    let elsewhere = overlay::Config { network: Hash([8; 32]), ..config(4, &[]) };
    let (elsewhere, _) = start(elsewhere).await;
    assert!(matches!(elsewhere.dial(&address).await, Err(OverlayError::Unreachable { .. })));

    let old = overlay::Config { suites: Suites::OfferClassic, ..config(5, &[]) };
    let (old, _) = start(old).await;
    assert!(matches!(old.dial(&address).await, Err(OverlayError::Unreachable { .. })));
    here.dial(&address).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_nobody_can_dial_is_reached_through_a_relay() {
    let roles = Roles::default().with(Role::Aggregator).with(Role::Relay);
    // A relay says where it is, or its places would lead nowhere: so it needs a port that is known before.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let place: overlay::Multiaddr = format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap();
    let relaying = overlay::Config {
        roles,
        listen: vec![place.clone()],
        announce: vec![place],
        ..config(1, &[])
    };
    let (_relay, at) = start(relaying).await;

    // It listens nowhere.
    let mut hidden = config(2, std::slice::from_ref(&at));
    hidden.listen = Vec::new();
    hidden.roles = Roles::default().with(Role::Edge);
    let hidden = Overlay::start(hidden).unwrap();
    echo(&hidden);
    until("a relay holds a place", async || !hidden.status().await.unwrap().relays.is_empty())
        .await;

    let (here, _) = start(config(3, std::slice::from_ref(&at))).await;
    let through = format!("{at}/p2p-circuit/p2p/{}", hidden.id()).parse().unwrap();
    here.dial(&through).await.unwrap();
    assert!(echoes(&here, hidden.id()).await);
    let status = here.status().await.unwrap();
    let peer = status.peers.iter().find(|peer| peer.peer == hidden.id()).unwrap();
    // Relayed; or direct, if the punch through a NAT that is not there was quicker.
    assert!(matches!(peer.path, Path::Relayed | Path::HolePunched | Path::Inbound), "{peer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_floods_with_streams_is_kept_out() {
    let (here, address) = start(config(1, &[])).await;
    echo(&here);
    let (greedy, _) = start(config(2, &[])).await;
    let (modest, _) = start(config(3, &[])).await;
    modest.dial(&address).await.unwrap();
    greedy.dial(&address).await.unwrap();
    let flood: Vec<_> = (0..16)
        .map(|_| {
            let (greedy, here) = (greedy.clone(), here.id());
            tokio::spawn(async move {
                for _ in 0..100 {
                    drop(greedy.open(here, ECHO).await);
                }
            })
        })
        .collect();
    until("the flood is kept out", async || here.status().await.unwrap().banned == 1).await;
    until("its connections end", async || {
        here.status().await.unwrap().peers.iter().all(|peer| peer.peer != greedy.id())
    })
    .await;
    flood.iter().for_each(tokio::task::JoinHandle::abort);
    drop(greedy.dial(&address).await);
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let peers = here.status().await.unwrap().peers;
    assert!(peers.iter().all(|peer| peer.peer != greedy.id()), "it comes back");
    assert!(echoes(&modest, here.id()).await, "others are served");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_from_one_neighbourhood_is_turned_away_at_the_door() {
    let limits =
        GateLimits { at_once: 4, burst: 1_000, per_second: 1_000, ..GateLimits::default() };
    let (here, address) = start(overlay::Config { limits, ..config(1, &[]) }).await;
    // Connections that never begin a handshake.
    let place = address.place().to_string();
    let port: u16 = place.rsplit('/').next().unwrap().parse().unwrap();
    let mut held = Vec::new();
    for _ in 0..40 {
        held.push(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    until("the rest is turned away", async || here.status().await.unwrap().turned_away >= 36).await;
    let (late, _) = start(config(2, &[])).await;
    assert!(late.dial(&address).await.is_err(), "the neighbourhood is full");
    // A silent peer is cut off after the handshake's time; then there is room again.
    until("there is room again", async || late.dial(&address).await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_comes_from_where_it_listens() {
    let (server, at) = start(config(1, &[])).await;
    // The kernel would take 127.0.0.1, where this node is not.
    let listen = vec!["/ip4/127.5.5.5/tcp/0".parse().unwrap()];
    let (other, place) = start(overlay::Config { listen, ..config(2, &[at]) }).await;
    until("its peer", async || {
        let peers = server.status().await.unwrap().peers;
        peers.iter().any(|peer| peer.peer == other.id() && peer.in_table)
    })
    .await;
    let seen = server.status().await.unwrap().peers.remove(0).address;
    // Address and port; the peer's id may follow.
    assert!(seen.to_string().starts_with(&place.place().to_string()), "{seen}");
}

//! A node that only a relay leads to, before a TURN server of the tests: RFC 6062 as far as a client sees it, with
//! permissions. `cargo xtask natlab udpblock-cone` has coturn.

use crate::{
    config,
    reach::{echo, echoes},
    start, until,
};
use overlay::{Config, Overlay, Path, Role, Roles, TurnServer, turn_state};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};
use stun_types::{
    attribute::{ErrorCode, Nonce, Realm, Username},
    message::{
        LongTermKeyCredentials, Message, MessageIntegrityCredentials, MessageWrite as _,
        MessageWriteExt as _, MessageWriteVec,
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use turn_types::{
    attribute::{ConnectionId, Lifetime, RequestedTransport, XorPeerAddress, XorRelayedAddress},
    message::{ALLOCATE, CONNECTION_ATTEMPT, CONNECTION_BIND, CREATE_PERMISSION, REFRESH},
};

const TCP: u8 = 6;

/// One client's allocation.
#[derive(Clone, Default)]
struct Server {
    permits: Arc<Mutex<BTreeSet<IpAddr>>>,
    /// Peers that wait to be fetched.
    waiting: Arc<Mutex<BTreeMap<u32, TcpStream>>>,
    /// Peers that came without permission.
    refused: Arc<Mutex<usize>>,
    relayed: Arc<Mutex<Option<SocketAddr>>>,
    carried: Arc<Mutex<usize>>,
    /// Nonces given out: the second request of each connection is told that its nonce is stale.
    nonces: Arc<Mutex<usize>>,
}

impl Server {
    async fn start(&self) -> TurnServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = listener.local_addr().unwrap();
        let server = self.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(server.clone().serve(stream));
            }
        });
        format!("anna:secret@{place}").parse().unwrap()
    }

    /// `None`: the client has gone, or what it sent is not what the RFC has.
    async fn serve(self, mut stream: TcpStream) -> Option<()> {
        let (say, mut said) = mpsc::channel::<Vec<u8>>(16);
        loop {
            let bytes = tokio::select! {
                read = read_message(&mut stream) => read?,
                Some(indication) = said.recv() => {
                    stream.write_all(&indication).await.ok()?;
                    continue;
                }
            };
            let request = Message::from_bytes(&bytes).ok()?;
            if let Some(refusal) = self.refusal(&request) {
                stream.write_all(&refusal).await.ok()?;
                continue;
            }
            let mut answer = Message::builder_success(&request, MessageWriteVec::new());
            if request.has_method(ALLOCATE) {
                assert_eq!(request.attribute::<RequestedTransport>().ok()?.protocol(), TCP);
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let relayed = listener.local_addr().unwrap();
                *self.relayed.lock().unwrap() = Some(relayed);
                tokio::spawn(self.clone().listen(listener, say.clone()));
                let id = request.transaction_id();
                answer.add_attribute(&XorRelayedAddress::new(relayed, id)).ok()?;
                answer.add_attribute(&Lifetime::new(600)).ok()?;
            } else if request.has_method(CREATE_PERMISSION) {
                let peer = request.attribute::<XorPeerAddress>().ok()?;
                self.permits.lock().unwrap().insert(peer.addr(request.transaction_id()).ip());
            } else if request.has_method(CONNECTION_BIND) {
                let id = request.attribute::<ConnectionId>().ok()?.id();
                let mut peer = self.waiting.lock().unwrap().remove(&id)?;
                stream.write_all(&answer.finish()).await.ok()?;
                *self.carried.lock().unwrap() += 1;
                drop(tokio::io::copy_bidirectional(&mut stream, &mut peer).await);
                return None;
            } else {
                assert!(request.has_method(REFRESH), "{request}");
            }
            stream.write_all(&answer.finish()).await.ok()?;
        }
    }

    fn refusal(&self, request: &Message<'_>) -> Option<Vec<u8>> {
        let key = LongTermKeyCredentials::new("anna".into(), "secret".into(), "meshx.test".into());
        let known = request.attribute::<Username>().is_ok_and(|user| user.username() == "anna")
            && request.validate_integrity(&MessageIntegrityCredentials::LongTerm(key)).is_ok();
        let mut nonces = self.nonces.lock().unwrap();
        let fresh = format!("nonce-{nonces}");
        let current = request.attribute::<Nonce>().is_ok_and(|nonce| nonce.nonce() == fresh);
        if known && current {
            return None;
        }
        let code = if known { ErrorCode::STALE_NONCE } else { ErrorCode::UNAUTHORIZED };
        *nonces += usize::from(*nonces < 3);
        let fresh = format!("nonce-{nonces}");
        let mut refusal = Message::builder_error(request, MessageWriteVec::new());
        refusal.add_attribute(&ErrorCode::builder(code).build().unwrap()).unwrap();
        refusal.add_attribute(&Realm::new("meshx.test").unwrap()).unwrap();
        refusal.add_attribute(&Nonce::new(&fresh).unwrap()).unwrap();
        Some(refusal.finish())
    }

    async fn listen(self, listener: TcpListener, say: mpsc::Sender<Vec<u8>>) {
        for id in 1.. {
            let Ok((stream, from)) = listener.accept().await else { return };
            if !self.permits.lock().unwrap().contains(&from.ip()) {
                *self.refused.lock().unwrap() += 1;
                continue;
            }
            self.waiting.lock().unwrap().insert(id, stream);
            let mut attempt =
                Message::builder_indication(CONNECTION_ATTEMPT, MessageWriteVec::new());
            let transaction = attempt.transaction_id();
            attempt.add_attribute(&ConnectionId::new(id)).unwrap();
            attempt.add_attribute(&XorPeerAddress::new(from, transaction)).unwrap();
            if say.send(attempt.finish()).await.is_err() {
                return;
            }
        }
    }
}

async fn read_message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = vec![0; 20];
    // Requests here come one after the other, so that nothing is lost between header and rest.
    stream.read_exact(&mut bytes).await.ok()?;
    let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
    bytes.resize(20 + length, 0);
    stream.read_exact(&mut bytes[20..]).await.ok()?;
    Some(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_of_a_relay_are_let_in_at_the_turn_server() {
    let server = Server::default();
    let turn = server.start().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let place: overlay::Multiaddr = format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap();
    let relaying = Config {
        roles: Roles::default().with(Role::Aggregator).with(Role::Relay),
        listen: vec![place.clone()],
        announce: vec![place],
        ..config(1, &[])
    };
    let (_relay, at) = start(relaying).await;
    // Neither of the two listens anywhere, so that no hole can be punched.
    let silent = |seed: u8| {
        let mut config = config(seed, std::slice::from_ref(&at));
        config.listen = Vec::new();
        config.roles = Roles::default().with(Role::Edge);
        config
    };
    let there = Overlay::start(Config { turn: Some(turn), ..silent(2) }).unwrap();
    echo(&there);
    until("a relay holds a place", async || !there.status().await.unwrap().relays.is_empty()).await;
    until("an address at the TURN server", async || {
        there.status().await.unwrap().turn == *server.relayed.lock().unwrap()
            && server.relayed.lock().unwrap().is_some()
    })
    .await;

    // A stranger is turned away by the server.
    let relayed = server.relayed.lock().unwrap().unwrap();
    let mut stranger = TcpStream::connect(relayed).await.unwrap();
    assert!(matches!(stranger.read(&mut [0]).await, Ok(0) | Err(_)));
    assert_eq!(*server.refused.lock().unwrap(), 1);

    let here = Overlay::start(silent(3)).unwrap();
    let through = format!("{at}/p2p-circuit/p2p/{}", there.id()).parse().unwrap();
    until("a circuit", async || here.dial(&through).await.is_ok()).await;
    for (of, peer) in [(&here, there.id()), (&there, here.id())] {
        until("the way through the TURN server", async || {
            let status = of.status().await.unwrap();
            status.peers.iter().any(|known| known.peer == peer && known.path == Path::Turn)
        })
        .await;
    }
    assert!(echoes(&here, there.id()).await);
    assert_eq!(*server.carried.lock().unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_let_in_is_named() {
    let server = Server::default();
    let turn = server.start().await;
    assert_eq!(Some(turn_state(&turn).await.unwrap()), *server.relayed.lock().unwrap());
    let wrong = TurnServer { password: "guessed".into(), ..turn };
    let error = turn_state(&wrong).await.unwrap_err().to_string();
    assert!(error.contains("401"), "{error}");

    // Something else listens there.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
    });
    let other = TurnServer { place: place.to_string(), ..wrong };
    let error = turn_state(&other).await.unwrap_err().to_string();
    assert!(error.contains("not STUN"), "{error}");
}

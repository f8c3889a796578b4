//! A node that hides, before a daemon of the tests: SOCKS5 (RFC 1928) and Tor's control port, without the network
//! behind them. `cargo xtask torlab` has the real one.

use crate::{config, start, until};
use futures::AsyncReadExt as _;
use overlay::{Config, Path, PeerAddress, Tor};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

const PASSWORD: &str = "a \"word\"";

#[derive(Clone, Default)]
struct Daemon {
    /// Onion services by name, and where they lead.
    onions: Arc<Mutex<BTreeMap<String, SocketAddr>>>,
    /// The peers it was asked to dial.
    dialled: Arc<Mutex<Vec<String>>>,
}

impl Daemon {
    async fn start(&self, only: bool) -> Tor {
        let socks = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let control = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tor = Tor {
            socks: socks.local_addr().unwrap(),
            control: control.local_addr().unwrap(),
            password: Some(PASSWORD.into()),
            only,
        };
        let daemon = self.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = socks.accept().await.unwrap();
                tokio::spawn(daemon.clone().socks(stream));
            }
        });
        let daemon = self.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = control.accept().await.unwrap();
                tokio::spawn(daemon.clone().control(stream));
            }
        });
        tor
    }

    async fn socks(self, mut stream: TcpStream) -> Option<()> {
        let methods = stream.read_u16().await.ok()? & 0xff;
        stream.read_exact(&mut vec![0; methods.into()]).await.ok()?;
        stream.write_all(&[5, 2]).await.ok()?;
        // RFC 1929: the name keeps circuits apart.
        stream.read_u8().await.ok()?;
        for _ in 0..2 {
            let length = stream.read_u8().await.ok()?;
            stream.read_exact(&mut vec![0; length.into()]).await.ok()?;
        }
        stream.write_all(&[1, 0]).await.ok()?;
        let mut head = [0; 4];
        stream.read_exact(&mut head).await.ok()?;
        let host = match head[3] {
            3 => {
                let length = stream.read_u8().await.ok()?;
                let mut name = vec![0; length.into()];
                stream.read_exact(&mut name).await.ok()?;
                String::from_utf8(name).ok()?
            }
            _ => std::net::Ipv4Addr::from_bits(stream.read_u32().await.ok()?).to_string(),
        };
        let port = stream.read_u16().await.ok()?;
        self.dialled.lock().unwrap().push(host.clone());
        let onion = self.onions.lock().unwrap().get(&host).copied();
        let to = onion.or_else(|| format!("{host}:{port}").parse().ok());
        let reply = |code| [5, code, 0, 1, 0, 0, 0, 0, 0, 0];
        let Some(to) = to else { return stream.write_all(&reply(4)).await.ok() };
        let mut there = TcpStream::connect(to).await.ok()?;
        stream.write_all(&reply(0)).await.ok()?;
        tokio::io::copy_bidirectional(&mut stream, &mut there).await.ok()?;
        Some(())
    }

    async fn control(self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        let mut name = None;
        let mut line = String::new();
        while stream.read_line(&mut line).await.ok()? > 0 {
            let answer = if line.trim() == "AUTHENTICATE \"a \\\"word\\\"\"" {
                "250 OK\r\n".to_owned()
            } else if let Some(rest) = line.trim().strip_prefix("ADD_ONION ED25519-V3:") {
                let (key, port) = rest.split_once(" Port=8800,").unwrap();
                let id = format!(
                    "{:a<56}",
                    key.to_lowercase().replace(|c: char| !c.is_ascii_lowercase(), "")
                );
                let id = &id[..56];
                name = Some(format!("{id}.onion"));
                let mut onions = self.onions.lock().unwrap();
                onions.insert(format!("{id}.onion"), port.parse().unwrap());
                format!("650 NOTICE unasked\r\n250-ServiceID={id}\r\n250 OK\r\n")
            } else {
                "510 Unrecognized command\r\n".to_owned()
            };
            stream.write_all(answer.as_bytes()).await.ok()?;
            line.clear();
        }
        self.onions.lock().unwrap().remove(&name?);
        Some(())
    }
}

async fn onion_of(overlay: &overlay::Overlay) -> PeerAddress {
    let mut found = None;
    until("no onion service", async || {
        found = overlay.status().await.unwrap().onion;
        found.is_some()
    })
    .await;
    format!("{}/p2p/{}", found.unwrap(), overlay.id()).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_hides_is_reached_as_an_onion_service_and_dials_nobody_itself() {
    let daemon = Daemon::default();
    let tor = daemon.start(true).await;
    let (known, address) = start(config(41, &[])).await;
    let hidden = Config { tor: Some(tor.clone()), mdns: true, ..config(42, &[address]) };
    let (hidden, _) = start(hidden).await;
    let onion = onion_of(&hidden).await;

    // It knows an address on this machine, and yet asked the daemon.
    until("the first peer is not reached", async || {
        !hidden.status().await.unwrap().peers.is_empty()
    })
    .await;
    assert_eq!(*daemon.dialled.lock().unwrap(), ["127.0.0.1"]);
    // What it says of itself holds nothing but the onion.
    let status = hidden.status().await.unwrap();
    assert_eq!(status.reachable_at, [onion.place()]);
    until("no record", async || known.find(hidden.id()).await.is_ok()).await;
    assert_eq!(known.find(hidden.id()).await.unwrap().addresses, [onion.place()]);

    let also = Config { tor: Some(Tor { only: false, ..tor }), ..config(43, &[]) };
    let (also, _) = start(also).await;
    also.dial(&onion).await.unwrap();
    let status = also.status().await.unwrap();
    assert_eq!(status.peers[0].path, Path::Direct);
    assert!(daemon.dialled.lock().unwrap().last().unwrap().ends_with(".onion"));
    let mut served = hidden.accept("/test/hidden/1").unwrap();
    tokio::spawn(async move { served.next().await.unwrap().serve().await.map(drop) });
    let mut stream = also.open(hidden.id(), "/test/hidden/1").await.unwrap();
    let mut rest = Vec::new();
    drop(stream.read_to_end(&mut rest).await);

    // The service ends with the node.
    drop((hidden, stream));
    until("the onion service stays", async || {
        let name = onion.place().to_string();
        !daemon
            .onions
            .lock()
            .unwrap()
            .keys()
            .any(|kept| name.contains(kept.trim_end_matches(".onion")))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_daemon_nobody_is_dialled() {
    let (known, address) = start(config(44, &[])).await;
    let nowhere: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let tor = Tor { socks: nowhere, control: nowhere, password: None, only: true };
    let (hidden, _) = start(Config { tor: Some(tor), ..config(45, &[]) }).await;
    let refused = hidden.dial(&address).await.unwrap_err().to_string();
    assert!(refused.contains("Tor at 127.0.0.1:9"), "{refused}");
    assert!(known.status().await.unwrap().peers.is_empty());
}

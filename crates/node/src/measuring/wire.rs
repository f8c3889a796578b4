//! A simulated wire: it stands before a prover on this machine and holds each witness's datagrams back, both ways.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::UdpSocket,
    time::{Instant, sleep_until},
};

/// Longer than any datagram of the protocol.
const BUFFER: usize = 128;

/// Where witnesses find the prover that listens at `prover`. `one_way` is by a witness's address; who is not in it is a
/// stranger and gets nothing through. Ends with the runtime.
pub async fn before(
    prover: SocketAddr,
    one_way: BTreeMap<IpAddr, Duration>,
) -> io::Result<SocketAddr> {
    let front = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
    let address = front.local_addr()?;
    tokio::spawn(async move {
        let mut ends: BTreeMap<SocketAddr, Arc<UdpSocket>> = BTreeMap::new();
        let mut buffer = [0; BUFFER];
        loop {
            let Ok((length, from)) = front.recv_from(&mut buffer).await else { continue };
            let came = Instant::now();
            let Some(one_way) = one_way.get(&from.ip()).copied() else { continue };
            if let Entry::Vacant(place) = ends.entry(from) {
                let Ok(end) = towards(prover).await else { continue };
                tokio::spawn(back(end.clone(), front.clone(), from, one_way));
                place.insert(end);
            }
            let (end, datagram) = (ends[&from].clone(), buffer[..length].to_vec());
            tokio::spawn(async move {
                sleep_until(came + one_way).await;
                // A datagram may be lost.
                let _ = end.send(&datagram).await;
            });
        }
    });
    Ok(address)
}

async fn towards(prover: SocketAddr) -> io::Result<Arc<UdpSocket>> {
    let end = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    end.connect(prover).await?;
    Ok(Arc::new(end))
}

async fn back(end: Arc<UdpSocket>, front: Arc<UdpSocket>, to: SocketAddr, one_way: Duration) {
    let mut buffer = [0; BUFFER];
    // Ends when nobody listens at the prover any more.
    while let Ok(length) = end.recv(&mut buffer).await {
        let came = Instant::now();
        let (front, datagram) = (front.clone(), buffer[..length].to_vec());
        tokio::spawn(async move {
            sleep_until(came + one_way).await;
            let _ = front.send_to(&datagram, to).await;
        });
    }
}

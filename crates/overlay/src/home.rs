//! TCP that dials from where it listens. libp2p's own takes the port and leaves the address to the kernel, so that a
//! node with several addresses comes from another one than it is reached at, and is not believed there.

use futures::{FutureExt as _, future::BoxFuture};
use libp2p::{
    Multiaddr, Transport,
    core::transport::{DialOpts, ListenerId, PortUse, TransportError, TransportEvent},
    multiaddr::Protocol,
    tcp,
};
use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
};
use tokio::net::TcpSocket;

/// TCP, without a resolver.
pub struct HomeTcp {
    tcp: tcp::tokio::Transport,
    /// Listeners with one address, and what it is once the port is known.
    homes: HashMap<ListenerId, Option<SocketAddr>>,
}

impl Default for HomeTcp {
    fn default() -> Self {
        let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
        Self { tcp, homes: HashMap::new() }
    }
}

impl HomeTcp {
    /// Where to dial `to` from. `None`: the kernel knows best.
    fn home(&self, to: IpAddr) -> Option<SocketAddr> {
        let mut homes = self.homes.values().flatten().filter(|home| {
            home.is_ipv4() == to.is_ipv4() && home.ip().is_loopback() == to.is_loopback()
        });
        let home = homes.next().copied();
        // Of several, none is more home than the others.
        home.filter(|_| homes.next().is_none())
    }
}

fn socket_of(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Protocol::Ip4(ip) => IpAddr::V4(ip),
        Protocol::Ip6(ip) => IpAddr::V6(ip),
        _ => return None,
    };
    match (parts.next()?, parts.next()) {
        (Protocol::Tcp(port), None | Some(Protocol::P2p(_))) => Some(SocketAddr::new(ip, port)),
        _ => None,
    }
}

async fn connect(home: SocketAddr, to: SocketAddr) -> io::Result<tcp::tokio::TcpStream> {
    // The port may be in use towards that very address: then any other of the same host.
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for from in [home, SocketAddr::new(home.ip(), 0)] {
        let socket = if home.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_nodelay(true)?;
        socket.set_reuseaddr(true)?;
        #[cfg(unix)]
        socket.set_reuseport(from.port() != 0)?;
        let made = match socket.bind(from) {
            Ok(()) => socket.connect(to).await,
            Err(error) => Err(error),
        };
        last = match made {
            Ok(stream) => return Ok(tcp::tokio::TcpStream(stream)),
            Err(error) => error,
        };
        if !matches!(last.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::AddrInUse) {
            break;
        }
    }
    Err(last)
}

impl Transport for HomeTcp {
    type Output = tcp::tokio::TcpStream;
    type Error = io::Error;
    type ListenerUpgrade = <tcp::tokio::Transport as Transport>::ListenerUpgrade;
    type Dial = BoxFuture<'static, io::Result<Self::Output>>;

    fn listen_on(
        &mut self,
        id: ListenerId,
        address: Multiaddr,
    ) -> Result<(), TransportError<Self::Error>> {
        let one = socket_of(&address).is_some_and(|at| !at.ip().is_unspecified());
        self.tcp.listen_on(id, address)?;
        if one {
            self.homes.insert(id, None);
        }
        Ok(())
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.homes.remove(&id);
        self.tcp.remove_listener(id)
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        options: DialOpts,
    ) -> Result<Self::Dial, TransportError<Self::Error>> {
        let to = socket_of(&address).filter(|to| to.port() != 0 && !to.ip().is_unspecified());
        let home =
            to.filter(|_| options.port_use == PortUse::Reuse).and_then(|to| self.home(to.ip()));
        match (home, to) {
            (Some(home), Some(to)) => Ok(connect(home, to).boxed()),
            _ => self.tcp.dial(address, options),
        }
    }

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
        let event = futures::ready!(Pin::new(&mut self.tcp).poll(context));
        match &event {
            TransportEvent::NewAddress { listener_id, listen_addr } => {
                if let Some(home) = self.homes.get_mut(listener_id) {
                    *home = socket_of(listen_addr);
                }
            }
            TransportEvent::ListenerClosed { listener_id, .. } => {
                self.homes.remove(listener_id);
            }
            _ => {}
        }
        Poll::Ready(event)
    }
}

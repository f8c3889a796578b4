//! Who may begin a handshake: so many connections at once and so many attempts a second from one neighbourhood of
//! addresses. Decided before anything is computed for whoever knocks.

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    multiaddr::Protocol,
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm, dummy,
    },
};
use std::{
    collections::HashMap,
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    task::{Context, Poll},
    time::Instant,
};

/// How many connections one neighbourhood may have and begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateLimits {
    /// Connections at once from one prefix, handshakes in progress included.
    pub at_once: u32,
    /// Attempts of one prefix that may come together.
    pub burst: u32,
    /// Attempts a second of one prefix after that.
    pub per_second: u32,
}

impl Default for GateLimits {
    fn default() -> Self {
        Self { at_once: 128, burst: 128, per_second: 16 }
    }
}

/// Neighbourhoods remembered; beyond that those without a connection are forgotten.
const PREFIXES_MAX: usize = 16_384;

/// A neighbourhood: /24 of IPv4, /48 of IPv6, or one relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Prefix {
    V4([u8; 3]),
    V6([u8; 6]),
    /// Through a relay: the gate of the relay has let it in.
    Circuit(PeerId),
    Unknown,
}

impl Prefix {
    pub(crate) fn of(address: &Multiaddr) -> Self {
        let mut prefix = Self::Unknown;
        for part in address {
            match part {
                Protocol::Ip4(ip) => prefix = Self::of_ip(ip.into()),
                Protocol::Ip6(ip) => prefix = Self::of_ip(ip.into()),
                Protocol::P2p(relay) if address.iter().any(|part| part == Protocol::P2pCircuit) => {
                    return Self::Circuit(relay);
                }
                _ => {}
            }
        }
        prefix
    }

    pub(crate) fn of_ip(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => {
                let [a, b, c, _] = ip.octets();
                Self::V4([a, b, c])
            }
            IpAddr::V6(ip) => Self::V6(*ip.octets().first_chunk().expect("16 bytes")),
        }
    }

    /// Addresses that no stranger on the internet has: this machine, or the network it stands in.
    pub(crate) fn is_near(self) -> bool {
        match self {
            Self::V4([a, b, c]) => {
                let ip = Ipv4Addr::new(a, b, c, 1);
                ip.is_loopback() || ip.is_private() || ip.is_link_local()
            }
            Self::V6(bytes) => {
                let mut octets = [0; 16];
                octets[..6].copy_from_slice(&bytes);
                let ip = Ipv6Addr::from(octets);
                // ::1 has this prefix, and so has nothing else that is routed.
                bytes == [0; 6] || ip.is_unique_local() || ip.is_unicast_link_local()
            }
            Self::Circuit(_) | Self::Unknown => false,
        }
    }
}

struct Neighbourhood {
    connections: u32,
    /// Attempts that may still come now.
    tokens: f64,
    at: Instant,
}

/// The behaviour that says no.
pub(crate) struct Gate {
    limits: GateLimits,
    known: HashMap<Prefix, Neighbourhood>,
    open: HashMap<ConnectionId, Prefix>,
    refused: u64,
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("too many connections from this neighbourhood of addresses")]
struct Crowded;

impl Gate {
    pub(crate) fn new(limits: GateLimits) -> Self {
        Self { limits, known: HashMap::new(), open: HashMap::new(), refused: 0 }
    }

    /// Attempts turned away since the start.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    /// Whether `prefix` may begin one more connection at `now`.
    fn admit(&mut self, prefix: Prefix, now: Instant) -> bool {
        if self.known.len() >= PREFIXES_MAX && !self.known.contains_key(&prefix) {
            self.forget();
        }
        let limits = self.limits;
        let of = self.known.entry(prefix).or_insert(Neighbourhood {
            connections: 0,
            tokens: f64::from(limits.burst),
            at: now,
        });
        let seconds = now.saturating_duration_since(of.at).as_secs_f64();
        of.tokens =
            (of.tokens + seconds * f64::from(limits.per_second)).min(f64::from(limits.burst));
        of.at = now;
        if of.tokens < 1.0 || of.connections >= limits.at_once {
            self.refused += 1;
            return false;
        }
        of.tokens -= 1.0;
        of.connections += 1;
        true
    }

    fn leave(&mut self, connection: ConnectionId) {
        let Some(prefix) = self.open.remove(&connection) else { return };
        if let Some(of) = self.known.get_mut(&prefix) {
            of.connections = of.connections.saturating_sub(1);
        }
    }

    /// Forget everybody without a connection, so that looking for room costs nothing in the mean. Whoever is
    /// forgotten may burst once more; that takes sixteen thousand neighbourhoods.
    fn forget(&mut self) {
        self.known.retain(|_, of| of.connections > 0);
    }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        let prefix = Prefix::of(remote);
        if !self.admit(prefix, Instant::now()) {
            return Err(ConnectionDenied::new(Crowded));
        }
        self.open.insert(connection, prefix);
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionClosed(closed) => self.leave(closed.connection_id),
            FromSwarm::ListenFailure(failed) => self.leave(failed.connection_id),
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn prefix(text: &str) -> Prefix {
        Prefix::of(&text.parse().unwrap())
    }

    #[test]
    fn neighbours_share_a_prefix() {
        assert_eq!(prefix("/ip4/192.0.2.1/tcp/1"), prefix("/ip4/192.0.2.200/tcp/9"));
        assert_ne!(prefix("/ip4/192.0.2.1/tcp/1"), prefix("/ip4/192.0.3.1/tcp/1"));
        assert_eq!(prefix("/ip6/2001:db8:1:2::1/tcp/1"), prefix("/ip6/2001:db8:1:ffff::9/tcp/1"));
        assert_ne!(prefix("/ip6/2001:db8:1::1/tcp/1"), prefix("/ip6/2001:db8:2::1/tcp/1"));
        // An IPv4 address written as IPv6 is no second neighbourhood.
        assert_eq!(prefix("/ip6/::ffff:192.0.2.9/tcp/1"), prefix("/ip4/192.0.2.1/tcp/1"));
        assert!(prefix("/ip4/127.0.0.1/tcp/1").is_near() && prefix("/ip6/::1/tcp/1").is_near());
        assert!(!prefix("/ip4/192.0.2.1/tcp/1").is_near());
    }

    #[test]
    fn a_flood_from_one_prefix_is_turned_away_and_others_are_not() {
        let limits = GateLimits { at_once: 10, burst: 20, per_second: 2 };
        let (mut gate, start) = (Gate::new(limits), Instant::now());
        let crowd = prefix("/ip4/192.0.2.1/tcp/1");
        let admitted = (0..10_000).filter(|_| gate.admit(crowd, start)).count();
        assert_eq!(admitted, 10, "ten at once");
        assert_eq!(gate.refused(), 9_990);
        assert!(gate.admit(prefix("/ip4/198.51.100.1/tcp/1"), start));
        // Ten more attempts when all have left, then two a second.
        let leave = |gate: &mut Gate| gate.known.get_mut(&crowd).unwrap().connections = 0;
        leave(&mut gate);
        assert_eq!((0..100).filter(|_| gate.admit(crowd, start)).count(), 10);
        leave(&mut gate);
        let later = start + Duration::from_secs(3);
        assert_eq!((0..100).filter(|_| gate.admit(crowd, later)).count(), 6);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut gate, start) = (Gate::new(GateLimits::default()), Instant::now());
        for index in 0..200_000_u32 {
            let [_, a, b, c] = index.to_be_bytes();
            gate.admit(Prefix::V4([a, b, c]), start);
            gate.known.get_mut(&Prefix::V4([a, b, c])).unwrap().connections = 0;
        }
        assert!(gate.known.len() <= PREFIXES_MAX);
    }
}

//! Who may begin a handshake: so many connections at once and so many attempts a second from one neighbourhood of
//! addresses. Decided before anything is computed for the peer that knocks.
//!
//! And which nodes a lookup may lead to: strangers name any nodes they like, so of one neighbourhood only few are asked.

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
    collections::{HashMap, HashSet},
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
    /// Connections at once into one prefix that a lookup or another protocol has made, and nobody has asked for.
    pub looked_up: u32,
    /// Hold addresses of this machine and its network to what is asked of the internet's: in lookups and in the
    /// table. Of use where a whole network stands on loopback.
    pub near_too: bool,
}

impl Default for GateLimits {
    fn default() -> Self {
        Self { at_once: 128, burst: 128, per_second: 16, looked_up: 4, near_too: false }
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
    /// An onion service: anyone can have another one, so counting them says nothing.
    Onion,
    /// A name in place of an address: all of them are one neighbourhood.
    Named,
}

impl Prefix {
    pub(crate) fn of(address: &Multiaddr) -> Self {
        let mut prefix = Self::Named;
        for part in address {
            match part {
                Protocol::Ip4(ip) => prefix = Self::of_ip(ip.into()),
                Protocol::Ip6(ip) => prefix = Self::of_ip(ip.into()),
                Protocol::Onion3(_) => prefix = Self::Onion,
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
            Self::Circuit(_) | Self::Onion | Self::Named => false,
        }
    }
}

struct Neighbourhood {
    connections: u32,
    /// Of connections that this node has made, those that nobody has asked for.
    looked_up: u32,
    /// Attempts that may still come now.
    tokens: f64,
    at: Instant,
}

/// The behaviour that says no.
pub(crate) struct Gate {
    limits: GateLimits,
    known: HashMap<Prefix, Neighbourhood>,
    open: HashMap<ConnectionId, (Prefix, Way)>,
    /// Connections that somebody here has asked for.
    wanted: HashSet<ConnectionId>,
    /// Peers with a connection.
    peers: HashSet<PeerId>,
    refused: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    In,
    LookedUp,
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("too many connections from this neighbourhood of addresses")]
struct Crowded;

impl Gate {
    pub(crate) fn new(limits: GateLimits) -> Self {
        Self {
            limits,
            known: HashMap::new(),
            open: HashMap::new(),
            wanted: HashSet::new(),
            peers: HashSet::new(),
            refused: 0,
        }
    }

    /// Somebody here asks for this connection, which is about to be dialled: it counts in no neighbourhood.
    pub(crate) fn want(&mut self, connection: ConnectionId) {
        self.wanted.insert(connection);
    }

    /// Whether `prefix` is so near that it is not held to what strangers are held to.
    pub(crate) fn spares(&self, prefix: Prefix) -> bool {
        prefix == Prefix::Onion || prefix.is_near() && !self.limits.near_too
    }

    /// Attempts turned away since the start.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    fn neighbourhood(&mut self, prefix: Prefix, now: Instant) -> &mut Neighbourhood {
        if self.known.len() >= PREFIXES_MAX && !self.known.contains_key(&prefix) {
            self.forget();
        }
        let tokens = f64::from(self.limits.burst);
        self.known.entry(prefix).or_insert(Neighbourhood {
            connections: 0,
            looked_up: 0,
            tokens,
            at: now,
        })
    }

    /// Whether `prefix` may begin one more connection at `now`.
    fn admit(&mut self, prefix: Prefix, now: Instant) -> bool {
        let limits = self.limits;
        let of = self.neighbourhood(prefix, now);
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

    /// Whether a lookup may have one more connection into `prefix`.
    fn admit_looked_up(&mut self, prefix: Prefix, now: Instant) -> bool {
        let most = self.limits.looked_up;
        let of = self.neighbourhood(prefix, now);
        let room = of.looked_up < most;
        of.looked_up += u32::from(room);
        room
    }

    fn leave(&mut self, connection: ConnectionId) {
        self.wanted.remove(&connection);
        let Some((prefix, way)) = self.open.remove(&connection) else { return };
        if let Some(of) = self.known.get_mut(&prefix) {
            let count = match way {
                Way::In => &mut of.connections,
                Way::LookedUp => &mut of.looked_up,
            };
            *count = count.saturating_sub(1);
        }
    }

    /// Forget everybody without a connection, so that looking for room costs nothing in the mean. A peer that is
    /// forgotten may burst once more; that takes sixteen thousand neighbourhoods.
    fn forget(&mut self) {
        self.known.retain(|_, of| of.connections > 0 || of.looked_up > 0);
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
        self.open.insert(connection, (prefix, Way::In));
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
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let prefix = Prefix::of(address);
        // A peer that is known already only changes its path.
        let free =
            self.wanted.remove(&connection) || self.peers.contains(&peer) || self.spares(prefix);
        if !free {
            if !self.admit_looked_up(prefix, Instant::now()) {
                return Err(ConnectionDenied::new(Crowded));
            }
            self.open.insert(connection, (prefix, Way::LookedUp));
        }
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(made) => {
                self.peers.insert(made.peer_id);
            }
            FromSwarm::ConnectionClosed(closed) => {
                self.leave(closed.connection_id);
                if closed.remaining_established == 0 {
                    self.peers.remove(&closed.peer_id);
                }
            }
            FromSwarm::ListenFailure(failed) => self.leave(failed.connection_id),
            FromSwarm::DialFailure(failed) => self.leave(failed.connection_id),
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
        let limits = GateLimits { at_once: 10, burst: 20, per_second: 2, ..GateLimits::default() };
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
    fn lookups_lead_to_few_of_one_neighbourhood() {
        let mut gate = Gate::new(GateLimits::default());
        let established = |gate: &mut Gate, id: usize, address: &str| {
            let (connection, peer) = (ConnectionId::new_unchecked(id), PeerId::random());
            let (address, port) = (address.parse().unwrap(), PortUse::Reuse);
            let end = Endpoint::Dialer;
            gate.handle_established_outbound_connection(connection, peer, &address, end, port)
                .is_ok()
        };
        let crowd = "/ip4/192.0.2.7/tcp/1";
        let made = (0..100).filter(|id| established(&mut gate, *id, crowd)).count();
        assert_eq!(made, 4, "lookups have four connections into one /24");
        // Others, this machine and onion services are not that neighbourhood.
        let onion = format!("/onion3/{}:1", "a".repeat(56));
        for address in ["/ip4/198.51.100.1/tcp/1", "/ip4/127.0.0.1/tcp/1", &onion] {
            let made = (200..204).filter(|id| established(&mut gate, *id, address)).count();
            assert_eq!(made, 4, "{address}");
        }
        // A peer that is asked for by name is dialled.
        gate.want(ConnectionId::new_unchecked(300));
        assert!(established(&mut gate, 300, crowd) && !established(&mut gate, 301, crowd));
        // A place that is left is free.
        gate.leave(ConnectionId::new_unchecked(2));
        assert!(established(&mut gate, 302, crowd) && !established(&mut gate, 303, crowd));
        // Names are one neighbourhood, wherever they lead.
        let named = |id: usize| format!("/dns4/host{id}.example/tcp/1");
        let made = (400..500).filter(|id| established(&mut gate, *id, &named(*id))).count();
        assert_eq!(made, 4, "names");
        let near_too = GateLimits { near_too: true, ..GateLimits::default() };
        let mut strict = Gate::new(near_too);
        let near = "/ip4/127.0.0.1/tcp/1";
        assert_eq!((0..9).filter(|id| established(&mut strict, *id, near)).count(), 4);
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

//! What the driver does now and then, without any event: say who it is, keep relays, visit lists, make room.

use super::{Driver, Told, now};
use crate::{
    address::place,
    meter::Way,
    record::{PeerRecord, RECORD_ADDRESSES_MAX, Role},
    rendezvous,
    standing::{Candidate, worst},
    status::Path,
};
use libp2p::{Multiaddr, PeerId, kad, multiaddr::Protocol};
use std::time::{Duration, Instant};

/// How often a node without peers dials its bootstrap list again.
const BOOTSTRAP_EVERY: Duration = Duration::from_secs(10);
/// How often one's own record is put into the table; it counts for two hours.
const RECORD_EVERY: Duration = Duration::from_secs(20 * 60);
/// A node that nobody has reached after this time asks relays for a place.
const UNREACHED_AFTER: Duration = Duration::from_secs(8);
/// Relays that hold a place at once.
const RELAYS_WANTED: usize = 2;
/// How often the worst peer makes room, and above how many that could.
const ROTATE_EVERY: Duration = Duration::from_secs(60 * 60);
const ROTATED_ABOVE: usize = 8;
/// How often a list of those who come is visited.
const VISIT_EVERY: Duration = Duration::from_secs(10 * 60);

impl Driver {
    /// What is due now and then.
    pub(super) fn look(&mut self) {
        let lonely = self.peers.is_empty();
        let due = self.last_bootstrap.is_none_or(|last| last.elapsed() >= BOOTSTRAP_EVERY);
        if lonely && due {
            self.last_bootstrap = Some(Instant::now());
            for address in self.config.bootstrap.clone() {
                if address.peer() != *self.swarm.local_peer_id() {
                    self.dial(address.peer(), Some(address.full().clone()), None);
                }
            }
        }
        if !lonely {
            self.announce();
            self.keep_relays();
            self.visit_points();
            self.rotate();
        }
        for peer in self.standing.pardoned(Instant::now()) {
            self.swarm.behaviour_mut().banned.unblock_peer(peer);
        }
        self.answer_found();
    }

    /// Put one's record into the table, and say which roles one has.
    fn announce(&mut self) {
        // A node that has met nobody but edges says so to them: it is all the table there is.
        let told = if self.table.is_empty() { Told::Here } else { Told::Others };
        if self.told < told {
            self.told = told;
            for role in self.config.roles.iter().filter(|role| *role != Role::Edge) {
                for key in self.config.role_keys(role) {
                    let key = kad::RecordKey::new(&key);
                    if let Err(error) = self.swarm.behaviour_mut().kad.start_providing(key) {
                        tracing::debug!(%error, role = role.name(), "not announced");
                    }
                }
            }
        }
        if told == Told::Here {
            return;
        }
        if self.last_record.is_some_and(|last| last.elapsed() < RECORD_EVERY) {
            return;
        }
        let me = *self.swarm.local_peer_id();
        let mut addresses: Vec<Multiaddr> = self.swarm.external_addresses().cloned().collect();
        // Until others have confirmed an address, those it listens at are the best guess; on a local network they are
        // right.
        if addresses.is_empty() {
            addresses.extend(self.swarm.listeners().cloned());
        }
        addresses.truncate(RECORD_ADDRESSES_MAX);
        let record = PeerRecord {
            identity: types::PublicKey(self.config.key.public()),
            network: self.config.network,
            roles: self.config.roles,
            chain: self.config.chain,
            cell: self.config.cell,
            issued: now(),
            addresses,
        };
        let value = record.sign(&self.config.key);
        let entry = kad::Record::new(kad::RecordKey::new(&PeerRecord::key(&me)), value);
        match self.swarm.behaviour_mut().kad.put_record(entry, kad::Quorum::One) {
            Ok(_) => self.last_record = Some(Instant::now()),
            Err(error) => tracing::debug!(%error, "no record"),
        }
    }

    /// Lists of those who come are read now and then, and one's own entry is renewed.
    fn visit_points(&mut self) {
        let now = Instant::now();
        let due = |last: Option<Instant>| last.is_none_or(|last| now - last >= VISIT_EVERY);
        let name = rendezvous::namespace(self.config.network, self.config.chain);
        for (point, last) in self.points.iter_mut().filter(|(_, last)| due(**last)).take(1) {
            *last = Some(now);
            if let Some(client) = self.swarm.behaviour_mut().meet.as_mut() {
                self.meter.count("rendezvous", Way::Out);
                rendezvous::visit(client, *point, name.clone());
            }
        }
    }

    /// Once an hour the worst of those that were dialled makes room for somebody else, so that nobody stays for ever by
    /// having come first. A peer that is needed stays.
    fn rotate(&mut self) {
        let now = Instant::now();
        if now - self.last_rotation < ROTATE_EVERY {
            return;
        }
        self.last_rotation = now;
        let needed = |peer: &PeerId| {
            self.asked_for.contains(peer)
                || self.relays.contains_key(peer)
                || self.config.bootstrap.iter().any(|known| known.peer() == *peer)
        };
        let candidates: Vec<Candidate> = (self.peers.iter())
            .filter(|(peer, known)| {
                !needed(peer) && known.connections.values().any(|(path, _)| *path == Path::Direct)
            })
            .map(|(peer, known)| {
                let marks = self.standing.marks_of(peer, now);
                Candidate { peer: *peer, marks, rtt: known.rtt }
            })
            .collect();
        if candidates.len() <= ROTATED_ABOVE {
            return;
        }
        if let Some(peer) = worst(&candidates) {
            tracing::debug!(%peer, "makes room for somebody else");
            self.swarm.behaviour_mut().kad.remove_peer(&peer);
            self.table.remove(&peer);
            // It may have gone by itself.
            self.swarm.disconnect_peer_id(peer).unwrap_or_default();
        }
    }

    /// A node behind a NAT is reached through relays, until somebody has reached it without.
    fn keep_relays(&mut self) {
        if self.reached_directly() || self.started.elapsed() < UNREACHED_AFTER {
            return;
        }
        let wanted = RELAYS_WANTED.saturating_sub(self.relays.len());
        let candidates: Vec<(PeerId, Multiaddr)> = self
            .peers
            .iter()
            .filter(|(peer, known)| known.relays && !self.relays.contains_key(peer))
            .filter_map(|(peer, known)| {
                let direct = known.connections.values().find(|(path, _)| *path == Path::Direct)?;
                Some((*peer, direct.1.clone()))
            })
            .take(wanted)
            .collect();
        for (relay, at) in candidates {
            let at = place(&at).with(Protocol::P2p(relay)).with(Protocol::P2pCircuit);
            match self.swarm.listen_on(at) {
                Ok(_) => drop(self.relays.insert(relay, false)),
                Err(error) => tracing::debug!(%relay, %error, "no place at this relay"),
            }
        }
    }
}

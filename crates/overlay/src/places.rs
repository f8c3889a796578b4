//! Who has a place in the table: few of one neighbourhood of addresses, and few of one provider's where that is known,
//! so that an attacker who rents a thousand addresses does not get a thousand places.

use crate::{asn::AsnTable, gate::Prefix};
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use std::collections::HashMap;

/// Nodes of one neighbourhood in the whole table, and in one of its buckets.
const PREFIX_MAX: usize = 10;
const BUCKET_PREFIX_MAX: usize = 2;
/// Nodes of one autonomous system: large providers have many honest ones.
const ASN_MAX: usize = 40;
const BUCKET_ASN_MAX: usize = 6;

pub(crate) struct Places {
    asns: AsnTable,
    held: HashMap<PeerId, Group>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Group {
    prefix: Prefix,
    /// The autonomous system, where it is known.
    asn: Option<u32>,
}

impl Places {
    pub(crate) fn new(asns: AsnTable) -> Self {
        Self { asns, held: HashMap::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }
    pub(crate) fn has(&self, peer: &PeerId) -> bool {
        self.held.contains_key(peer)
    }

    /// Whether a node at `address` may have a place. `beside`: whether a node stands in the same bucket.
    pub(crate) fn has_room(&self, address: &Multiaddr, beside: impl Fn(&PeerId) -> bool) -> bool {
        let group = self.group(address);
        let room = |same: &dyn Fn(&Group) -> bool, most: usize, most_beside: usize| {
            let of_it: Vec<&PeerId> =
                self.held.iter().filter(|(_, of)| same(of)).map(|(peer, _)| peer).collect();
            of_it.len() < most && of_it.iter().filter(|peer| beside(peer)).count() < most_beside
        };
        room(&|of| of.prefix == group.prefix, PREFIX_MAX, BUCKET_PREFIX_MAX)
            && (group.asn.is_none() || room(&|of| of.asn == group.asn, ASN_MAX, BUCKET_ASN_MAX))
    }

    pub(crate) fn insert(&mut self, peer: PeerId, address: &Multiaddr) {
        self.held.insert(peer, self.group(address));
    }

    pub(crate) fn remove(&mut self, peer: &PeerId) {
        self.held.remove(peer);
    }

    fn group(&self, address: &Multiaddr) -> Group {
        let ip = address.iter().find_map(|part| match part {
            Protocol::Ip4(ip) => Some(ip.into()),
            Protocol::Ip6(ip) => Some(ip.into()),
            _ => None,
        });
        Group { prefix: Prefix::of(address), asn: ip.and_then(|ip| self.asns.of(ip)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(a: u8, b: u8) -> Multiaddr {
        format!("/ip4/198.{a}.{b}.7/tcp/1").parse().unwrap()
    }

    /// How many of those at `addresses` get a place, when `bucket` of them share one.
    fn placed(asns: &str, addresses: impl Iterator<Item = Multiaddr>, one_bucket: bool) -> usize {
        let mut places = Places::new(asns.parse().unwrap());
        for address in addresses {
            if places.has_room(&address, |_| one_bucket) {
                places.insert(PeerId::random(), &address);
            }
        }
        places.len()
    }

    #[test]
    fn a_neighbourhood_has_few_places() {
        let one_prefix = || (0..100).map(|_| at(51, 100));
        assert_eq!(placed("", one_prefix(), false), 10);
        assert_eq!(placed("", one_prefix(), true), 2);
        assert_eq!(placed("", (0..100).map(|b| at(51, b)), true), 100, "each is another's");
    }

    #[test]
    fn a_provider_has_few_places_however_many_prefixes_it_rents() {
        let asns = "198.51.0.0\t198.51.255.255\t64500\n198.52.0.0/16 64500\n198.53.0.0/16 64501\n";
        let rented = || (0..100).map(|b| at(51 + b % 2, b));
        assert_eq!(placed(asns, rented(), false), 40);
        assert_eq!(placed(asns, rented(), true), 6);
        assert_eq!(placed(asns, rented().chain((0..100).map(|b| at(53, b))), false), 80);
        // Of an unknown node only the neighbourhood counts.
        assert_eq!(placed(asns, (0..100).map(|b| at(54, b)), true), 100);
    }
}

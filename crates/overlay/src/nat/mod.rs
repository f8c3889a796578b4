//! What stands between this machine and the others, and how to come through: STUN says what others see, PCP,
//! NAT-PMP and UPnP open a port where the router lets them.

mod mapping;
mod stun;

pub use mapping::{MapBy, Mapping, MappingError, local_gateway, map, unmap};
pub use stun::{NatKind, Seen, StunError, nat_kind, seen_by};

use std::net::IpAddr;

/// Whether the internet could reach `ip`: neither private nor a carrier's own (RFC 6598) nor this machine.
#[must_use]
pub fn is_global(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            let shared = a == 100 && (64..128).contains(&b);
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_broadcast()
                || ip.is_multicast()
                || ip.is_documentation()
                || shared)
        }
        IpAddr::V6(ip) => {
            !(ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.is_multicast())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carriers_and_homes_are_not_the_internet() {
        for near in [
            "10.0.0.1",
            "192.168.1.1",
            "172.16.3.4",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.1.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(!is_global(near.parse().unwrap()), "{near}");
        }
        for far in ["11.77.0.10", "100.63.0.1", "100.128.0.1", "8.8.8.8", "2a00::1"] {
            assert!(is_global(far.parse().unwrap()), "{far}");
        }
    }
}

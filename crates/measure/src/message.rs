//! What prover and witness say over a channel that is encrypted and whose ends know each other.
//!
//! ```text
//! prover                          witness
//!   Ask { claim, draw } ───────────▶  was I drawn?
//!   ◀────── Session { id, key, udp }
//!   Ready { udp } ─────────────────▶
//!   ◀ ─ ─ ─ ─ datagrams ─ ─ ─ ─ ─ ▶
//!   ◀──────────────────────── Probed
//!   Root { transcript, … } ────────▶  is what I measured in it?
//!   ◀─────────── Measured { minimum }
//! ```
//! Instead of any of its messages a witness may say `Refused { why }`, and that is its last.

use crate::{Part, Path, SessionId, SessionKey};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use types::{
    Bytes, Hash, Signature, Text, Wire,
    presence::{Claim, Minimum, VRF_PROOF_BYTES},
};

/// Longest message in bytes: a root with its path is 327.
pub const MESSAGE_BYTES_MAX: usize = 512;
/// Bytes of a reason.
pub const WHY_BYTES_MAX: usize = 200;

/// The proof that a claim's VRF key drew its witnesses.
pub type Draw = Bytes<VRF_PROOF_BYTES>;

/// An address for datagrams: IPv6, or IPv4 mapped into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Wire)]
pub struct Endpoint {
    ip: [u8; 16],
    port: u16,
}

impl Endpoint {
    /// The address, if datagrams to it go to one machine.
    #[must_use]
    pub fn of_one(self) -> Option<SocketAddr> {
        let address = SocketAddr::from(self);
        let many = match address.ip() {
            IpAddr::V4(ip) => ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast(),
            IpAddr::V6(ip) => ip.is_unspecified() || ip.is_multicast(),
        };
        (!many && address.port() != 0).then_some(address)
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        let ip = match address.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        Self { ip: ip.octets(), port: address.port() }
    }
}
impl From<Endpoint> for SocketAddr {
    fn from(endpoint: Endpoint) -> Self {
        Self::new(Ipv6Addr::from(endpoint.ip).to_canonical(), endpoint.port)
    }
}

/// From the prover.
#[derive(Clone, Debug, PartialEq, Eq, Wire)]
pub enum ToWitness {
    /// Asks to be measured.
    #[wire(tag = 1)]
    Ask {
        /// What the prover says of itself.
        claim: Claim,
        /// The proof that this witness was drawn.
        draw: Draw,
    },
    /// Where it answers; `None` if the witness is to see that from the opening datagram.
    #[wire(tag = 2)]
    Ready {
        /// Where the prover answers datagrams; none: where this channel comes from.
        udp: Option<Endpoint>,
    },
    /// Asks for a signature.
    #[wire(tag = 3)]
    Root {
        /// The root of all challenges and answers.
        transcript: Hash,
        /// The prover's, over claim and transcript.
        signature: Signature,
        /// How many of this witness's challenges were answered.
        answered: u8,
        /// The place of this witness's part among all.
        position: u8,
        /// Leads from that part to the root.
        path: Path,
    },
}

/// From the witness.
#[derive(Clone, Debug, PartialEq, Eq, Wire)]
pub enum ToProver {
    /// The witness is about to measure.
    #[wire(tag = 1)]
    Session {
        /// Names the session in datagrams.
        id: SessionId,
        /// Authenticates its datagrams.
        key: SessionKey,
        /// Where it asks from, if it is reached there.
        udp: Option<Endpoint>,
    },
    /// No answer counts any more.
    #[wire(tag = 2)]
    Probed,
    /// What was measured, signed.
    #[wire(tag = 3)]
    Measured {
        /// The quickest round trip.
        minimum: Minimum,
    },
    /// The witness will not go on.
    #[wire(tag = 4)]
    Refused {
        /// In words, for the operator of the prover.
        why: Text<WHY_BYTES_MAX>,
    },
}

impl ToWitness {
    /// The message that gives a witness its part of a transcript.
    #[must_use]
    pub fn root(transcript: Hash, signature: Signature, part: Part) -> Self {
        let Part { answered, position, path } = part;
        Self::Root { transcript, signature, answered, position, path }
    }
}

impl ToProver {
    /// A refusal; what is too long of its reason is cut off.
    #[must_use]
    pub fn refused(why: &str) -> Self {
        let mut end = why.len().min(WHY_BYTES_MAX);
        while !why.is_char_boundary(end) {
            end -= 1;
        }
        Self::Refused { why: Text::new(&why[..end]).expect("cut to its bound") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{
        ChainId, PublicKey,
        codec::{DecodeExt as _, Encode as _},
    };

    fn check<M>(message: M)
    where
        M: types::codec::Encode + types::codec::Decode<Cfg = ()> + PartialEq + std::fmt::Debug,
    {
        let bytes = message.encode();
        assert!(bytes.len() <= MESSAGE_BYTES_MAX, "{} bytes", bytes.len());
        for length in 0..bytes.len() {
            assert!(M::decode_cfg(bytes.slice(..length), &()).is_err(), "cut to {length}");
        }
        assert_eq!(M::decode_cfg(bytes, &()).unwrap(), message);
    }

    #[test]
    fn the_fullest_messages_come_back() {
        let claim = Claim {
            prover: PublicKey([1; 32]),
            place: "52.52,13.405".parse().unwrap(),
            continent: ChainId::Europe,
            attestation: Hash([2; 32]),
            vrf_key: Hash([3; 32]),
            period: u64::MAX,
        };
        let udp = Some(Endpoint::from("[2001:db8::1]:4000".parse::<SocketAddr>().unwrap()));
        check(ToWitness::Ask { claim, draw: Draw::new(vec![4; VRF_PROOF_BYTES]).unwrap() });
        check(ToWitness::Ready { udp });
        check(ToWitness::Ready { udp: None });
        let path = Path::new(vec![Hash([5; 32]); crate::PATH_MAX]).unwrap();
        let part = Part { answered: 0xff, position: 95, path };
        check(ToWitness::root(Hash([6; 32]), Signature([7; 64]), part));
        check(ToProver::Session { id: [8; 8], key: SessionKey([9; 32]), udp });
        check(ToProver::Probed);
        let minimum = Minimum { witness: 1, rtt_us: 2, signature: Signature([3; 64]) };
        check(ToProver::Measured { minimum });
        check(ToProver::refused(&"é".repeat(200)));
    }

    #[test]
    fn addresses_come_back() {
        for text in ["192.0.2.1:4000", "[2001:db8::1]:1"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(SocketAddr::from(Endpoint::from(address)), address);
            assert_eq!(Endpoint::from(address).of_one(), Some(address));
        }
        for text in [
            "0.0.0.0:1",
            "224.0.0.1:1",
            "255.255.255.255:1",
            "192.0.2.1:0",
            "[::]:1",
            "[ff02::1]:1",
        ] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(Endpoint::from(address).of_one(), None, "{text}");
        }
    }

    #[test]
    fn unknown_messages_are_refused() {
        assert!(ToProver::decode(vec![5]).is_err());
        assert!(ToWitness::decode(vec![0]).is_err());
        assert_eq!(ToProver::Probed.encode().as_ref(), [2]);
        assert!(ToProver::decode(vec![2, 0]).is_err());
    }
}

//! What a node says of itself: signed, bounded, and gone when it is old.

use crate::Cell;
use crypto::SigningKey;
use libp2p::{Multiaddr, PeerId};
use types::{ChainId, Hash, Millis, PublicKey};

/// Most addresses of one record.
pub const RECORD_ADDRESSES_MAX: usize = 8;
/// A record counts this long.
pub(crate) const RECORD_LIFETIME_MS: u64 = 2 * 60 * 60 * 1_000;
/// A clock may be this much ahead.
const SKEW_MS: u64 = 5 * 60 * 1_000;
/// Longest record in bytes.
const RECORD_BYTES_MAX: usize = 2_048;
const DOMAIN: &str = "meshx/peer-record/2";
const VERSION: u8 = 2;
/// Where a cell would be, of a node that names none.
const NOWHERE: u16 = u16::MAX;

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Runs jobs; holds no chain.
    Edge,
    /// Holds chains and serves the API to edges.
    Aggregator,
    /// Votes on a shard.
    Validator,
    /// Votes on the backbone.
    Backbone,
    /// Carries other nodes' connections.
    Relay,
}

impl Role {
    /// Every role, in the order of their bits.
    pub const ALL: [Self; 5] =
        [Self::Edge, Self::Aggregator, Self::Validator, Self::Backbone, Self::Relay];

    /// The name on the command line and in lookups, such as `aggregator`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Aggregator => "aggregator",
            Self::Validator => "validator",
            Self::Backbone => "backbone",
            Self::Relay => "relay",
        }
    }

    /// The role with this [`Role::name`]; `None` for any other text.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// A set of roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles(u8);

impl Roles {
    /// The same set with `role` in it.
    #[must_use]
    pub const fn with(self, role: Role) -> Self {
        Self(self.0 | 1 << role as u8)
    }

    /// Whether `role` is in the set.
    #[must_use]
    pub const fn has(self, role: Role) -> bool {
        self.0 & (1 << role as u8) != 0
    }

    /// The roles of the set, in the order of [`Role::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        roles.into_iter().fold(Self::default(), Self::with)
    }
}

/// A record whose signature and age were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerRecord {
    /// Whose record it is, and the key that signed it.
    pub identity: PublicKey,
    /// The network it is of. A node of another network refuses it.
    pub network: Hash,
    /// What the node says it does. Nobody checks that: a peer that connects finds out.
    pub roles: Roles,
    /// The chain it works on first.
    pub chain: ChainId,
    /// Where it says that it stands.
    pub cell: Option<Cell>,
    /// When it was signed, by the node's own clock. It counts for two hours from then.
    pub issued: Millis,
    /// Where the node says it is reached: at most [`RECORD_ADDRESSES_MAX`].
    pub addresses: Vec<Multiaddr>,
}

/// Why a record does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum BadRecord {
    #[error("the record is malformed")]
    Malformed,
    #[error("the record belongs to another network")]
    OtherNetwork,
    #[error("the record is too old, or from the future")]
    Age,
    #[error("the record is not signed by the node that it describes")]
    Signature,
}

impl PeerRecord {
    /// `version ‖ identity ‖ network ‖ roles ‖ chain ‖ cell ‖ issued ‖ count ‖ (length ‖ address)* ‖ signature`, numbers
    /// big-endian.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> Vec<u8> {
        let mut bytes = self.unsigned();
        let signature = key.sign(DOMAIN, &bytes);
        bytes.extend_from_slice(&signature);
        bytes
    }

    fn unsigned(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.identity.0);
        bytes.extend_from_slice(&self.network.0);
        bytes.extend_from_slice(&[self.roles.0, self.chain as u8]);
        bytes.extend_from_slice(&self.cell.map_or(NOWHERE, Cell::index).to_be_bytes());
        bytes.extend_from_slice(&self.issued.get().to_be_bytes());
        let addresses = &self.addresses[..self.addresses.len().min(RECORD_ADDRESSES_MAX)];
        bytes.push(u8::try_from(addresses.len()).expect("eight at most"));
        for address in addresses {
            let address = address.to_vec();
            bytes.push(u8::try_from(address.len()).unwrap_or(0));
            bytes.extend_from_slice(if address.len() < 256 { &address } else { &[] });
        }
        bytes
    }

    /// Check `bytes` at the time `now`.
    ///
    /// # Errors
    /// [`BadRecord`].
    pub fn open(bytes: &[u8], network: Hash, now: Millis) -> Result<Self, BadRecord> {
        if bytes.len() > RECORD_BYTES_MAX {
            return Err(BadRecord::Malformed);
        }
        let (unsigned, signature) = bytes.split_last_chunk::<64>().ok_or(BadRecord::Malformed)?;
        let record = Self::parse(unsigned).ok_or(BadRecord::Malformed)?;
        if record.network != network {
            return Err(BadRecord::OtherNetwork);
        }
        let (issued, now) = (record.issued.get(), now.get());
        if issued > now.saturating_add(SKEW_MS) || now > issued.saturating_add(RECORD_LIFETIME_MS) {
            return Err(BadRecord::Age);
        }
        // Last, because it costs most: an old record, or one of another network, costs a comparison.
        crypto::verify(&record.identity.0, DOMAIN, unsigned, signature)
            .map_err(|_| BadRecord::Signature)?;
        Ok(record)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (&VERSION, bytes) = bytes.split_first()? else { return None };
        let (identity, bytes) = bytes.split_first_chunk()?;
        let (network, bytes) = bytes.split_first_chunk()?;
        let (&[roles, chain], bytes) = bytes.split_first_chunk()?;
        let (cell, bytes) = bytes.split_first_chunk()?;
        let cell = match u16::from_be_bytes(*cell) {
            NOWHERE => None,
            index => Some(Cell::of_index(index)?),
        };
        let (issued, bytes) = bytes.split_first_chunk()?;
        let (&count, mut bytes) = bytes.split_first()?;
        if usize::from(count) > RECORD_ADDRESSES_MAX || roles >= 1 << Role::ALL.len() {
            return None;
        }
        let mut addresses = Vec::new();
        for _ in 0..count {
            let (&length, rest) = bytes.split_first()?;
            let (address, rest) = rest.split_at_checked(length.into())?;
            addresses.push(Multiaddr::try_from(address.to_vec()).ok()?);
            bytes = rest;
        }
        // Nothing may follow: one record has one form.
        bytes.is_empty().then_some(Self {
            identity: PublicKey(*identity),
            network: Hash(*network),
            roles: Roles(roles),
            chain: ChainId::ALL.into_iter().find(|known| *known as u8 == chain)?,
            cell,
            issued: Millis::new(u64::from_be_bytes(*issued)),
            addresses,
        })
    }

    /// The key that records of `peer` are kept under.
    #[must_use]
    pub fn key(peer: &PeerId) -> Vec<u8> {
        [b"/meshx/peer/", &peer.to_bytes()[..]].concat()
    }
}

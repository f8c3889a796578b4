//! Blocks: an ordered list of transactions, and a header that commits to what they did.

use crate::{
    ChainId, Hash, Height, List, Millis, PublicKey, Term, Tx, Wire,
    codec::{Bytes, Encode},
    hash::domain_hash,
};
use serde::{Deserialize, Serialize};

/// Most transactions in one block.
pub const BODY_TXS_MAX: usize = 10_000;
/// Most bytes of transactions in one block (whitepaper, appendix B: messages of at most 1 MB).
pub const BODY_BYTES_MAX: usize = 900_000;
/// Most bytes that a committee's hand-over puts into one block: 100 dealers' and players' worth.
pub const CEREMONY_BYTES_MAX: usize = 32_768;

/// The agreed randomness of an earlier, finalised block of the same chain: the threshold signature
/// over its round. Nobody can choose it, and nobody knew it when that block was proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Beacon {
    pub height: Height,
    pub term: Term,
    pub view: u64,
    pub signature: Bytes<96>,
}

/// What a block asks to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Body {
    /// For each height whose jobs are drawn in this block, ascending.
    pub beacons: List<Beacon, 8>,
    pub txs: List<Tx, BODY_TXS_MAX>,
    /// What the committee's hand-over to the next needs here: a dealer's log in the second half of a term, who goes on
    /// in its last block. Consensus reads it, state transition does not.
    pub ceremony: Option<Bytes<CEREMONY_BYTES_MAX>>,
}

/// The root of an authenticated log and the range of operations it covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct LogRoot {
    pub root: Hash,
    pub start: u64,
    pub end: u64,
}

/// A block without its body: what a certificate signs and a light client keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Header {
    pub chain: ChainId,
    pub term: Term,
    pub view: u64,
    /// The consensus key of the validator that proposed it.
    pub leader: PublicKey,
    pub parent_view: u64,
    pub parent: Hash,
    pub height: Height,
    /// The proposer's clock, never before the parent's.
    pub timestamp: Millis,
    pub body: Hash,
    /// Commits to every key of the chain's state: proofs of presence and of absence lead here.
    pub state_root: Hash,
    /// The operations that lead to that state, for a node that syncs.
    pub state_log: LogRoot,
    /// Messages to other chains, in order.
    pub outbox: LogRoot,
}

/// Most bytes of a certificate.
pub const CERTIFICATE_BYTES_MAX: usize = 4_096;

/// A header and the certificate that makes its block final. Gateways publish them, and everyone with the network keys
/// needs nobody's word for them.
#[derive(Clone, Debug, PartialEq, Eq, Wire)]
pub struct FinalHeader {
    pub header: Header,
    pub certificate: Bytes<CERTIFICATE_BYTES_MAX>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Block {
    pub header: Header,
    pub body: Body,
}

impl Header {
    /// The block's name, which its certificate signs.
    pub fn id(&self) -> Hash {
        domain_hash("meshx/header/v1", &[&self.encode()])
    }
}

impl Body {
    /// What the header's `body` must be.
    pub fn root(&self) -> Hash {
        domain_hash("meshx/body/v1", &[&self.encode()])
    }
}

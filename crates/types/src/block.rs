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
    /// The height of the block it is of.
    pub height: Height,
    /// The term of that block's round.
    pub term: Term,
    /// The view of that block's round.
    pub view: u64,
    /// The committee's threshold signature over the round (BLS12-381, compressed).
    pub signature: Bytes<96>,
}

/// What a block asks to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Body {
    /// For each height whose jobs are drawn in this block, ascending.
    pub beacons: List<Beacon, 8>,
    /// In the order in which they are executed.
    pub txs: List<Tx, BODY_TXS_MAX>,
    /// What the committee's hand-over to the next needs here: a dealer's log in the second half of a term, who goes on
    /// in its last block. Consensus reads it, state transition does not.
    pub ceremony: Option<Bytes<CEREMONY_BYTES_MAX>>,
}

/// The root of an authenticated log and the range of operations it covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct LogRoot {
    /// The Merkle root of the operations.
    pub root: Hash,
    /// The position of the first operation that nodes still hold.
    pub start: u64,
    /// The position after the last operation.
    pub end: u64,
}

/// A block without its body: what a certificate signs and a light client keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Header {
    /// The chain it is a block of.
    pub chain: ChainId,
    /// The committee's term.
    pub term: Term,
    /// The view in which it was proposed, within its term.
    pub view: u64,
    /// The consensus key of the validator that proposed it.
    pub leader: PublicKey,
    /// The view of the parent's proposal.
    pub parent_view: u64,
    /// [`Header::id`] of the block before it.
    pub parent: Hash,
    /// Its height in the chain; genesis is 0.
    pub height: Height,
    /// The proposer's clock, never before the parent's.
    pub timestamp: Millis,
    /// [`Body::root`] of its body.
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
    /// What is final.
    pub header: Header,
    /// The committee's block certificate: its threshold signature, as consensus encodes it.
    pub certificate: Bytes<CERTIFICATE_BYTES_MAX>,
}

/// A header and the body that it commits to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Block {
    /// What a committee signs; it commits to the body, and to the state after it.
    pub header: Header,
    /// The transactions, and what belongs to them.
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

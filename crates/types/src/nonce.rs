//! Nonces: what makes each transaction count once.

use crate::{Height, List, Wire};
use serde::{Deserialize, Serialize};

/// How far ahead of the block that holds it a transaction's expiring nonce may end: five minutes at two blocks a second. An
/// account's record of those that it used has to be kept for so long.
pub const ONCE_BLOCKS_MAX: u64 = 600;
/// Most expiring nonces of one account that were used and have not expired.
pub const ONCE_OPEN_MAX: usize = 64;

/// Which of its sender's transactions this is.
///
/// Use [`Nonce::Strict`] when order matters, or when nobody can say how long the transaction will be under way: transfers,
/// stake, votes, and whatever is signed on a machine without a network. Each needs all those before it.
///
/// Use [`Nonce::Until`] for many at once from one key, such as jobs that several machines pay for with one wallet. Nobody
/// has to ask which number is next, and one that is refused holds up no other. Its sender knows after its last block that
/// it will never count.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Wire,
)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Nonce {
    /// One after the other.
    #[wire(tag = 0)]
    Strict {
        /// How many transactions with a strict nonce this sender has had in blocks of this chain before this one.
        number: u64,
    },
    /// In any order, and only for a while.
    #[wire(tag = 1)]
    Until(Once),
}

/// A nonce that expires.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Wire,
)]
pub struct Once {
    /// The last block that may hold the transaction, at most [`ONCE_BLOCKS_MAX`] after the one that does.
    pub height: Height,
    /// Tells it apart from others of the sender that expire with it: any number, such as a random one.
    pub salt: u64,
}

impl Nonce {
    /// The strict nonce with this number.
    #[must_use]
    pub const fn strict(number: u64) -> Self {
        Self::Strict { number }
    }

    /// The number of a strict nonce.
    #[must_use]
    pub const fn number(self) -> Option<u64> {
        match self {
            Self::Strict { number } => Some(number),
            Self::Until(_) => None,
        }
    }
}

impl std::fmt::Display for Nonce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Strict { number } => write!(f, "{number}"),
            Self::Until(Once { height, salt }) => write!(f, "{salt} until block {height}"),
        }
    }
}

/// The expiring nonces of one account that are in blocks and have not expired, the first to expire first.
pub type Spent = List<Once, ONCE_OPEN_MAX>;

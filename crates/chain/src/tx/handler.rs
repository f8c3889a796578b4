//! What every transaction declares of itself, in its own file; and the words that all of these files need.

pub(super) use crate::{
    CheckedTx, Refusal,
    apply::BlockContext,
    gas::cost,
    scratch::{Scratch, Stop},
};
pub(super) use types::{Address, state::Key};

use types::ChainId;

/// One kind of transaction.
pub(super) trait Handler {
    /// Where it may be sent.
    const HOME: Home;

    /// What its sender pays for a place in a block.
    const FEE: Fee;

    /// The records it certainly reads, beside its sender's account: a block's are loaded in one go.
    fn keys(&self, from: Address) -> impl IntoIterator<Item = Key>;

    /// Gas of its own rule, and of what it makes the chain do in later blocks. Bytes, records and checks are charged where
    /// they are used.
    fn gas(&self) -> u64;

    /// The rule. Nonce, fee and home have been seen to.
    fn apply(&self, pad: &mut Scratch<'_>, tx: &CheckedTx, at: &BlockContext) -> Result<(), Stop>;
}

/// Where a transaction may be sent, and how it is refused elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    Any,
    Backbone { elsewhere: Refusal },
    Shards { elsewhere: Refusal },
}

impl Home {
    pub(super) fn check(self, here: ChainId) -> Result<(), Refusal> {
        match self {
            Self::Backbone { elsewhere } if here.is_shard() => Err(elsewhere),
            Self::Shards { elsewhere } if !here.is_shard() => Err(elsewhere),
            Self::Any | Self::Backbone { .. } | Self::Shards { .. } => Ok(()),
        }
    }
}

/// What a transaction pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fee {
    /// Nothing. Something else bounds how many there can be: its declaration says what.
    Free,
    /// For its gas, which is burned, and the tip.
    Gas,
}

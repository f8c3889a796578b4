//! Proved: a shard believes of the backbone what the backbone's committee signed, and nothing else.

use crate::{Refusal, apply::BlockContext};
use receipt::light;
use types::{ChainId, Entry, Relayed, state::Key};

/// Check that the backbone of this network holds what is relayed at `key`.
pub(crate) fn check<T: Entry>(
    relayed: &Relayed<T>,
    key: &Key,
    context: &BlockContext,
) -> Result<(), Refusal> {
    let Relayed { anchor, proved } = relayed;
    if anchor.network() != context.network || proved.header.chain != ChainId::Backbone {
        return Err(Refusal::NotProved);
    }
    light::verify(anchor, key, proved).map_err(|_| Refusal::NotProved)
}

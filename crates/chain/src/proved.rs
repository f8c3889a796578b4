//! Proved: a shard believes of the backbone what the backbone's committee signed, and nothing else.

use crate::{Refusal, apply::BlockContext};
use receipt::light;
use types::{ChainId, Entry, Import, state::Key};

/// Check that the backbone of this network holds what is imported at `key`.
pub(crate) fn check<T: Entry>(
    import: &Import<T>,
    key: &Key,
    context: &BlockContext,
) -> Result<(), Refusal> {
    let Import { network_keys, proved } = import;
    if network_keys.network() != context.network || proved.header.chain != ChainId::Backbone {
        return Err(Refusal::NotProved);
    }
    light::verify(network_keys, key, proved).map_err(|_| Refusal::NotProved)
}

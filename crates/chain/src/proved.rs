//! Proved: a shard believes of the backbone what the backbone's committee signed, and nothing else.

use crate::{Refusal, apply::BlockContext};
use receipt::light;
use types::{ChainId, Header, codec::Encode, network::Anchor, state::Key};

/// What leads from the network's id to a record of the backbone.
pub(crate) struct Proof<'a> {
    pub(crate) anchor: &'a Anchor,
    pub(crate) header: &'a Header,
    pub(crate) certificate: &'a [u8],
    /// Of the record, under the header's state root.
    pub(crate) inclusion: &'a [u8],
}

/// Check that the backbone holds `record` at `key`.
pub(crate) fn check(
    proof: &Proof<'_>,
    key: &Key,
    record: &impl Encode,
    context: &BlockContext,
) -> Result<(), Refusal> {
    let Proof { anchor, header, certificate, inclusion } = proof;
    if anchor.network() != context.network || header.chain != ChainId::Backbone {
        return Err(Refusal::NotProved);
    }
    light::verify_certificate(anchor, header, certificate).map_err(|_| Refusal::NotProved)?;
    light::verify_inclusion(header, key, &record.encode(), inclusion)
        .map_err(|_| Refusal::NotProved)
}

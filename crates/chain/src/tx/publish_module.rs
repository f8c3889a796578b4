//! PublishModule: stand for a module, and ask for a part of what jobs that run it pay.

use crate::{
    Refusal,
    apply::BlockContext,
    scratch::{Scratch, Stop},
};
use types::{
    Address, Hash,
    state::{Key, ModuleRecord, Params},
};

/// The first to publish a module is its author for ever: publish it before you show it to anyone. Its author may
/// lower the royalty and raise it again; jobs are paid at what counts when they settle.
pub(super) fn apply(
    pad: &mut Scratch<'_>,
    from: Address,
    module: Hash,
    royalty_bps: u16,
    context: &BlockContext,
) -> Result<(), Stop> {
    if !context.chain.is_shard() {
        return Err(Refusal::NoJobsHere.into());
    }
    let params: Params = pad.expect(Key::Params)?;
    if royalty_bps > params.royalty_max_bps {
        let max = params.royalty_max_bps;
        return Err(Refusal::Royalty { asked: royalty_bps, max }.into());
    }
    let published = match pad.get::<ModuleRecord>(Key::Module(module))? {
        Some(known) if known.author != from => {
            return Err(Refusal::NotAuthor { author: known.author }.into());
        }
        Some(known) => known.published,
        None => context.height,
    };
    pad.put(Key::Module(module), &ModuleRecord { author: from, royalty_bps, published });
    Ok(())
}

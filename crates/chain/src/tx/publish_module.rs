//! PublishModule: stand for a module, and ask for a part of what jobs that run it pay.

use super::handler::{
    Address, BlockContext, CheckedTx, Fee, Handler, Home, Key, Refusal, Scratch, Stop, cost,
};
use types::{
    Hash,
    state::{ModuleRecord, Params},
};

pub(super) struct PublishModule<'a> {
    pub(super) module: &'a Hash,
    pub(super) royalty_bps: &'a u16,
}

impl Handler for PublishModule<'_> {
    const HOME: Home = Home::Shards { elsewhere: Refusal::NoJobsHere };
    const FEE: Fee = Fee::Gas;

    fn keys(&self, _: Address) -> impl IntoIterator<Item = Key> {
        [Key::Module(*self.module)]
    }

    fn gas(&self) -> u64 {
        cost::RULE
    }

    /// The first to publish a module is its author for ever: publish it before you show it to anyone. Its author may
    /// lower the royalty and raise it again; jobs are paid at what counts when they settle.
    fn apply(&self, pad: &mut Scratch<'_>, tx: &CheckedTx, at: &BlockContext) -> Result<(), Stop> {
        let (author, module, royalty_bps) =
            (tx.from(), Key::Module(*self.module), *self.royalty_bps);
        let params: Params = pad.expect(Key::Params)?;
        if royalty_bps > params.royalty_max_bps {
            let max = params.royalty_max_bps;
            return Err(Refusal::Royalty { asked: royalty_bps, max }.into());
        }
        let published = match pad.get::<ModuleRecord>(module)? {
            Some(known) if known.author != author => {
                return Err(Refusal::NotAuthor { author: known.author }.into());
            }
            Some(known) => known.published,
            None => at.height,
        };
        pad.put(module, &ModuleRecord { author, royalty_bps, published });
        Ok(())
    }
}

//! ImportDecree: a shard learns the next decision of the backbone.

use super::handler::{
    Address, BlockContext, CheckedTx, Fee, Handler, Home, Key, Refusal, Scratch, Stop, cost,
};
use crate::{checks, decrees};
use types::{Import, governance::Decree};

pub(super) struct ImportDecree<'a>(pub(super) &'a Import<Decree>);

impl Handler for ImportDecree<'_> {
    const HOME: Home = Home::Shards { elsewhere: Refusal::OwnDecree };
    /// Free: each decree is brought once.
    const FEE: Fee = Fee::Free;

    fn keys(&self, _: Address) -> impl IntoIterator<Item = Key> {
        [Key::Decrees]
    }

    fn gas(&self) -> u64 {
        cost::RULE
    }

    /// A decree is what the backbone's committee signed, or it is not taken.
    fn apply(&self, pad: &mut Scratch<'_>, _: &CheckedTx, at: &BlockContext) -> Result<(), Stop> {
        let decree = &self.0.proved.record;
        // Before any curve is touched: the number, so that the same is not judged twice.
        decrees::learn(pad, decree, at)?;
        Ok(checks::on_backbone(pad.gas(), self.0, &Key::Decree(decree.number), at)?)
    }
}

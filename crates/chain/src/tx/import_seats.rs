//! ImportSeats: a shard learns who was drawn for it.

use super::handler::{
    Address, BlockContext, CheckedTx, Fee, Handler, Home, Key, Refusal, Scratch, Stop, cost,
};
use crate::checks;
use types::{Import, committee::SeatsRecord, state::Event};

pub(super) struct ImportSeats<'a>(pub(super) &'a Import<SeatsRecord>);

impl Handler for ImportSeats<'_> {
    const HOME: Home = Home::Shards { elsewhere: Refusal::OwnSeats };
    /// Free: each number is told once.
    const FEE: Fee = Fee::Free;

    fn keys(&self, _: Address) -> impl IntoIterator<Item = Key> {
        [Key::Seats(self.0.proved.record.chain)]
    }

    fn gas(&self) -> u64 {
        cost::RULE
    }

    /// Numbers may be left out: only the newest seats matter.
    fn apply(&self, pad: &mut Scratch<'_>, _: &CheckedTx, at: &BlockContext) -> Result<(), Stop> {
        let seats = &self.0.proved.record;
        if seats.chain != at.chain {
            return Err(Refusal::SeatsElsewhere(seats.chain).into());
        }
        let key = Key::Seats(at.chain);
        // Before any curve is touched: the number, so that the same is not judged twice.
        let known = pad.get::<SeatsRecord>(key)?.map_or(0, |known| known.number);
        if seats.number <= known {
            return Err(Refusal::SeatsKnown { known, got: seats.number }.into());
        }
        checks::on_backbone(pad.gas(), self.0, &key, at)?;
        pad.put(key, seats);
        pad.emit(Event::Seats { chain: at.chain, number: seats.number });
        Ok(())
    }
}

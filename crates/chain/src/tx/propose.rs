//! Propose: ask for a decision, and put a deposit down for it.

use super::handler::{
    Address, BlockContext, CheckedTx, Fee, Handler, Home, Key, Refusal, Scratch, Stop, cost,
};
use types::{
    Text,
    governance::ProposalKind,
    state::{Event, OPEN_PROPOSALS_MAX, OpenProposals, Params},
};

pub(super) struct Propose<'a> {
    pub(super) title: &'a Text<120>,
    pub(super) kind: &'a ProposalKind,
}

impl Handler for Propose<'_> {
    const HOME: Home = Home::Backbone { elsewhere: Refusal::NoStakeHere };
    const FEE: Fee = Fee::Gas;

    fn keys(&self, _: Address) -> impl IntoIterator<Item = Key> {
        [Key::ProposalCount, Key::OpenProposals]
    }

    fn gas(&self) -> u64 {
        cost::RULE
    }

    fn apply(&self, pad: &mut Scratch<'_>, tx: &CheckedTx, at: &BlockContext) -> Result<(), Stop> {
        let (title, kind) = (self.title.clone(), self.kind.clone());
        let params: Params = pad.expect(Key::Params)?;
        let id = pad.get::<u64>(Key::ProposalCount)?.unwrap_or(0) + 1;
        let mut open: OpenProposals = pad.get(Key::OpenProposals)?.unwrap_or_default();
        // The last place is an emergency's: nobody shuts a pause out with proposals of other kinds.
        if !governance::is_emergency(&kind) && open.len() + 1 >= OPEN_PROPOSALS_MAX {
            return Err(Refusal::TooManyProposals.into());
        }
        open.push(id).map_err(|_| Refusal::TooManyProposals)?;
        let (proposal, transfers) =
            governance::submit(id, tx.from(), title, kind, at.timestamp, &params)?;
        pad.put(Key::ProposalCount, &id);
        pad.put(Key::OpenProposals, &open);
        pad.put(Key::Proposal(id), &proposal);
        pad.emit(Event::Proposal { proposal: id });
        pad.transfer(&transfers)
    }
}

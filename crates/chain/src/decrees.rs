//! Decisions on their way: proposals are decided and carried out in blocks of the backbone, and every chain takes up
//! what was ordered at its next boundary; a pause at once.

use crate::{
    apply::BlockContext,
    epoch::is_boundary,
    market,
    scratch::{Scratch, Stop},
};
use governance::Deed;
use types::{
    NanoMeshx,
    governance::{
        Decree, Order, Proposal, ProposalId, ProposalKind, ProposalStatus, ValidatorVotes,
    },
    staking::ValidatorRecord,
    state::{
        DECREES_WAITING_MAX, Decrees, Event, Key, OpenProposals, Params, Validators, VotesKey,
        pools,
    },
};

/// Close what was voted on long enough, and carry out what has waited for its timelock.
pub(crate) fn decide(pad: &mut Scratch<'_>, context: &BlockContext) -> Result<(), Stop> {
    if context.chain.is_shard() {
        return Ok(());
    }
    let open: OpenProposals = pad.get(Key::OpenProposals)?.unwrap_or_default();
    let mut still = open.clone();
    for id in open.iter() {
        let mut proposal: Proposal = pad.expect(Key::Proposal(*id))?;
        let now = context.timestamp;
        match proposal.status {
            ProposalStatus::Voting { closes } if closes <= now => {
                close(pad, &mut proposal, context)?
            }
            ProposalStatus::Queued { executes } if executes <= now && has_room(pad)? => {
                execute(pad, &mut proposal, context)?;
            }
            _ => continue,
        }
        if !matches!(proposal.status, ProposalStatus::Voting { .. } | ProposalStatus::Queued { .. })
        {
            still.retain(|other| other != id);
        }
        pad.put(Key::Proposal(*id), &proposal);
        pad.emit(Event::Proposal { proposal: *id });
    }
    if still != open {
        pad.put(Key::OpenProposals, &still);
    }
    Ok(())
}

fn close(
    pad: &mut Scratch<'_>,
    proposal: &mut Proposal,
    context: &BlockContext,
) -> Result<(), Stop> {
    let params: Params = pad.expect(Key::Params)?;
    let known: Validators = pad.get(Key::Validators)?.unwrap_or_default();
    let mut tallies = Vec::with_capacity(known.len());
    for validator in known.iter() {
        let key = VotesKey { proposal: proposal.id, validator: *validator };
        let Some(votes) = pad.get::<ValidatorVotes>(Key::ValidatorVotes(key))? else { continue };
        let record: ValidatorRecord = pad.expect(Key::Validator(*validator))?;
        tallies.push(governance::count(&votes, &record));
        // A proposal with a timelock stays among the open ones. Without its votes, stake that moves meanwhile touches
        // nothing.
        pad.forget(Key::ValidatorVotes(key));
    }
    let bonded = pad.account(pools::bonded())?.balance;
    let tally = governance::sum(tallies);
    let now = context.timestamp;
    let transfers = governance::close(proposal, tally, bonded, now, &params.governance)
        .expect("only what is due is decided");
    pad.transfer(&transfers)
}

fn execute(
    pad: &mut Scratch<'_>,
    proposal: &mut Proposal,
    context: &BlockContext,
) -> Result<(), Stop> {
    let params: Params = pad.expect(Key::Params)?;
    let held = match &proposal.kind {
        ProposalKind::Spend { pool, .. } => pad.account(governance::pool_address(*pool))?.balance,
        _ => NanoMeshx::ZERO,
    };
    let deed = governance::execute(proposal, held, context.timestamp, &params)
        .expect("only what is due is carried out");
    match deed {
        None => Ok(()),
        Some(Deed::Pay(transfer)) => pad.transfer(&[transfer]),
        Some(Deed::Order(order)) => issue(pad, proposal.id, order),
    }
}

/// Whether one more decree can wait for the next boundary; until then a decision waits instead.
fn has_room(pad: &Scratch<'_>) -> Result<bool, Stop> {
    let decrees: Decrees = pad.get(Key::Decrees)?.unwrap_or_default();
    Ok(decrees.waiting.len() < DECREES_WAITING_MAX)
}

/// Number an order, for every chain to take up.
fn issue(pad: &mut Scratch<'_>, proposal: ProposalId, order: Order) -> Result<(), Stop> {
    let mut decrees: Decrees = pad.get(Key::Decrees)?.unwrap_or_default();
    let number = decrees.known + 1;
    decrees.known = number;
    decrees.waiting.push(number).expect("there was room");
    pad.put(Key::Decrees, &decrees);
    pad.put(Key::Decree(number), &Decree { number, proposal, order });
    pad.emit(Event::Decree { number });
    Ok(())
}

/// A shard learns of a decree, which is the one after the last it knows.
pub(crate) fn learn(
    pad: &mut Scratch<'_>,
    decree: &Decree,
    context: &BlockContext,
) -> Result<(), Stop> {
    let mut decrees: Decrees = pad.get(Key::Decrees)?.unwrap_or_default();
    // Without gaps and in order: of two changes of one parameter the later must win, from any sender.
    if decree.number != decrees.known + 1 {
        let expected = decrees.known + 1;
        return Err(crate::Refusal::DecreeOrder { expected, got: decree.number }.into());
    }
    decrees.known = decree.number;
    decrees.waiting.push(decree.number).map_err(|_| crate::Refusal::Busy)?;
    pad.put(Key::Decrees, &decrees);
    pad.put(Key::Decree(decree.number), decree);
    // An emergency does not wait for a boundary.
    if let Order::Pause { chain, until } = decree.order
        && chain.is_none_or(|chain| chain == context.chain)
    {
        market::change(pad, |market| market.paused_until = until)?;
    }
    pad.emit(Event::Decree { number: decree.number });
    Ok(())
}

/// At a boundary, take up what waits, in order.
pub(crate) fn take_up(pad: &mut Scratch<'_>, context: &BlockContext) -> Result<(), Stop> {
    let before: Params = pad.expect(Key::Params)?;
    if !is_boundary(context.height, &before) {
        return Ok(());
    }
    let mut decrees: Decrees = pad.get(Key::Decrees)?.unwrap_or_default();
    if decrees.waiting.is_empty() {
        return Ok(());
    }
    let mut params = before;
    for number in std::mem::take(&mut decrees.waiting).iter() {
        let decree: Decree = pad.expect(Key::Decree(*number))?;
        params = governance::obey(&params, context.chain, &decree.order);
        if let Order::Admit { chain, rule } = decree.order
            // The backbone keeps the rule of every chain, because it draws the committees of all.
            && (chain == context.chain || !context.chain.is_shard())
        {
            pad.put(Key::Admission(chain), &rule);
        }
        if let Order::List { entry, allowed } = &decree.order {
            match allowed {
                true => pad.put(Key::Listed(entry.id()), &true),
                false => pad.forget(Key::Listed(entry.id())),
            }
        }
    }
    pad.put(Key::Params, &params);
    pad.put(Key::Decrees, &decrees);
    Ok(())
}

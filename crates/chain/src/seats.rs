//! Seats: at each boundary of the backbone the draw that was open ends, committees are drawn, and the next draw opens.
//!
//! ```text
//! boundary B: draw E opens, a beacon is asked for ── beacon of B: the seed ── tickets ── boundary B': seats of E, draw E+1
//!             keys registered before B count
//! ```

use crate::{
    Refusal,
    apply::BlockContext,
    epoch::is_boundary,
    scratch::{Scratch, Stop},
};
use staking::{Contender, Vacancies};
use types::{
    Address, Beacon, ChainId, Epoch, Hash, Height, List,
    attest::AttestationRecord,
    codec::Encode as _,
    committee::{CommitteeSeat, DrawRecord, SeatsRecord, TicketRecord, VrfRecord},
    domain_hash,
    governance::Admission,
    presence::PresenceRecord,
    staking::ValidatorRecord,
    state::{Event, Key, Params, Validators},
};

/// A validator that may sit, and where.
pub(crate) struct Candidate {
    pub(crate) contender: Contender,
    /// Where it is certified to stand now.
    pub(crate) continent: Option<ChainId>,
}

/// All validators with the stake for a seat, and their tickets of `epoch`.
pub(crate) fn candidates(
    pad: &Scratch<'_>,
    epoch: Option<Epoch>,
    params: &Params,
    context: &BlockContext,
) -> Result<Vec<Candidate>, Stop> {
    let known: Validators = pad.get(Key::Validators)?.unwrap_or_default();
    pad.need(known.iter().flat_map(|operator| {
        [Key::Validator(*operator), Key::Ticket(*operator), Key::Presence(*operator)]
    }))?;
    let mut candidates = Vec::with_capacity(known.len());
    for operator in known.iter() {
        let record: ValidatorRecord = pad.expect(Key::Validator(*operator))?;
        if !staking::is_eligible(&record, &params.staking) {
            continue;
        }
        let ticket: Option<TicketRecord> = pad.get(Key::Ticket(*operator))?;
        let ticket = ticket
            .filter(|ticket| Some(ticket.epoch) == epoch)
            .and_then(|ticket| <[u8; 64]>::try_from(ticket.output.as_slice()).ok());
        let presence: Option<PresenceRecord> = pad.get(Key::Presence(*operator))?;
        // What was measured is the key that voted then.
        let presence = presence.filter(|presence| presence.key == record.key);
        candidates.push(Candidate {
            contender: Contender {
                operator: *operator,
                key: record.key,
                tokens: record.tokens,
                ticket,
            },
            continent: presence
                .filter(|presence| presence.is_certified(context.timestamp))
                .map(|presence| presence.continent),
        });
    }
    Ok(candidates)
}

/// Whether `candidate` may sit in the committee of `chain`.
pub(crate) fn may_sit(candidate: &Candidate, chain: ChainId, params: &Params) -> bool {
    match chain.is_shard() {
        true => candidate.continent == Some(chain),
        false => candidate.continent.is_some() || params.sortition.presence_required == 0,
    }
}

/// Most seats in the committee of `chain`.
pub(crate) fn seats_max(chain: ChainId, params: &Params) -> u16 {
    match chain.is_shard() {
        true => params.sortition.seats,
        false => params.staking.validators_max,
    }
}

/// At a boundary of the backbone: draw from the tickets that came, and open the next draw.
pub(crate) fn boundary(pad: &mut Scratch<'_>, context: &BlockContext) -> Result<(), Stop> {
    let params: Params = pad.expect(Key::Params)?;
    if !is_boundary(context.height, &params) || context.chain.is_shard() {
        return Ok(());
    }
    let before: DrawRecord = pad.get(Key::Draw)?.unwrap_or_default();
    // Without a seed there were no tickets: the committees stay.
    if before.seed != Hash::ZERO {
        let candidates = candidates(pad, Some(before.epoch), &params, context)?;
        pad.need(ChainId::ALL.into_iter().flat_map(|c| [Key::Admission(c), Key::Seats(c)]))?;
        for chain in ChainId::ALL {
            draw(pad, chain, before.epoch, &candidates, &params, context)?;
        }
        forget_tickets(pad)?;
    }
    let last = |blocks: u64| Height::new(context.height.get().saturating_add(blocks));
    let next = DrawRecord {
        epoch: Epoch::new(before.epoch.get() + 1),
        boundary: context.height,
        seed: Hash::ZERO,
        opens: Height::ZERO,
        // At the next boundary this draw ends, so its window ends before, however long tickets may otherwise come.
        closes: last(params.sortition.ticket_blocks).min(last(params.epoch_blocks - 1)),
    };
    pad.put(Key::Draw, &next);
    Ok(())
}

fn draw(
    pad: &mut Scratch<'_>,
    chain: ChainId,
    epoch: Epoch,
    candidates: &[Candidate],
    params: &Params,
    context: &BlockContext,
) -> Result<(), Stop> {
    // What governance decides about, no lot does.
    let rule: Admission = pad.get(Key::Admission(chain))?.unwrap_or(Admission::Presence);
    if rule != Admission::Presence {
        return Ok(());
    }
    let contenders: Vec<Contender> = candidates
        .iter()
        .filter(|candidate| may_sit(candidate, chain, params))
        .map(|candidate| candidate.contender)
        .collect();
    let vacancies = Vacancies { chain, epoch, seats: seats_max(chain, params) };
    // Too few: the last committee goes on, for blocks need somebody to make them.
    let Ok(members) = staking::draw_seats(vacancies, &contenders, &params.sortition) else {
        return Ok(());
    };
    let key = Key::Seats(chain);
    let number = pad.get::<SeatsRecord>(key)?.map_or(0, |known| known.number) + 1;
    let seats = members
        .into_iter()
        .map(|m| CommitteeSeat { operator: m.operator, key: m.key, tokens: m.tokens })
        .collect();
    let seats = List::new(seats).expect("parameters allow no more than there can be");
    pad.put(key, &SeatsRecord { chain, number, chosen: context.height, seats });
    pad.emit(Event::Seats { chain, number });
    Ok(())
}

fn forget_tickets(pad: &mut Scratch<'_>) -> Result<(), Stop> {
    let known: Validators = pad.get(Key::Validators)?.unwrap_or_default();
    for operator in known.iter() {
        if pad.get::<TicketRecord>(Key::Ticket(*operator))?.is_some() {
            pad.forget(Key::Ticket(*operator));
        }
    }
    Ok(())
}

/// The beacon of a boundary has come: it is the seed of the draw that opened there.
pub(crate) fn take_seed(
    pad: &mut Scratch<'_>,
    beacon: &Beacon,
    context: &BlockContext,
) -> Result<(), Stop> {
    let mut draw: DrawRecord = pad.get(Key::Draw)?.unwrap_or_default();
    if draw.boundary != beacon.height || draw.seed != Hash::ZERO {
        return Ok(());
    }
    draw.seed = domain_hash("meshx/draw/seed/v1", &[&context.network.0, &beacon.encode()]);
    draw.opens = context.height.next();
    pad.put(Key::Draw, &draw);
    pad.emit(Event::Draw { epoch: draw.epoch });
    Ok(())
}

/// What `operator` draws with, if it was registered before `asked`, the block that asked for the seed.
pub(crate) fn vrf_before(
    pad: &Scratch<'_>,
    operator: Address,
    asked: Height,
) -> Result<Hash, Stop> {
    let vrf: Option<VrfRecord> = pad.get(Key::Vrf(operator))?;
    let vrf = vrf.ok_or(Refusal::NoVrfKey(operator))?;
    // Not in that very block either: the seed of a round can leak while its block is still being agreed on (ADR 16).
    if vrf.registered >= asked {
        return Err(Refusal::LateVrfKey { registered: vrf.registered, asked }.into());
    }
    Ok(vrf.key)
}

/// The attestation that `operator` draws with: zero for none. One that came after the seed was asked for could have been chosen.
pub(crate) fn attestation_before(
    pad: &Scratch<'_>,
    operator: Address,
    asked: Height,
) -> Result<Hash, Stop> {
    let record: Option<AttestationRecord> = pad.get(Key::Attested(operator))?;
    match record {
        None => Ok(Hash::ZERO),
        Some(record) if record.attested < asked => Ok(record.id()),
        Some(record) => Err(Refusal::LateAttestation { attested: record.attested, asked }.into()),
    }
}

//! The period: at the first boundary after the last one has run out, the backbone freezes who witnesses. The beacon of that
//! boundary draws among them, so that a claimant has chosen its keys before.

use crate::{
    apply::BlockContext,
    epoch::is_boundary,
    scratch::{Scratch, Stop},
};
use std::collections::BTreeMap;
use types::{
    Beacon, Hash, PublicKey,
    codec::Encode as _,
    domain_hash,
    presence::{PeriodRecord, PresenceRecord, WitnessEntry, WitnessList, unnamed_network},
    staking::{Standing, ValidatorRecord},
    state::{Key, Params, Validators},
};

/// At a boundary of the backbone: begin the next period if the one that is on has lasted long enough.
pub(crate) fn turn(pad: &mut Scratch<'_>, context: &BlockContext) -> Result<(), Stop> {
    let params: Params = pad.expect(Key::Params)?;
    if !is_boundary(context.height, &params) || context.chain.is_shard() {
        return Ok(());
    }
    let before: Option<PeriodRecord> = pad.get(Key::Period)?;
    let lasts = params.presence.period_ms.get();
    if before.is_some_and(|b| context.timestamp.get() < b.started.get().saturating_add(lasts)) {
        return Ok(());
    }
    let witnesses = witnesses(pad, &params, context)?;
    // A network that never had any has no periods either.
    if before.is_none() && witnesses.is_empty() {
        return Ok(());
    }
    pad.put(Key::Witnesses, &witnesses);
    let next = PeriodRecord {
        number: before.map_or(0, |before| before.number + 1),
        began: context.height,
        started: context.timestamp,
        seed: Hash::ZERO,
    };
    pad.put(Key::Period, &next);
    Ok(())
}

/// Those that genesis named and those that are certified now, by key, without those that were removed.
fn witnesses(
    pad: &Scratch<'_>,
    params: &Params,
    context: &BlockContext,
) -> Result<WitnessList, Stop> {
    let named: WitnessList = pad.get(Key::GenesisWitnesses)?.unwrap_or_default();
    let mut list: BTreeMap<PublicKey, WitnessEntry> =
        named.iter().map(|entry| (entry.key, *entry)).collect();
    let known: Validators = pad.get(Key::Validators)?.unwrap_or_default();
    pad.need(known.iter().flat_map(|known| [Key::Presence(*known), Key::Validator(*known)]))?;
    for operator in known.iter() {
        let Some(presence) = pad.get::<PresenceRecord>(Key::Presence(*operator))? else { continue };
        let validator: ValidatorRecord = pad.expect(Key::Validator(*operator))?;
        if !presence.is_certified(context.timestamp) || validator.standing == Standing::Tombstoned {
            continue;
        }
        let before = list.get(&presence.key);
        let entry = WitnessEntry {
            key: presence.key,
            place: presence.place,
            operator: *operator,
            // A certificate does not say which network its prover is in. Genesis said it of the first witnesses; every
            // other operator counts as a network of its own (ADR 16).
            network: before.map_or_else(|| unnamed_network(operator), |entry| entry.network),
        };
        list.insert(presence.key, entry);
    }
    pad.need(list.keys().map(|key| Key::Marks(*key)))?;
    let mut left = Vec::with_capacity(list.len());
    for (key, entry) in list {
        if pad.get::<u16>(Key::Marks(key))?.unwrap_or(0) < params.presence.marks_max {
            left.push(entry);
        }
    }
    Ok(WitnessList::new(left).expect("genesis and validators are together fewer than a list holds"))
}

/// The beacon of a boundary has come: it is the seed of the period that began there.
pub(crate) fn take_seed(
    pad: &mut Scratch<'_>,
    beacon: &Beacon,
    context: &BlockContext,
) -> Result<(), Stop> {
    let Some(mut period) = pad.get::<PeriodRecord>(Key::Period)? else { return Ok(()) };
    if period.seed != Hash::ZERO {
        return Ok(());
    }
    // One that the boundary could not ask for is taken from the next: keys count by when the period began all the same.
    if beacon.height < period.began {
        return Ok(());
    }
    period.seed = domain_hash("meshx/presence/seed/v1", &[&context.network.0, &beacon.encode()]);
    pad.put(Key::Period, &period);
    Ok(())
}

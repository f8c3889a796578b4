//! What stake that left a validator still owes for that validator's faults.
//!
//! Nobody looks for it when the fault is proved: it may be spread over any number of accounts. Each part remembers how
//! long the slash log was when it left, and takes off what was added since when it is next touched. It cannot get
//! away before: a proof is taken only while `now < offence + unbonding`, a part left at the offence or later and is let
//! go at `left + unbonding`, so every slash it answers for is in the log by then.

use crate::{Moment, Position, Refusal, params::BPS, share};
use types::{
    Height, Millis, NanoMeshx,
    staking::{Slash, SlashLog, Unbonding, UnbondingRecord, ValidatorRecord},
};

/// Take off what each entry owes for `validator`'s slashes. Returns the sum, which leaves the pool `unbonding`.
pub(crate) fn settle_unbonding(
    record: &mut UnbondingRecord,
    validator: &ValidatorRecord,
) -> NanoMeshx {
    let mut slashed = NanoMeshx::ZERO;
    for entry in record.entries.iter_mut() {
        let before = entry.amount;
        for slash in owed_for(&validator.slashes, entry.slashes_seen, entry.created) {
            let lost = part(u128::from(entry.amount.get()), slash.bps);
            let lost = u64::try_from(lost).expect("a part fits where all did");
            entry.amount = entry.amount.saturating_sub(NanoMeshx::new(lost));
        }
        entry.slashes_seen = seen(&validator.slashes);
        slashed = slashed
            .checked_add(before.saturating_sub(entry.amount))
            .expect("all entries together are in one pool");
    }
    slashed
}

/// Take off what the delegation's arrivals owe for where they came from, and forget those that are through.
/// Returns the sum, which leaves the pool `bonded`. Rewards are counted already.
pub(crate) fn settle_arrivals(position: &mut Position, now: Moment) -> Result<NanoMeshx, Refusal> {
    let mut slashed = NanoMeshx::ZERO;
    let mut arrivals = std::mem::take(&mut position.delegation.arrivals);
    for arrival in arrivals.iter_mut() {
        let log = position.sources.get(&arrival.from);
        let log = log.ok_or(Refusal::SourceMissing(arrival.from))?;
        let before = arrival.shares;
        for slash in owed_for(log, arrival.slashes_seen, arrival.created) {
            arrival.shares -= part(arrival.shares, slash.bps);
        }
        arrival.slashes_seen = seen(log);
        let lost = before - arrival.shares;
        if lost > 0 {
            let amount = share::worth(&position.validator, lost);
            position.burn(lost, amount);
            slashed = slashed.checked_add(amount).ok_or(Refusal::Overflow)?;
        }
    }
    arrivals.retain(|arrival| now.at < arrival.matures && arrival.shares > 0);
    position.delegation.arrivals = arrivals;
    Ok(slashed)
}

/// The shares that may not leave now, and until when the first of them may not.
pub(crate) fn locked(position: &Position) -> Option<(u128, Millis)> {
    let arrivals = position.delegation.arrivals.iter();
    let until = arrivals.clone().map(|arrival| arrival.matures).min()?;
    Some((arrivals.map(|arrival| arrival.shares).sum(), until))
}

/// How long the log is.
pub(crate) fn seen(log: &SlashLog) -> u8 {
    u8::try_from(log.len()).expect("a slash log is short")
}

/// `bps` of `amount`, rounded up: against the offender, and never more than `amount`.
pub(crate) fn part(amount: u128, bps: u16) -> u128 {
    let bps = u128::from(bps.min(BPS));
    let (whole, rest) = (amount / u128::from(BPS), amount % u128::from(BPS));
    whole * bps + (rest * bps).div_ceil(u128::from(BPS))
}

/// Entries that left at the same block with the same slashes behind them are one.
pub(crate) fn join(entry: &mut Unbonding, other: Unbonding) -> Result<bool, Refusal> {
    let same = (entry.created, entry.matures, entry.slashes_seen)
        == (other.created, other.matures, other.slashes_seen);
    if same {
        entry.amount = entry.amount.checked_add(other.amount).ok_or(Refusal::Overflow)?;
    }
    Ok(same)
}

fn owed_for(log: &SlashLog, seen: u8, created: Height) -> impl Iterator<Item = &Slash> {
    log.iter().skip(usize::from(seen)).filter(move |slash| slash.height <= created)
}

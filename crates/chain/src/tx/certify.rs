//! Certify: a validator proves where it stands, by what the period's witnesses measured.
//!
//! Who is measured is the key that votes: it is what a seat is for, and what double signing costs stake for. The witnesses
//! are drawn by the VRF key that was registered, and by the attestation that was there, before the period's seed was known.
//! Its signatures are all it needs, so anybody may carry it, and pays. The prover signs the transcript and not which minima are
//! there: a carrier can leave some out, which never makes more of it (ADR 16).

use super::handler::{
    Address, BlockContext, CheckedTx, Fee, Handler, Home, Key, Refusal, Scratch, Stop, cost,
};
use crate::{checks, seats};
use presence::{Direction, Reference, Tables, Tier, Verdict, Witness};
use std::collections::{BTreeMap, BTreeSet};
use types::{
    Hash, List, NanoMeshx, PublicKey,
    presence::{
        Claim, Measured, MeasuredRecord, MeasuredRow, PeriodRecord, PresenceCertificate,
        PresenceParams, PresenceRecord, PresenceTier, WitnessList,
    },
    state::{Destination, Event, Market, Params, Transfer},
};

/// Gas that costs as much as one transaction: a tenth of a millisecond of one core, about what the smallest costs to check,
/// carry and apply.
const GAS_PER_BASE_FEE: u64 = 100_000;

pub(super) struct Certify<'a>(pub(super) &'a PresenceCertificate);

impl Handler for Certify<'_> {
    const HOME: Home = Home::Backbone { elsewhere: Refusal::NoPresenceHere };
    /// Beside it, judging is paid for: see `pay`.
    const FEE: Fee = Fee::Gas;

    fn keys(&self, _: Address) -> impl IntoIterator<Item = Key> {
        [Key::Period, Key::Witnesses, Key::ValidatorKey(self.0.claim.prover)]
    }

    fn gas(&self) -> u64 {
        cost::RULE
    }

    fn apply(&self, pad: &mut Scratch<'_>, tx: &CheckedTx, at: &BlockContext) -> Result<(), Stop> {
        let certificate = self.0;
        let period = period(pad)?;
        let operator = check_claim(pad, &certificate.claim, &period)?;
        let before: Option<PresenceRecord> = pad.get(Key::Presence(operator))?;
        let before =
            before.filter(|before| before.period == period.number).map(|before| before.tier);
        if before == Some(PresenceTier::Certified) {
            return Err(Refusal::AlreadyCertified.into());
        }

        // From here on the cost is that of judging: what is cheap to refuse is refused above.
        let params = pad.expect::<Params>(Key::Params)?.presence;
        let witnesses = witnesses(pad)?;
        let verdict = verdict(pad, certificate, &period, &witnesses, &params)?;
        pay(pad, tx.from(), verdict.gas)?;
        let tier = tier(&verdict)?;

        // Judging is dear, so in a period at most two certificates of an operator are: the second has to be worth more.
        if before == Some(tier) {
            return Err(Refusal::AlreadyCertified.into());
        }
        if tier == PresenceTier::Certified {
            mark(pad, &verdict, &witnesses)?;
        }
        let record = PresenceRecord {
            tier,
            continent: verdict.continent,
            place: verdict.place,
            key: certificate.claim.prover,
            certificate: certificate.id(),
            period: period.number,
            issued: at.timestamp,
            expires: at.timestamp.saturating_add(params.valid_ms),
        };
        pad.put(Key::Presence(operator), &record);
        keep_measured(pad, certificate, &period, &witnesses)?;
        pad.emit(Event::Presence { operator });
        Ok(())
    }
}

/// Judge the certificate by what the period's tables say of those it is judged by, and by nothing else: few records are
/// loaded.
fn verdict(
    pad: &Scratch<'_>,
    certificate: &PresenceCertificate,
    period: &PeriodRecord,
    witnesses: &[Witness],
    params: &PresenceParams,
) -> Result<Verdict, Stop> {
    let directions: Vec<Direction> =
        witnesses.iter().map(|witness| Direction::of_place(witness.place)).collect();
    // The draw alone decides whose times are needed, so it is checked before any are loaded: tens of records instead of
    // all.
    let bare = Reference::sparse(directions.clone(), []);
    let tables = Tables { seed: period.seed, period: period.number, witnesses, reference: &bare };
    let nodes = checks::consulted(pad.gas(), certificate, params, &tables)?;
    let reference = Reference::sparse(directions, times(pad, &nodes, witnesses, period)?);
    let tables = Tables { reference: &reference, ..tables };
    Ok(checks::presence(pad.gas(), certificate, params, &tables)?)
}

/// What was measured counts from the next period on.
fn keep_measured(
    pad: &mut Scratch<'_>,
    certificate: &PresenceCertificate,
    period: &PeriodRecord,
    witnesses: &[Witness],
) -> Result<(), Stop> {
    let times = certificate.minima.iter().map(|said| Measured {
        witness: witnesses[usize::from(said.witness)].key,
        rtt_us: said.rtt_us,
    });
    let times = List::new(times.collect()).expect("as many as the certificate's");
    let key = Key::Measured(certificate.claim.prover);
    let known: Option<MeasuredRecord> = pad.get(key)?;
    let row = MeasuredRow { period: period.number, times };
    pad.put(key, &MeasuredRecord::with(known, row));
    Ok(())
}

/// The period that is on, with its seed.
fn period(pad: &Scratch<'_>) -> Result<PeriodRecord, Stop> {
    let period: Option<PeriodRecord> = pad.get(Key::Period)?;
    let period = period.ok_or(Refusal::NoPeriod)?;
    if period.seed == Hash::ZERO {
        return Err(Refusal::NoSeed(period.number).into());
    }
    Ok(period)
}

/// Whose validator claims, with what was registered for it before the period's seed was asked for.
fn check_claim(pad: &Scratch<'_>, claim: &Claim, period: &PeriodRecord) -> Result<Address, Stop> {
    let operator: Option<Address> = pad.get(Key::ValidatorKey(claim.prover))?;
    let operator = operator.ok_or(Refusal::UnknownVoter(claim.prover))?;
    if claim.period != period.number {
        let (claimed, now) = (claim.period, period.number);
        return Err(presence::Rejected::Period { claimed, now }.into());
    }
    if claim.vrf_key != seats::vrf_before(pad, operator, period.began)? {
        return Err(Refusal::OtherVrfKey(operator).into());
    }
    if claim.attestation != seats::attestation_before(pad, operator, period.began)? {
        return Err(Refusal::OtherAttestation(operator).into());
    }
    Ok(operator)
}

fn witnesses(pad: &Scratch<'_>) -> Result<Vec<Witness>, Stop> {
    let list: WitnessList = pad.get(Key::Witnesses)?.unwrap_or_default();
    let witness = |entry: &types::presence::WitnessEntry| Witness {
        key: entry.key,
        place: entry.place,
        operator: entry.operator,
        network: entry.network,
    };
    Ok(list.iter().map(witness).collect())
}

/// What counts in `period` of what was measured between `nodes` and anybody on the list.
fn times(
    pad: &Scratch<'_>,
    nodes: &BTreeSet<u16>,
    witnesses: &[Witness],
    period: &PeriodRecord,
) -> Result<Vec<(u16, u16, u32)>, Stop> {
    let key = |node: &u16| witnesses[usize::from(*node)].key;
    pad.need(nodes.iter().map(|node| Key::Measured(key(node))))?;
    let places: BTreeMap<PublicKey, u16> =
        (0_u16..).zip(witnesses).map(|(place, witness)| (witness.key, place)).collect();
    let mut times = Vec::new();
    for node in nodes {
        let Some(record) = pad.get::<MeasuredRecord>(Key::Measured(key(node)))? else { continue };
        // Of an earlier period only: otherwise the verdict on a claim would depend on its place in the block (ADR 16).
        let Some(row) = record.frozen(period.number) else { continue };
        times.extend(row.times.iter().filter_map(|measured| {
            Some((*node, *places.get(&measured.witness)?, measured.rtt_us))
        }));
    }
    Ok(times)
}

/// Burn what judging cost, beside the base fee.
fn pay(pad: &mut Scratch<'_>, from: Address, gas: u64) -> Result<(), Stop> {
    let market: Market = pad.expect(Key::Market)?;
    let amount = market.base_fee.get().saturating_mul(gas / GAS_PER_BASE_FEE);
    if amount == 0 {
        return Ok(());
    }
    let amount = NanoMeshx::new(amount);
    pad.transfer(&[Transfer { from, to: Destination::Burned, amount }])
}

fn tier(verdict: &Verdict) -> Result<PresenceTier, Refusal> {
    match (verdict.tier, verdict.not_provisional) {
        (Tier::Certified, _) => Ok(PresenceTier::Certified),
        (Tier::Provisional, _) => Ok(PresenceTier::Provisional),
        (Tier::Unproven, Some(weakest)) => Err(Refusal::Unproven {
            cell: weakest.cell,
            continent: weakest.continent,
            able: weakest.able,
            refuted: weakest.refuted,
        }),
        (Tier::Unproven, None) => Err(Refusal::NoWitness),
    }
}

/// One mark for each witness that said what physics excludes of a claim that all others made certain.
fn mark(pad: &mut Scratch<'_>, verdict: &Verdict, witnesses: &[Witness]) -> Result<(), Stop> {
    for witness in &verdict.faster_than_light {
        let key = Key::Marks(witnesses[usize::from(*witness)].key);
        let marks: u16 = pad.get(key)?.unwrap_or(0);
        pad.put(key, &marks.saturating_add(1));
    }
    Ok(())
}

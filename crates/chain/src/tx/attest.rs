//! Attest: evidence of what machine holds the sender's key, judged with the block's time.
//!
//! The evidence must answer one of the chain's two last challenges, so it was made after a beacon that nobody knew
//! before. The chain keeps what was proved; the evidence itself stays in the block.

use super::handler::{
    Address, BlockContext, CheckedTx, Fee, Handler, Home, Key, Refusal, Scratch, Stop, cost,
};
use crate::{checks, gas::Gas};
use attestation::{
    Claims, Collateral, Evidence, Policy, Reject, Statement, TrustRoots, UnixSeconds, evidence_hash,
};
use types::{
    Hash, Millis, Text,
    attest::{
        ATTESTATION_DEPTH_MAX, AttestParams, Attestation, AttestationRecord, Challenges, Class,
        Listed, TcbStatus,
    },
    codec::Bytes,
    state::{Event, Params},
};

/// An attester's clock may be this many seconds ahead of the block's.
const CLOCK_SKEW_SECONDS: u64 = 30;

pub(super) struct Attest<'a>(pub(super) &'a Attestation);

impl Handler for Attest<'_> {
    /// Each chain has challenges of its own, and believes evidence that answers them.
    const HOME: Home = Home::Any;
    const FEE: Fee = Fee::Gas;

    fn keys(&self, from: Address) -> impl IntoIterator<Item = Key> {
        let parent = self.0.parent.map(Key::Attested);
        [Key::Challenges, Key::Attested(from)].into_iter().chain(parent)
    }

    fn gas(&self) -> u64 {
        cost::RULE
    }

    fn apply(&self, pad: &mut Scratch<'_>, tx: &CheckedTx, at: &BlockContext) -> Result<(), Stop> {
        let (from, attestation) = (tx.from(), self.0);
        let params = pad.expect::<Params>(Key::Params)?.attest;
        check_challenge(pad, &attestation.challenge)?;
        let now = UnixSeconds::new(at.timestamp.get() / 1_000);
        if attestation.stated > now.get().saturating_add(CLOCK_SKEW_SECONDS) {
            return Err(Refusal::FromTheFuture.into());
        }
        let parent = parent(pad, attestation, at)?;

        // From here on the cost is that of judging evidence: what is cheap to refuse is refused above.
        let evidence = Evidence::from_bytes(attestation.evidence.as_slice()).map_err(refused)?;
        let collateral =
            Collateral::from_bytes(attestation.collateral.as_slice()).map_err(refused)?;
        let statement = Statement {
            code_hash: attestation.code_hash.0,
            node_key: tx.tx().sender.0,
            sealing_key_hash: sealing_key_hash(pad.gas(), &attestation.sealing_key)?,
            timestamp: UnixSeconds::new(attestation.stated),
            nonce: attestation.challenge.0,
            parent: parent.as_ref().map_or([0; 32], |record| record.evidence.0),
        };
        let binding = statement.binding(evidence.technology());
        let trust_roots = trust_roots(pad, &evidence, &collateral)?;
        let gas = pad.gas();
        let claims = checks::evidence(gas, &trust_roots, &evidence, &collateral, &binding, now)
            .map_err(refused)?;
        let grant = policy(&params).appraise(&claims, now).map_err(refused)?;
        check_listed(pad, &params, &claims)?;

        // The weakest link of a chain counts: software that stands in for hardware must not vouch for a child as
        // hardware does.
        let weakest = parent.as_ref().is_some_and(|record| record.class == Class::Simulated);
        let record = AttestationRecord {
            technology: grant.technology,
            class: if weakest { Class::Simulated } else { grant.class },
            tcb_status: claims.tcb_status(),
            root: clipped(claims.root()),
            measurement: Bytes::new(claims.measurement().to_vec()).unwrap_or_default(),
            platform: <[u8; 32]>::try_from(claims.platform()).ok().map(Hash),
            evidence: Hash(evidence_hash(&evidence.to_bytes())),
            code_hash: attestation.code_hash,
            sealing_key: attestation.sealing_key.clone(),
            stated: attestation.stated,
            attested: at.height,
            until: Millis::new(grant.until.get().saturating_mul(1_000)),
            parent: parent.as_ref().map(|record| record.evidence),
            depth: parent.as_ref().map_or(0, |record| record.depth + 1),
        };
        stand_behind(pad, from, &record, at)?;
        pad.put(Key::Attested(from), &record);
        pad.emit(Event::Attested { account: from });
        Ok(())
    }
}

fn check_challenge(pad: &Scratch<'_>, answered: &Hash) -> Result<(), Stop> {
    let challenges: Challenges = pad.get(Key::Challenges)?.unwrap_or_default();
    let open = [challenges.current, challenges.previous];
    if *answered == Hash::ZERO || !open.contains(answered) {
        return Err(Refusal::StaleChallenge.into());
    }
    Ok(())
}

/// The attestation this one comes after: it still counts, is older, and has room below it.
fn parent(
    pad: &Scratch<'_>,
    attestation: &Attestation,
    context: &BlockContext,
) -> Result<Option<AttestationRecord>, Stop> {
    let Some(address) = attestation.parent else { return Ok(None) };
    let record: Option<AttestationRecord> = pad.get(Key::Attested(address))?;
    let record = record.ok_or(Refusal::NoParent)?;
    if record.until < context.timestamp {
        return Err(Refusal::NoParent.into());
    }
    if record.stated >= attestation.stated {
        return Err(Refusal::NotLater.into());
    }
    // Depth counts links below: a chain of eight has its last at depth seven.
    if record.depth + 1 >= ATTESTATION_DEPTH_MAX {
        return Err(Refusal::TooDeep.into());
    }
    Ok(Some(record))
}

/// The vendors' roots, and the platform key of this collateral if governance has listed it.
fn trust_roots(
    pad: &Scratch<'_>,
    evidence: &Evidence,
    collateral: &Collateral,
) -> Result<TrustRoots, Stop> {
    if collateral.platform_key.is_empty() {
        return Ok(TrustRoots::Vendors);
    }
    let technology = evidence.technology();
    let key = Hash(evidence_hash(&collateral.platform_key));
    let entry = Listed::PlatformKey { technology, key };
    let listed: Option<bool> = pad.get(Key::Listed(entry.id()))?;
    Ok(match listed {
        Some(true) => TrustRoots::VendorsAnd { technology, key: key.0 },
        _ => TrustRoots::Vendors,
    })
}

fn policy(params: &AttestParams) -> Policy {
    Policy {
        classes: Class::ALL.into_iter().filter(|class| params.accepts_class(*class)).collect(),
        tcb_statuses: TcbStatus::ALL
            .into_iter()
            .filter(|status| params.accepts_tcb(*status))
            .collect(),
        seconds_max: params.lasts_ms.get() / 1_000,
        ..Policy::strict()
    }
}

fn check_listed(pad: &Scratch<'_>, params: &AttestParams, claims: &Claims) -> Result<(), Stop> {
    if params.listed_only == 0 {
        return Ok(());
    }
    let measurement = Bytes::new(claims.measurement().to_vec()).unwrap_or_default();
    let entry = Listed::Measurement { technology: claims.technology(), measurement };
    match pad.get(Key::Listed(entry.id()))? {
        Some(true) => Ok(()),
        _ => Err(Refusal::NotListed.into()),
    }
}

/// A platform stands behind one account at a time; it is free again when that account's attestation ends.
fn stand_behind(
    pad: &mut Scratch<'_>,
    from: Address,
    record: &AttestationRecord,
    context: &BlockContext,
) -> Result<(), Stop> {
    let before: Option<AttestationRecord> = pad.get(Key::Attested(from))?;
    let left = before.and_then(|before| before.platform);
    if let Some(platform) = record.platform {
        let holder: Option<Address> = pad.get(Key::Platform(platform))?;
        if let Some(holder) = holder.filter(|holder| *holder != from) {
            let theirs: Option<AttestationRecord> = pad.get(Key::Attested(holder))?;
            let counts = theirs.is_some_and(|theirs| {
                theirs.platform == Some(platform) && theirs.until >= context.timestamp
            });
            if counts {
                return Err(Refusal::PlatformTaken(holder).into());
            }
        }
        pad.put(Key::Platform(platform), &from);
    }
    if let Some(left) = left.filter(|left| Some(*left) != record.platform)
        && pad.get::<Address>(Key::Platform(left))? == Some(from)
    {
        pad.forget(Key::Platform(left));
    }
    Ok(())
}

/// What the statement says of the key that private inputs are sealed to. A key that nobody can seal
/// to is refused here, so that no job meets one later.
fn sealing_key_hash(
    gas: &Gas,
    key: &Bytes<{ types::attest::SEALING_KEY_BYTES }>,
) -> Result<[u8; 32], Stop> {
    if key.as_slice().is_empty() {
        return Ok([0; 32]);
    }
    checks::sealing_key(gas, key.as_slice()).map_err(|_| Refusal::NotAttested("sealing-key"))?;
    Ok(evidence_hash(key.as_slice()))
}

/// The first bytes of a name that fit.
fn clipped(name: &str) -> Text<96> {
    let end = (0..=name.len().min(96)).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    Text::new(&name[..end]).unwrap_or_default()
}

fn refused(reject: Reject) -> Stop {
    Refusal::NotAttested(reject.code()).into()
}

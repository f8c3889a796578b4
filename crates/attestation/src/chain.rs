//! Chains of evidence: each names the one before it, and the weakest counts.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    Claims, Class, Collateral, Evidence, Grant, Policy, Reject, Statement, TrustRoots, UnixSeconds,
    statement::evidence_hash, verify_under,
};

/// Most links of a chain. Each costs a verification, and what eight machines ago vouched for says
/// little about this one.
pub const LINKS_MAX: usize = 8;
/// A statement may be this many seconds ahead of the verifier's clock.
const CLOCK_SKEW_SECONDS: u64 = 30;

/// One link: evidence, what it needs to be judged, and what it is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// What this link's machine says.
    pub evidence: Evidence,
    /// What its evidence is checked with.
    pub collateral: Collateral,
    /// What its evidence is bound to.
    pub statement: Statement,
}

/// What a chain proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// What the policy granted the last link.
    pub grant: Grant,
    /// Claims of every link, the oldest first.
    pub claims: Vec<Claims>,
}

/// Verify a chain, the oldest link first. The last link must answer `nonce` and hold at `now`; those
/// before it must have held when they were stated, because evidence is short-lived and a parent is
/// a record of the past. `policy` must accept every link: the weakest one counts.
///
/// # Errors
/// [`Reject::Chain`] names the link whose place in the chain is wrong; any other reason is the
/// link's own.
pub fn verify_chain(
    trust_roots: &TrustRoots,
    links: &[Link],
    policy: &Policy,
    nonce: &[u8; 32],
    now: UnixSeconds,
) -> Result<Chain, Reject> {
    let at = |link: usize, why: &'static str| Reject::Chain { link, why };
    if links.is_empty() || links.len() > LINKS_MAX {
        return Err(at(0, "a chain has one to eight links"));
    }
    let last = links.len() - 1;
    let mut parent = [0; 32];
    let mut stated = None;
    let mut seen = BTreeSet::new();
    let mut claims: Vec<Claims> = Vec::with_capacity(links.len());
    let mut grant = None;
    for (index, link) in links.iter().enumerate() {
        let statement = &link.statement;
        if statement.parent != parent {
            return Err(at(index, "it names another parent"));
        }
        if stated.is_some_and(|before| statement.timestamp <= before) {
            return Err(at(index, "it is not later than its parent"));
        }
        if statement.timestamp.get() > now.get().saturating_add(CLOCK_SKEW_SECONDS) {
            return Err(at(index, "it is from the future"));
        }
        parent = evidence_hash(&link.evidence.to_bytes());
        if !seen.insert(parent) {
            return Err(at(index, "it appears in the chain twice"));
        }
        if index == last && statement.nonce != *nonce {
            return Err(Reject::WrongChallenge);
        }
        stated = Some(statement.timestamp);
        let then = if index == last { now } else { statement.timestamp };
        let binding = statement.binding(link.evidence.technology());
        let verified = verify_under(trust_roots, &link.evidence, &link.collateral, &binding, then)?;
        grant = Some(policy.appraise(&verified, then)?);
        claims.push(verified);
    }
    let mut grant = grant.expect("there is a link");
    if claims.iter().any(|link| link.class() == Class::Simulated) {
        grant.class = Class::Simulated;
    }
    Ok(Chain { grant, claims })
}

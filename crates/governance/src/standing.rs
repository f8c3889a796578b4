//! How a vote would be decided if it closed now, and what is missing.

use types::{GovernanceParams, NanoMeshx, governance::Tally};

/// What a vote comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is carried out after its timelock.
    Passed,
    /// Too few said yes.
    Rejected,
    /// Too little stake voted.
    NoQuorum,
    /// Rejected, and the deposit is burned.
    Vetoed,
}

/// A count against its rules. All stake in nano-MESHX; parts of it are rounded so that reaching them decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Stake that voted, by any option.
    pub voted: NanoMeshx,
    /// The least that must vote.
    pub quorum: NanoMeshx,
    /// The least stake behind yes with which it passes, of all that said yes, no or veto so far.
    pub threshold: NanoMeshx,
    /// The least stake behind veto that burns the deposit, of all that voted so far.
    pub veto: NanoMeshx,
    /// What it comes to.
    pub verdict: Verdict,
}

/// Where a count stands, of `bonded` stake in all.
///
/// In this order: fewer votes than the quorum decide nothing; a veto of more than its part of all votes rejects; yes
/// must be more than the threshold's part of yes, no and veto.
#[must_use]
pub fn standing(
    tally: &Tally,
    bonded: NanoMeshx,
    emergency: bool,
    rules: &GovernanceParams,
) -> Standing {
    let [yes, no, abstain, veto] =
        [tally.yes, tally.no, tally.abstain, tally.veto].map(|votes| u128::from(votes.get()));
    let (voted, said) = (yes + no + abstain + veto, yes + no + veto);
    let share = if emergency { rules.emergency_threshold_bps } else { rules.threshold_bps };
    let part = |of: u128, bps: u16| of * u128::from(bps);
    // At least one nano must vote, and more than a part is at least one more than that part rounded down.
    let quorum = part(u128::from(bonded.get()), rules.quorum_bps).div_ceil(10_000).max(1);
    let more = |of: u128, bps: u16| part(of, bps) / 10_000 + 1;
    let (threshold, least_veto) = (more(said, share), more(voted, rules.veto_bps));
    let verdict = if voted < quorum {
        Verdict::NoQuorum
    } else if veto >= least_veto {
        Verdict::Vetoed
    } else if yes >= threshold {
        Verdict::Passed
    } else {
        Verdict::Rejected
    };
    let amount = |stake: u128| NanoMeshx::new(u64::try_from(stake).unwrap_or(u64::MAX));
    Standing {
        voted: amount(voted),
        quorum: amount(quorum),
        threshold: amount(threshold),
        veto: amount(least_veto),
        verdict,
    }
}

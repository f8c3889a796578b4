//! A proposal's life: made, voted on, decided, carried out.

use crate::{Refusal, registry};
use types::{
    Address, ChainId, GovernanceParams, Millis, NanoMeshx, ParamName, Params, SUPPLY_MAX, Text,
    governance::{
        LockedPool, Order, ParamChange, Proposal, ProposalId, ProposalKind, ProposalStatus, Tally,
    },
    state::{Destination, Transfer, pools},
};

/// Make a proposal and put its deposit down.
///
/// # Errors
/// What is wrong with its contents; nothing has moved then.
pub fn submit(
    id: ProposalId,
    proposer: Address,
    title: Text<120>,
    kind: ProposalKind,
    now: Millis,
    params: &Params,
) -> Result<(Proposal, Vec<Transfer>), Refusal> {
    if title.as_str().trim().is_empty() {
        return Err(Refusal::NoTitle);
    }
    check(&kind, params)?;
    let rules = &params.governance;
    let voting = if is_emergency(&kind) { rules.emergency_voting_ms } else { rules.voting_ms };
    let deposit = rules.deposit;
    let status = ProposalStatus::Voting { closes: now.saturating_add(voting) };
    let tally = Tally::default();
    let to = Destination::Account(pools::deposits());
    let transfers = vec![Transfer { from: proposer, to, amount: deposit }];
    Ok((Proposal { id, proposer, title, kind, deposit, submitted: now, status, tally }, transfers))
}

fn is_emergency(kind: &ProposalKind) -> bool {
    matches!(kind, ProposalKind::PauseIntake { .. })
}

/// Whether what is proposed could be carried out on chains with these parameters.
fn check(kind: &ProposalKind, params: &Params) -> Result<(), Refusal> {
    match kind {
        ProposalKind::ChangeParams { changes } => check_changes(changes.as_slice(), params),
        ProposalKind::Spend { to, amount, .. } => {
            if *amount == NanoMeshx::ZERO || *amount > SUPPLY_MAX {
                return Err(Refusal::Amount { amount: *amount });
            }
            if to.is_pool() { Err(Refusal::PoolAccount) } else { Ok(()) }
        }
        ProposalKind::ShardAdmission { chain, .. } => shard(*chain),
        ProposalKind::PauseIntake { chain, lasting } => {
            let max = params.governance.pause_max_ms;
            if *lasting == Millis::ZERO || *lasting > max {
                return Err(Refusal::PauseTooLong { asked: *lasting, max });
            }
            chain.map_or(Ok(()), shard)
        }
    }
}

fn shard(chain: ChainId) -> Result<(), Refusal> {
    if chain.is_shard() { Ok(()) } else { Err(Refusal::NotAShard) }
}

fn check_changes(changes: &[ParamChange], params: &Params) -> Result<(), Refusal> {
    if changes.is_empty() {
        return Err(Refusal::Empty);
    }
    for (place, change) in changes.iter().enumerate() {
        let same = |other: &ParamChange| {
            let overlap = other.chain.is_none() || change.chain.is_none();
            other.name == change.name && (overlap || other.chain == change.chain)
        };
        if changes[..place].iter().any(same) {
            return Err(Refusal::Duplicate(change.name));
        }
    }
    for chain in ChainId::ALL {
        registry::set(params, &of_chain(changes, chain))?;
    }
    Ok(())
}

fn of_chain(changes: &[ParamChange], chain: ChainId) -> Vec<(ParamName, u64)> {
    let here = changes.iter().filter(|change| change.chain.is_none_or(|of| of == chain));
    here.map(|change| (change.name, change.value)).collect()
}

/// Whether votes are taken at `now`.
///
/// # Errors
/// [`Refusal::VoteClosed`].
pub fn check_open(proposal: &Proposal, now: Millis) -> Result<(), Refusal> {
    match proposal.status {
        ProposalStatus::Voting { closes } if now < closes => Ok(()),
        _ => Err(Refusal::VoteClosed),
    }
}

/// Decide at the end of voting, of `bonded` stake in all. The deposit goes back, or is burned on a veto.
///
/// In this order: fewer votes than the quorum decide nothing; a veto of more than its part of all votes rejects; yes
/// must be more than the threshold's part of yes, no and veto. An emergency has no timelock.
///
/// # Errors
/// [`Refusal::StillOpen`]; [`Refusal::VoteClosed`] if it was decided before.
pub fn close(
    proposal: &mut Proposal,
    tally: Tally,
    bonded: NanoMeshx,
    now: Millis,
    rules: &GovernanceParams,
) -> Result<Vec<Transfer>, Refusal> {
    match proposal.status {
        ProposalStatus::Voting { closes } if now < closes => {
            return Err(Refusal::StillOpen { closes });
        }
        ProposalStatus::Voting { .. } => {}
        _ => return Err(Refusal::VoteClosed),
    }
    let emergency = is_emergency(&proposal.kind);
    let timelock = if emergency { Millis::ZERO } else { rules.timelock_ms };
    proposal.tally = tally;
    proposal.status = match verdict(&tally, bonded, emergency, rules) {
        Verdict::Passed => ProposalStatus::Queued { executes: now.saturating_add(timelock) },
        Verdict::Rejected => ProposalStatus::Rejected,
        Verdict::NoQuorum => ProposalStatus::NoQuorum,
        Verdict::Vetoed => ProposalStatus::Vetoed,
    };
    let to = match proposal.status {
        ProposalStatus::Vetoed => Destination::Burned,
        _ => Destination::Account(proposal.proposer),
    };
    Ok(vec![Transfer { from: pools::deposits(), to, amount: proposal.deposit }])
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Passed,
    Rejected,
    NoQuorum,
    Vetoed,
}

/// By products and not by quotients: nothing is rounded.
fn verdict(tally: &Tally, bonded: NanoMeshx, emergency: bool, rules: &GovernanceParams) -> Verdict {
    let [yes, no, abstain, veto] =
        [tally.yes, tally.no, tally.abstain, tally.veto].map(|votes| u128::from(votes.get()));
    let part = |of: u128, bps: u16| of * u128::from(bps);
    let (voted, said) = (yes + no + abstain + veto, yes + no + veto);
    let threshold = if emergency { rules.emergency_threshold_bps } else { rules.threshold_bps };
    let bonded = u128::from(bonded.get());
    if voted == 0 || voted * 10_000 < part(bonded, rules.quorum_bps) {
        Verdict::NoQuorum
    } else if veto * 10_000 > part(voted, rules.veto_bps) {
        Verdict::Vetoed
    } else if yes * 10_000 > part(said, threshold) {
        Verdict::Passed
    } else {
        Verdict::Rejected
    }
}

/// What carrying a proposal out asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// All chains are to know.
    Order(Order),
    Pay(Transfer),
}

/// Carry out what was decided. `held` is what the pool it spends from holds. When it cannot be carried out any more, it
/// fails for ever and asks for nothing.
///
/// # Errors
/// [`Refusal::Timelocked`]; [`Refusal::NotQueued`], also for a second time.
pub fn execute(
    proposal: &mut Proposal,
    held: NanoMeshx,
    now: Millis,
    params: &Params,
) -> Result<Option<Deed>, Refusal> {
    match proposal.status {
        ProposalStatus::Queued { executes } if now < executes => {
            return Err(Refusal::Timelocked { executes });
        }
        ProposalStatus::Queued { .. } => {}
        _ => return Err(Refusal::NotQueued),
    }
    let deed = check(&proposal.kind, params).ok().and_then(|()| deed(&proposal.kind, held, now));
    proposal.status = match deed {
        Some(_) => ProposalStatus::Executed { at: now },
        None => ProposalStatus::Failed,
    };
    Ok(deed)
}

fn deed(kind: &ProposalKind, held: NanoMeshx, now: Millis) -> Option<Deed> {
    match kind {
        ProposalKind::ChangeParams { changes } => {
            Some(Deed::Order(Order::SetParams { changes: changes.clone() }))
        }
        ProposalKind::ShardAdmission { chain, rule } => {
            Some(Deed::Order(Order::Admit { chain: *chain, rule: *rule }))
        }
        ProposalKind::PauseIntake { chain, lasting } => {
            let until = now.saturating_add(*lasting);
            Some(Deed::Order(Order::Pause { chain: *chain, until }))
        }
        ProposalKind::Spend { pool, to, amount } => (*amount <= held).then(|| {
            let (from, to) = (pool_address(*pool), Destination::Account(*to));
            Deed::Pay(Transfer { from, to, amount: *amount })
        }),
    }
}

/// Where a locked pool's money lies.
pub fn pool_address(pool: LockedPool) -> Address {
    match pool {
        LockedPool::Ecosystem => pools::ecosystem(),
        LockedPool::Treasury => pools::treasury(),
    }
}

/// The parameters of `chain` after an order of the backbone. One that does not fit any more changes nothing.
pub fn obey(params: &Params, chain: ChainId, order: &Order) -> Params {
    match order {
        Order::SetParams { changes } => {
            registry::set(params, &of_chain(changes.as_slice(), chain)).unwrap_or(*params)
        }
        Order::Admit { .. } | Order::Pause { .. } => *params,
    }
}

//! A proposal's life: made, voted on, decided, carried out.

use crate::{NotDue, Refusal, Verdict, registry, standing};
use types::{
    Address, ChainId, GovernanceParams, Millis, NanoMeshx, ParamName, Params, SUPPLY_MAX, Text,
    attest::Listed,
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

/// Whether it is decided sooner, by more, and carried out at once.
pub fn is_emergency(kind: &ProposalKind) -> bool {
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
        ProposalKind::List { entry, .. } => match entry {
            Listed::Measurement { measurement, .. } if measurement.as_slice().is_empty() => {
                Err(Refusal::Empty)
            }
            _ => Ok(()),
        },
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
    // What one shard costs beside the others cannot be said of all, nor of the backbone, which runs nothing.
    let place = |change: &ParamChange| {
        change.name != ParamName::Location || change.chain.is_some_and(ChainId::is_shard)
    };
    if !changes.iter().all(place) {
        return Err(Refusal::OfOneShard(ParamName::Location));
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
/// [`NotDue::StillOpen`]; [`NotDue::Decided`] if it was decided before.
pub fn close(
    proposal: &mut Proposal,
    tally: Tally,
    bonded: NanoMeshx,
    now: Millis,
    rules: &GovernanceParams,
) -> Result<Vec<Transfer>, NotDue> {
    match proposal.status {
        ProposalStatus::Voting { closes } if now < closes => {
            return Err(NotDue::StillOpen { closes });
        }
        ProposalStatus::Voting { .. } => {}
        _ => return Err(NotDue::Decided),
    }
    let emergency = is_emergency(&proposal.kind);
    let timelock = if emergency { Millis::ZERO } else { rules.timelock_ms };
    proposal.tally = tally;
    proposal.status = match standing(&tally, bonded, emergency, rules).verdict {
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

/// What carrying a proposal out asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// All chains are to know.
    Order(Order),
    /// Move money.
    Pay(Transfer),
}

/// Carry out what was decided. `held` is what the pool it spends from holds. When it cannot be carried out any more, it
/// fails for ever and asks for nothing.
///
/// # Errors
/// [`NotDue::Timelocked`]; [`NotDue::NotQueued`], also for a second time.
pub fn execute(
    proposal: &mut Proposal,
    held: NanoMeshx,
    now: Millis,
    params: &Params,
) -> Result<Option<Deed>, NotDue> {
    match proposal.status {
        ProposalStatus::Queued { executes } if now < executes => {
            return Err(NotDue::Timelocked { executes });
        }
        ProposalStatus::Queued { .. } => {}
        _ => return Err(NotDue::NotQueued),
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
        ProposalKind::List { entry, allowed } => {
            Some(Deed::Order(Order::List { entry: entry.clone(), allowed: *allowed }))
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
        Order::Admit { .. } | Order::Pause { .. } | Order::List { .. } => *params,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{List, PublicKey, governance::Admission};

    const NOW: Millis = Millis::new(1_000);

    fn who(n: u8) -> Address {
        Address::of(&PublicKey([n; 32]))
    }
    fn made(kind: ProposalKind) -> Result<Proposal, Refusal> {
        let title = Text::new("Something").expect("short");
        submit(1, who(1), title, kind, NOW, &Params::DEFAULT).map(|(proposal, _)| proposal)
    }
    fn spend(amount: u64) -> ProposalKind {
        let pool = LockedPool::Treasury;
        ProposalKind::Spend { pool, to: who(2), amount: NanoMeshx::new(amount) }
    }
    fn changes(changes: &[(Option<ChainId>, ParamName, u64)]) -> ProposalKind {
        let changes = changes.iter().map(|(chain, name, value)| ParamChange {
            chain: *chain,
            name: *name,
            value: *value,
        });
        ProposalKind::ChangeParams { changes: List::new(changes.collect()).expect("few") }
    }
    fn tally(yes: u64, no: u64, abstain: u64, veto: u64) -> Tally {
        let [yes, no, abstain, veto] = [yes, no, abstain, veto].map(NanoMeshx::new);
        Tally { yes, no, abstain, veto }
    }
    /// Closed with these votes of 1,000,000 stake.
    fn closed(kind: ProposalKind, tally: Tally) -> (Proposal, Vec<Transfer>) {
        let mut proposal = made(kind).unwrap();
        let rules = &Params::DEFAULT.governance;
        let end = NOW.saturating_add(rules.voting_ms);
        let transfers = close(&mut proposal, tally, NanoMeshx::new(1_000_000), end, rules).unwrap();
        (proposal, transfers)
    }

    #[test]
    fn contents_are_checked_before_anything_moves() {
        let code = |kind| made(kind).unwrap_err().code().as_str();
        let fee = ParamName::BaseFeeMin;
        let eu = Some(ChainId::Europe);
        assert_eq!(code(spend(0)), "bad_amount");
        assert_eq!(code(spend(u64::MAX)), "bad_amount");
        let pool = LockedPool::Ecosystem;
        let to = pools::treasury();
        assert_eq!(
            code(ProposalKind::Spend { pool, to, amount: NanoMeshx::new(1) }),
            "pool_account"
        );
        assert_eq!(code(changes(&[])), "empty_proposal");
        assert_eq!(code(changes(&[(None, fee, 7)])), "param_out_of_bounds");
        assert_eq!(code(changes(&[(None, fee, 9), (eu, fee, 10)])), "duplicate_param");
        assert_eq!(
            code(changes(&[(eu, fee, 1_000_000_001 - 1), (eu, ParamName::BaseFeeMax, 8)])),
            "params_inconsistent"
        );
        assert!(made(changes(&[(eu, fee, 9), (Some(ChainId::Asia), fee, 10)])).is_ok());
        let location = |chain| changes(&[(chain, ParamName::Location, 900_000)]);
        assert_eq!(code(location(None)), "of_one_shard");
        assert_eq!(code(location(Some(ChainId::Backbone))), "of_one_shard");
        assert!(made(location(eu)).is_ok());
        let pause = |chain, ms| ProposalKind::PauseIntake { chain, lasting: Millis::new(ms) };
        assert_eq!(code(pause(None, 0)), "pause_too_long");
        assert_eq!(code(pause(None, 86_400_001)), "pause_too_long");
        assert_eq!(code(pause(Some(ChainId::Backbone), 5)), "not_a_shard");
        let (chain, rule) = (ChainId::Backbone, Admission::Listed);
        assert_eq!(code(ProposalKind::ShardAdmission { chain, rule }), "not_a_shard");
        let title = Text::new("  ").expect("short");
        let untitled = submit(1, who(1), title, spend(1), NOW, &Params::DEFAULT);
        assert_eq!(untitled.unwrap_err().code(), "no_title");
    }

    #[test]
    fn each_verdict_begins_exactly_at_its_edge() {
        use ProposalStatus::{NoQuorum, Rejected, Vetoed};
        let status = |votes: Tally| closed(spend(5), votes).0.status;
        assert_eq!(status(tally(333_999, 0, 0, 0)), NoQuorum);
        assert!(matches!(status(tally(334_000, 0, 0, 0)), ProposalStatus::Queued { .. }));
        assert_eq!(status(tally(0, 0, 0, 0)), NoQuorum);
        assert_eq!(status(tally(200_000, 200_000, 0, 0)), Rejected);
        assert!(matches!(status(tally(200_001, 200_000, 0, 0)), ProposalStatus::Queued { .. }));
        // Abstaining counts for the quorum and for nothing else.
        assert!(matches!(status(tally(1, 0, 400_000, 0)), ProposalStatus::Queued { .. }));
        assert!(matches!(status(tally(666_000, 0, 0, 334_000)), ProposalStatus::Queued { .. }));
        assert_eq!(status(tally(665_999, 0, 0, 334_001)), Vetoed);
        // The largest there can be does not overflow.
        assert_eq!(status(tally(0, u64::MAX, 0, 0)), Rejected);
    }

    #[test]
    fn the_deposit_goes_back_unless_it_is_vetoed() {
        let to = |votes| closed(spend(5), votes).1[0].to;
        assert_eq!(to(tally(0, 0, 0, 0)), Destination::Account(who(1)));
        assert_eq!(to(tally(0, 900_000, 0, 0)), Destination::Account(who(1)));
        assert_eq!(to(tally(0, 0, 0, 900_000)), Destination::Burned);
    }

    #[test]
    fn an_emergency_needs_two_thirds_and_waits_for_nothing() {
        let pause = || ProposalKind::PauseIntake { chain: None, lasting: Millis::new(5) };
        assert_eq!(
            closed(pause(), tally(600_000, 400_000, 0, 0)).0.status,
            ProposalStatus::Rejected
        );
        let (mut proposal, _) = closed(pause(), tally(700_000, 300_000, 0, 0));
        let ProposalStatus::Queued { executes } = proposal.status else { panic!("{proposal:?}") };
        let deed = execute(&mut proposal, NanoMeshx::ZERO, executes, &Params::DEFAULT).unwrap();
        let until = executes.saturating_add(Millis::new(5));
        assert_eq!(deed, Some(Deed::Order(Order::Pause { chain: None, until })));
    }

    #[test]
    fn nothing_happens_early_twice_or_beyond_what_there_is() {
        let params = Params::DEFAULT;
        let mut open = made(spend(5)).unwrap();
        let rules = &params.governance;
        let early = close(&mut open, tally(1, 0, 0, 0), NanoMeshx::ZERO, NOW, rules);
        assert!(matches!(early, Err(NotDue::StillOpen { .. })));
        let not_decided = execute(&mut open, NanoMeshx::ZERO, NOW, &params);
        assert_eq!(not_decided, Err(NotDue::NotQueued));

        let (mut passed, _) = closed(spend(5), tally(900_000, 0, 0, 0));
        let ProposalStatus::Queued { executes } = passed.status else { panic!("{passed:?}") };
        assert_eq!(check_open(&passed, NOW).unwrap_err().code(), "vote_closed");
        let again = close(&mut passed, tally(0, 0, 0, 0), NanoMeshx::ZERO, executes, rules);
        assert_eq!(again, Err(NotDue::Decided));
        let early = executes.saturating_sub(Millis::new(1));
        let held = NanoMeshx::new(5);
        assert_eq!(
            execute(&mut passed, held, early, &params),
            Err(NotDue::Timelocked { executes })
        );
        let mut poor = passed.clone();
        assert_eq!(execute(&mut poor, NanoMeshx::new(4), executes, &params), Ok(None));
        assert_eq!(poor.status, ProposalStatus::Failed);
        assert!(matches!(execute(&mut passed, held, executes, &params), Ok(Some(Deed::Pay(_)))));
        assert_eq!(execute(&mut passed, held, executes, &params), Err(NotDue::NotQueued));
    }

    #[test]
    fn an_order_reaches_the_chains_it_names() {
        let ProposalKind::ChangeParams { changes } =
            changes(&[(Some(ChainId::Europe), ParamName::Location, 900_000)])
        else {
            panic!("changes")
        };
        let order = Order::SetParams { changes };
        let location = |chain| obey(&Params::DEFAULT, chain, &order).location.get();
        assert_eq!((location(ChainId::Europe), location(ChainId::Asia)), (900_000, 1_000_000));
    }
}

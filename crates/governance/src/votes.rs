//! Votes, in shares: a coin counts once, wherever it goes while votes are taken.
//!
//! Stake behind a validator is counted in its shares. An account votes with the shares it has there; all shares
//! that nobody voted with follow the validator's operator, if it voted. So no loop over delegators is needed, and
//!
//! ```text
//! shares of a validator = Σ ballots by option + those that follow the operator
//! ```
//!
//! holds as long as no ballot is of more shares than its voter has. **The caller sees to that**: whenever a
//! delegation loses shares (stake leaves, moves or is slashed away), it calls [`shrink`] for each open proposal.
//! Stake that moves to another validator takes its vote off the first and follows the second, or votes there again;
//! a slash of all shares changes their worth and no ballot.

use crate::Refusal;
use types::{
    NanoMeshx,
    governance::{Ballot, Cast, Tally, ValidatorVotes, VoteOption},
    staking::ValidatorRecord,
};

fn line(cast: &mut Cast, option: VoteOption) -> &mut u128 {
    match option {
        VoteOption::Yes => &mut cast.yes,
        VoteOption::No => &mut cast.no,
        VoteOption::Abstain => &mut cast.abstain,
        VoteOption::Veto => &mut cast.veto,
    }
}

fn amount(tally: &mut Tally, option: VoteOption) -> &mut NanoMeshx {
    match option {
        VoteOption::Yes => &mut tally.yes,
        VoteOption::No => &mut tally.no,
        VoteOption::Abstain => &mut tally.abstain,
        VoteOption::Veto => &mut tally.veto,
    }
}

const OPTIONS: [VoteOption; 4] =
    [VoteOption::Yes, VoteOption::No, VoteOption::Abstain, VoteOption::Veto];

fn remove(votes: &mut ValidatorVotes, ballot: Ballot) {
    let line = line(&mut votes.cast, ballot.option);
    *line = line.checked_sub(ballot.shares).expect("a ballot was counted when it was cast");
}

/// Vote with `shares`; a vote before this one is taken back. `is_operator`: also for all who do not vote themselves.
///
/// # Errors
/// [`Refusal::NoStake`].
pub fn cast(
    votes: &mut ValidatorVotes,
    before: Option<Ballot>,
    shares: u128,
    option: VoteOption,
    is_operator: bool,
) -> Result<Ballot, Refusal> {
    if shares == 0 {
        return Err(Refusal::NoStake);
    }
    if let Some(before) = before {
        remove(votes, before);
    }
    *line(&mut votes.cast, option) += shares;
    if is_operator {
        votes.operator = Some(option);
    }
    Ok(Ballot { option, shares })
}

/// The voter has `shares` left: its ballot is of no more. `None`: of nothing; then an operator does not speak for
/// those behind it any more either.
pub fn shrink(
    votes: &mut ValidatorVotes,
    ballot: Ballot,
    shares: u128,
    is_operator: bool,
) -> Option<Ballot> {
    if shares >= ballot.shares {
        return Some(ballot);
    }
    remove(votes, ballot);
    if shares == 0 {
        if is_operator {
            votes.operator = None;
        }
        return None;
    }
    *line(&mut votes.cast, ballot.option) += shares;
    Some(Ballot { shares, ..ballot })
}

/// What the votes behind one validator are worth, each option rounded down.
pub fn count(votes: &ValidatorVotes, validator: &ValidatorRecord) -> Tally {
    let mut cast = votes.cast;
    let voted = [cast.yes, cast.no, cast.abstain, cast.veto].into_iter().sum::<u128>();
    let rest =
        validator.shares.checked_sub(voted).expect("no ballot is of more than its voter has");
    if let Some(option) = votes.operator {
        *line(&mut cast, option) += rest;
    }
    // Shares of a validator fit in 64 bits (staking's bound) as its tokens do, so no product overflows.
    let (tokens, shares) = (u128::from(validator.tokens.get()), validator.shares);
    let mut tally = Tally::default();
    for option in OPTIONS {
        let part = line(&mut cast, option).checked_mul(tokens);
        let part = part.and_then(|part| part.checked_div(shares)).unwrap_or(0);
        let part = u64::try_from(part).expect("a part of the tokens");
        *amount(&mut tally, option) = NanoMeshx::new(part);
    }
    tally
}

/// All validators' votes together.
pub fn sum(tallies: impl IntoIterator<Item = Tally>) -> Tally {
    tallies.into_iter().fold(Tally::default(), |mut all, mut one| {
        for option in OPTIONS {
            let more = *amount(&mut one, option);
            let line = amount(&mut all, option);
            *line = line.checked_add(more).expect("all stake is at most the supply");
        }
        all
    })
}

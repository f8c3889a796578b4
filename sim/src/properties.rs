//! What must hold, as functions of what was observed.
//!
//! Nothing here waits, reads or decides what to observe: [`crate::facts`] asks, at every height of every
//! correct validator, and writes down the answers.

use crate::books::Books;
use commonware_consensus::types::Round;
use std::collections::BTreeSet;
use types::{
    Address, Header, JobId, NanoMeshx,
    state::{Account, JobRecord, Phase, Supply, pools},
};

/// The name of a thing that must hold; a failing seed prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Property {
    /// All correct validators have the same block at a height, for ever.
    OneChain,
    /// They have the same state after it, byte for byte.
    SameState,
    /// What all accounts hold is what genesis gave, less what was burned.
    Supply,
    /// The escrow pool holds exactly what open jobs promised.
    Escrow,
    /// Every account holds what transactions and settlements gave it: nobody is paid twice or not at all.
    PaidOnce,
    /// A job ends once, and by its deadline.
    EndsOnce,
    /// What several workers agree on is what honest ones found: liars do not collude here.
    TrueResult,
    /// A transaction is in one block.
    IncludedOnce,
    /// A sender's nonces go up by one.
    Nonces,
    /// A correct validator signs at most one proposal a view, and does not finalize what it gave up.
    OneVote,
    /// Workers are drawn with the randomness of rounds that were final before.
    FinalBeacon,
    /// A block's certificate convinces a light client.
    Certificate,
    /// An equivocation proof convinces anybody, and names none but traitors.
    Equivocation,
    /// Correct validators do not block each other.
    Heard,
    /// After healing the chain grows, answers what it acknowledged, and ends every job.
    Liveness,
    /// Nothing panics.
    NoPanic,
}

/// A property that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{property:?}: {detail}")]
pub struct Violation {
    /// Which property.
    pub property: Property,
    /// How it was broken: what was observed, and what should have been.
    pub detail: String,
}

/// Whether a property holds; if not, how it is broken.
pub type Verdict = Result<(), String>;

fn ensure(holds: bool, detail: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(detail()) }
}

/// [`Property::OneChain`]: two final blocks of one height are the same block.
pub fn one_chain(known: &Header, header: &Header) -> Verdict {
    ensure(known.id() == header.id(), || {
        format!("two final blocks at height {}: {} and {}", header.height, known.id(), header.id())
    })
}

/// [`Property::Supply`] over all accounts of a state.
pub fn supply<'a>(supply: &Supply, accounts: impl Iterator<Item = &'a Account>) -> Verdict {
    let held: u128 = accounts.map(|account| u128::from(account.balance.get())).sum();
    let expected = supply.circulating();
    ensure(held == expected, || {
        format!("accounts hold {held} nano, genesis and minted less burned is {expected}")
    })
}

/// [`Property::Escrow`], for what the escrow pool holds.
pub fn escrow(books: &Books, held: NanoMeshx) -> Verdict {
    let promised = books.promised();
    ensure(u128::from(held.get()) == promised, || {
        format!("the escrow holds {held}, open jobs promised {promised} nano")
    })
}

/// [`Property::PaidOnce`] for one account. The escrow pool has a property of its own.
pub fn paid_once(books: &Books, address: &Address, account: &Account) -> Verdict {
    if *address == pools::escrow() {
        return Ok(());
    }
    let expected = books.balance(address);
    ensure(books.may_hold(address, account.balance), || {
        format!(
            "{address} holds {} nano, the blocks gave it {expected} less fees",
            account.balance.get()
        )
    })
}

/// `known` is how the job ended when that was first seen.
pub fn ends_once(id: &JobId, record: &JobRecord, known: Option<&Phase>, height: u64) -> Verdict {
    let over = matches!(record.phase, Phase::Settled(_) | Phase::Ended { .. });
    let deadline = record.submission.deadline.get();
    if let Some(known) = known {
        return ensure(record.phase == *known, || format!("job {id} ended twice"));
    }
    ensure(over || height < deadline, || {
        format!("job {id} is still open at height {height}, its deadline was {deadline}")
    })
}

/// [`Property::Nonces`], for a transaction of `sender` whose next nonce is `next`.
pub fn nonces(next: u64, sender: &Address, nonce: u64, height: u64) -> Verdict {
    ensure(nonce == next, || {
        format!("block {height} has nonce {nonce} of {sender}, whose next is {next}")
    })
}

/// `finalizers` had voted to finalize the beacon's round when the block that uses it was built.
pub fn final_beacon(round: Round, finalizers: &BTreeSet<usize>, quorum: usize) -> Verdict {
    ensure(finalizers.len() >= quorum, || {
        format!(
            "a block was built with the beacon of round {round} when {} of the {quorum} votes that make it final were cast",
            finalizers.len()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use commonware_consensus::types::{Epoch as EngineTerm, View};

    #[test]
    fn money_out_of_nothing_is_seen() {
        let of = |nano| Account { balance: NanoMeshx::new(nano), nonce: 0 };
        let nano = NanoMeshx::new;
        let total = Supply { genesis: nano(9), minted: nano(1), burned: nano(3) };
        assert_eq!(supply(&total, [of(4), of(3)].iter()), Ok(()));
        assert!(supply(&total, [of(4), of(4)].iter()).is_err());
    }

    #[test]
    fn a_beacon_needs_a_quorum_of_final_votes() {
        let round = Round::new(EngineTerm::new(1), View::new(7));
        assert!(final_beacon(round, &BTreeSet::from([0, 1]), 3).is_err());
        assert_eq!(final_beacon(round, &BTreeSet::from([0, 1, 3]), 3), Ok(()));
    }
}

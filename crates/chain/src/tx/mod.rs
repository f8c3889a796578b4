//! Transactions: one file each. A new one is a file, its `mod` and its line in the table below.

mod attest;
mod cancel_job;
mod certify;
mod claim_vested;
mod commit;
mod handler;
mod heartbeat;
mod import_decree;
mod import_seats;
mod propose;
mod publish_module;
mod register_worker;
mod report;
mod reveal;
mod stake;
mod submit_job;
mod ticket;
mod transfer;
mod vote;

use self::handler::{
    Address, BlockContext, CheckedTx, Fee, Handler, Key, Refusal, Scratch, Stop, cost,
};
use crate::{earned, gas, spent};
use types::{
    Action, NanoMeshx, Nonce,
    state::{Destination, Event, Market, Transfer},
};

/// Each line names a variant of [`Action`], with its fields, and the file whose handler has the same name and fields.
macro_rules! handlers {
    ($($file:ident :: $variant:ident $fields:tt,)*) => {
        /// The records a transaction certainly reads.
        pub(crate) fn static_keys(tx: &CheckedTx, keys: &mut Vec<Key>) {
            let from = tx.from();
            keys.push(Key::Account(from));
            if tx.tx().nonce.number().is_none() {
                keys.push(Key::Spent(from));
            }
            match &tx.tx().action {
                $(Action::$variant $fields => keys.extend($file::$variant $fields.keys(from)),)*
            }
        }

        /// Whether it pays nothing: it is a drawn worker's, or the protocol's own.
        pub(crate) fn is_free(tx: &CheckedTx) -> bool {
            /// A value's handler is made only to name its type.
            fn fee<H: Handler>(_: &H) -> Fee {
                H::FEE
            }
            let fee = match &tx.tx().action {
                $(Action::$variant $fields => fee(&$file::$variant $fields),)*
            };
            fee == Fee::Free
        }

        /// Apply one transaction.
        pub(crate) fn apply(
            pad: &mut Scratch<'_>,
            tx: &CheckedTx,
            at: &BlockContext,
        ) -> Result<(), Stop> {
            match &tx.tx().action {
                $(Action::$variant $fields => run(&$file::$variant $fields, pad, tx, at),)*
            }
        }
    };
}

handlers! {
    transfer::Transfer { to, amount },
    register_worker::RegisterWorker { capacity, city, floor },
    submit_job::SubmitJob(submission),
    commit::Commit { job, commitment },
    reveal::Reveal(reveal),
    cancel_job::CancelJob { job },
    publish_module::PublishModule { module, royalty_bps },
    heartbeat::Heartbeat {},
    stake::Stake(order),
    report::Report(proof),
    propose::Propose { title, kind },
    vote::Vote { proposal, option },
    import_decree::ImportDecree(import),
    attest::Attest(attestation),
    claim_vested::ClaimVested { amount },
    ticket::Ticket(ticket),
    certify::Certify(certificate),
    import_seats::ImportSeats(import),
}

/// The order decides which of several refusals is told: nonce, a fee at all, home, action, the whole fee.
fn run<H: Handler>(
    handler: &H,
    pad: &mut Scratch<'_>,
    tx: &CheckedTx,
    at: &BlockContext,
) -> Result<(), Stop> {
    // Its signature was checked before the block ran, by every validator once.
    let bytes = u64::try_from(tx.bytes()).expect("a transaction fits into memory");
    pad.gas().charge(cost::SIGNATURE + cost::BYTE * bytes + handler.gas());
    let from = tx.from();
    // First, because a proposer keeps a transaction whose nonce is early, and drops one that is refused for another
    // reason.
    match tx.tx().nonce {
        Nonce::Strict { number } => {
            let mut account = pad.account(from)?;
            ledger::spend_nonce(&mut account, from, number)?;
            pad.put(Key::Account(from), &account);
        }
        Nonce::Until(once) => spent::spend(pad, from, once, at)?,
    }
    // A pool takes it from there.
    debug_assert_eq!(
        H::FEE == Fee::Free,
        tx.duty().is_some(),
        "what settles is free, nothing else"
    );
    let market: Market = pad.expect(Key::Market)?;
    if H::FEE == Fee::Gas {
        let (base_fee, fee_max) = (market.base_fee, tx.tx().fee_max);
        if base_fee > fee_max {
            return Err(Refusal::FeeAboveMax { base_fee, fee_max }.into());
        }
        // A sender that cannot pay for a signature gets no more work done.
        let (needed, available) = (base_fee, pad.account(from)?.balance);
        if available < needed {
            return Err(
                ledger::Refusal::InsufficientFunds { account: from, available, needed }.into()
            );
        }
    }
    H::HOME.check(at.chain)?;
    handler.apply(pad, tx, at)?;
    if H::FEE == Fee::Gas {
        charge(pad, tx, market.base_fee, at)?;
    }
    pad.emit(Event::Included { tx: tx.id(), sender: from });
    Ok(())
}

/// Burn the fee for the gas that was used, and hand the tip to the proposer.
fn charge(
    pad: &mut Scratch<'_>,
    tx: &CheckedTx,
    base_fee: NanoMeshx,
    at: &BlockContext,
) -> Result<(), Stop> {
    let (from, tip) = (tx.from(), tx.tx().tip);
    // What paying takes is part of what is paid for, so it has a price that does not depend on the amount.
    pad.gas().charge(cost::FEE);
    let used = pad.gas().used();
    let amount = gas::fee(base_fee, used);
    let mut transfers = vec![Transfer { from, to: Destination::Burned, amount }];
    if tip > NanoMeshx::ZERO {
        let proposer = Address::of(&at.leader);
        earned::count(pad, proposer, tip, |earned| &mut earned.tips)?;
        transfers.push(Transfer { from, to: Destination::Account(proposer), amount: tip });
    }
    pad.transfer(&transfers)?;
    pad.gas().set(used);
    Ok(())
}

//! Transactions: one file each. Here: what all of them share.

mod attest;
mod cancel_job;
mod certify;
mod claim_vested;
mod commit;
mod govern;
mod heartbeat;
mod publish_module;
mod register_worker;
mod report;
mod reveal;
mod seat;
mod stake;
mod submit_job;
mod ticket;
mod transfer;

use crate::{
    Refusal,
    apply::BlockContext,
    earned,
    scratch::{Scratch, Stop},
};
use crypto::Signed;
use std::sync::Arc;
use types::{
    Action, Address, ChainId, Hash, NanoMeshx, SignedForm, Tx, TxId,
    state::{Destination, Event, Key, Market, Transfer},
};

/// A transaction for this network and chain whose signature is its sender's. Cloning shares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedTx(Arc<Checked>);

#[derive(Debug, PartialEq, Eq)]
struct Checked {
    tx: Tx,
    id: TxId,
    from: Address,
    bytes: usize,
}

impl CheckedTx {
    /// The transaction.
    pub fn tx(&self) -> &Tx {
        &self.0.tx
    }
    /// Its name.
    pub fn id(&self) -> TxId {
        self.0.id
    }
    /// Who pays, and whose nonce counts.
    pub fn from(&self) -> Address {
        self.0.from
    }
    /// Its length on the wire.
    pub fn bytes(&self) -> usize {
        self.0.bytes
    }
}

/// Check a transaction's chain and signature.
///
/// # Errors
/// [`Refusal::WrongChain`] or [`Refusal::BadSignature`].
pub fn check_tx(tx: Tx, network: &Hash, chain: ChainId) -> Result<CheckedTx, Refusal> {
    check_txs(vec![tx], network, chain).pop().expect("one verdict for one transaction")
}

/// [`check_tx`] for many at once, each with the verdict it would get alone. Signatures are checked
/// together, which costs a third of checking them one by one.
pub fn check_txs(txs: Vec<Tx>, network: &Hash, chain: ChainId) -> Vec<Result<CheckedTx, Refusal>> {
    let forms: Vec<SignedForm> = txs.iter().map(|tx| tx.signed_form(network)).collect();
    let here: Vec<Signed<'_>> = txs
        .iter()
        .zip(&forms)
        .filter(|(tx, _)| tx.chain == chain)
        .map(|(tx, form)| Signed {
            public: &tx.sender.0,
            domain: Tx::DOMAIN,
            message: form.signing_bytes(),
            signature: &tx.signature.0,
        })
        .collect();
    let mut verdicts = crypto::verify_batch(&here).into_iter();
    txs.into_iter()
        .zip(&forms)
        .map(|(tx, form)| {
            if tx.chain != chain {
                return Err(Refusal::WrongChain { got: tx.chain, here: chain });
            }
            let verdict = verdicts.next().expect("one verdict for each of this chain");
            verdict.map_err(|_| Refusal::BadSignature)?;
            let (id, from, bytes) = (form.id(), tx.from(), form.bytes());
            Ok(CheckedTx(Arc::new(Checked { tx, id, from, bytes })))
        })
        .collect()
}

/// The records a transaction certainly reads.
pub(crate) fn static_keys(tx: &Tx, keys: &mut Vec<Key>) {
    keys.push(Key::Account(tx.from()));
    match &tx.action {
        Action::Transfer { to, .. } => keys.push(Key::Account(*to)),
        Action::RegisterWorker { .. } => keys.push(Key::Worker(tx.from())),
        Action::SubmitJob(submission) => {
            keys.push(Key::Cached(types::state::cache_key(&submission.spec)));
            keys.push(Key::Due(submission.deadline));
        }
        Action::Commit { job, .. } | Action::CancelJob { job } => keys.push(Key::Job(*job)),
        Action::Reveal(reveal) => keys.push(Key::Job(reveal.job)),
        Action::PublishModule { module, .. } => keys.push(Key::Module(*module)),
        Action::Heartbeat => keys.push(Key::Worker(tx.from())),
        Action::Report(evidence) => keys.push(Key::ValidatorKey(evidence.key)),
        Action::Propose { .. } => keys.extend([Key::ProposalCount, Key::OpenProposals]),
        Action::Vote { proposal, .. } => keys.push(Key::Proposal(*proposal)),
        Action::Relay(_) => keys.push(Key::Decrees),
        Action::Attest(attestation) => {
            keys.extend([Key::Challenges, Key::Attested(tx.from())]);
            keys.extend(attestation.parent.map(Key::Attested));
        }
        Action::ClaimVested { .. } => keys.push(Key::Vesting(tx.from())),
        Action::Ticket(ticket) => keys.extend([
            Key::Draw,
            Key::Ticket(ticket.operator),
            Key::Validator(ticket.operator),
            Key::Vrf(ticket.operator),
            Key::Attested(ticket.operator),
        ]),
        Action::Seat(relayed) => keys.push(Key::Seats(relayed.proved.record.chain)),
        Action::Certify(certificate) => {
            keys.extend([Key::Period, Key::Witnesses, Key::ValidatorKey(certificate.claim.prover)])
        }
        // What an order needs is found out while it runs: orders are rare.
        Action::Stake(_) => {}
    }
}

/// Apply one transaction: nonce, fee, action.
pub(crate) fn apply(
    pad: &mut Scratch<'_>,
    tx: &CheckedTx,
    context: &BlockContext,
) -> Result<(), Stop> {
    let from = tx.from();
    let mut account = pad.account(from)?;
    ledger::spend_nonce(&mut account, from, tx.tx().nonce)?;
    pad.put(Key::Account(from), &account);
    match &tx.tx().action {
        Action::Transfer { to, amount } => {
            charge(pad, tx, context)?;
            transfer::apply(pad, from, *to, *amount)?;
        }
        Action::RegisterWorker { capacity, city, floor } => {
            charge(pad, tx, context)?;
            register_worker::apply(pad, from, *capacity, city, *floor, context)?;
        }
        Action::SubmitJob(submission) => {
            charge(pad, tx, context)?;
            submit_job::apply(pad, from, tx.id(), submission, context)?;
        }
        Action::CancelJob { job } => {
            charge(pad, tx, context)?;
            cancel_job::apply(pad, from, job, context)?;
        }
        Action::PublishModule { module, royalty_bps } => {
            charge(pad, tx, context)?;
            publish_module::apply(pad, from, *module, *royalty_bps, context)?;
        }
        Action::Stake(order) => {
            charge(pad, tx, context)?;
            stake::apply(pad, from, order, context)?;
        }
        Action::Report(evidence) => {
            charge(pad, tx, context)?;
            report::apply(pad, evidence, context)?;
        }
        Action::Propose { title, kind } => {
            charge(pad, tx, context)?;
            govern::propose(pad, from, title, kind, context)?;
        }
        Action::Vote { proposal, option } => {
            charge(pad, tx, context)?;
            govern::vote(pad, from, *proposal, *option, context)?;
        }
        Action::Relay(relayed) => govern::relay(pad, relayed, context)?,
        // Free: one for each validator and epoch.
        Action::Ticket(ticket) => ticket::apply(pad, ticket, context)?,
        // Free: each number is told once.
        Action::Seat(relayed) => seat::apply(pad, relayed, context)?,
        Action::Certify(certificate) => {
            charge(pad, tx, context)?;
            certify::apply(pad, from, certificate, context)?;
        }
        Action::Attest(attestation) => {
            charge(pad, tx, context)?;
            attest::apply(pad, (from, tx.tx().sender), attestation, context)?;
        }
        Action::ClaimVested { amount } => {
            charge(pad, tx, context)?;
            claim_vested::apply(pad, from, *amount, context)?;
        }
        Action::Heartbeat => {
            charge(pad, tx, context)?;
            heartbeat::apply(pad, from, context)?;
        }
        // Free: a seat speaks twice at most, and the job's payer has paid for it.
        Action::Commit { job, commitment } => commit::apply(pad, from, job, *commitment, context)?,
        Action::Reveal(reveal) => reveal::apply(pad, from, reveal, context)?,
    }
    pad.emit(Event::Included { tx: tx.id(), sender: from });
    Ok(())
}

/// Burn the base fee and hand the tip to the proposer.
fn charge(pad: &mut Scratch<'_>, tx: &CheckedTx, context: &BlockContext) -> Result<(), Stop> {
    let market: Market = pad.expect(Key::Market)?;
    let (from, tip) = (tx.from(), tx.tx().tip);
    let mut transfers = vec![Transfer { from, to: Destination::Burned, amount: market.base_fee }];
    if tip > NanoMeshx::ZERO {
        let proposer = Address::of(&context.leader);
        earned::count(pad, proposer, tip, |earned| &mut earned.tips)?;
        transfers.push(Transfer { from, to: Destination::Account(proposer), amount: tip });
    }
    pad.transfer(&transfers)
}

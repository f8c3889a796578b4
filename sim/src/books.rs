//! Bookkeeping beside the chain: what every account must hold, worked out from the blocks and from how
//! jobs ended, without asking the state.
//!
//! It shares `ledger::split` and `jobs::pay` with the product, which have proofs of their own; how
//! often they are applied, and to whom, is decided here independently.

use std::collections::BTreeMap;
use types::{
    Action, Address, Block, JobId, NanoMeshx, Submission,
    network::Genesis,
    state::{JobRecord, Params, Phase, Settlement, pools},
};

#[derive(Clone, Debug)]
pub struct Books {
    params: Params,
    /// May be negative: then the state cannot be right.
    balances: BTreeMap<Address, i128>,
    /// Jobs that have not ended, with who pays how much.
    open: BTreeMap<JobId, (Address, NanoMeshx)>,
}

impl Books {
    pub fn new(genesis: &Genesis) -> Self {
        let mut books =
            Self { params: genesis.params, balances: BTreeMap::new(), open: BTreeMap::new() };
        for account in genesis.accounts.iter() {
            books.add(account.address, account.balance);
        }
        books
    }

    pub fn balance(&self, address: &Address) -> i128 {
        self.balances.get(address).copied().unwrap_or(0)
    }

    /// What the escrow pool owes to open jobs.
    pub fn promised(&self) -> u128 {
        self.open.values().map(|(_, price)| u128::from(price.get())).sum()
    }

    fn add(&mut self, to: Address, amount: NanoMeshx) {
        *self.balances.entry(to).or_default() += i128::from(amount.get());
    }

    fn take(&mut self, from: Address, amount: NanoMeshx) {
        *self.balances.entry(from).or_default() -= i128::from(amount.get());
    }

    /// Enter a final block's transactions.
    pub fn block(&mut self, block: &Block) {
        for tx in block.body.txs.iter() {
            let from = tx.from();
            if !matches!(tx.action, Action::Commit { .. } | Action::Reveal(_)) {
                // Blocks of a simulation are far from half full, so the fee rests at its least.
                self.take(from, self.params.base_fee.min);
                self.take(from, tx.tip);
                self.add(Address::of(&block.header.leader), tx.tip);
            }
            match &tx.action {
                Action::Transfer { to, amount } => {
                    self.take(from, *amount);
                    self.add(*to, *amount);
                }
                Action::SubmitJob(submission) => {
                    self.take(from, submission.price_max);
                    self.open.insert(tx.id(), (from, submission.price_max));
                }
                Action::RegisterWorker { .. }
                | Action::Commit { .. }
                | Action::Reveal(_)
                | Action::CancelJob { .. } => {}
                other => panic!("no traffic of ours does this: {other:?}"),
            }
        }
    }

    /// Enter how a job ended, once.
    pub fn ending(&mut self, id: &JobId, record: &JobRecord) {
        let paid = match &record.phase {
            Phase::Settled(settlement) => self.pay_workers(record, settlement),
            Phase::Ended { .. } => 0,
            Phase::Queued { .. } | Phase::Committing { .. } | Phase::Revealing { .. } => return,
        };
        if let Some((payer, price)) = self.open.remove(id) {
            self.add(payer, NanoMeshx::new(price.get().saturating_sub(paid)));
        }
    }

    /// Pay each worker that agreed; what all of them cost.
    fn pay_workers(&mut self, record: &JobRecord, settlement: &Settlement) -> u64 {
        if settlement.cached_from.is_some() {
            return 0;
        }
        let Submission { spec, agreement, price_max, .. } = &record.submission;
        let used = jobs::usage(spec, &settlement.outcome, &self.params).expect("small jobs");
        let cap = jobs::cap(*price_max, agreement);
        let mut paid = 0;
        for assignment in
            settlement.assignments.iter().filter(|s| s.outcome == Some(settlement.outcome))
        {
            let each = jobs::pay(&used, record.demand, &assignment.terms, cap, &self.params);
            let each = each.expect("no worker here has a floor");
            let split = ledger::split(each, 0, &self.params);
            self.add(assignment.worker, split.worker);
            self.add(pools::validators(), split.validators);
            self.add(pools::treasury(), split.treasury);
            paid += each.get();
        }
        paid
    }
}

//! Bookkeeping beside the chain: what every account must hold, worked out from the blocks and from how
//! jobs ended, without asking the state.
//!
//! It shares `ledger::split` and `jobs::pay` with the product, which have proofs of their own; how
//! often they are applied, and to whom, is decided here independently.

use std::collections::BTreeMap;
use types::{
    Action, Address, Block, JobId, NanoMeshx, Outcome, Submission,
    network::Genesis,
    state::{Assignment, Assignments, JobRecord, Params, Phase, Settlement, pools},
};

#[derive(Clone, Debug)]
pub struct Books {
    params: Params,
    /// May be negative: then the state cannot be right.
    balances: BTreeMap<Address, i128>,
    /// Transactions of each account that pay a fee. Only the chain counts gas, so the books know that each has paid one base
    /// fee, and that whatever more it paid is some of them.
    paying: BTreeMap<Address, u64>,
    /// Jobs that have not ended, with who pays how much.
    open: BTreeMap<JobId, (Address, NanoMeshx)>,
}

impl Books {
    pub fn new(genesis: &Genesis) -> Self {
        let mut books = Self {
            params: genesis.params,
            balances: BTreeMap::new(),
            paying: BTreeMap::new(),
            open: BTreeMap::new(),
        };
        for worker in genesis.workers.iter() {
            let bond = genesis.params.bond(worker.capacity).expect("a bond of genesis is one");
            books.add(pools::places(), bond);
        }
        for account in genesis.accounts.iter() {
            books.add(account.address, account.balance);
        }
        books
    }

    /// Whether `address` may hold `held`: what the books say, less some base fees for what its transactions did beyond the
    /// first 100,000 gas, and for draws that found too few workers.
    pub fn may_hold(&self, address: &Address, held: NanoMeshx) -> bool {
        /// Most base fees of one transaction here, with all draws for its job.
        const FEES_MAX: i128 = 60;
        let fee = i128::from(self.params.base_fee.min.get());
        let less = self.balance(address) - i128::from(held.get());
        let most = fee * FEES_MAX * i128::from(self.paying.get(address).copied().unwrap_or(0));
        less % fee == 0 && (0..=most).contains(&less)
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
                *self.paying.entry(from).or_default() += 1;
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
            Phase::Ended { assignments, .. } => self.pay_shown(record, assignments),
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
        let agreed =
            settlement.assignments.iter().filter(|s| s.outcome == Some(settlement.outcome));
        agreed.map(|assignment| self.pay(record, assignment, &settlement.outcome, 1)).sum()
    }

    /// Pay those that revealed something although the job did not settle: in full if most of them, two at least, said the
    /// same; else half of what the least of their answers is worth.
    fn pay_shown(&mut self, record: &JobRecord, assignments: &Assignments) -> u64 {
        let shown: Vec<(&Assignment, Outcome)> =
            assignments.iter().filter_map(|one| Some((one, one.outcome?))).collect();
        let same = |outcome: &Outcome| shown.iter().filter(|(_, other)| other == outcome).count();
        let most = shown.iter().map(|(_, outcome)| outcome).max_by_key(|outcome| same(outcome));
        let believed = most.copied().filter(|most| same(most) >= 2 && same(most) * 2 > shown.len());
        // Nobody here is hindered, so the least fuel is the least work.
        let work = |outcome: &Outcome| {
            (outcome.fuel, outcome.memory_bytes, outcome.stdout.len, outcome.stderr.len)
        };
        let least = shown.iter().map(|(_, outcome)| *outcome).min_by_key(work);
        let mut paid = 0;
        for (assignment, outcome) in shown {
            paid += match (believed, least) {
                (Some(believed), _) if outcome == believed => {
                    self.pay(record, assignment, &believed, 1)
                }
                (None, Some(least)) => self.pay(record, assignment, &least, 2),
                _ => 0,
            };
        }
        paid
    }

    /// Pay one worker what `outcome` is worth, divided by `parts`, and the pools their shares. What it cost the payer.
    fn pay(&mut self, record: &JobRecord, to: &Assignment, outcome: &Outcome, parts: u64) -> u64 {
        let Submission { spec, agreement, price_max, .. } = &record.submission;
        let used = jobs::usage(spec, outcome, &self.params).expect("small jobs");
        let cap = jobs::cap(*price_max, agreement);
        let each = jobs::pay(&used, record.demand, &to.terms, cap, &self.params);
        let each = NanoMeshx::new(each.expect("no worker here has a floor").get() / parts);
        let split = ledger::split(each, 0, &self.params);
        self.add(to.worker, split.worker);
        self.add(pools::validators(), split.validators);
        self.add(pools::treasury(), split.treasury);
        each.get()
    }
}

//! The naive implementation: loops over every delegator, exact rationals, slashes on the spot.
//!
//! It learns from the rules only whether an operation was accepted, and says by itself what then must be so.

use crate::world::{Operation, World, who};
use num_bigint::BigInt;
use num_rational::BigRational;
use staking::{Moment, Portion};
use std::collections::BTreeMap;
use types::{
    staking::{Fault, Standing},
    state::pools,
};

type Q = BigRational;

#[derive(Default)]
struct Holder {
    shares: BigInt,
    /// Exact rewards not yet paid.
    owed: Q,
    /// The exact stake, were there no rounding.
    stake: Q,
    /// How often it was closed: each time it loses what is below a nano.
    closed: u32,
}

struct Validator {
    tokens: BigInt,
    holders: BTreeMap<u8, Holder>,
    commission: BigInt,
    bps: (u16, u16, u64),
    /// Rewards given, and anything that may round a stake.
    periods: u32,
    roundings: u32,
    punished: Vec<(Fault, u64)>,
}

struct Leaving {
    d: u8,
    v: u8,
    amount: BigInt,
    created: u64,
    matures: u64,
    /// How many faults of `v` were known when it left.
    faults: usize,
}

/// Stake that moved, and the slashes of where it came from that it has not paid for.
struct Moved {
    d: u8,
    from: u8,
    v: u8,
    shares: BigInt,
    created: u64,
    matures: u64,
    debts: Vec<u16>,
}

#[derive(Default)]
pub struct Model {
    validators: BTreeMap<u8, Validator>,
    leaving: Vec<Leaving>,
    moved: Vec<Moved>,
    /// Most a delegation's rewards were off the exact value, in nano per period.
    pub off: Q,
}

fn q(n: impl Into<BigInt>) -> Q {
    Q::from_integer(n.into())
}
fn floor(x: Q) -> BigInt {
    x.floor().to_integer()
}
fn ceil(x: Q) -> BigInt {
    x.ceil().to_integer()
}
fn part(bps: u16) -> Q {
    Q::new(bps.into(), 10_000.into())
}

impl Validator {
    fn shares(&self) -> BigInt {
        self.holders.values().map(|h| &h.shares).sum()
    }
    fn worth(&self, shares: &BigInt) -> BigInt {
        let all = self.shares();
        if all == 0.into() { all } else { floor(Q::new(shares * &self.tokens, all)) }
    }
    fn add(&mut self, d: u8, amount: &BigInt) -> BigInt {
        let all = self.shares();
        let minted = if all == 0.into() {
            amount.clone()
        } else {
            floor(Q::new(amount * all, self.tokens.clone()))
        };
        let holder = self.holders.entry(d).or_default();
        holder.shares += &minted;
        holder.stake += q(amount.clone());
        self.tokens += amount;
        self.roundings += 1;
        minted
    }
    fn take(&mut self, d: u8, shares: &BigInt, amount: &BigInt, stake: &Q) {
        let holder = self.holders.get_mut(&d).unwrap();
        holder.shares -= shares;
        holder.stake -= stake;
        self.tokens -= amount;
        self.roundings += 1;
        if holder.shares == 0.into() {
            holder.stake = q(0);
            holder.closed += 1;
        }
    }
}

impl Model {
    /// Do `operation`, which `world` has just accepted at `before`'s time. `paid` is what the sender received.
    pub fn apply(&mut self, operation: Operation, world: &World, before: &World) {
        let now = before.now;
        let (height, at) = (now.height.get(), now.at.get());
        let params = before.params;
        let received =
            |n: u8| BigInt::from(world.balance(who(n))) - BigInt::from(before.balance(who(n)));
        match operation {
            Operation::Bond { v, amount, bps } => {
                assert!(!self.validators.contains_key(&v) && amount >= params.validator_min.get());
                let mut validator = Validator {
                    tokens: 0.into(),
                    holders: BTreeMap::new(),
                    commission: 0.into(),
                    bps: (bps, bps, 0),
                    periods: 0,
                    roundings: 0,
                    punished: vec![],
                };
                validator.add(v, &amount.into());
                self.validators.insert(v, validator);
            }
            Operation::Delegate { d, v, amount } => {
                self.pay_debts(d, v, at);
                self.validators.get_mut(&v).unwrap().add(d, &amount.into());
            }
            Operation::Undelegate { d, v, portion } => {
                self.undelegate(d, v, portion, now, params.unbonding_ms.get());
            }
            Operation::Redelegate { d, v, to, portion } => {
                self.redelegate((d, v, to), portion, now, params.unbonding_ms.get());
            }
            Operation::Withdraw { d, v } => {
                let mut sum = BigInt::from(0);
                self.leaving.retain(|l| {
                    let through = (l.d, l.v) == (d, v) && l.matures <= at;
                    if through {
                        sum += &l.amount;
                    }
                    !through
                });
                assert_eq!(received(d), sum);
            }
            Operation::Claim { d, v } => {
                self.pay_debts(d, v, at);
                let paid = received(d);
                assert!(paid > 0.into());
                let holder = self.validators.get_mut(&v).unwrap().holders.get_mut(&d).unwrap();
                holder.owed -= q(paid);
            }
            Operation::ClaimCommission { v, by } => {
                assert_eq!(v, by);
                let owed = std::mem::take(&mut self.validators.get_mut(&v).unwrap().commission);
                assert!(owed > 0.into() && received(v) == owed);
            }
            Operation::SetCommission { v, by, bps } => {
                assert!(v == by && bps <= params.commission_max_bps);
                let old = &mut self.validators.get_mut(&v).unwrap().bps;
                let current = if at >= old.2 { old.1 } else { old.0 };
                *old = (current, bps, at + params.unbonding_ms.get());
            }
            Operation::Reward { v, amount } => self.reward(v, amount, at),
            Operation::Slash { v, fault, height: of } => {
                let since = world.times[of as usize].get();
                assert!(of <= height && since + params.unbonding_ms.get() > at);
                let lost = self.slash(v, fault, of, at, params.slash_bps);
                assert_eq!(BigInt::from(world.burned - before.burned), lost);
            }
            Operation::Settle { d, v } => self.pay_debts(d, v, at),
            Operation::Unjail { .. } | Operation::Advance { .. } => {}
        }
    }

    fn undelegate(&mut self, d: u8, v: u8, portion: Portion, now: Moment, unbonding: u64) {
        let (height, at) = (now.height.get(), now.at.get());
        self.pay_debts(d, v, at);
        let amount = self.leave(d, v, portion);
        let matures = at + unbonding;
        let faults = self.validators[&v].punished.len();
        let same = |l: &&mut Leaving| (l.created, l.faults) == (height, faults);
        // One block's parts are rounded as one.
        match self.leaving.iter_mut().rev().find(|l| (l.d, l.v) == (d, v)).filter(same) {
            Some(last) => last.amount += amount,
            None => self.leaving.push(Leaving { d, v, amount, created: height, matures, faults }),
        }
    }

    fn redelegate(
        &mut self,
        (d, v, to): (u8, u8, u8),
        portion: Portion,
        now: Moment,
        unbonding: u64,
    ) {
        let (height, at) = (now.height.get(), now.at.get());
        assert_ne!(v, to);
        self.pay_debts(d, v, at);
        self.pay_debts(d, to, at);
        let amount = self.leave(d, v, portion);
        let shares = self.validators.get_mut(&to).unwrap().add(d, &amount);
        let matures = at + unbonding;
        let created = height;
        self.moved.push(Moved { d, from: v, v: to, shares, created, matures, debts: vec![] });
    }

    fn reward(&mut self, v: u8, amount: u64, at: u64) {
        let validator = self.validators.get_mut(&v).unwrap();
        let (old, new, from) = validator.bps;
        let bps = if at >= from { new } else { old };
        let kept = floor(q(amount) * part(bps));
        let all = validator.shares();
        for holder in validator.holders.values_mut() {
            holder.owed +=
                q(BigInt::from(amount) - &kept) * Q::new(holder.shares.clone(), all.clone());
        }
        validator.commission += kept;
        validator.periods += 1;
    }

    /// What `v` and those who were with it at height `of` lose. Returns what is burnt at once.
    fn slash(&mut self, v: u8, fault: Fault, of: u64, at: u64, bps: u16) -> BigInt {
        let validator = self.validators.get_mut(&v).unwrap();
        assert!(!validator.punished.contains(&(fault, of)), "nobody is punished twice");
        validator.punished.push((fault, of));
        let lost = ceil(q(validator.tokens.clone()) * part(bps));
        assert!(lost <= validator.tokens);
        validator.tokens -= &lost;
        validator.roundings += 1;
        for holder in validator.holders.values_mut() {
            holder.stake *= q(1) - part(bps);
        }
        for l in self.leaving.iter_mut().filter(|l| l.v == v && of <= l.created) {
            assert!(at < l.matures, "stake that is through owes nothing");
            let lost = ceil(q(l.amount.clone()) * part(bps));
            l.amount -= lost;
        }
        for m in self.moved.iter_mut().filter(|m| m.from == v && of <= m.created) {
            m.debts.push(bps);
        }
        lost
    }

    fn pay_debts(&mut self, d: u8, v: u8, at: u64) {
        let validator = self.validators.get_mut(&v).unwrap();
        for m in self.moved.iter_mut().filter(|m| (m.d, m.v) == (d, v)) {
            let mut lost = BigInt::from(0);
            for bps in m.debts.drain(..) {
                let debt = ceil(q(m.shares.clone()) * part(bps));
                m.shares -= &debt;
                lost += debt;
            }
            if lost > 0.into() {
                let holder = &validator.holders[&d];
                assert!(lost <= holder.shares);
                let stake = &holder.stake * Q::new(lost.clone(), holder.shares.clone());
                let amount = validator.worth(&lost);
                validator.take(d, &lost, &amount, &stake);
            }
        }
        self.moved.retain(|m| (m.d, m.v) != (d, v) || (at < m.matures && m.shares > 0.into()));
    }

    fn leave(&mut self, d: u8, v: u8, portion: Portion) -> BigInt {
        let validator = self.validators.get_mut(&v).unwrap();
        let held = validator.holders[&d].shares.clone();
        let worth = validator.worth(&held);
        let (shares, amount, stake) = match portion {
            Portion::Amount(a) if BigInt::from(a.get()) < worth => {
                let amount = BigInt::from(a.get());
                let shares = ceil(Q::new(&amount * validator.shares(), validator.tokens.clone()));
                (shares, amount.clone(), q(amount))
            }
            _ => (held.clone(), worth, validator.holders[&d].stake.clone()),
        };
        validator.take(d, &shares, &amount, &stake);
        let locked: BigInt =
            self.moved.iter().filter(|m| (m.d, m.v) == (d, v)).map(|m| &m.shares).sum();
        assert!(held - shares >= locked, "stake that came stays");
        amount
    }

    /// Everything that must hold between `world` and the model, and within `world`.
    pub fn check(&mut self, world: &World) {
        let (mut bonded, mut rewards) = (BigInt::from(0), BigInt::from(0));
        for (v, real) in &world.validators {
            let model = &self.validators[v];
            assert_eq!(BigInt::from(real.tokens.get()), model.tokens);
            assert_eq!(BigInt::from(real.shares), model.shares());
            assert_eq!(BigInt::from(real.commission_owed.get()), model.commission);
            let own = world.delegations.get(&(*v, *v)).map_or(0, |d| d.shares);
            assert_eq!(real.shares_own, own);
            bonded += real.tokens.get();
            rewards +=
                (BigInt::from(real.commission_owed.get()) << 64) + real.remainder + real.dust;
            let tombstone = model.punished.iter().any(|(f, _)| *f == Fault::DoubleSigning)
                || model.punished.len() == 8;
            assert_eq!(real.standing == Standing::Tombstoned, tombstone);
            for (d, holder) in &model.holders {
                let Some(record) = world.delegations.get(&(*d, *v)) else {
                    assert!(holder.shares == 0.into());
                    continue;
                };
                assert_eq!(BigInt::from(record.shares), holder.shares);
                let arrived: u128 = record.arrivals.iter().map(|a| a.shares).sum();
                assert!(arrived <= record.shares);
                let worth = world.position(*d, *v).unwrap().worth().get();
                let drift = q(worth) - &holder.stake;
                let slack = q(2 * model.roundings + 1);
                assert!(-&slack <= drift && drift <= slack, "stake is off by {drift}");
            }
        }
        for ((d, v), record) in &world.delegations {
            let earned = if record.shares == 0 {
                BigInt::from(0)
            } else {
                (world.validators[v].rewards_per_share - record.paid_up_to)
                    * BigInt::from(record.shares)
            };
            let due: BigInt =
                (BigInt::from(record.owed.get()) << 64) + record.owed_fraction + earned;
            let model = &self.validators[v];
            let holder = model.holders.get(d);
            let exact = holder.map_or(q(0), |holder| holder.owed.clone());
            let most = model.periods + holder.map_or(0, |holder| holder.closed);
            let off = Q::new(due.clone(), BigInt::from(1) << 64) - exact;
            let off = if off < q(0) { -off } else { off };
            assert!(off <= q(most), "rewards are off by {off}");
            if most > 0 {
                self.off = std::mem::take(&mut self.off).max(off / q(most));
            }
            rewards += due;
        }
        assert_eq!(BigInt::from(world.balance(pools::bonded())), bonded);
        assert_eq!(BigInt::from(world.balance(pools::rewards())) << 64, rewards);
        let unbonding: u64 =
            world.unbondings.values().flat_map(|r| r.entries.iter()).map(|e| e.amount.get()).sum();
        assert_eq!(world.balance(pools::unbonding()), unbonding);
    }

    /// After everybody has settled, what is on its way out is what slashing on the spot gives.
    pub fn check_unbonding(&self, world: &World) {
        for ((d, v), record) in &world.unbondings {
            let real: u64 = record.entries.iter().map(|e| e.amount.get()).sum();
            let mine = self.leaving.iter().filter(|l| (l.d, l.v) == (*d, *v)).map(|l| &l.amount);
            assert_eq!(BigInt::from(real), mine.sum::<BigInt>());
        }
    }
}

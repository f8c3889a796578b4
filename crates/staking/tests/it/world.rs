//! A chain reduced to staking: records by key, balances, and a clock. It carries out what the rules return.

use staking::{
    Candidate, Moment, Offence, Portion, Position, Refusal, Sources, bond, claim, claim_commission,
    delegate, distribute, redelegate, set_commission, settle, slash, undelegate, unjail, withdraw,
};
use std::collections::BTreeMap;
use types::{
    Address, Height, Millis, NanoMeshx, PublicKey,
    staking::{DelegationRecord, Fault, SlashLog, StakingParams, UnbondingRecord, ValidatorRecord},
    state::{Destination, Transfer, pools},
};

pub const FAUCET: u8 = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Bond { v: u8, amount: u64, bps: u16 },
    Delegate { d: u8, v: u8, amount: u64 },
    Undelegate { d: u8, v: u8, portion: Portion },
    Redelegate { d: u8, v: u8, to: u8, portion: Portion },
    Withdraw { d: u8, v: u8 },
    Claim { d: u8, v: u8 },
    ClaimCommission { v: u8, by: u8 },
    SetCommission { v: u8, by: u8, bps: u16 },
    Reward { v: u8, amount: u64 },
    Slash { v: u8, fault: Fault, height: u64 },
    Unjail { v: u8, by: u8 },
    Settle { d: u8, v: u8 },
    Advance { ms: u64 },
}

#[derive(Clone, Debug, PartialEq)]
pub struct World {
    pub params: StakingParams,
    pub now: Moment,
    /// The timestamp of each height.
    pub times: Vec<Millis>,
    pub balances: BTreeMap<Address, u64>,
    pub burned: u64,
    pub validators: BTreeMap<u8, ValidatorRecord>,
    pub delegations: BTreeMap<(u8, u8), DelegationRecord>,
    pub unbondings: BTreeMap<(u8, u8), UnbondingRecord>,
}

pub fn key(n: u8) -> PublicKey {
    PublicKey([n; 32])
}
pub fn who(n: u8) -> Address {
    Address::of(&key(n))
}
pub fn nano(n: u64) -> NanoMeshx {
    NanoMeshx::new(n)
}

impl World {
    pub fn new(params: StakingParams, accounts: u8, each: u64) -> Self {
        let mut balances: BTreeMap<_, _> = (0..accounts).map(|n| (who(n), each)).collect();
        balances.insert(who(FAUCET), each);
        let now = Moment { height: Height::ZERO, at: Millis::new(1_000) };
        Self {
            params,
            now,
            times: vec![now.at],
            balances,
            burned: 0,
            validators: BTreeMap::new(),
            delegations: BTreeMap::new(),
            unbondings: BTreeMap::new(),
        }
    }

    pub fn total(&self) -> u128 {
        self.balances.values().map(|b| u128::from(*b)).sum::<u128>() + u128::from(self.burned)
    }
    pub fn balance(&self, of: Address) -> u64 {
        self.balances.get(&of).copied().unwrap_or(0)
    }

    /// The position of `d` at `v`; `None` if `v` is no validator.
    pub fn position(&self, d: u8, v: u8) -> Option<Position> {
        let validator = self.validators.get(&v)?.clone();
        let delegation = self.delegations.get(&(d, v)).cloned().unwrap_or_default();
        let log = |from: &Address| -> SlashLog {
            self.validators.values().find(|v| v.operator == *from).unwrap().slashes.clone()
        };
        let sources: Sources = delegation.arrivals.iter().map(|a| (a.from, log(&a.from))).collect();
        Some(Position { delegator: who(d), validator, delegation, sources })
    }
    pub fn unbonding(&self, d: u8, v: u8) -> UnbondingRecord {
        self.unbondings.get(&(d, v)).cloned().unwrap_or_default()
    }

    fn store(&mut self, d: u8, v: u8, position: Position) {
        self.validators.insert(v, position.validator);
        if position.delegation == DelegationRecord::default() {
            self.delegations.remove(&(d, v));
        } else {
            self.delegations.insert((d, v), position.delegation);
        }
    }

    /// Carry out one operation. `None`: it names what does not exist, or its sender cannot pay. A refusal must leave what it
    /// was given unchanged, and nothing is stored then.
    pub fn apply(&mut self, operation: Operation) -> Option<Result<Vec<Transfer>, Refusal>> {
        let before = self.clone();
        let (params, now) = (self.params, self.now);
        let result = match operation {
            Operation::Bond { v, amount, bps } => {
                let candidate = Candidate { operator: who(v), key: key(v), commission_bps: bps };
                bond(candidate, nano(amount), self.validators.get(&v), None, &params).map(
                    |(position, transfers)| {
                        self.store(v, v, position);
                        transfers
                    },
                )
            }
            Operation::Delegate { d, v, amount } => {
                self.at(d, v, |p| delegate(p, nano(amount), &params, now))?
            }
            Operation::Undelegate { d, v, portion } => {
                let mut record = self.unbonding(d, v);
                let untouched = record.clone();
                let result =
                    self.at(d, v, |p| undelegate(p, &mut record, portion, &params, now))?;
                assert!(result.is_ok() || record == untouched);
                self.unbondings.insert((d, v), record);
                result
            }
            Operation::Redelegate { d, v, to, portion } => {
                let (mut from, mut dest) = (self.position(d, v)?, self.position(d, to)?);
                let untouched = (from.clone(), dest.clone());
                let result = redelegate(&mut from, &mut dest, portion, &params, now);
                if result.is_ok() {
                    self.store(d, v, from);
                    self.store(d, to, dest);
                } else {
                    assert_eq!((from, dest), untouched);
                }
                result
            }
            Operation::Withdraw { d, v } => {
                let mut record = self.unbonding(d, v);
                let result = withdraw(&mut record, self.validators.get(&v)?, who(d), now);
                assert!(result.is_ok() || record == self.unbonding(d, v));
                self.unbondings.insert((d, v), record);
                result
            }
            Operation::Claim { d, v } => self.at(d, v, |p| claim(p, now))?,
            Operation::ClaimCommission { v, by } => {
                claim_commission(self.validators.get_mut(&v)?, who(by))
            }
            Operation::SetCommission { v, by, bps } => {
                set_commission(self.validators.get_mut(&v)?, who(by), bps, &params, now)
                    .map(|()| vec![])
            }
            Operation::Reward { v, amount } => {
                distribute(self.validators.get_mut(&v)?, nano(amount), who(FAUCET), now)
            }
            Operation::Slash { v, fault, height } => {
                let at = self.times.get(height as usize).copied().unwrap_or(now.at);
                let offence = Offence { fault, height: Height::new(height), at };
                slash(self.validators.get_mut(&v)?, offence, &params, now)
            }
            Operation::Unjail { v, by } => {
                unjail(self.validators.get_mut(&v)?, who(by), &params, now).map(|()| vec![])
            }
            Operation::Settle { d, v } => {
                let mut record = self.unbonding(d, v);
                let result = self.at(d, v, |p| settle(p, &mut record, now))?;
                self.unbondings.insert((d, v), record);
                result
            }
            Operation::Advance { ms } => {
                let at = now.at.saturating_add(Millis::new(ms));
                self.now = Moment { height: now.height.next(), at };
                self.times.push(at);
                Ok(vec![])
            }
        };
        match &result {
            Ok(transfers) => {
                if !self.post(transfers) {
                    *self = before;
                    return None;
                }
            }
            Err(_) => {
                self.unbondings.retain(|key, _| before.unbondings.contains_key(key));
                assert_eq!(*self, before, "a refusal changes nothing");
            }
        }
        Some(result)
    }

    fn at(
        &mut self,
        d: u8,
        v: u8,
        rule: impl FnOnce(&mut Position) -> Result<Vec<Transfer>, Refusal>,
    ) -> Option<Result<Vec<Transfer>, Refusal>> {
        let mut position = self.position(d, v)?;
        let untouched = position.clone();
        let result = rule(&mut position);
        if result.is_ok() {
            self.store(d, v, position);
        } else {
            assert_eq!(position, untouched, "a refusal changes nothing");
        }
        Some(result)
    }

    /// Only accounts of people may lack what is asked of them; a pool that does is a broken rule.
    fn post(&mut self, transfers: &[Transfer]) -> bool {
        for Transfer { from, to, amount } in transfers {
            assert_ne!(*amount, NanoMeshx::ZERO);
            let from_pool = [pools::bonded(), pools::unbonding(), pools::rewards()].contains(from);
            let balance = self.balances.entry(*from).or_default();
            let Some(left) = balance.checked_sub(amount.get()) else {
                assert!(!from_pool, "{from} cannot pay {amount}");
                return false;
            };
            *balance = left;
            match to {
                Destination::Account(to) => *self.balances.entry(*to).or_default() += amount.get(),
                Destination::Burned => self.burned += amount.get(),
            }
        }
        true
    }
}

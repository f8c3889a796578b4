//! Counting: every nano, share and vote of the backbone, from its records alone.

use super::world::{MINTED, MINTING, PEOPLE, World};
use std::collections::BTreeMap;
use types::{
    Address, NanoMeshx,
    codec::DecodeExt,
    governance::{Ballot, Proposal, ProposalStatus, Tally, ValidatorVotes},
    staking::{DelegationRecord, UnbondingRecord, ValidatorRecord},
    state::{Account, BallotKey, Key, OpenProposals, Stake, Supply, VotesKey, pools},
};

impl World {
    pub fn count_money(&self) {
        let supply: Supply = self.get(Key::Supply).unwrap();
        let mut held = 0_u128;
        let (mut tokens, mut leaving) = (0_u128, 0_u128);
        // In 2^-64 nano, less what shares have earned since a delegation was last looked at.
        let mut rewards = 0_u128;
        let mut shares: BTreeMap<Address, u128> = BTreeMap::new();
        for (key, bytes) in &self.store.0 {
            let bytes = bytes.clone();
            match key {
                Key::Account(_) => {
                    held += u128::from(Account::decode(bytes).unwrap().balance.get())
                }
                Key::Validator(_) => {
                    let record = ValidatorRecord::decode(bytes).unwrap();
                    tokens += u128::from(record.tokens.get());
                    rewards += record.remainder
                        + record.dust
                        + (u128::from(record.commission_owed.get()) << 64);
                }
                Key::Delegation(stake) => {
                    let record = DelegationRecord::decode(bytes).unwrap();
                    let validator: ValidatorRecord =
                        self.get(Key::Validator(stake.validator)).unwrap();
                    let since = validator.rewards_per_share - record.paid_up_to;
                    rewards += record.shares * since
                        + u128::from(record.owed_fraction)
                        + (u128::from(record.owed.get()) << 64);
                    *shares.entry(stake.validator).or_default() += record.shares;
                }
                Key::Unbonding(_) => {
                    let record = UnbondingRecord::decode(bytes).unwrap();
                    let sum: u64 = record.entries.iter().map(|entry| entry.amount.get()).sum();
                    leaving += u128::from(sum);
                }
                _ => {}
            }
        }
        let [genesis, minted, burned] =
            [supply.genesis, supply.minted, supply.burned].map(|part| u128::from(part.get()));
        assert_eq!(genesis + minted, held + burned, "genesis + minted - burned = all balances");
        let due = u128::from(MINTED) * u128::from(self.height.min(MINTING)) / u128::from(MINTING);
        assert_eq!(minted, due, "the schedule is followed");
        assert_eq!(u128::from(self.balance(pools::bonded())), tokens, "bonded = all tokens");
        assert_eq!(
            u128::from(self.balance(pools::unbonding())),
            leaving,
            "unbonding = all leaving"
        );
        assert_eq!(u128::from(self.balance(pools::rewards())) << 64, rewards, "rewards = all owed");
        let open: OpenProposals = self.get(Key::OpenProposals).unwrap_or_default();
        let deposits = open.iter().map(|id| self.get::<Proposal>(Key::Proposal(*id)).unwrap());
        let deposits = deposits.filter(|p| matches!(p.status, ProposalStatus::Voting { .. }));
        let deposits: u64 = deposits.map(|proposal| proposal.deposit.get()).sum();
        assert_eq!(self.balance(pools::deposits()), deposits, "deposits = those of open proposals");
        for (validator, shares) in shares {
            let record: ValidatorRecord = self.get(Key::Validator(validator)).unwrap();
            assert_eq!(record.shares, shares, "a validator's shares are its delegations'");
        }
    }

    /// The votes on `id` counted anew, delegation by delegation: voters by their own ballots, everybody else with
    /// its validator's operator. Each rounded down.
    pub fn recount(&self, id: u64) -> [u64; 4] {
        let mut sums = [0_u64; 4];
        for (key, bytes) in &self.store.0 {
            let Key::Delegation(stake) = key else { continue };
            let delegation = DelegationRecord::decode(bytes.clone()).unwrap();
            if delegation.shares == 0 {
                continue;
            }
            let Stake { delegator, validator } = *stake;
            let said = |voter| {
                let key = BallotKey { proposal: id, voter, validator };
                self.get::<Ballot>(Key::Ballot(key))
            };
            let record: ValidatorRecord = self.get(Key::Validator(validator)).unwrap();
            let worth = |shares: u128| {
                u64::try_from(shares * u128::from(record.tokens.get()) / record.shares).unwrap()
            };
            let own = said(delegator);
            let with = own.map_or(0, |ballot| ballot.shares);
            assert!(with <= delegation.shares, "a ballot of more than its voter has");
            if let Some(ballot) = own {
                sums[ballot.option as usize] += worth(with);
            }
            let votes = VotesKey { proposal: id, validator };
            let votes: ValidatorVotes = self.get(Key::ValidatorVotes(votes)).unwrap_or_default();
            if let Some(option) = votes.operator {
                sums[option as usize] += worth(delegation.shares - with);
            }
        }
        sums
    }

    /// Proposals that the next block decides, with what a recount says.
    pub fn closing(&self) -> Vec<(u64, [u64; 4])> {
        let open: OpenProposals = self.get(Key::OpenProposals).unwrap_or_default();
        let mut closing = vec![];
        for id in open.iter() {
            let proposal: Proposal = self.get(Key::Proposal(*id)).unwrap();
            if let ProposalStatus::Voting { closes } = proposal.status
                && closes.get() <= self.height * 500
            {
                let counted = self.recount(*id);
                // Counted before the block: what its orders take out is not missing yet.
                let bonded = self.balance(pools::bonded());
                assert!(counted.iter().sum::<u64>() <= bonded, "no coin counts twice");
                closing.push((*id, counted));
            }
        }
        closing
    }

    pub fn check_closed(&self, closing: Vec<(u64, [u64; 4])>) {
        let delegations = u64::from(PEOPLE) * u64::from(PEOPLE);
        for (id, counted) in closing {
            let Tally { yes, no, abstain, veto } =
                self.get::<Proposal>(Key::Proposal(id)).unwrap().tally;
            let found = [yes, no, abstain, veto].map(NanoMeshx::get);
            // Each delegation's part is rounded down here, each validator's there: less than one nano per delegation.
            let near = found.iter().zip(&counted).all(|(found, counted)| {
                found.checked_sub(*counted).is_some_and(|more| more < delegations)
            });
            assert!(near, "proposal {id}: the chain counts {found:?}, a recount {counted:?}");
        }
    }
}

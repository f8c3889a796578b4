//! The backbone's money under random orders: whatever is bonded, moved, claimed, slashed or minted, every nano is
//! accounted for after every block.
//!
//! `MESHX_ECONOMY_SEED=7` and `MESHX_ECONOMY_CASES=100000` look elsewhere and longer.

use chain::{
    Applied, BlockContext, CheckedTx, Mode, Store, TX_DOMAIN, apply_block, check_tx, local_params,
};
use crypto::SigningKey;
use futures::executor::block_on;
use std::collections::BTreeMap;
use types::{
    Action, Address, ChainId, DoubleSigning, EmissionStep, Epoch, GovernanceParams, Hash, Height,
    List, Millis, NanoMeshx, ParamName, Params, PublicKey, Schedule, Signature, SignedVote, Text,
    Tx, Vesting, VoteKind,
    codec::{Bytes, DecodeExt, Read},
    governance::{
        Ballot, Decree, LockedPool, Order, ParamChange, Proposal, ProposalKind, ProposalStatus,
        Tally, ValidatorVotes, VoteOption,
    },
    network::{Genesis, GenesisAccount, GenesisStake, GenesisVesting},
    staking::{
        BOND_DOMAIN, DelegationRecord, StakeOrder, StakingParams, Standing, UnbondingRecord,
        ValidatorRecord, bond_message,
    },
    state::{
        Account, BallotKey, CommitteeRecord, Key, OpenProposals, Stake, Supply, VotesKey, pools,
    },
};

const MESHX: u64 = 1_000_000_000;
const NETWORK: Hash = Hash([42; 32]);
const PEOPLE: u8 = 6;
/// Blocks between two boundaries.
const EPOCH: u64 = 4;
/// What the whole emission mints, in this many blocks.
const MINTED: u64 = 1_000_003;
const MINTING: u64 = 90;

#[derive(Default)]
struct Memory(BTreeMap<Key, Vec<u8>>);

impl Store for Memory {
    async fn get_many(&self, keys: &[Key]) -> Vec<Option<Vec<u8>>> {
        keys.iter().map(|key| self.0.get(key).cloned()).collect()
    }
}

/// xorshift64*: the whole case follows from its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % below
    }
    fn amount(&mut self) -> NanoMeshx {
        NanoMeshx::new(match self.below(8) {
            0 => 0,
            1 => 1,
            2 => u64::MAX,
            3 => self.below(u64::MAX),
            _ => self.below(20_000),
        })
    }
}

fn spend(n: u8) -> SigningKey {
    SigningKey::from_seed(&[n; 32])
}
/// What person `n` votes with, as a validator.
fn voting(n: u8) -> SigningKey {
    SigningKey::from_seed(&[100 + n; 32])
}
fn who(n: u8) -> Address {
    Address::of(&PublicKey(spend(n).public()))
}

struct World {
    store: Memory,
    genesis: Genesis,
    height: u64,
    included: u64,
    refused: BTreeMap<&'static str, u64>,
}

impl World {
    /// Persons 0 and 1 are validators from the start; 5's money vests.
    fn new() -> Self {
        let nano = NanoMeshx::new;
        let params = Params {
            epoch_blocks: EPOCH,
            staking: StakingParams {
                validator_min: nano(1_000),
                delegator_min: nano(100),
                unbonding_ms: Millis::new(4_000),
                jail_ms: Millis::new(2_000),
                ..StakingParams::DEFAULT
            },
            governance: GovernanceParams {
                deposit: nano(50_000),
                voting_ms: Millis::new(3_000),
                emergency_voting_ms: Millis::new(1_000),
                timelock_ms: Millis::new(1_000),
                quorum_bps: 500,
                ..GovernanceParams::DEFAULT
            },
            ..local_params(Hash([1; 32]), Hash([2; 32]), 500)
        };
        let account =
            |n| GenesisAccount { address: who(n), balance: nano(1_000_000 * (u64::from(n) + 1)) };
        let stake = |n| GenesisStake {
            operator: who(n),
            key: PublicKey(voting(n).public()),
            amount: nano(10_000),
            commission_bps: 700,
        };
        let vesting =
            Vesting { total: nano(1_001), start: Height::ZERO, cliff_blocks: 5, length_blocks: 30 };
        let steps = vec![EmissionStep { blocks: MINTING, amount: nano(MINTED) }];
        let genesis = Genesis {
            chain: ChainId::Backbone,
            started: Millis::ZERO,
            validators: List::default(),
            sharing: Bytes::default(),
            params,
            accounts: List::new((0..PEOPLE).map(account).collect()).unwrap(),
            workers: List::default(),
            stakes: List::new(vec![stake(0), stake(1)]).unwrap(),
            emission: Schedule { steps: List::new(steps).unwrap() },
            vesting: List::new(vec![GenesisVesting { owner: who(5), vesting }]).unwrap(),
        };
        let mut world = Self {
            store: Memory::default(),
            genesis,
            height: 0,
            included: 0,
            refused: BTreeMap::new(),
        };
        world.block(vec![]);
        world
    }

    fn get<T: Read<Cfg = ()>>(&self, key: Key) -> Option<T> {
        self.store.0.get(&key).map(|bytes| T::decode(bytes.clone()).unwrap())
    }
    fn balance(&self, address: Address) -> u64 {
        self.get::<Account>(Key::Account(address)).unwrap_or_default().balance.get()
    }
    fn validator(&self, n: u8) -> ValidatorRecord {
        self.get(Key::Validator(who(n))).expect("is a validator")
    }

    fn tx(&self, from: u8, later: u64, action: Action) -> CheckedTx {
        let account: Account = self.get(Key::Account(who(from))).unwrap_or_default();
        let mut tx = Tx {
            chain: ChainId::Backbone,
            sender: PublicKey(spend(from).public()),
            nonce: account.nonce + later,
            tip: NanoMeshx::ZERO,
            action,
            signature: Signature([0; 64]),
        };
        tx.signature = Signature(spend(from).sign(TX_DOMAIN, &tx.signing_bytes(&NETWORK)));
        check_tx(tx, &NETWORK, ChainId::Backbone).unwrap()
    }

    fn apply(&self, txs: Vec<CheckedTx>, mode: Mode) -> Result<Applied, chain::Refusal> {
        let context = BlockContext {
            network: NETWORK,
            chain: ChainId::Backbone,
            height: Height::new(self.height + 1),
            epoch: Epoch::ZERO,
            view: (self.height + 1) * 90,
            leader: PublicKey(voting(0).public()),
            timestamp: Millis::new(self.height * 500),
        };
        let proposal = chain::Proposal { beacons: vec![], txs };
        block_on(apply_block(&self.store, &self.genesis, &context, proposal, mode))
    }

    /// Build a block of what goes through, check it as another validator would, and count all money.
    fn block(&mut self, txs: Vec<CheckedTx>) -> Vec<&'static str> {
        let closing = self.closing();
        let built = self.apply(txs, Mode::Build).expect("building refuses nothing");
        let checked = self.apply(built.included.clone(), Mode::Check).expect("what was built");
        assert_eq!(checked.writes, built.writes, "checking gives what building gave");
        for (key, value) in built.writes {
            match value {
                Some(bytes) => self.store.0.insert(key, bytes),
                None => self.store.0.remove(&key),
            };
        }
        self.height += 1;
        self.included += built.included.len() as u64;
        let refused: Vec<_> = built.refused.iter().map(|(_, refusal)| refusal.code()).collect();
        for code in &refused {
            *self.refused.entry(code).or_default() += 1;
        }
        self.count_money();
        self.check_closed(closing);
        refused
    }

    fn count_money(&self) {
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

    fn bond(&self, n: u8, prover: u8, amount: NanoMeshx) -> StakeOrder {
        let key = voting(n);
        let proof = voting(prover).sign(BOND_DOMAIN, &bond_message(&NETWORK, &who(n)));
        StakeOrder::Bond {
            key: PublicKey(key.public()),
            amount,
            commission_bps: 300,
            proof: Signature(proof),
        }
    }

    fn proposal(&self, random: &mut Random) -> Action {
        let change = |name, value| ParamChange { chain: None, name, value };
        let kind = match random.below(5) {
            0 => ProposalKind::Spend {
                pool: LockedPool::Ecosystem,
                to: who(4),
                amount: random.amount(),
            },
            1 => ProposalKind::PauseIntake {
                chain: None,
                lasting: Millis::new(random.below(90_000_000)),
            },
            n => {
                let slash = change(ParamName::StakingSlashBps, random.below(5_500));
                let same = change(
                    if n == 2 { ParamName::StakingSlashBps } else { ParamName::GovDeposit },
                    MESHX,
                );
                ProposalKind::ChangeParams { changes: List::new(vec![slash, same]).unwrap() }
            }
        };
        Action::Propose { title: Text::new("A proposal").unwrap(), kind }
    }

    /// The votes on `id` counted anew, delegation by delegation: whoever voted itself by its ballot, everybody else with
    /// its validator's operator. Each rounded down.
    fn recount(&self, id: u64) -> [u64; 4] {
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
    fn closing(&self) -> Vec<(u64, [u64; 4])> {
        let open: OpenProposals = self.get(Key::OpenProposals).unwrap_or_default();
        let mut closing = vec![];
        for id in open.iter() {
            let proposal: Proposal = self.get(Key::Proposal(*id)).unwrap();
            let counted = self.recount(*id);
            if let ProposalStatus::Voting { closes } = proposal.status
                && closes.get() <= self.height * 500
            {
                closing.push((*id, counted));
            }
        }
        closing
    }

    fn check_closed(&self, closing: Vec<(u64, [u64; 4])>) {
        for (id, counted) in closing {
            let Tally { yes, no, abstain, veto } =
                self.get::<Proposal>(Key::Proposal(id)).unwrap().tally;
            let found = [yes, no, abstain, veto].map(NanoMeshx::get);
            // Each delegation's part is rounded here, each validator's there.
            let near =
                found.iter().zip(&counted).all(|(found, counted)| found.abs_diff(*counted) <= 24);
            assert!(near, "proposal {id}: the chain counts {found:?}, a recount {counted:?}");
            let bonded: u64 = counted.iter().sum();
            assert!(bonded <= self.balance(pools::bonded()), "no coin counts twice");
        }
    }

    fn order(&self, random: &mut Random, from: u8) -> Action {
        // Mostly one of those that have a validator from the start.
        let mut person = || {
            let others = if random.below(4) == 0 { 4 } else { 2 };
            who(u8::try_from(random.below(others)).unwrap())
        };
        let (validator, to) = (person(), person());
        let some = |random: &mut Random| (random.below(3) > 0).then(|| random.amount());
        match random.below(20) {
            0 => {
                let amount = NanoMeshx::new(random.below(5_000));
                let prover = if random.below(5) == 0 { from + 1 } else { from };
                Action::Stake(self.bond(from, prover, amount))
            }
            1..=4 => Action::Stake(StakeOrder::Delegate { validator, amount: random.amount() }),
            5 | 6 => Action::Stake(StakeOrder::Undelegate { validator, amount: some(random) }),
            7 => {
                let amount = some(random);
                Action::Stake(StakeOrder::Redelegate { from: validator, to, amount })
            }
            8 => Action::Stake(StakeOrder::Withdraw { validator }),
            9 => Action::Stake(StakeOrder::Claim { validator }),
            10 => Action::Stake(StakeOrder::ClaimCommission),
            11 => Action::Stake(StakeOrder::SetCommission {
                bps: u16::try_from(random.below(2_500)).unwrap(),
            }),
            12 if random.below(2) == 0 => {
                let guilty = u8::try_from(random.below(3)).unwrap();
                Action::Report(evidence(guilty, random.below(self.height * 95), random.below(4)))
            }
            12 => Action::Stake(StakeOrder::Unjail),
            14 => self.proposal(random),
            15..=19 => {
                let options =
                    [VoteOption::Yes, VoteOption::No, VoteOption::Abstain, VoteOption::Veto];
                let option = options[usize::try_from(random.below(4)).unwrap()];
                Action::Vote { proposal: random.below(5), option }
            }
            _ => Action::ClaimVested { amount: random.amount() },
        }
    }
}

/// Two votes of person `n`; `odd` 1: the second is another's, 2: they say the same.
fn evidence(n: u8, view: u64, odd: u64) -> DoubleSigning {
    let vote = |key: SigningKey, payload: u8| {
        let mut vote = SignedVote {
            chain: ChainId::Backbone,
            kind: VoteKind::Finalize,
            epoch: Epoch::ZERO,
            view,
            parent: view.saturating_sub(1),
            payload: Hash([payload; 32]),
            signature: Signature([0; 64]),
        };
        vote.signature = Signature(key.sign(SignedVote::DOMAIN, &vote.message(&NETWORK)));
        vote
    };
    DoubleSigning {
        key: PublicKey(voting(n).public()),
        first: vote(voting(n), 1),
        second: vote(voting(if odd == 1 { n + 1 } else { n }), if odd == 2 { 1 } else { 2 }),
    }
}

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn every_nano_is_accounted_for_whatever_is_ordered() {
    let (seed, cases) = (setting("MESHX_ECONOMY_SEED", 1), setting("MESHX_ECONOMY_CASES", 60));
    let (mut included, mut refused) = (0, BTreeMap::<&str, u64>::new());
    for case in 0..cases {
        let mut random = Random((seed << 32) + case + 1);
        let mut world = World::new();
        for _ in 0..30 {
            let mut nonces = BTreeMap::<u8, u64>::new();
            let txs = (0..random.below(5))
                .map(|_| {
                    let from = u8::try_from(random.below(u64::from(PEOPLE))).unwrap();
                    let action = world.order(&mut random, from);
                    let later = nonces.entry(from).or_default();
                    *later += 1;
                    world.tx(from, *later - 1, action)
                })
                .collect();
            world.block(txs);
        }
        included += world.included;
        world.refused.iter().for_each(|(code, n)| *refused.entry(code).or_default() += n);
    }
    println!("{cases} cases, {included} orders went through, refused: {refused:#?}");
    if cases >= 60 {
        assert!(included > cases, "orders went through");
        for code in [
            "below_minimum",
            "no_delegation",
            "insufficient_funds",
            "key_not_proved",
            "zero_amount",
            "already_validator",
            "nothing_unbonding",
            "nothing_owed",
            "not_jailed",
            "unknown_validator",
            "forged_signature",
            "vote_closed",
            "unknown_proposal",
            "no_stake",
            "param_out_of_bounds",
            "duplicate_param",
            "bad_amount",
            "pause_too_long",
            "same_vote",
            "commission_too_high",
            "nothing_vests",
            "same_validator",
        ] {
            assert!(refused.contains_key(code), "nothing was refused as {code}: {refused:?}");
        }
    }
}

#[test]
fn a_double_signer_loses_a_tenth_and_its_seat_once() {
    let mut world = World::new();
    let delegate = StakeOrder::Delegate { validator: who(0), amount: NanoMeshx::new(5_000) };
    world.block(vec![world.tx(3, 0, Action::Stake(delegate))]);
    while world.height < 2 * EPOCH {
        world.block(vec![]);
    }
    let seated = |world: &World| {
        let committee: CommitteeRecord = world.get(Key::Committee).expect("a boundary was passed");
        committee.seats.iter().map(|seat| seat.operator).collect::<Vec<_>>()
    };
    assert_eq!(seated(&world), [who(0), who(1)], "the most stake first");
    let burned = world.get::<Supply>(Key::Supply).unwrap().burned.get();

    // Anyone may report; here somebody without stake.
    let view = world.height * 90;
    let forged = world.tx(4, 0, Action::Report(evidence(0, view, 1)));
    assert_eq!(world.block(vec![forged]), ["forged_signature"]);
    let future = world.tx(4, 0, Action::Report(evidence(0, view * 9, 0)));
    assert_eq!(world.block(vec![future]), ["unknown_view"]);
    let proof = world.tx(4, 0, Action::Report(evidence(0, view, 0)));
    assert!(world.block(vec![proof]).is_empty());
    let guilty = world.validator(0);
    assert_eq!((guilty.tokens.get(), guilty.standing), (13_500, Standing::Tombstoned));
    let after = world.get::<Supply>(Key::Supply).unwrap().burned.get();
    assert_eq!(after - burned, 1_500 + 1_000, "a tenth of 15,000, and the base fee");

    // The same again, the other way round, and of another view: refused, and nothing is burned but for fees.
    let again = world.tx(4, 0, Action::Report(evidence(0, view, 0)));
    assert_eq!(world.block(vec![again]), ["already_punished"]);
    let proof = evidence(0, view, 0);
    let swapped = DoubleSigning { first: proof.second, second: proof.first, ..proof };
    let swapped = world.tx(4, 0, Action::Report(swapped));
    assert_eq!(world.block(vec![swapped]), ["already_punished"]);
    assert_eq!(world.validator(0).tokens.get(), 13_500);

    while !world.height.is_multiple_of(EPOCH) {
        world.block(vec![]);
    }
    assert_eq!(seated(&world), [who(1)], "out of the next committee");
}

#[test]
fn evidence_older_than_the_unbonding_period_is_refused() {
    let mut world = World::new();
    while world.height < 12 {
        world.block(vec![]);
    }
    // Views are noted in steps of 256, so view 90 is dated to block 3; the period is eight blocks.
    let old = world.tx(4, 0, Action::Report(evidence(0, 90, 0)));
    assert_eq!(world.block(vec![old]), ["evidence_too_old"]);
    assert_eq!(world.validator(0).tokens.get(), 10_000);
}

#[test]
fn what_leaves_after_the_fault_is_slashed_too() {
    let mut world = World::new();
    let delegate = StakeOrder::Delegate { validator: who(0), amount: NanoMeshx::new(5_000) };
    world.block(vec![world.tx(3, 0, Action::Stake(delegate))]);
    let view = world.height * 90;
    world.block(vec![]);
    let leave = StakeOrder::Undelegate { validator: who(0), amount: None };
    world.block(vec![world.tx(3, 0, Action::Stake(leave))]);
    world.block(vec![world.tx(4, 0, Action::Report(evidence(0, view, 0)))]);
    let early = StakeOrder::Withdraw { validator: who(0) };
    assert_eq!(world.block(vec![world.tx(3, 0, Action::Stake(early.clone()))]), ["not_matured"]);
    for _ in 0..8 {
        world.block(vec![]);
    }
    let before = world.balance(who(3));
    assert!(world.block(vec![world.tx(3, 0, Action::Stake(early.clone()))]).is_empty());
    assert_eq!(world.balance(who(3)) - before, 4_500 - 1_000, "a tenth and the fee are gone");
    assert_eq!(world.block(vec![world.tx(3, 0, Action::Stake(early))]), ["nothing_unbonding"]);
}

/// Vote on a change of the slash with `votes` (person, option) and tell how it ended; person 3 has delegated 60,000.
fn decide(votes: &[(u8, VoteOption)]) -> (World, ProposalStatus) {
    let mut world = World::new();
    let delegate = StakeOrder::Delegate { validator: who(0), amount: NanoMeshx::new(60_000) };
    world.block(vec![world.tx(3, 0, Action::Stake(delegate))]);
    let change = ParamChange { chain: None, name: ParamName::StakingSlashBps, value: 700 };
    let kind = ProposalKind::ChangeParams { changes: List::new(vec![change]).unwrap() };
    let title = Text::new("Milder").unwrap();
    assert!(world.block(vec![world.tx(2, 0, Action::Propose { title, kind })]).is_empty());
    for (person, option) in votes {
        let vote = Action::Vote { proposal: 1, option: *option };
        assert!(world.block(vec![world.tx(*person, 0, vote)]).is_empty());
    }
    for _ in 0..20 {
        world.block(vec![]);
    }
    let status = world.get::<Proposal>(Key::Proposal(1)).unwrap().status;
    (world, status)
}

#[test]
fn a_vote_changes_a_parameter_at_a_boundary_and_other_ends_change_none() {
    use VoteOption::{Abstain, No, Veto, Yes};
    let slash = |world: &World| world.get::<Params>(Key::Params).unwrap().staking.slash_bps;
    // The operator's 10,000 and the 60,000 behind it.
    let (world, status) = decide(&[(0, Yes)]);
    assert!(matches!(status, ProposalStatus::Executed { .. }), "{status:?}");
    assert_eq!(slash(&world), 700);
    let decree: Decree = world.get(Key::Decree(1)).unwrap();
    assert!(matches!(decree.order, Order::SetParams { .. }));

    // A delegator's own vote takes its stake out of its operator's.
    let (world, status) = decide(&[(0, Yes), (3, No)]);
    assert_eq!((status, slash(&world)), (ProposalStatus::Rejected, 1_000));
    let Proposal { tally, .. } = world.get(Key::Proposal(1)).unwrap();
    assert_eq!((tally.yes.get(), tally.no.get()), (10_000, 60_000));

    assert_eq!(decide(&[]).1, ProposalStatus::NoQuorum);
    // Half is not more than half.
    assert_eq!(decide(&[(1, Yes), (0, No), (3, Abstain)]).1, ProposalStatus::Rejected);
    let before = World::new().balance(who(2));
    let (world, status) = decide(&[(0, Veto)]);
    assert_eq!(status, ProposalStatus::Vetoed);
    assert_eq!(before - world.balance(who(2)), 50_000 + 1_000, "the deposit is burned");
    let (world, _) = decide(&[(3, No)]);
    assert_eq!(before - world.balance(who(2)), 1_000, "and comes back otherwise");
}

#[test]
fn stake_that_moves_after_its_vote_does_not_vote_twice() {
    let mut world = World::new();
    let delegate = StakeOrder::Delegate { validator: who(0), amount: NanoMeshx::new(60_000) };
    world.block(vec![world.tx(3, 0, Action::Stake(delegate))]);
    let kind = ProposalKind::PauseIntake { chain: None, lasting: Millis::new(1_000) };
    let title = Text::new("Stop").unwrap();
    // A second's voting is two blocks: all of it happens in one.
    let vote = |option| Action::Vote { proposal: 1, option };
    let moved =
        StakeOrder::Redelegate { from: who(0), to: who(1), amount: Some(NanoMeshx::new(50_000)) };
    let refused = world.block(vec![
        world.tx(2, 0, Action::Propose { title, kind }),
        world.tx(3, 0, vote(VoteOption::Yes)),
        world.tx(3, 1, Action::Stake(moved)),
        world.tx(1, 0, vote(VoteOption::No)),
    ]);
    assert!(refused.is_empty(), "{refused:?}");
    while matches!(
        world.get::<Proposal>(Key::Proposal(1)).unwrap().status,
        ProposalStatus::Voting { .. }
    ) {
        world.block(vec![]);
    }
    let Proposal { tally, .. } = world.get(Key::Proposal(1)).unwrap();
    // 10,000 stayed and say yes; 50,000 follow the operator they are behind now.
    assert_eq!((tally.yes.get(), tally.no.get()), (10_000, 60_000));
}

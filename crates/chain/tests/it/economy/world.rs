//! A backbone in memory with six people: two are validators from the start, and one's money vests.

use crate::{gas, memory::Memory};
use chain::{Applied, BlockContext, CheckedTx, Mode, apply_block, check_tx, local_params};
use crypto::{SigningKey, VrfKey, VrfSuite};
use futures::executor::block_on;
use std::{collections::BTreeMap, sync::LazyLock};
use types::{
    Action, Address, Beacon, ChainId, EmissionStep, GovernanceParams, Hash, Height, Intent, List,
    Millis, NanoMeshx, Nonce, Params, PublicKey, Schedule, Term, Text, Tx, Vesting,
    codec::{Bytes, DecodeExt, Read},
    committee::{DrawRecord, SortitionParams, Ticket, ticket_alpha, vrf_possession},
    network::{Genesis, GenesisAccount, GenesisStake, GenesisVesting, Validator},
    presence::{PresenceParams, WitnessEntry},
    staking::{StakeOrder, StakingParams, ValidatorRecord},
    state::{Account, Heights, Key, Queued},
};

pub const MESHX: u64 = 1_000_000_000;
pub const NETWORK: Hash = Hash([42; 32]);
pub const PEOPLE: u8 = 6;
/// Blocks between two boundaries.
pub const EPOCH: u64 = 4;
/// What the whole emission mints, in this many blocks.
pub const MINTED: u64 = 1_000_003;
pub const MINTING: u64 = 90;

/// Committees by ticket alone.
const LOCAL: SortitionParams = SortitionParams { presence_required: 0, ..SortitionParams::DEFAULT };

static KEYS: LazyLock<Vec<SigningKey>> =
    LazyLock::new(|| (0..=u8::MAX).map(|n| SigningKey::from_seed(&[n; 32])).collect());

/// What person `n` signs transactions with.
pub fn spend(n: u8) -> &'static SigningKey {
    &KEYS[usize::from(n)]
}
/// What person `n` votes with, as a validator.
pub fn voting(n: u8) -> &'static SigningKey {
    &KEYS[usize::from(100 + n)]
}
/// What person `n` draws lots with.
pub fn lots(n: u8) -> VrfKey {
    VrfKey::beside(voting(n))
}
pub fn who(n: u8) -> Address {
    Address::of(&PublicKey(spend(n).public()))
}

pub struct World {
    pub store: Memory,
    /// What its blocks are of: the backbone, unless a test says otherwise.
    pub chain: ChainId,
    genesis: Genesis,
    pub height: u64,
    pub included: u64,
    pub refused: BTreeMap<&'static str, u64>,
}

impl World {
    /// Persons 0 and 1 are validators from the start; 5's money vests.
    pub fn new() -> Self {
        Self::with(2, SortitionParams { seats_min: 1, ticket_blocks: 3, ..LOCAL }, vec![])
    }

    /// So are persons 0 to `validators`, committees are drawn by `sortition`, and `witnesses` measure.
    pub fn with(validators: u8, sortition: SortitionParams, witnesses: Vec<WitnessEntry>) -> Self {
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
            sortition,
            presence: PresenceParams {
                period_ms: Millis::new(8_000),
                valid_ms: Millis::new(12_000),
                marks_max: 2,
                ..PresenceParams::DEFAULT
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
            vrf: Some(Hash(lots(n).public())),
        };
        let votes = |n| Validator { key: PublicKey(voting(n).public()), city: Text::default() };
        let vesting =
            Vesting { total: nano(1_001), start: Height::ZERO, cliff_blocks: 5, length_blocks: 30 };
        let steps = vec![EmissionStep { blocks: MINTING, amount: nano(MINTED) }];
        let genesis = Genesis {
            chain: ChainId::Backbone,
            started: Millis::ZERO,
            validators: List::new((0..validators).map(votes).collect()).unwrap(),
            sharing: Bytes::default(),
            term_blocks: EPOCH,
            params,
            accounts: List::new((0..PEOPLE).map(account).collect()).unwrap(),
            workers: List::default(),
            stakes: List::new((0..validators).map(stake).collect()).unwrap(),
            emission: Schedule { steps: List::new(steps).unwrap() },
            vesting: List::new(vec![GenesisVesting { owner: who(5), vesting }]).unwrap(),
            witnesses: List::new(witnesses).unwrap(),
        };
        let mut world = Self {
            store: Memory::default(),
            chain: ChainId::Backbone,
            genesis,
            height: 0,
            included: 0,
            refused: BTreeMap::new(),
        };
        world.block(vec![]);
        world
    }

    pub fn get<T: Read<Cfg = ()>>(&self, key: Key) -> Option<T> {
        self.store.0.get(&key).map(|bytes| T::decode(bytes.clone()).unwrap())
    }
    pub fn balance(&self, address: Address) -> u64 {
        self.get::<Account>(Key::Account(address)).unwrap_or_default().balance.get()
    }
    pub fn validator(&self, n: u8) -> ValidatorRecord {
        self.get(Key::Validator(who(n))).expect("is a validator")
    }

    pub fn tx(&self, from: u8, later: u64, action: Action) -> CheckedTx {
        let account: Account = self.get(Key::Account(who(from))).unwrap_or_default();
        let (key, nonce) = (spend(from), Nonce::strict(account.nonce + later));
        let intent =
            Intent { chain: self.chain, nonce, tip: NanoMeshx::ZERO, fee_max: Tx::ANY_FEE, action };
        let tx = Tx::signed(&NETWORK, PublicKey(key.public()), intent, |domain, message| {
            key.sign(domain, message)
        });
        check_tx(tx, &NETWORK, self.chain).unwrap()
    }

    pub fn apply(&self, txs: Vec<CheckedTx>, mode: Mode) -> Result<Applied, chain::Refusal> {
        let context = BlockContext {
            network: NETWORK,
            chain: self.chain,
            height: Height::new(self.height + 1),
            term: Term::ZERO,
            view: (self.height + 1) * 90,
            leader: PublicKey(voting(0).public()),
            timestamp: Millis::new(self.height * 500),
        };
        let proposal = chain::Proposal { beacons: self.beacons(), txs };
        block_on(apply_block(&self.store, &self.genesis, &context, proposal, mode))
    }

    /// Those that the next block may carry.
    fn beacons(&self) -> Vec<Beacon> {
        let heights: Heights = self.get(Key::Queue).unwrap_or_default();
        let beacon = |height: &Height| {
            let Queued { term, view, .. } = self.get(Key::Queued(*height)).unwrap();
            let signature =
                Bytes::new(vec![u8::try_from(height.get() % 251).unwrap(); 48]).unwrap();
            Beacon { height: *height, term, view, signature }
        };
        heights.iter().map(beacon).collect()
    }

    /// The ticket that person `n`'s validator has in the draw that is open, with a proof of `by`'s.
    pub fn ticket_by(&self, n: u8, by: u8) -> Action {
        let draw: DrawRecord = self.get(Key::Draw).unwrap_or_default();
        let alpha = ticket_alpha(draw.epoch, &draw.seed, &Hash::ZERO);
        let proof = lots(by).prove(VrfSuite::Ell2, &alpha.0).to_bytes();
        let proof = Bytes::new(proof.to_vec()).unwrap();
        Action::Ticket(Ticket { epoch: draw.epoch, operator: who(n), proof })
    }

    /// Person `n` registers `key`, with `by`'s proof that it has it.
    pub fn register(&self, n: u8, key: [u8; 32], by: u8) -> Action {
        let alpha = vrf_possession(&NETWORK, &who(n));
        let proof = lots(by).prove(VrfSuite::Ell2, &alpha.0).to_bytes();
        let proof = Bytes::new(proof.to_vec()).unwrap();
        Action::Stake(StakeOrder::RegisterVrf { key: Hash(key), proof })
    }

    /// Empty blocks until the next is one in which tickets of the draw that opens at boundary `epochs` are taken.
    pub fn until_tickets(&mut self, epochs: u64) {
        while self.height < epochs * EPOCH + 1 {
            self.block(vec![]);
        }
    }

    /// Empty blocks until boundary number `epochs` is done.
    pub fn until_boundary(&mut self, epochs: u64) {
        while self.height < epochs * EPOCH {
            self.block(vec![]);
        }
    }

    /// Build a block of what goes through, check it as another validator would, and count all money.
    pub fn block(&mut self, txs: Vec<CheckedTx>) -> Vec<&'static str> {
        let closing = self.closing();
        let built = self.apply(txs, Mode::Build).expect("building refuses nothing");
        let checked = self.apply(built.included.clone(), Mode::Check).expect("what was built");
        assert_eq!(checked.writes, built.writes, "checking gives what building gave");
        assert_eq!(checked.gas, built.gas, "and by the same work");
        gas::check(&built);
        for (key, value) in built.writes {
            match value {
                Some(bytes) => self.store.0.insert(key, bytes),
                None => self.store.0.remove(&key),
            };
        }
        self.height += 1;
        self.included += built.included.len() as u64;
        let refused: Vec<_> =
            built.refused.iter().map(|(_, refusal)| refusal.code().as_str()).collect();
        for code in &refused {
            *self.refused.entry(code).or_default() += 1;
        }
        self.count_money();
        self.check_closed(closing);
        refused
    }
}

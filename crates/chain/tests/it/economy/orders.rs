//! Random orders: stake, votes, proposals, equivocation proofs and claims, most of them possible and many not.

use super::world::{MESHX, NETWORK, World, lots, voting, who};
use types::{
    Action, ChainId, EquivocationProof, Hash, List, Millis, NanoMeshx, ParamName, PublicKey,
    Signature, SignedVote, Term, Text, VoteKind,
    governance::{LockedPool, ParamChange, ProposalKind, VoteOption},
    staking::{BOND_DOMAIN, StakeOrder, bond_message},
};

/// xorshift64*: the whole case follows from its seed.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % below
    }
    pub fn amount(&mut self) -> NanoMeshx {
        NanoMeshx::new(match self.below(8) {
            0 => 0,
            1 => 1,
            2 => u64::MAX,
            3 => self.below(u64::MAX),
            _ => self.below(20_000),
        })
    }
}

fn announcement(random: &mut Random) -> StakeOrder {
    let said = |n| ["/dns4/a.example/tcp/1/p2p/a", "/ip4/192.0.2.1/tcp/1", "nowhere", "/a b"][n];
    let count = random.below(4);
    let some = (0..count).map(|_| said(usize::try_from(random.below(10) / 3).unwrap()));
    let addresses = some.map(|text| Text::new(text).unwrap()).collect();
    StakeOrder::Announce { addresses: List::new(addresses).unwrap() }
}

impl World {
    pub fn bond(&self, n: u8, prover: u8, amount: NanoMeshx) -> StakeOrder {
        let key = voting(n);
        let proof = voting(prover).sign(BOND_DOMAIN, &bond_message(&NETWORK, &who(n)));
        StakeOrder::Bond {
            key: PublicKey(key.public()),
            amount,
            commission_bps: 300,
            proof: Signature(proof),
        }
    }

    pub fn proposal(&self, random: &mut Random) -> Action {
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

    pub fn order(&self, random: &mut Random, from: u8) -> Action {
        // Mostly one of those that have a validator from the start.
        let mut person = || {
            let others = if random.below(4) == 0 { 4 } else { 2 };
            who(u8::try_from(random.below(others)).unwrap())
        };
        let (validator, to) = (person(), person());
        let some = |random: &mut Random| (random.below(3) > 0).then(|| random.amount());
        match random.below(23) {
            20 => self.register(from, lots(from).public(), from),
            21 | 22 => self.ticket_by(from, if random.below(5) == 0 { from + 1 } else { from }),
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
                Action::Report(equivocation_proof(
                    guilty,
                    random.below(self.height * 95),
                    random.below(4),
                ))
            }
            12 => Action::Stake(StakeOrder::Unjail),
            13 if random.below(3) == 0 => Action::Stake(announcement(random)),
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
pub fn equivocation_proof(n: u8, view: u64, odd: u64) -> EquivocationProof {
    let vote = |key: &crypto::SigningKey, payload: u8| {
        let mut vote = SignedVote {
            chain: ChainId::Backbone,
            kind: VoteKind::Finalize,
            term: Term::ZERO,
            view,
            parent: view.saturating_sub(1),
            payload: Hash([payload; 32]),
            signature: Signature([0; 64]),
        };
        vote.signature = Signature(key.sign(SignedVote::DOMAIN, &vote.message(&NETWORK)));
        vote
    };
    EquivocationProof {
        key: PublicKey(voting(n).public()),
        first: vote(voting(n), 1),
        second: vote(voting(if odd == 1 { n + 1 } else { n }), if odd == 2 { 1 } else { 2 }),
    }
}

//! The variants that no vector has. Words without content are not here: `described.rs` tries them all.

use super::{
    Sample, add, add_bare, address, hash,
    ledger::{job, outcome, tx},
    stake::imported_decree,
};
use types::{
    Action, ChainId, Height, List, Millis, NanoMeshx, Obstacle, Outcome, ParamName,
    attest::{Attestation, Listed, Technology},
    codec::Bytes,
    governance::{Admission, Decree, LockedPool, Order, ParamChange, ProposalKind, ProposalStatus},
    staking::StakeOrder,
    state::{Assignment, Ending, Key, Phase, Terms},
};

pub fn add_all(all: &mut Vec<Sample>) {
    actions(all);
    stake_orders(all);
    decisions(all);
    phases(all);
    keys(all);
}

fn actions(all: &mut Vec<Sample>) {
    let attestation = Attestation {
        evidence: Bytes::new(vec![1; 3]).unwrap(),
        collateral: Bytes::new(vec![2; 4]).unwrap(),
        code_hash: hash(3),
        sealing_key: Bytes::new(vec![4; 5]).unwrap(),
        stated: 5,
        challenge: hash(6),
        parent: Some(address(7)),
    };
    add(all, "attest", &tx(Action::Attest(attestation)));
    add(all, "import-decree", &tx(Action::ImportDecree(imported_decree())));
}

fn decree(order: Order) -> Decree {
    Decree { number: 1, proposal: 2, order }
}

fn stake_orders(all: &mut Vec<Sample>) {
    let (validator, amount) = (address(1), NanoMeshx::new(2));
    for order in [
        StakeOrder::Delegate { validator, amount },
        StakeOrder::Redelegate { from: validator, to: address(3), amount: Some(amount) },
        StakeOrder::Withdraw { validator },
        StakeOrder::Claim { validator },
        StakeOrder::ClaimCommission,
        StakeOrder::SetCommission { bps: 4 },
    ] {
        add(all, "stake order", &order);
    }
}

fn decisions(all: &mut Vec<Sample>) {
    let chain = Some(ChainId::Oceania);
    let changes =
        List::new(vec![ParamChange { chain, name: ParamName::Location, value: 1 }]).unwrap();
    let (pool, to, amount) = (LockedPool::Ecosystem, address(2), NanoMeshx::new(3));
    let (technology, measurement) = (Technology::IntelTdx, Bytes::new(vec![4; 5]).unwrap());
    let measured = Listed::Measurement { technology, measurement };
    let vouched = Listed::PlatformKey { technology, key: hash(6) };
    for kind in [
        ProposalKind::Spend { pool, to, amount },
        ProposalKind::ShardAdmission { chain: ChainId::Antarctica, rule: Admission::Closed },
        ProposalKind::List { entry: measured.clone(), allowed: true },
        ProposalKind::PauseIntake { chain: None, lasting: Millis::new(7) },
    ] {
        add(all, "proposal", &kind);
    }
    for order in [
        Order::SetParams { changes },
        Order::Admit { chain: ChainId::Asia, rule: Admission::Listed },
        Order::Pause { chain, until: Millis::new(8) },
        Order::List { entry: vouched, allowed: false },
    ] {
        add(all, "decree", &decree(order));
    }
    for status in [
        ProposalStatus::Queued { executes: Millis::new(9) },
        ProposalStatus::Executed { at: Millis::new(10) },
        ProposalStatus::Rejected,
    ] {
        add(all, "proposal's status", &status);
    }
}

fn phases(all: &mut Vec<Sample>) {
    let terms = Terms { reputation: 1, floor: NanoMeshx::new(2) };
    let assignment = Assignment {
        worker: address(3),
        terms,
        commitment: Some(hash(4)),
        outcome: Some(outcome()),
    };
    let hindered = Some(Outcome::hindered(Obstacle::WallClock));
    let hindered = Assignment { worker: address(4), outcome: hindered, ..assignment.clone() };
    let assignments = List::new(vec![assignment, hindered]).unwrap();
    let (drawn, until) = (Height::new(5), Height::new(6));
    for phase in [
        Phase::Committing { drawn, until, assignments: assignments.clone() },
        Phase::Revealing { drawn, until, early: true, assignments: assignments.clone() },
        Phase::Ended {
            height: until,
            ending: Ending::NoAgreement,
            paid: NanoMeshx::new(12),
            assignments,
        },
    ] {
        add(all, "job", &job(phase));
    }
}

fn keys(all: &mut Vec<Sample>) {
    for key in [
        Key::Attested(address(1)),
        Key::Platform(hash(2)),
        Key::Listed(hash(3)),
        Key::Peers(address(4)),
        Key::WorkerPlace(5),
        Key::PlacesOf(address(6)),
    ] {
        add_bare(all, "key", &key);
    }
}

//! Random operations: from a few numbers each, so that both a seed and a shrinker can make them.

use crate::world::{FAUCET, Operation, World, who};
use staking::Portion;
use types::{Millis, NanoMeshx, staking::Fault, staking::StakingParams};

pub const VALIDATORS: u8 = 3;
pub const ACCOUNTS: u8 = 7;
/// Numbers an operation is made of: kind, three parties, kind of amount, amount.
pub type Raw = (u8, u8, u8, u8, u8, u64);

/// Parameters of a case: small and large amounts, mild and total slashes, short times.
pub fn params(choice: u64) -> StakingParams {
    let scale = [1, 3, 1_000_000_000, 40_000_000_000][(choice % 4) as usize];
    let slash_bps = [1_000, 1_000, 1_000, 1, 5_000, 9_999, 10_000][(choice / 4 % 7) as usize];
    StakingParams {
        validator_min: NanoMeshx::new(1_000 * scale),
        delegator_min: NanoMeshx::new(100 * scale),
        unbonding_ms: Millis::new(1_000),
        slash_bps,
        commission_max_bps: [10_000, 2_000, 0][(choice / 28 % 3) as usize],
        jail_ms: Millis::new(300),
        validators_max: 2,
    }
}

pub fn operation(raw: Raw, world: &World) -> Operation {
    let (kind, a, b, c, amount_kind, n) = raw;
    let (mut d, mut v, mut to) = (a % ACCOUNTS, b % VALIDATORS, (c >> 2) % VALIDATORS);
    // Mostly about stake that exists, and elsewhere than it is.
    let leaves = matches!(kind % 32, 7..=16);
    if leaves && a < 200 && !world.delegations.is_empty() {
        let nth = usize::from(a) % world.delegations.len();
        (d, v) = *world.delegations.keys().nth(nth).unwrap();
    }
    if to == v && b < 200 {
        to = (v + 1) % VALIDATORS;
    }
    let by = if c % 8 == 0 { d } else { v };
    let bps = (n % 10_100) as u16;
    let worth = world.position(d, v).map_or(0, |p| p.worth().get());
    let least = world.params.delegator_min.get();
    let amount = match amount_kind % 16 {
        0 => 0,
        1 => 1,
        2 => u64::MAX,
        3 => least - 1,
        4 => least,
        5 => worth,
        6 => worth.saturating_sub(1),
        7 => worth.saturating_sub(least),
        8 => world.params.validator_min.get(),
        9 => n % (world.balance(who(d)).max(1)),
        10 => n % (worth.max(1)),
        _ => least + n % (least * 50),
    };
    let portion = if c % 4 == 0 { Portion::All } else { Portion::Amount(NanoMeshx::new(amount)) };
    match kind % 32 {
        0 | 1 => Operation::Bond {
            v,
            amount: amount.max(world.params.validator_min.get() - (n & 1)),
            bps: (n % 2_100) as u16,
        },
        2..=6 => Operation::Delegate { d, v, amount },
        7 | 8 => Operation::Undelegate { d, v, portion },
        9..=12 => Operation::Redelegate { d, v, to, portion },
        13 | 14 => Operation::Withdraw { d, v },
        15 | 16 => Operation::Claim { d, v },
        17 => Operation::ClaimCommission { v, by },
        18 => Operation::SetCommission { v, by, bps },
        19..=22 => Operation::Reward {
            v,
            amount: match amount_kind % 4 {
                0 => n % 10,
                1 => n % (world.balance(who(FAUCET)).max(1)),
                _ => n % (least * 20),
            },
        },
        23 | 24 => Operation::Slash {
            v,
            fault: if a % 16 == 0 { Fault::DoubleSigning } else { Fault::WrongResult },
            height: (world.now.height.get() + 1).saturating_sub(n % 7),
        },
        25 => Operation::Unjail { v, by },
        26 => Operation::Settle { d, v },
        _ => Operation::Advance { ms: [0, 1, 50, 100, 300, 1_000][(n % 6) as usize] },
    }
}

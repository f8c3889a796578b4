//! `meshx presence sybil-cost`: what one more vote costs an attacker with many identities.

use crate::args::{Output, SybilCost};
use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use types::NanoMeshx;

#[derive(Serialize)]
struct Cost {
    staked: NanoMeshx,
    seats: u16,
    /// Stake that is expected to have one seat of a term, and more than a third of them.
    one_seat: NanoMeshx,
    third: NanoMeshx,
    /// Keys that each need their own machine and place, since one key has at most one seat.
    machines_one_seat: u64,
    machines_third: u64,
    usd_one_seat: u64,
    usd_third: u64,
    slashed_if_caught: NanoMeshx,
}

/// One more vote is one more seat. A seat is drawn by stake, and one key has at most one.
pub fn cost(output: Output, asked: &SybilCost) -> Result<()> {
    let params = types::Params::DEFAULT;
    let staked = u128::from(asked.staked.get());
    let seats = u128::from(asked.seats);
    let least = u128::from(params.staking.validator_min.get());
    ensure!(
        staked >= least,
        "the stake of the others is less than one validator needs ({} MESHX)",
        params.staking.validator_min
    );
    // With x beside what others have, x / (others + x) of the seats are expected: of n seats k need x = others · k / (n − k).
    let expected = |k: u128| (staked * k).div_ceil(seats - k).max(least * k);
    let third_seats = seats / 3 + 1;
    ensure!(third_seats < seats, "a committee of {seats} has no minority\nhint: --seats 4 or more");
    let amount = |nano: u128| {
        u64::try_from(nano).map(NanoMeshx::new).context("the amount is more than can exist")
    };
    let usd = |stake: u128, machines: u128| {
        let tokens = stake * u128::from(asked.token_milliusd) / 1_000 / 1_000_000_000;
        u64::try_from(tokens + machines * u128::from(asked.machine_usd))
            .context("the amount is more than can exist")
    };
    let (one, third) = (expected(1), expected(third_seats));
    let bps = u128::from(params.staking.slash_bps);
    let cost = Cost {
        staked: asked.staked,
        seats: asked.seats,
        one_seat: amount(one)?,
        third: amount(third)?,
        machines_one_seat: 1,
        machines_third: u64::try_from(third_seats)?,
        usd_one_seat: usd(one, 1)?,
        usd_third: usd(third, third_seats)?,
        slashed_if_caught: amount(third * bps / 10_000)?,
    };
    if output == Output::Json {
        println!("{}", serde_json::to_string(&cost)?);
        return Ok(());
    }
    println!("{:<26}  {:>22}  {:>22}", "", "one more seat", "more than a third");
    println!(
        "{:<26}  {:>22}  {:>22}",
        "stake, MESHX",
        cost.one_seat.to_string(),
        cost.third.to_string()
    );
    println!(
        "{:<26}  {:>22}  {:>22}",
        "attested machines, placed", cost.machines_one_seat, cost.machines_third
    );
    println!(
        "{:<26}  {:>22}  {:>22}",
        "USD at the assumed prices", cost.usd_one_seat, cost.usd_third
    );
    println!("an attacker that is caught signing twice loses {} MESHX", cost.slashed_if_caught);
    println!(
        "assumed: {} MESHX staked by others for {} seats, {} thousandths of a USD a MESHX, {} USD a machine",
        asked.staked, asked.seats, asked.token_milliusd, asked.machine_usd
    );
    Ok(())
}

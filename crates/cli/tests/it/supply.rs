//! The supply as the binary prints it.

use crate::support::User;

#[test]
fn the_pools_of_year_20_sum_to_everything() {
    let said = User::new().meshx(&["supply", "--year", "20", "--output", "json"], b"").exits(0);
    let object = said.json();
    let nano = |name: &str| object[name].as_str().unwrap().parse::<u64>().unwrap();
    let pools = [
        "emitted",
        "unemitted",
        "team_vested",
        "team_locked",
        "ecosystem",
        "treasury",
        "liquidity",
    ];
    assert_eq!(pools.map(nano).iter().sum::<u64>(), 10_000_000_000_000_000_000);
    assert_eq!(nano("emitted"), 4_000_000_000_000_000_000);
}

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

#[test]
fn years_come_as_a_table_and_end_at_four_billion() {
    let said = User::new().meshx(&["supply", "--year", "0..21"], b"").exits(0);
    let emitted: Vec<String> = said
        .text()
        .lines()
        .skip(1)
        .map(|row| row.split_whitespace().nth(1).unwrap().to_owned())
        .collect();
    let first = ["0", "1000000000", "2000000000", "2500000000", "3000000000", "3250000000"];
    assert_eq!(emitted[..6], first);
    assert_eq!(emitted[20..], ["4000000000", "4000000000"]);
}

#[test]
fn years_that_are_none_are_refused() {
    for years in ["5..1", "x", "0..5000", "-1", "1..2..3"] {
        User::new().meshx(&["supply", "--year", years], b"").exits(2);
    }
}

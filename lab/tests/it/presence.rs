//! Proofs of presence, tried on a network.

use crate::support::User;

/// 40 nodes on two continents, in rows.
fn network(user: &User) -> String {
    let folder = user.0.path().join("network");
    survey::write_made_up(&folder).unwrap();
    folder.display().to_string()
}

#[test]
fn a_network_is_tried_and_its_nodes_are_found() {
    let user = User::new();
    let folder = network(&user);
    let words = ["presence", "evaluate", "--network", &folder, "--liars", "0,0.33", "--lies", "20"];
    let table = user.lab(&words).exits(0);
    assert!(table.text().contains("of 20"), "{}", table.text());
    let said = user.lab(&[&words[..], &["--output", "json", "--attack", "proxy"]].concat());
    let said = said.exits(0).json();
    assert_eq!(said["results"][1]["tiers"][0]["tier"], "certified");
    assert_eq!(said["results"][1]["tiers"][0]["accepted_falsely"]["count"], 0);

    let words = ["presence", "locate", "--network", &folder, "--target", "n7", "--output", "json"];
    let found = user.lab(&words).exits(0).json();
    assert_eq!(found["continent"], "EU");
    assert!(found["away_km"].as_u64().unwrap() < 300, "{found}");
    let words = ["presence", "locate", "--network", &folder, "--target", "Town 30"];
    assert!(user.lab(&words).exits(0).text().contains("NA"));
}

#[test]
fn what_is_no_network_or_no_part_is_refused() {
    let user = User::new();
    let folder = network(&user);
    let said = user.lab(&["presence", "locate", "--network", &folder, "--target", "x"]);
    assert!(said.exits(125).stderr().contains("ids and names are in nodes.csv"));
    let said = user.lab(&["presence", "evaluate", "--network", "/nowhere"]);
    assert!(said.exits(125).stderr().contains("nodes.csv"));
    for liars in ["1.5", "x", "-0.1"] {
        user.lab(&["presence", "evaluate", "--network", &folder, "--liars", liars]).exits(2);
    }
}

#[test]
fn one_more_vote_has_its_price() {
    let words =
        ["presence", "sybil-cost", "--staked", "99000000", "--seats", "100", "--output", "json"];
    let cost = User::new().lab(&words).exits(0).json();
    // x / (99,000,000 + x) = 1 / 100.
    assert_eq!(cost["one_seat"], "1000000000000000");
    assert_eq!((&cost["machines_one_seat"], &cost["machines_third"]), (&1.into(), &34.into()));
    let words = ["presence", "sybil-cost", "--staked", "5"];
    assert!(User::new().lab(&words).exits(125).stderr().contains("one validator needs"));
}

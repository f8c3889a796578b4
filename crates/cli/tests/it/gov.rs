//! Governance as a new user meets it, by commands only: a proposal, a vote, and the next quote is another.

use crate::support::{User, example, nano};

#[test]
fn a_vote_changes_the_price_of_the_next_quote() {
    let (_mesh, me, address) = User::on_a_quick_mesh();
    me.meshx(&["faucet"], b"").exits(0);
    let rate = |me: &User| {
        let quoted = me.meshx(&["quote", "--output", "json", &example("wordcount")], b"a b a\n");
        nano(&quoted.exits(0).json()["rates"]["core_second"])
    };
    assert_eq!(rate(&me), 1_000_000, "the paper's 0.001 MESHX");

    // Nonsense is refused before it costs a deposit.
    let said = me.meshx(&["gov", "propose", "params", "no_such_thing=1"], b"").exits(125);
    assert!(said.stderr.contains("meshx gov params"), "{}", said.stderr);
    let said = me.meshx(&["gov", "propose", "params", "demand_target_bps=9999"], b"").exits(125);
    assert!(said.stderr.contains("9500"), "{}", said.stderr);
    let said = me.meshx(&["gov", "propose", "pause", "9999999"], b"").exits(125);
    assert!(said.stderr.contains("pause lasts"), "{}", said.stderr);

    let made = me.json(&["gov", "propose", "params", "rate_core_second=2000000"]);
    assert_eq!(made["proposal"], 1, "{made}");
    // Without stake nobody votes.
    let said = me.meshx(&["gov", "vote", "1", "yes"], b"").exits(125);
    assert!(said.stderr.contains("no stake"), "{}", said.stderr);
    let all = me.json(&["stake", "validators"]);
    let validator = all[0]["operator"].as_str().unwrap().to_owned();
    me.meshx(&["stake", "delegate", &validator, "400000"], b"").exits(0);
    me.meshx(&["gov", "vote", "1", "no"], b"").exits(0);
    me.meshx(&["gov", "vote", "1", "yes"], b"").exits(0);
    me.meshx(&["gov", "vote", "7", "yes"], b"").exits(125);

    let decided = me.until(&["gov", "show", "1"], |proposal| {
        (proposal["status"]["status"] == "executed").then(|| proposal.clone())
    });
    // A nano may be lost to rounding, and the last vote is the one that counts.
    let yes = nano(&decided["tally"]["yes"]);
    assert!((399_999_999_999_999..=400_000_000_000_000).contains(&yes), "{decided}");
    assert_eq!(nano(&decided["tally"]["no"]), 0, "{decided}");
    me.meshx(&["gov", "vote", "1", "no"], b"").exits(125);

    // At the shard's next boundary, once the decree was brought there.
    me.until(&["gov", "params", "--chain", "EU"], |all| {
        let found =
            all["params"].as_array().unwrap().iter().find(|p| p["name"] == "rate_core_second");
        (found.unwrap()["value"] == 2_000_000).then_some(())
    });
    assert_eq!(rate(&me), 2_000_000);
    // The deposit is back: all that is gone are fees.
    let shown = me.json(&["wallet", "show", "--chain", "backbone"]);
    let left = nano(&shown["account"]["balance"]);
    assert!(left > 99_999_000_000_000, "{address} has {left}");
}

//! Stake as a new user meets it, by commands only: money from the faucet, delegating, earning, leaving; then a
//! validator of one's own, and what double signing costs.

use crate::support::{User, nano};
use serde_json::Value;

/// The validator of `operator`, as `stake validators` shows it.
fn record(user: &User, operator: &str) -> Value {
    let all = user.json(&["stake", "validators"]);
    let found = all.as_array().unwrap().iter().find(|v| v["operator"] == operator);
    found.unwrap_or_else(|| panic!("{operator} is not among {all}")).clone()
}

#[test]
fn a_new_user_delegates_earns_and_leaves_and_a_double_signer_is_slashed() {
    let (_mesh, me, address) = User::on_a_quick_mesh();
    let given = me.json(&["faucet"]);
    assert_eq!(given["given"].as_array().unwrap().len(), 2, "the shard and the backbone: {given}");
    let all = me.json(&["stake", "validators"]);
    let validator = all[0]["operator"].as_str().unwrap().to_owned();

    // Too little, nobody's validator, more than there is: refused with what to do.
    let dust = me.meshx(&["stake", "delegate", &validator, "99"], b"").exits(125);
    assert!(dust.stderr.contains("100"), "{}", dust.stderr);
    me.meshx(&["stake", "delegate", &address, "100"], b"").exits(125);
    me.meshx(&["stake", "delegate", &validator, "500001"], b"").exits(125);

    me.meshx(&["stake", "delegate", &validator, "1000"], b"").exits(0);
    let owed = me.until(&["stake", "show"], |stake| {
        Some(nano(&stake["delegations"][0]["owed"])).filter(|owed| *owed > 0)
    });
    me.meshx(&["stake", "claim", &validator], b"").exits(0);
    let earned = me.json(&["earnings", &address]);
    assert!(nano(&earned[0]["earned"]["rewards"]) >= owed, "{earned}");

    me.meshx(&["stake", "unbond", &validator, "600"], b"").exits(0);
    let early = me.meshx(&["stake", "withdraw", &validator], b"").exits(125);
    assert!(early.stderr.contains("nothing is free yet"), "{}", early.stderr);
    me.until(&["stake", "show"], |stake| {
        let leaving = &stake["delegations"][0]["unbonding"][0];
        (leaving["matures"].as_u64() <= stake["now"].as_u64()).then_some(())
    });
    me.meshx(&["stake", "withdraw", &validator], b"").exits(0);
    me.meshx(&["stake", "withdraw", &validator], b"").exits(125);
    let stake = me.json(&["stake", "show"]);
    assert_eq!(nano(&stake["delegations"][0]["worth"]), 400_000_000_000, "{stake}");

    // A validator of one's own.
    me.meshx(&["stake", "bond", "99999"], b"").exits(125);
    me.meshx(&["stake", "bond", "150000"], b"").exits(0);
    me.meshx(&["stake", "bond", "150000"], b"").exits(125);
    // It draws lots from the next boundary on; without a node that asks there is no seat, and nobody here can measure.
    assert_eq!(me.json(&["presence", "show"])["vrf"], Value::Null);
    me.meshx(&["stake", "vrf"], b"").exits(0);
    let shown = me.json(&["presence", "show", &address]);
    assert!(shown["vrf"]["key"].is_string() && shown["record"].is_null(), "{shown}");
    assert_eq!((&shown["certified"], &shown["ticket"]), (&Value::Bool(false), &Value::Bool(false)));
    assert_eq!(record(&me, &address)["seated"], false);
    let list = me.meshx(&["presence", "list", "--out", "list.json"], b"").exits(125);
    assert!(list.stderr.contains("no witnesses"), "{}", list.stderr);
    let proof = me.meshx(&["stake", "misbehave"], b"").exits(0).stdout;
    // Another's word for it: with a vote changed it proves nothing.
    let mut forged: Value = serde_json::from_slice(&proof).unwrap();
    forged["second"]["payload"] = "00".repeat(32).into();
    let refused = me.meshx(&["stake", "report", "-"], forged.to_string().as_bytes()).exits(125);
    assert!(refused.stderr.contains("not signed by this key"), "{}", refused.stderr);
    assert_eq!(nano(&record(&me, &address)["tokens"]), 150_000_000_000_000);

    me.meshx(&["stake", "report", "-"], &proof).exits(0);
    let mine = record(&me, &address);
    assert_eq!(nano(&mine["tokens"]), 135_000_000_000_000, "{mine}");
    assert_eq!(mine["standing"]["standing"], "tombstoned", "{mine}");
    let again = me.meshx(&["stake", "report", "-"], &proof).exits(125);
    assert!(again.stderr.contains("punished"), "{}", again.stderr);
}

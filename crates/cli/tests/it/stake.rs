//! Stake as a new user meets it, by commands only: money from the faucet, delegating, earning, leaving; then a
//! validator of one's own, and what double signing costs.

use crate::support::{Said, User};
use serde_json::Value;
use std::{
    io::Write as _,
    process::Stdio,
    time::{Duration, Instant},
};

/// Longest wait for anything that takes an epoch or an unbonding period of a local mesh.
const PATIENCE: Duration = Duration::from_secs(120);

/// A user with a wallet file, on a node.
pub struct Staker {
    pub user: User,
    pub wallet: String,
}

impl Staker {
    pub fn meshx(&self, args: &[&str]) -> Said {
        self.fed(args, b"")
    }

    pub fn fed(&self, args: &[&str], input: &[u8]) -> Said {
        let args: Vec<&str> = args.iter().copied().chain(["--wallet", &self.wallet]).collect();
        let mut child = self
            .user
            .command(&args)
            .env("MESHX_PASSPHRASE", "p")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        let code = output.status.code().expect("not killed");
        Said { code, stdout: output.stdout, stderr: String::from_utf8(output.stderr).unwrap() }
    }

    pub fn json(&self, args: &[&str]) -> Value {
        let args: Vec<&str> = args.iter().copied().chain(["--output", "json"]).collect();
        self.meshx(&args).exits(0).json()
    }

    /// Ask again until `done` finds what it looks for.
    #[track_caller]
    pub fn until<T>(&self, args: &[&str], mut done: impl FnMut(&Value) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            let said = self.json(args);
            if let Some(found) = done(&said) {
                return found;
            }
            assert!(start.elapsed() < PATIENCE, "{args:?} still says {said}");
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// The validator of `operator`, as `stake validators` shows it.
    fn validator(&self, operator: &str) -> Value {
        let all = self.json(&["stake", "validators"]);
        let found = all.as_array().unwrap().iter().find(|v| v["operator"] == operator);
        found.unwrap_or_else(|| panic!("{operator} is not among {all}")).clone()
    }
}

pub fn nano(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn a_new_user_delegates_earns_and_leaves_and_a_double_signer_is_slashed() {
    let user = User::new();
    let (_mesh, ready) = user.start(
        &[
            "up",
            "--listen",
            "127.0.0.1:0",
            "--output",
            "json",
            "--latency",
            "none",
            "--block-ms",
            "100",
        ],
        "ready",
    );
    let ready: Value = serde_json::from_str(&ready).unwrap();
    let user = user.on(ready["node"].as_str().unwrap());
    let wallet = user.path("wallet").to_str().unwrap().to_owned();
    let me = Staker { user, wallet };
    let address = me.meshx(&["wallet", "new"]).exits(0).text().trim().to_owned();

    let given = me.json(&["faucet"]);
    assert_eq!(given["given"].as_array().unwrap().len(), 2, "the shard and the backbone: {given}");
    let all = me.json(&["stake", "validators"]);
    let validator = all[0]["operator"].as_str().unwrap().to_owned();

    // Too little, nobody's validator, more than there is: refused with what to do.
    let dust = me.meshx(&["stake", "delegate", &validator, "99"]).exits(125);
    assert!(dust.stderr.contains("100"), "{}", dust.stderr);
    me.meshx(&["stake", "delegate", &address, "100"]).exits(125);
    me.meshx(&["stake", "delegate", &validator, "500001"]).exits(125);

    me.meshx(&["stake", "delegate", &validator, "1000"]).exits(0);
    let owed = me.until(&["stake", "show"], |stake| {
        Some(nano(&stake["delegations"][0]["owed"])).filter(|owed| *owed > 0)
    });
    me.meshx(&["stake", "claim", &validator]).exits(0);
    let earned = me.json(&["earnings", &address]);
    assert!(nano(&earned[0]["earned"]["rewards"]) >= owed, "{earned}");

    me.meshx(&["stake", "unbond", &validator, "600"]).exits(0);
    let early = me.meshx(&["stake", "withdraw", &validator]).exits(125);
    assert!(early.stderr.contains("nothing is through yet"), "{}", early.stderr);
    me.until(&["stake", "show"], |stake| {
        let leaving = &stake["delegations"][0]["unbonding"][0];
        (leaving["matures"].as_u64() <= stake["now"].as_u64()).then_some(())
    });
    me.meshx(&["stake", "withdraw", &validator]).exits(0);
    me.meshx(&["stake", "withdraw", &validator]).exits(125);
    let stake = me.json(&["stake", "show"]);
    assert_eq!(nano(&stake["delegations"][0]["worth"]), 400_000_000_000, "{stake}");

    // A validator of one's own.
    me.meshx(&["stake", "bond", "99999"]).exits(125);
    me.meshx(&["stake", "bond", "150000"]).exits(0);
    me.meshx(&["stake", "bond", "150000"]).exits(125);
    me.until(&["stake", "validators"], |all| {
        let mine = all.as_array().unwrap().iter().find(|v| v["operator"] == address.as_str());
        mine.filter(|mine| mine["seated"] == true).map(drop)
    });
    let proof = me.meshx(&["stake", "misbehave"]).exits(0).stdout;
    // Another's word for it: with a vote changed it proves nothing.
    let mut forged: Value = serde_json::from_slice(&proof).unwrap();
    forged["second"]["payload"] = "00".repeat(32).into();
    let refused = me.fed(&["stake", "report", "-"], forged.to_string().as_bytes()).exits(125);
    assert!(refused.stderr.contains("not signed by this key"), "{}", refused.stderr);
    assert_eq!(nano(&me.validator(&address)["tokens"]), 150_000_000_000_000);

    me.fed(&["stake", "report", "-"], &proof).exits(0);
    let mine = me.validator(&address);
    assert_eq!(nano(&mine["tokens"]), 135_000_000_000_000, "{mine}");
    assert_eq!(mine["standing"]["standing"], "tombstoned", "{mine}");
    let again = me.fed(&["stake", "report", "-"], &proof).exits(125);
    assert!(again.stderr.contains("punished"), "{}", again.stderr);
    me.until(&["stake", "validators"], |all| {
        let mine = all.as_array().unwrap().iter().find(|v| v["operator"] == address.as_str());
        mine.filter(|mine| mine["seated"] == false).map(drop)
    });
}

//! Presence as the binary proves it.

use crate::{nodes::free_ports, support::User};
use std::{
    fs,
    time::{Duration, Instant},
};

/// 40 nodes on two continents, in rows.
fn network(user: &User) -> String {
    let folder = user.path("network");
    survey::write_made_up(&folder).unwrap();
    folder.display().to_string()
}

/// Forty witnesses in one process, a prover in another; Noise IK between them, UDP over a simulated wire.
#[test]
fn who_stands_there_is_certified_and_who_does_not_is_refused_with_the_land() {
    let user = User::new();
    let folder = network(&user);
    user.meshx(&["presence", "deal", "--network", &folder, "--dir", "dealt"], b"").exits(0);
    let list = ["--list", "dealt/list.json"];
    let attend = [&["presence", "attend", "--keys", "dealt/keys"], &list[..]].concat();
    let (_witnesses, _) = user.start(&attend, "ready");
    // Witness 7 stands at 48, 7; witness 30 in North America.
    let prove = |from: &str, key: &str, out: &str| {
        let words = ["presence", "prove", "--place", "48,7.1", "--simulate-from", from];
        let words = [&words[..], &list, &["--key", key, "--out", out, "--output", "json"]].concat();
        user.meshx(&words, b"")
    };
    let honest = prove("n7", "honest.key", "honest.mxp").exits(0).json();
    assert_eq!(honest["tier"], "certified", "{honest}");
    assert_eq!((&honest["continent"], &honest["measured"]), (&"EU".into(), &40.into()));
    let lie = prove("n30", "lie.key", "lie.mxp").exits(1).json();
    assert_eq!(lie["tier"], "unproven", "{lie}");
    let weakness = &lie["not_provisional"];
    assert_ne!(weakness["continent"], "EU");
    assert!(weakness["refuted"].as_u64() < weakness["able"].as_u64(), "{lie}");

    // Everyone with the list comes to the same verdict; with another list the certificate says nothing.
    let verify =
        |file: &str, list: &str| user.meshx(&["presence", "verify", file, "--list", list], b"");
    assert!(verify("honest.mxp", "dealt/list.json").exits(0).text().starts_with("certified"));
    let said = verify("lie.mxp", "dealt/list.json").exits(1);
    assert!(said.text().contains("it may be at"), "{}", said.text());
    user.meshx(&["presence", "deal", "--network", &folder, "--dir", "other"], b"").exits(0);
    assert!(verify("honest.mxp", "other/list.json").exits(125).stderr.contains("were not drawn"));
    // A key that has claimed one place gets no other measured in the same period.
    let words =
        ["presence", "prove", "--place", "40,-100", "--key", "honest.key", "--out", "x.mxp"];
    let said = user.meshx(&[&words[..], &list].concat(), b"").exits(125);
    assert!(said.stderr.contains("no witness signed a measurement"), "{}", said.stderr);
    // One bit of a certificate.
    let mut bytes = fs::read(user.path("honest.mxp")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(user.path("bad.mxp"), bytes).unwrap();
    assert!(verify("bad.mxp", "dealt/list.json").exits(125).stderr.contains("did not sign"));
}

/// A witness with a file reads what is written there later; what was claimed counts for its own period.
#[test]
fn a_list_that_is_written_anew_is_taken_up() {
    let user = User::new();
    let folder = network(&user);
    let witnesses = ["--port", "8792", "--dir", "dealt"];
    user.meshx(&[&["presence", "deal", "--network", &folder], &witnesses[..]].concat(), b"")
        .exits(0);
    let list = ["--list", "dealt/list.json"];
    let attend = [&["presence", "attend", "--keys", "dealt/keys"], &list[..]].concat();
    let (_witnesses, _) = user.start(&attend, "ready");
    let prove = |place: &str, from: &str| {
        let words = ["presence", "prove", "--key", "my.key", "--out", "my.mxp"];
        let place = ["--place", place, "--simulate-from", from];
        user.meshx(&[&words[..], &place, &list].concat(), b"")
    };
    prove("48,7.1", "n7").exits(0);
    // The place is another: not in this period.
    let said = prove("40,-100", "n30").exits(125);
    assert!(said.stderr.contains("no witness signed a measurement"), "{}", said.stderr);
    let path = user.path("dealt/list.json");
    let mut next: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    next["period"] = 2.into();
    next["seed"] = "07".repeat(32).into();
    fs::write(&path, next.to_string()).unwrap();
    let begun = Instant::now();
    while prove("40,-100", "n30").code != 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "the next period's list is not taken up"
        );
    }
}

/// A node proves its place to a chain: by the chain's list of the period, measured by witnesses that follow it, sent at once.
#[test]
fn a_node_proves_its_place_to_the_chain() {
    let user = User::new();
    let folder = network(&user);
    let witnesses = ["--port", "8791", "--dir", "dealt"];
    user.meshx(&[&["presence", "deal", "--network", &folder], &witnesses[..]].concat(), b"")
        .exits(0);
    let port = free_ports();
    let init = ["node", "init", "--nodes", "1", "--workers", "0", "--chains", "backbone,EU"];
    let more = ["--witnesses", "dealt/list.json", "--dir", "net", "--block-ms", "100", "--port"];
    user.meshx(&[&init[..], &more, &[&port.to_string()]].concat(), b"").exits(0);
    let (_node, _) = user.start(&["node", "start", "--dir", "net/node-0"], "ready");
    let user = user.on(&format!("http://127.0.0.1:{}", port + 1));
    let list = ["--list", "dealt/list.json"];
    let attend = ["presence", "attend", "--follow", "--keys", "dealt/keys"];
    let (_witnesses, _) = user.start(&[&attend[..], &list].concat(), "ready");
    user.until_found(&["presence", "list", "--out", "period.json"]);

    let prove = |more: &[&str]| {
        let words = ["presence", "prove", "--dir", "net/node-0", "--simulate-from"];
        let to = ["--submit", "--output", "json"];
        user.meshx(&[&words[..], more, &list, &to].concat(), b"")
    };
    let said = prove(&["n7", "--place", "48,7.1"]).exits(0);
    let lines: Vec<serde_json::Value> =
        said.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["tier"], "certified", "{}", lines[0]);
    let recorded = &lines[1]["presence"];
    assert_eq!(
        (&recorded["certified"], &recorded["record"]["continent"]),
        (&true.into(), &"EU".into())
    );
    let operator = recorded["address"].as_str().unwrap();
    let shown = user.json(&["presence", "show", operator]);
    assert_eq!(shown["record"], recorded["record"]);
    // Once in a period; and who asks elsewhere is told what is missing.
    let again = prove(&["n7", "--place", "48,7.1"]).exits(125);
    assert!(again.stderr.contains("is already recorded"), "{}", again.stderr);
    let neither = user.meshx(&["presence", "attend", "--keys", "dealt/keys"], b"").exits(2);
    assert!(neither.stderr.contains("--list"), "{}", neither.stderr);
    // Seats follow: the one node that stands in Europe, and a committee that status names.
    user.until(&["presence", "show", operator], |view| {
        view["seats"].as_array()?.iter().find(|seat| seat["chain"] == "EU").cloned()
    });
    let status = user.json(&["status"]);
    assert_eq!(status["chains"][0]["committee"].as_array().unwrap().len(), 1, "{status}");
}

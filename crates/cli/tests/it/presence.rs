//! Presence as the binary tries it.

use crate::support::User;
use std::fs;

/// 40 nodes on two continents, in rows; 15 µs a kilometre by the flat earth of each row.
fn network(user: &User) -> String {
    let folder = user.home.path().join("network");
    fs::create_dir(&folder).unwrap();
    let mut nodes = "id,name,lat,lon,continent\n".to_owned();
    let mut at = Vec::new();
    for (continent, lat, west) in [("EU", 48.0, 0.0), ("NA", 40.0, -110.0)] {
        for index in 0..20 {
            let lon = west + f64::from(index);
            nodes += &format!("n{},Town {},{lat},{lon},{continent}\n", at.len(), at.len());
            at.push((lat, lon));
        }
    }
    let mut rtt = "src,dst,rtt_ms\n".to_owned();
    for a in 0..at.len() {
        for b in 0..a {
            let (up, right): (f64, f64) = (at[a].0 - at[b].0, (at[a].1 - at[b].1) * 0.7);
            let degrees = up.hypot(right);
            rtt += &format!("n{a},n{b},{:.3}\n", degrees * 1.7 + 0.5);
        }
    }
    fs::write(folder.join("nodes.csv"), nodes).unwrap();
    fs::write(folder.join("rtt.csv"), rtt).unwrap();
    folder.display().to_string()
}

#[test]
fn a_network_is_tried_and_its_nodes_are_found() {
    let user = User::new();
    let folder = network(&user);
    let words = ["presence", "evaluate", "--network", &folder, "--liars", "0,0.33", "--lies", "20"];
    let table = user.meshx(&words, b"").exits(0);
    assert!(table.text().contains("of 20"), "{}", table.text());
    let said = user.meshx(&[&words[..], &["--output", "json", "--attack", "proxy"]].concat(), b"");
    let said = said.exits(0).json();
    assert_eq!(said["results"][1]["tiers"][0]["tier"], "certified");
    assert_eq!(said["results"][1]["tiers"][0]["accepted_falsely"]["count"], 0);

    let words = ["presence", "locate", "--network", &folder, "--target", "n7", "--output", "json"];
    let found = user.meshx(&words, b"").exits(0).json();
    assert_eq!(found["continent"], "EU");
    assert!(found["away_km"].as_u64().unwrap() < 300, "{found}");
    let words = ["presence", "locate", "--network", &folder, "--target", "Town 30"];
    assert!(user.meshx(&words, b"").exits(0).text().contains("NA"));
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
    let honest = prove("7", "honest.key", "honest.mxp").exits(0).json();
    assert_eq!(honest["tier"], "certified", "{honest}");
    assert_eq!((&honest["continent"], &honest["measured"]), (&"EU".into(), &40.into()));
    let lie = prove("30", "lie.key", "lie.mxp").exits(1).json();
    assert_eq!(lie["tier"], "unproven", "{lie}");
    let weakness = &lie["not_provisional"];
    assert_ne!(weakness["continent"], "EU");
    assert!(weakness["refuted"].as_u64() < weakness["able"].as_u64(), "{lie}");

    // The certificate says the same to whoever has the list, and nothing to who has another.
    let verify =
        |file: &str, list: &str| user.meshx(&["presence", "verify", file, "--list", list], b"");
    assert!(verify("honest.mxp", "dealt/list.json").exits(0).text().starts_with("certified"));
    let said = verify("lie.mxp", "dealt/list.json").exits(1);
    assert!(said.text().contains("it may stand at"), "{}", said.text());
    user.meshx(&["presence", "deal", "--network", &folder, "--dir", "other"], b"").exits(0);
    assert!(verify("honest.mxp", "other/list.json").exits(125).stderr.contains("did not draw"));
    // A key that has claimed one place gets no other measured in the same period.
    let words =
        ["presence", "prove", "--place", "40,-100", "--key", "honest.key", "--out", "x.mxp"];
    let said = user.meshx(&[&words[..], &list].concat(), b"").exits(125);
    assert!(said.stderr.contains("no witness said anything"), "{}", said.stderr);
    // One bit of a certificate.
    let mut bytes = fs::read(user.path("honest.mxp")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(user.path("bad.mxp"), bytes).unwrap();
    assert!(verify("bad.mxp", "dealt/list.json").exits(125).stderr.contains("did not sign"));
}

#[test]
fn what_is_no_network_or_no_part_is_refused() {
    let user = User::new();
    let folder = network(&user);
    let said = user.meshx(&["presence", "locate", "--network", &folder, "--target", "x"], b"");
    assert!(said.exits(125).stderr.contains("ids and names are in nodes.csv"));
    let said = user.meshx(&["presence", "evaluate", "--network", "/nowhere"], b"");
    assert!(said.exits(125).stderr.contains("nodes.csv"));
    for liars in ["1.5", "x", "-0.1"] {
        user.meshx(&["presence", "evaluate", "--network", &folder, "--liars", liars], b"").exits(2);
    }
}

#[test]
fn one_more_vote_has_its_price() {
    let words =
        ["presence", "sybil-cost", "--staked", "99000000", "--seats", "100", "--output", "json"];
    let cost = User::new().meshx(&words, b"").exits(0).json();
    // x / (99,000,000 + x) = 1 / 100.
    assert_eq!(cost["one_seat"], "1000000000000000");
    assert_eq!((&cost["machines_one_seat"], &cost["machines_third"]), (&1.into(), &34.into()));
    let words = ["presence", "sybil-cost", "--staked", "5"];
    assert!(User::new().meshx(&words, b"").exits(125).stderr.contains("one validator needs"));
}

//! One user, one mesh: run, verify, replay, and everything around a job.

use crate::support::{User, example};

#[test]
fn one_command_runs_a_job_on_a_mesh_of_its_own() {
    let user = User::new();
    let said = user
        .meshx(&["run", "--receipt", "r.mxr", &example("wordcount")], b"the cat the dog\n")
        .exits(0);
    assert_eq!(said.text(), "2 the\n1 cat\n1 dog\n");
    for word in ["MESHX", "assurance quorum 4/4", "receipt r.mxr"] {
        assert!(said.stderr.contains(word), "{word:?} is missing from: {}", said.stderr);
    }

    // The mesh is gone; the receipt stands by itself.
    let accepted = user.meshx(&["verify", "r.mxr"], b"").exits(0);
    assert!(accepted.text().starts_with("accepted"));
    let replayed = user.meshx(&["replay", "r.mxr"], b"").exits(0);
    assert!(replayed.text().starts_with("replayed"));

    let receipt = std::fs::read(user.path("r.mxr")).unwrap();
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    for _ in 0..25 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let mut changed = receipt.clone();
        let place = state as usize % changed.len();
        changed[place] ^= 1 << (state >> 61);
        std::fs::write(user.path("changed.mxr"), changed).unwrap();
        let refused = user.meshx(&["verify", "changed.mxr"], b"").exits(1);
        assert!(refused.stderr.starts_with("refused: "), "byte {place}: {}", refused.stderr);
    }

    // A stranger has no reason to believe in this network until told its id.
    let stranger = User::new();
    let file = user.path("r.mxr");
    let file = file.to_str().unwrap();
    let refused = stranger.meshx(&["verify", file], b"").exits(1);
    let id = refused.stderr.split("--network ").nth(1).unwrap().trim().to_owned();
    stranger.meshx(&["verify", file, "--network", &id], b"").exits(0);
}

#[test]
fn a_mesh_that_stays_answers_every_verb() {
    let user = User::new();
    let (_mesh, ready) = user.start(
        &["up", "--listen", "127.0.0.1:0", "--output", "json", "--latency", "none"],
        "ready",
    );
    let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
    let user = user.on(ready["node"].as_str().unwrap());

    let status = user.meshx(&["status", "--output", "json"], b"").exits(0).json();
    let chains = status["chains"].as_array().unwrap();
    assert_eq!(chains.len(), 8);
    assert!(chains.iter().all(|chain| chain["height"].as_u64().unwrap() > 0), "{status}");

    let said = user.meshx(&["run", "--output", "json", &example("exit")], b"3").exits(3);
    let result = said.json();
    for field in ["job", "output_hash", "fuel", "price", "workers", "assurance"] {
        assert!(!result[field].is_null(), "{field} is missing: {result}");
    }
    let job = result["job"].as_str().unwrap();
    user.meshx(&["verify", result["receipt"].as_str().unwrap()], b"").exits(0);

    assert!(user.meshx(&["job", "list"], b"").exits(0).text().contains(&job[..8]));
    assert!(user.meshx(&["job", "show", job], b"").exits(0).text().contains("settled"));
    assert!(user.meshx(&["why", job], b"").exits(0).text().contains("agree"));
    user.meshx(&["job", "logs", job], b"").exits(0);
    let again = user.meshx(&["run", "--output", "json", &example("exit")], b"3").exits(3).json();
    assert_eq!((&again["cached_from"], &again["price"]), (&result["job"], &serde_json::json!("0")));
    let too_late = user.meshx(&["job", "cancel", job], b"").exits(125);
    assert!(too_late.stderr.contains("ended"), "{}", too_late.stderr);
    let unknown = user.meshx(&["job", "show", &"0".repeat(64)], b"").exits(125);
    assert!(unknown.stderr.contains("knows job"), "{}", unknown.stderr);

    let words = user
        .meshx(&["quote", "--output", "json", &example("wordcount")], b"a b a\n")
        .exits(0)
        .json();
    let price = |field: &str| words[field].as_str().unwrap().parse::<u64>().unwrap();
    assert!(
        price("price_low") <= price("price_likely") && price("price_likely") <= price("price_max")
    );

    let wallet = user.path("w");
    let wallet = wallet.to_str().unwrap();
    let made = user
        .command(&["wallet", "new", "--wallet", wallet])
        .env("MESHX_PASSPHRASE", "p")
        .output()
        .unwrap();
    let address = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    user.meshx(&["wallet", "send", &address, "12.5"], b"").exits(0);
    let shown = user
        .command(&["wallet", "show", "--wallet", wallet])
        .env("MESHX_PASSPHRASE", "p")
        .output()
        .unwrap();
    assert!(String::from_utf8(shown.stdout).unwrap().contains("12.5 MESHX"));
    let wrong = user
        .command(&["wallet", "show", "--wallet", wallet])
        .env("MESHX_PASSPHRASE", "q")
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(125));

    // A second mesh on the same port is refused, with the port named.
    let port = ready["node"].as_str().unwrap().trim_start_matches("http://").to_owned();
    let refused = user.meshx(&["up", "--listen", &port], b"").exits(125);
    assert!(
        refused.stderr.contains(&port) && refused.stderr.contains("hint:"),
        "{}",
        refused.stderr
    );
}

//! Workers without a chain: processes of their own that know one address, and are paid for what they run.

use crate::{
    nodes::free_ports,
    support::{User, example, nano},
    wire::{Recorded, Wire},
};

use std::time::{Duration, Instant};

/// As many as a job's replicas: all of them must be edges, because the nodes have no workers.
const EDGES: u16 = 4;
/// The input of the job, which nobody on the way is to read.
const SECRET: &[u8] = b"thirty-two-words-of-a-secret-that-no-wire-may-show and others\n";

#[test]
fn edges_that_know_one_address_run_jobs_for_pay() {
    let user = User::new();
    let port = free_ports();
    let init = ["node", "init", "--nodes", "2", "--workers", "0", "--chains", "EU", "--dir", "net"];
    let more = ["--block-ms", "300", "--port", &port.to_string()];
    user.meshx(&[&init[..], &more].concat(), b"").exits(0);
    let (_second, _) = user.start(&["node", "start", "--dir", "net/node-1"], "network");
    let (_first, join) = user.start(&["node", "start", "--dir", "net/node-0"], "join");
    // Edges know the gateway at a wire that somebody listens on.
    let wire = Wire::to(port + 4);
    let join = join.replace(&format!("/tcp/{}/", port + 4), &format!("/tcp/{}/", wire.port));
    let join: Vec<&str> = join.split_whitespace().skip_while(|word| *word != "--network").collect();
    let mut made = user.command(&["wallet", "new", "--wallet", "owner"]);
    let made = made.env("MESHX_PASSPHRASE", "p").output().unwrap();
    let owner = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let gateway = user.on(&format!("http://127.0.0.1:{}", port + 1));
    gateway.until(&["status"], |status| (status["chains"][0]["ready"] == true).then_some(()));

    let mut edges = Vec::new();
    let own = free_ports();
    for index in 0..EDGES {
        let dir = format!("edge-{index}");
        let api = format!("127.0.0.1:{}", own + index);
        let start = ["node", "start", "--role", "edge", "--dir", &dir, "--api", &api];
        // The faucet of a development network gives them what their fees cost.
        let more = ["--payout", &owner];
        let more = if index == 0 { &more[..] } else { &[] };
        let (edge, worker) = gateway.start(&[&start[..], more, &join].concat(), "worker");
        let worker = worker.split_whitespace().nth(1).unwrap().to_owned();
        edges.push((edge, worker));
    }
    gateway.until(&["status"], |status| (status["chains"][0]["workers"] == EDGES).then_some(()));

    // Money of the first belongs to its owner, but for what it needs for fees.
    gateway.meshx(&["wallet", "send", &edges[0].1, "1"], b"").exits(0);
    let paid = edges[0].0.says("paid");
    assert!(paid.contains("0.9999") && paid.contains(&owner), "{paid}");

    // The job goes through an edge, too: its own user is a user like any other.
    let edge = format!("http://127.0.0.1:{own}");
    let said = gateway.meshx(
        &["run", "--node", &edge, "--output", "json", "--receipt", "r.mxr", &example("wordcount")],
        SECRET,
    );
    let result = said.exits(0).json();
    assert_eq!(result["assurance"], "quorum 4/4", "{result}");
    gateway.meshx(&["verify", "r.mxr"], b"").exits(0);
    for (_, worker) in &edges {
        let earned = gateway.json(&["earnings", worker]);
        let jobs = earned.as_array().unwrap().iter().map(|chain| nano(&chain["earned"]["jobs"]));
        assert!(jobs.sum::<u64>() > 0, "{earned}");
    }
    // Everything between edges and gateway was Noise IK, and nothing of the job could be read.
    let recorded = wire.recorded();
    assert!(recorded.len() >= usize::from(EDGES), "{} connections", recorded.len());
    assert!(recorded.iter().all(Recorded::is_noise_ik));
    for shown in [&SECRET[..40], b"HTTP/1.1", b"wordcount", b"multistream"] {
        let text = String::from_utf8_lossy(shown);
        assert!(!recorded.iter().any(|connection| connection.holds(shown)), "{text}");
    }
    // What an edge says of its connections.
    let peers = gateway.until(&["peers", "--dir", "edge-0"], |status| {
        status["peers"].as_array().filter(|peers| !peers.is_empty()).cloned()
    });
    assert_eq!(peers[0]["path"], "direct");
}

#[test]
fn an_edge_learns_from_the_chain_where_nodes_are() {
    let user = User::new();
    let port = free_ports();
    let init = ["node", "init", "--nodes", "1", "--aggregators", "1", "--workers", "0"];
    let more = ["--chains", "backbone,EU", "--dir", "net", "--block-ms", "200", "--port"];
    user.meshx(&[&init[..], &more, &[&port.to_string()]].concat(), b"").exits(0);
    let (_validator, known) = user.start(&["node", "start", "--dir", "net/node-0"], "join");
    let (gateway_runs, join) = user.start(&["node", "start", "--dir", "net/node-1"], "join");
    let words = |join: &str| -> Vec<String> {
        join.split_whitespace().skip_while(|word| *word != "--network").map(str::to_owned).collect()
    };
    let (known, join) = (words(&known), words(&join));
    let at_validator = known.last().unwrap().as_str();
    let node = user.on(&format!("http://127.0.0.1:{}", port + 1));
    node.until(&["status"], |status| {
        let chains = status["chains"].as_array().unwrap();
        chains.iter().all(|chain| chain["ready"] == true).then_some(())
    });

    // An account without a validator is not listed.
    let unlisted = node.meshx(&["stake", "announce", at_validator], b"").exits(125);
    assert!(unlisted.stderr.contains("has no validator"), "{}", unlisted.stderr);
    node.meshx(&["stake", "bond", "150000"], b"").exits(0);
    node.meshx(&["stake", "announce", at_validator], b"").exits(0);
    let validators = node.json(&["stake", "validators"]);
    let listed = validators.as_array().unwrap().iter().filter(|of| of["peers"][0] == at_validator);
    assert_eq!(listed.count(), 1, "{validators}");

    let api = format!("127.0.0.1:{}", port + 9);
    let start =
        ["node", "start", "--role", "edge", "--dir", "edge", "--api", &api, "--no-port-mapping"];
    let joined: Vec<&str> = join.iter().map(String::as_str).collect();
    let (edge, _) = node.start(&[&start[..], &joined].concat(), "gateway");
    written(&node, "edge/registry", at_validator);
    drop((edge, gateway_runs));

    // The one it joined by is gone, and it has forgotten everybody but those that the chain names.
    std::fs::remove_file(node.path("edge/known-peers")).unwrap_or_default();
    let (_edge, gateway) = node.start(&[&start[..], &joined[..2]].concat(), "gateway");
    let id = at_validator.rsplit('/').next().unwrap();
    assert!(gateway.contains(id), "{gateway} is not {id}");
    // Headers come by gossip, too.
    node.until(&["peers", "--dir", "edge"], |status| status["newest"].as_u64().map(drop));
}

#[test]
fn a_gateway_that_goes_is_replaced() {
    let user = User::new();
    let port = free_ports();
    // The edge works for another chain than the first of those that its gateways hold.
    let init = ["node", "init", "--nodes", "3", "--workers", "0", "--chains", "NA,EU"];
    let more = ["--dir", "net", "--block-ms", "300", "--port", &port.to_string()];
    user.meshx(&[&init[..], &more].concat(), b"").exits(0);
    let dirs = ["net/node-0", "net/node-1", "net/node-2"];
    // None is ready before there is a quorum.
    let mut nodes = dirs.map(|dir| user.start(&["node", "start", "--dir", dir], "network"));
    for (node, join) in &mut nodes {
        *join = node.says("join");
    }
    let join = nodes[0].1.split_whitespace().skip_while(|word| *word != "--network");
    let join: Vec<String> = join.map(str::to_owned).collect();
    let join: Vec<&str> = join.iter().map(String::as_str).collect();
    let id = |join: &str| join.rsplit('/').next().unwrap().to_owned();
    let ids: Vec<String> = nodes.iter().map(|(_, join)| id(join)).collect();
    // They have to meet, so that the first can say where the others are.
    for node in &mut nodes {
        node.0.says("ready");
    }
    let api = format!("127.0.0.1:{}", free_ports());
    let start =
        ["node", "start", "--role", "edge", "--dir", "edge", "--api", &api, "--chain", "EU"];
    let (edge, gateway) = user.start(&[&start[..], &join].concat(), "gateway");
    assert!(gateway.contains(&ids[0]), "{gateway}");
    edge.says("ready");
    // It looks for others while it has one.
    user.until(&["peers", "--dir", "edge"], |status| {
        status["peers"].as_array().filter(|peers| peers.len() >= 3).map(drop)
    });

    // The first is silent: a process that is stopped keeps its connections.
    let first = nodes[0].0.child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-STOP", &first]).status().unwrap().success());
    let second = edge.says("gateway");
    let second = ids.iter().position(|id| second.contains(id)).unwrap();
    assert_ne!(second, 0);
    // The second is killed. The third is left.
    nodes[second].0.child.kill().unwrap();
    let third = edge.says("gateway");
    let third = ids.iter().position(|id| third.contains(id)).unwrap();
    assert!(third != 0 && third != second, "{third}");
}

#[test]
fn a_provider_joins_the_mesh_of_this_machine_with_one_command() {
    let user = User::new();
    let words = ["up", "--listen", "127.0.0.1:0", "--output", "json", "--latency", "none"];
    let (_mesh, ready) = user.start(&[&words[..], &["--validators", "1"]].concat(), "ready");
    let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
    let (mut provider, worker) = user.start(&["provide"], "worker");
    provider.says("ready");
    let worker = worker.split_whitespace().nth(1).unwrap();
    let node = user.on(ready["node"].as_str().unwrap());
    let earned = node.json(&["earnings", worker]);
    assert!(earned.as_array().is_some_and(|chains| !chains.is_empty()), "{earned}");
    // One that is stopped takes itself off the list, so that no job waits for it.
    let url = ready["node"].as_str().unwrap();
    let capacity = || {
        let client = api::Client::new(url).unwrap();
        client.worker(types::ChainId::Europe, worker.parse().unwrap()).unwrap().record.capacity
    };
    assert!(capacity() > 0);
    let interrupt = std::process::Command::new("kill")
        .args(["-INT", &provider.child.id().to_string()])
        .status();
    assert!(interrupt.unwrap().success());
    assert!(provider.child.wait().unwrap().success());
    assert_eq!(capacity(), 0);
    let alone = ["--validators", "1", "--no-edges"];
    let (_alone, ready) = node.start(&[&words[..], &alone].concat(), "ready");
    let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
    let none = node.on(ready["node"].as_str().unwrap()).meshx(&["provide"], b"").exits(125);
    assert!(none.stderr.contains("name a node that does"), "{}", none.stderr);
}

#[test]
fn an_edge_that_knows_nothing_is_told_what_it_lacks() {
    let user = User::new();
    let lacking = user.meshx(&["node", "start", "--dir", "edge"], b"").exits(125);
    assert!(lacking.stderr.contains("--network"), "{}", lacking.stderr);
    let network = "00".repeat(32);
    let start = ["node", "start", "--role", "edge", "--dir", "edge", "--network", &network];
    let lonely = user.meshx(&start, b"").exits(125);
    assert!(lonely.stderr.contains("--join"), "{}", lonely.stderr);
    let unnamed = user.meshx(&[&start[..], &["--join", "/ip4/127.0.0.1/tcp/1"]].concat(), b"");
    assert!(unnamed.stderr.contains("/p2p/"), "{}", unnamed.stderr);
    let keyless = user.meshx(&["node", "start", "--role", "validator", "--dir", "edge"], b"");
    assert!(keyless.exits(125).stderr.contains("meshx node init"));
}

#[test]
fn a_node_begins_with_a_signed_list_and_comes_back_without_it() {
    let user = User::new();
    let (network, port) = ("07".repeat(32), free_ports());
    let listen = format!("/ip4/127.0.0.1/tcp/{port}");
    let start = ["node", "start", "--role", "relay", "--network", &network, "--no-port-mapping"];
    let first = [&start[..], &["--dir", "first", "--listen", &listen]].concat();
    let (_first, join) = user.start(&first, "join");
    let address = join.split_whitespace().last().unwrap().to_owned();

    let sign = ["node", "bootstrap", "--dir", "signer", "--network", &network, &address];
    let signed = user.meshx(&sign, b"").exits(0);
    std::fs::write(user.path("list"), &signed.stdout).unwrap();
    let key = signed.stderr.split_whitespace().last().unwrap().to_owned();
    // What is not typed is in a file.
    let config = format!(
        "role = \"relay\"\nnetwork = \"{network}\"\ndir = \"second\"\nbootstrap = \"list\"\nno-port-mapping = true\nlisten = [\"/ip4/127.0.0.1/tcp/{}\"]\n",
        port + 1
    );
    std::fs::write(user.path("node.toml"), &config).unwrap();
    let start = ["node", "start", "--config", "node.toml"];
    let keyless = user.meshx(&start, b"");
    assert!(keyless.code != 0 && keyless.stderr.contains("--bootstrap-key"), "{}", keyless.stderr);
    let stranger = user.meshx(&[&start[..], &["--bootstrap-key", &"ab".repeat(32)]].concat(), b"");
    assert!(stranger.exits(125).stderr.contains(&key), "it says who signed");
    let misspelt = format!("{config}capasity = 4\n");
    std::fs::write(user.path("misspelt.toml"), misspelt).unwrap();
    let misspelt = user.meshx(&["node", "start", "--config", "misspelt.toml"], b"");
    assert!(misspelt.code != 0 && misspelt.stderr.contains("--capasity"), "{}", misspelt.stderr);

    let is_connected = |peers: &serde_json::Value| {
        let peers = peers["peers"].as_array()?;
        peers.iter().any(|peer| peer["path"] == "direct" && peer["in_table"] == true).then_some(())
    };
    let (second, _) = user.start(&[&start[..], &["--bootstrap-key", &key]].concat(), "ready");
    written(&user, "second/peers.json", "peers");
    user.until(&["peers", "--dir", "second"], is_connected);
    written(&user, "second/known-peers", &address);
    drop(second);

    // Nobody tells it where to begin.
    std::fs::remove_file(user.path("second/peers.json")).unwrap();
    std::fs::write(user.path("node.toml"), config.replace("bootstrap = \"list\"\n", "")).unwrap();
    let (_second, _) = user.start(&start, "ready");
    written(&user, "second/peers.json", "peers");
    user.until(&["peers", "--dir", "second"], is_connected);
}

#[track_caller]
fn written(user: &User, file: &str, text: &str) {
    let begun = Instant::now();
    while !std::fs::read_to_string(user.path(file)).is_ok_and(|has| has.contains(text)) {
        assert!(begun.elapsed() < Duration::from_secs(60), "{file} does not say {text}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

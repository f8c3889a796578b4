//! Two node processes and a client in a third, over loopback sockets.

use crate::support::{User, example};
use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::atomic::{AtomicU16, Ordering},
};

/// Ten ports in a row that nobody uses right now: three for each of two nodes, and four for what else a test starts.
/// Tests that ask at the same time get different ones.
pub fn free_ports() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(21_000);
    loop {
        let base = NEXT.fetch_add(10, Ordering::Relaxed);
        assert!(base < 31_000, "no ten free ports in a row");
        let taken = (base..base + 10).any(|port| TcpListener::bind(("127.0.0.1", port)).is_err());
        if !taken {
            return base;
        }
    }
}

#[test]
fn two_nodes_run_a_job_for_a_third_process() {
    let user = User::new();
    let port = free_ports();
    user.meshx(
        &[
            "node",
            "init",
            "--nodes",
            "2",
            "--dir",
            "net",
            "--port",
            &port.to_string(),
            "--block-ms",
            "300",
        ],
        b"",
    )
    .exits(0);
    let (_first, _) = user.start(&["node", "start", "--dir", "net/node-0"], "network");
    let (_second, _) = user.start(&["node", "start", "--dir", "net/node-1"], "ready");
    let user = user.on(&format!("http://127.0.0.1:{}", port + 1));
    let said = user
        .meshx(&["run", "--receipt", "r.mxr", &example("wordcount")], b"over sockets over\n")
        .exits(0);
    assert_eq!(said.text(), "2 over\n1 sockets\n");
    user.meshx(&["verify", "r.mxr"], b"").exits(0);
}

#[test]
fn a_network_of_nodes_without_a_faucet_names_the_wallet() {
    let user = User::new();
    let port = free_ports();
    let init = [
        "node",
        "init",
        "--nodes",
        "1",
        "--workers",
        "0",
        "--dir",
        "net",
        "--block-ms",
        "200",
        "--port",
    ];
    user.meshx(&[&init[..], &[&port.to_string()]].concat(), b"").exits(0);
    // As in a network that was dealt before its nodes had faucets.
    let path = user.path("net/node-0/node.json");
    let mut file: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    file["faucets"] = serde_json::json!([]);
    std::fs::write(&path, file.to_string()).unwrap();
    let (_node, _) = user.start(&["node", "start", "--dir", "net/node-0"], "ready");
    let user = user.on(&format!("http://127.0.0.1:{}", port + 1));
    let said = user.meshx(&["faucet"], b"").exits(125);
    assert!(
        said.stderr.contains("hint: the development wallet has money: meshx wallet send"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_node_without_a_share_follows_the_chain_and_serves_it() {
    let user = User::new();
    let port = free_ports();
    let init = ["node", "init", "--nodes", "1", "--aggregators", "1", "--dir", "net", "--port"];
    user.meshx(&[&init[..], &[&port.to_string(), "--block-ms", "300"]].concat(), b"").exits(0);
    let wrong = ["node", "init", "--nodes", "2", "--hosts", "127.0.0.1", "--dir", "other"];
    let said = user.meshx(&wrong, b"").exits(125);
    assert!(said.stderr.contains("1 addresses, but there are 2 processes"), "{}", said.stderr);

    let (_voter, _) = user.start(&["node", "start", "--dir", "net/node-0"], "ready");
    let (follower, _) = user.start(&["node", "start", "--dir", "net/node-1"], "ready");
    let url = |node: u16| format!("http://127.0.0.1:{}", port + 2 * node + 1);
    let run = |node: u16, input: &[u8]| {
        let url = url(node);
        let job = ["--node", &url, "run", "--receipt", "r.mxr", &example("wordcount")];
        user.meshx(&job, input).exits(0)
    };
    let said = run(1, b"who follows serves who asks\n");
    assert!(said.text().starts_with("2 who\n"), "{}", said.text());
    user.meshx(&["verify", "r.mxr"], b"").exits(0);

    // It goes away and comes back: what happened meanwhile is there.
    drop(follower);
    run(0, b"meanwhile\n");
    let receipt = user.json(&["verify", "r.mxr"]);
    let job = receipt["job"].as_str().unwrap();
    let (_follower, _) = user.start(&["node", "start", "--dir", "net/node-1"], "ready");
    let shown = ["--node", &url(1), "job", "show", job];
    user.meshx(&shown, b"").exits(0);
}

#[test]
fn a_relay_needs_no_keys_and_tells_of_its_peers() {
    let user = User::new();
    let network = "ab".repeat(32);
    let port = free_ports();
    let start = |dir: &'static str, more: &[&str]| {
        let words = ["node", "start", "--role", "relay", "--network", &network, "--dir", dir];
        user.start(&[&words[..], &["--metrics", "127.0.0.1:0"], more].concat(), "id ")
    };
    let listen = |port: u16| format!("/ip4/127.0.0.1/tcp/{port}");
    let (_first, said) = start("first", &["--listen", &listen(port)]);
    let id_of = |said: &str| said.split_whitespace().nth(1).unwrap().to_owned();
    let first = id_of(&said);
    let join = format!("{}/p2p/{first}", listen(port));
    let (_second, said) = start("second", &["--listen", &listen(port + 1), "--join", &join]);
    let second = id_of(&said);

    user.until_found(&["peers", "--dir", "first"]);
    let status = user.until(&["peers", "--dir", "first"], |status| {
        (status["peers"][0]["peer"] == second.as_str()).then(|| status.clone())
    });
    // Another network's id is told from a node that is not there.
    let away = free_ports().to_string();
    let words = ["doctor", "--port", &away, "--network", &"cd".repeat(32), "--join", &join];
    let said = user.meshx(&words, b"").exits(1);
    assert!(said.text().contains("check --network and the id behind /p2p/"), "{}", said.text());
    let record = user.until_found(&["peers", "--dir", "second", "--find", &first]);
    assert_eq!(record["roles"], serde_json::json!(["relay"]));
    assert_eq!(record["addresses"][0], listen(port).as_str());
    let nobody = "12D3KooWCbzFJ8C5g8tv5C9zGvLiSya1acm2rNEt6kEXZpZPFLNq";
    let unknown = user.meshx(&["peers", "--dir", "second", "--find", nobody], b"").exits(125);
    assert!(unknown.stderr.contains("no peer knows"), "{}", unknown.stderr);

    let mut stream = TcpStream::connect(status["metrics"].as_str().unwrap()).unwrap();
    write!(stream, "GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let mut metrics = String::new();
    stream.read_to_string(&mut metrics).unwrap();
    for line in [
        format!("meshx_overlay_peer_bytes_total{{peer=\"{second}\",direction=\"in\"}} "),
        "meshx_overlay_peers{path=\"inbound\"} 1\n".to_owned(),
        "meshx_overlay_protocol_total{protocol=\"identify\",direction=\"in\"} ".to_owned(),
        "meshx_overlay_table_nodes 1\n".to_owned(),
        "meshx_overlay_table_peers_by_rtt{seconds_max=\"+Inf\"} 0\n".to_owned(),
    ] {
        assert!(metrics.contains(&line), "no {line} in\n{metrics}");
    }
}

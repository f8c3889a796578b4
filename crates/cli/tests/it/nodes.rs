//! Two node processes and a client in a third, over loopback sockets.

use crate::support::{User, example};
use std::{
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering},
};

/// Six ports in a row that nobody uses right now: three for each of two nodes. Tests that ask at the same time get
/// different ones.
pub fn free_ports() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(21_000);
    loop {
        let base = NEXT.fetch_add(10, Ordering::Relaxed);
        assert!(base < 31_000, "no six free ports in a row");
        let taken = (base..base + 6).any(|port| TcpListener::bind(("127.0.0.1", port)).is_err());
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
fn a_node_without_a_share_follows_the_chain_and_serves_it() {
    let user = User::new();
    let port = free_ports();
    let init = ["node", "init", "--nodes", "1", "--aggregators", "1", "--dir", "net", "--port"];
    user.meshx(&[&init[..], &[&port.to_string(), "--block-ms", "300"]].concat(), b"").exits(0);
    let wrong = ["node", "init", "--nodes", "2", "--hosts", "127.0.0.1", "--dir", "other"];
    let said = user.meshx(&wrong, b"").exits(125);
    assert!(said.stderr.contains("1 addresses for 2 processes"), "{}", said.stderr);

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

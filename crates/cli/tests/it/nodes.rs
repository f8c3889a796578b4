//! Two node processes and a client in a third, over loopback sockets.

use crate::support::{User, example};
use std::net::TcpListener;

/// Four ports in a row that nobody uses right now.
fn free_ports() -> u16 {
    for base in (21_000..31_000).step_by(10) {
        let free: Vec<_> = (base..base + 4)
            .map_while(|port| TcpListener::bind(("127.0.0.1", port)).ok())
            .collect();
        if free.len() == 4 {
            return base;
        }
    }
    panic!("no four free ports in a row");
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

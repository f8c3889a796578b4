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

//! Overlays on loopback: who finds whom, who reaches whom, and who is turned away.

mod reach;
mod record;
mod table;
mod tor;
mod turn;

use crypto::SigningKey;
use overlay::{Config, Overlay, PeerAddress, Role, Roles};
use std::time::{Duration, Instant};
use types::Hash;

/// Longest wait for anything; a busy machine takes a good part of it.
pub const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) fn config(seed: u8, bootstrap: &[PeerAddress]) -> Config {
    let listen = vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()];
    let key = SigningKey::from_seed(&[seed; 32]);
    Config {
        roles: Roles::default().with(Role::Aggregator),
        bootstrap: bootstrap.to_vec(),
        ..Config::new(key, Hash([9; 32]), listen)
    }
}

pub(crate) async fn start(config: Config) -> (Overlay, PeerAddress) {
    let overlay = Overlay::start(config).unwrap();
    let address = overlay.listening().await.unwrap().remove(0);
    (overlay, address)
}

/// Wait until `done` says so; `what` is what is then missing.
pub(crate) async fn until<F: AsyncFnMut() -> bool>(what: &str, mut done: F) {
    let patience = Instant::now() + PATIENCE;
    while !done().await {
        assert!(Instant::now() < patience, "{what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

//! The task that keeps a port of the router open for this node.

use crate::{
    address::{host_of, port_of},
    command::Command,
    nat::{self, MapBy},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{Mutex, mpsc, oneshot};

/// How often it looks whether something is due.
const TICK: Duration = Duration::from_secs(2);
/// How often a router that would not is asked again.
const MAP_AGAIN: Duration = Duration::from_secs(10 * 60);

/// Keep the listening port mapped by the protocol that the router speaks, as long as the overlay lives. A machine that has
/// an address on the internet, or listens to itself only, needs none.
pub(crate) async fn keep_mapped(
    commands: mpsc::WeakSender<Command>,
    mapping: Arc<Mutex<Option<nat::Mapping>>>,
) {
    loop {
        tokio::time::sleep(TICK).await;
        let (answer, wait) = oneshot::channel();
        let Some(sender) = commands.upgrade() else { break };
        // Held for this one question: the overlay ends with its last handle, and this task must not be that.
        if sender.send(Command::Status(answer)).await.is_err() {
            break;
        }
        drop(sender);
        let Ok(status) = wait.await else { break };
        let hosts = || status.listen.iter().filter_map(host_of);
        let here = hosts().any(|host| host.is_ipv4() && !host.is_loopback());
        if !here || hosts().any(nat::is_global) {
            continue;
        }
        let mut kept = mapping.lock().await;
        if kept.as_ref().is_some_and(|mapping| Instant::now() < mapping.renew_at) {
            continue;
        }
        let Some(port) = status.listen.iter().find_map(port_of) else { continue };
        let known = kept.take().map(|mapping| mapping.by);
        // What worked before is asked first.
        for by in known.into_iter().chain(MapBy::ALL) {
            match nat::map(port, by).await {
                Ok(mapping) if nat::is_global(mapping.external.ip()) => {
                    *kept = Some(mapping);
                    break;
                }
                Ok(mapping) => {
                    let external = mapping.external;
                    tracing::info!(%external, "the router itself stands behind another NAT");
                    nat::unmap(mapping).await;
                }
                Err(error) => tracing::debug!(%error, "no port mapped"),
            }
        }
        let now = kept.as_ref().map(|mapping| (mapping.by, mapping.external));
        drop(kept);
        let Some(sender) = commands.upgrade() else { break };
        drop(sender.send(Command::Mapped(now)).await);
        drop(sender);
        if now.is_none() {
            tokio::time::sleep(MAP_AGAIN).await;
        }
    }
    if let Some(mapping) = mapping.lock().await.take() {
        nat::unmap(mapping).await;
    }
}

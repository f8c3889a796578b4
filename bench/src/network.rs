//! What benchmarks of a whole network share.

use anyhow::{Result, bail};
use std::time::{Duration, Instant, UNIX_EPOCH};
use types::Millis;

const START_TIMEOUT: Duration = Duration::from_secs(60);

pub fn cores() -> f64 {
    std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64)
}

pub fn now() -> Millis {
    let since = UNIX_EPOCH.elapsed().unwrap_or_default();
    Millis::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

pub async fn wait_ready(node: &node::Node) -> Result<()> {
    let start = Instant::now();
    while !node.ready() {
        if start.elapsed() > START_TIMEOUT {
            bail!("the network had no final block after a minute");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

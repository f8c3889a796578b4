//! A relay: it holds no chain and runs no jobs; it carries connections, and keeps records for others.

use crate::{Meeting, News, NotRun, Say, identity, keep_status, tell, watch::watch};
use overlay::Overlay;
use std::{io, net::SocketAddr, time::Duration};

/// Carry connections until `stop` is done. `metrics`: where to answer questions about the overlay.
///
/// # Errors
/// [`NotRun`].
pub fn carry(
    meeting: &Meeting,
    metrics: Option<SocketAddr>,
    say: &Say,
    stop: impl Future<Output = io::Result<()>>,
) -> Result<(), NotRun> {
    let config = meeting.config(identity(&meeting.dir)?)?;
    let runtime = tokio::runtime::Runtime::new().map_err(NotRun::Runtime)?;
    runtime.block_on(async {
        let overlay = Overlay::start(config)?;
        say(News::Id(overlay.id()));
        tell(&overlay, meeting.network, say).await?;
        let metrics = watch(&overlay, metrics, say).await?;
        say(News::Ready);
        tokio::select! {
            result = stop => result.map_err(NotRun::Signal)?,
            () = keep_status(&overlay, &meeting.dir, metrics, || None, say) => {}
        }
        say(News::Stopping);
        overlay.close().await;
        Ok::<_, NotRun>(())
    })?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}

//! What a person may want to know of a node while it runs. How it is said is the program's business.

use crate::Said;
use overlay::{Overlay, OverlayError, PeerId};
use std::{error::Error, net::SocketAddr, sync::Arc, time::Duration};
use types::{Address, ChainId, Hash};

/// What the role tells its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// By which others know it.
    Id(PeerId),
    /// The worker's address, and the shard it works for.
    Worker(Address, ChainId),
    /// Where metrics are served.
    Metrics(SocketAddr),
    /// How edges come here.
    Join {
        /// The network's id.
        network: Hash,
        /// What others pass to `--join`.
        address: String,
        /// Through the Tor daemon of their machine.
        tor: bool,
    },
    /// No gateway has answered for a while.
    NoGateway,
    /// The gateway that is asked from now on.
    Gateway(PeerId),
    /// Where this machine's programs find the gateway's API.
    Api(String),
    /// What the worker did.
    Work(Said),
    /// It does what it was started for.
    Ready,
    /// It was told to stop.
    Stopping,
    /// Something went wrong and is tried again; in words.
    Trouble(String),
}

impl News {
    /// A failure with its causes, which goes on without ending anything.
    pub(crate) fn trouble(error: &dyn Error) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text += &format!(": {error}");
            cause = error.source();
        }
        Self::Trouble(text)
    }
}

/// Hears news, from several threads.
pub type Say = Arc<dyn Fn(News) + Send + Sync>;

/// How often the overlay is asked whether it has an onion service by now.
const ONION_LOOKS: Duration = Duration::from_secs(2);

/// Say how edges come here.
///
/// # Errors
/// If the overlay has stopped.
pub async fn tell(overlay: &Overlay, network: Hash, say: &Say) -> Result<(), OverlayError> {
    for address in overlay.listening().await? {
        say(News::Join { network, address: address.to_string(), tor: false });
    }
    Ok(())
}

/// Say how edges come here through Tor, once they can.
pub async fn tell_onion(overlay: &Overlay, network: Hash, say: &Say) {
    while let Ok(status) = overlay.status().await {
        if let Some(onion) = status.onion {
            let address = format!("{onion}/p2p/{}", overlay.id());
            say(News::Join { network, address, tor: true });
            return;
        }
        tokio::time::sleep(ONION_LOOKS).await;
    }
}

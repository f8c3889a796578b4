//! What a node does for edges: it meets them in the overlay, serves them its API, and tells them what is final.

use crate::{Node, mesh};
use edge::{
    Meeting, News, Say, headers, keep_status, tell, tell_onion,
    watch::{NotWatched, watch},
};
use overlay::{Config, Overlay, OverlayError};
use receipt::{Follower, Heard};
use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
};
use tokio::task::JoinHandle;
use types::ChainId;

/// Why a node serves no edges.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotServed {
    #[error(transparent)]
    Overlay(#[from] OverlayError),
    #[error(transparent)]
    NotWatched(#[from] NotWatched),
}

/// The service, while it runs.
pub(crate) struct Edges {
    overlay: Overlay,
    serving: JoinHandle<()>,
}

impl Edges {
    /// Meet others as `meeting` and `config` say, and pass the API of `node`, which listens at `api`, on to edges.
    pub(crate) async fn serve(
        node: &Node,
        meeting: &Meeting,
        config: Config,
        (api, metrics): (SocketAddr, Option<SocketAddr>),
        say: &Say,
    ) -> Result<Self, NotServed> {
        let network = node.network_keys().network();
        let overlay = Overlay::start(config)?;
        tell_headers(&overlay, node);
        tell(&overlay, network, say).await?;
        let listening = overlay.listening().await?;
        node.say_join(listening.iter().map(ToString::to_string).collect());
        if meeting.tor.as_ref().is_some_and(|tor| !tor.only) {
            let (overlay, say) = (overlay.clone(), say.clone());
            tokio::spawn(async move { tell_onion(&overlay, network, &say).await });
        }
        let metrics = watch(&overlay, metrics, say).await?;
        let serving = serve(overlay.clone(), meeting.dir.clone(), api, metrics, say.clone());
        Ok(Self { overlay, serving: tokio::spawn(serving) })
    }

    /// Say so once `node` is ready; never returns.
    pub(crate) async fn announce(&self, node: &Node, say: &Say) {
        mesh::ready(node).await;
        say(News::Ready);
        std::future::pending::<()>().await;
    }

    pub(crate) async fn close(self) {
        self.serving.abort();
        self.overlay.close().await;
    }
}

/// Tell others what is final on the chains of `node`, and pass on what others tell.
fn tell_headers(overlay: &Overlay, node: &Node) {
    for chain in ChainId::ALL {
        let Some(mut told) = node.final_headers(chain) else { continue };
        let Ok(follower) = Follower::new(node.network_keys().clone(), chain) else { continue };
        let follower = Arc::new(Mutex::new(follower));
        tokio::spawn(headers::follow(overlay.clone(), follower.clone()));
        let overlay = overlay.clone();
        tokio::spawn(async move {
            while let Some(bytes) = told.recv().await {
                // Of several nodes the first is heard, and the others have nothing to add.
                let heard = headers::hear(&follower, &bytes);
                if matches!(heard, Heard::New(_))
                    && overlay.publish(&headers::topic(chain), bytes).await.is_err()
                {
                    return;
                }
            }
        });
    }
}

/// Serve the API to edges, and keep the file of peers.
async fn serve(
    overlay: Overlay,
    dir: PathBuf,
    api: SocketAddr,
    metrics: Option<SocketAddr>,
    say: Say,
) {
    tokio::select! {
        result = overlay::serve_api(&overlay, api) => {
            if let Err(error) = result {
                say(News::Trouble(format!("edges are not served: {error}")));
            }
        }
        () = keep_status(&overlay, &dir, metrics, || None, &say) => {}
    }
}

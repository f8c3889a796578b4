//! A node's API, reached by identity: TCP on this machine, a stream of the overlay in between, TCP over there.

use crate::{Overlay, OverlayError};
use libp2p::PeerId;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
};
use tokio_util::compat::FuturesAsyncReadCompatExt as _;

/// What streams to a node's API are opened for.
pub const API_PROTOCOL: &str = "/meshx/api/1";
/// Streams that a gateway serves at once; more are closed as they come.
const SERVED_MAX: usize = 512;
/// Connections that this machine's programs have at once through a tunnel.
const OPENED_MAX: usize = 256;
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serve the API at `api` to every peer that opens a stream for it. Ends with the overlay.
///
/// # Errors
/// [`OverlayError::Served`].
pub async fn serve_api(overlay: &Overlay, api: SocketAddr) -> Result<(), OverlayError> {
    let mut incoming = overlay.accept(API_PROTOCOL)?;
    let places = Arc::new(Semaphore::new(SERVED_MAX));
    while let Some(waiting) = incoming.next().await {
        let Ok(place) = places.clone().try_acquire_owned() else {
            tracing::debug!(peer = %waiting.peer, "no place for one more stream");
            continue;
        };
        tokio::spawn(async move {
            let _place = place;
            // The API before the greeting: a stream that was greeted is one that will be served.
            match TcpStream::connect(api).await {
                Ok(mut inner) => {
                    let Ok(outer) = waiting.serve().await else { return };
                    let mut outer = outer.compat();
                    drop(tokio::io::copy_bidirectional(&mut outer, &mut inner).await);
                }
                Err(error) => tracing::warn!(%error, "one's own API does not answer"),
            }
        });
    }
    Ok(())
}

/// Let programs that connect to `listener` speak to the API of `gateway`, whichever it is at that moment. Never returns.
pub async fn open_api(overlay: Overlay, listener: TcpListener, gateway: watch::Receiver<PeerId>) {
    let places = Arc::new(Semaphore::new(OPENED_MAX));
    loop {
        // A place before the connection: what is not accepted yet waits in the kernel, and costs this process no
        // descriptor.
        let place = places.clone().acquire_owned().await.expect("never closed");
        let (mut inner, _) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "no connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (overlay, gateway) = (overlay.clone(), *gateway.borrow());
        tokio::spawn(async move {
            let _place = place;
            match overlay.open(gateway, API_PROTOCOL).await {
                Ok(outer) => {
                    let mut outer = outer.compat();
                    drop(tokio::io::copy_bidirectional(&mut inner, &mut outer).await);
                }
                // The program sees its connection end, and tries again.
                Err(error) => tracing::debug!(%gateway, %error, "the gateway is not reached"),
            }
        });
    }
}

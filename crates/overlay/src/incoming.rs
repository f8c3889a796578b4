//! Streams that others open: admitted by identity, and greeted before they are served.

use crate::{
    command::Command,
    meter::{Meter, Way},
    standing::{Fault, Share},
};
use futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use libp2p::{PeerId, Stream};
use libp2p_stream::IncomingStreams;
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// What the side that serves a stream sends first. The library drops streams that come faster than they are
/// accepted, without a word to either side; a peer that has not been greeted opens another one.
const GREETING: u8 = b'+';
const GREETING_TIMEOUT: Duration = Duration::from_secs(10);

/// Streams that others open for one protocol.
pub struct Incoming {
    pub(crate) streams: IncomingStreams,
    pub(crate) protocol: &'static str,
    pub(crate) meter: Meter,
    pub(crate) share: Arc<Share>,
    pub(crate) commands: mpsc::WeakSender<Command>,
}

impl Incoming {
    /// The next one. `None`: the overlay has ended.
    pub async fn next(&mut self) -> Option<Waiting> {
        loop {
            let (peer, stream) = self.streams.next().await?;
            self.meter.count(self.protocol, Way::In);
            if self.share.admits(peer) {
                return Some(Waiting { peer, stream });
            }
            if let Some(commands) = self.commands.upgrade() {
                // When the driver has more to do than it can, that is not the time for blame.
                drop(commands.try_send(Command::Blame(peer, Fault::Flood)));
            }
        }
    }
}

/// A stream that its opener does not use before it is served. Dropping it turns the opener away.
pub struct Waiting {
    /// Who opened it; the handshake has proved that.
    pub peer: PeerId,
    stream: Stream,
}

impl Waiting {
    /// Let the opener begin.
    ///
    /// # Errors
    /// Of the connection.
    pub async fn serve(mut self) -> std::io::Result<Stream> {
        self.stream.write_all(&[GREETING]).await?;
        self.stream.flush().await?;
        Ok(self.stream)
    }
}

/// Whether somebody at the other end has taken `stream` up.
pub(crate) async fn is_greeted(stream: &mut Stream) -> bool {
    let mut greeting = [0];
    let greeted = tokio::time::timeout(GREETING_TIMEOUT, stream.read_exact(&mut greeting)).await;
    matches!(greeted, Ok(Ok(()))) && greeting == [GREETING]
}

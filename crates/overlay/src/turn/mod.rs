//! Through a TURN server over TCP (RFC 6062): a node that no hole leads to has an address there, for those it invites.
//!
//! A server lets in only peers that its client has named by IP address. So a peer connected through a relay is told the
//! address and says how others see it, is let in, and dials: `invite.rs`. What arrives becomes a connection like any
//! other here; the server carries Noise records.

mod control;
mod invite;

use crate::{address::at_socket, error::OverlayError};
use control::Control;
use futures::future::{Ready, ready};
pub(crate) use invite::{PROTOCOL, answer_invitations, keep_allocation};
use libp2p::{
    Multiaddr, Transport,
    core::transport::{DialOpts, ListenerId, TransportError, TransportEvent},
    tcp,
};
use std::{
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    str::FromStr,
    task::{Context, Poll},
};
use tokio::{net::TcpStream, sync::mpsc};

/// A TURN server and what it lets this node in by.
#[derive(Clone, PartialEq, Eq)]
pub struct TurnServer {
    /// `host:port`.
    pub place: String,
    /// The name of the account at the server: 1 to 508 bytes.
    pub user: String,
    /// Its password: at most 508 bytes. It is not printed by `Debug`.
    pub password: String,
}

impl fmt::Debug for TurnServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TURN server {} as {}", self.place, self.user)
    }
}

/// No `USER:PASSWORD@HOST:PORT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a TURN server is written USER:PASSWORD@HOST:PORT, such as anna:secret@turn.example.org:3478"
)]
pub struct BadTurnServer;

impl FromStr for TurnServer {
    type Err = BadTurnServer;

    fn from_str(text: &str) -> Result<Self, BadTurnServer> {
        let (who, place) = text.rsplit_once('@').ok_or(BadTurnServer)?;
        let (user, password) = who.split_once(':').ok_or(BadTurnServer)?;
        let (host, port) = place.rsplit_once(':').ok_or(BadTurnServer)?;
        let complete = !user.is_empty() && !host.is_empty() && port.parse::<u16>().is_ok();
        // RFC 8489 §14.3: fewer than 509 bytes.
        if !complete || user.len() > 508 || password.len() > 508 {
            return Err(BadTurnServer);
        }
        let [place, user, password] = [place, user, password].map(str::to_owned);
        Ok(Self { place, user, password })
    }
}

/// Ask `server` for an address, say which, and give it back.
///
/// # Errors
/// [`OverlayError::Turn`]: it does not answer, does not let this node in, or carries no TCP.
pub async fn turn_state(server: &TurnServer) -> Result<SocketAddr, OverlayError> {
    let control =
        Control::open(server).await.map_err(|error| OverlayError::Turn(error.to_string()))?;
    Ok(control.relayed())
}

/// A peer that the server has brought.
pub(crate) struct Arrived {
    stream: TcpStream,
    /// Where it comes from, as the server says.
    from: SocketAddr,
    /// The address it dialled.
    relayed: SocketAddr,
}

/// Hands over who arrives. It neither dials nor listens: the address it arrives at is the server's.
pub(crate) struct TurnTransport {
    arrived: mpsc::Receiver<Arrived>,
    listener: ListenerId,
}

impl TurnTransport {
    pub(crate) fn new(arrived: mpsc::Receiver<Arrived>) -> Self {
        Self { arrived, listener: ListenerId::next() }
    }
}

impl Transport for TurnTransport {
    type Output = tcp::tokio::TcpStream;
    type Error = io::Error;
    type ListenerUpgrade = Ready<io::Result<Self::Output>>;
    type Dial = Ready<io::Result<Self::Output>>;

    fn listen_on(
        &mut self,
        _: ListenerId,
        address: Multiaddr,
    ) -> Result<(), TransportError<Self::Error>> {
        Err(TransportError::MultiaddrNotSupported(address))
    }

    fn remove_listener(&mut self, _: ListenerId) -> bool {
        false
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        _: DialOpts,
    ) -> Result<Self::Dial, TransportError<Self::Error>> {
        Err(TransportError::MultiaddrNotSupported(address))
    }

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
        match self.arrived.poll_recv(context) {
            Poll::Ready(Some(Arrived { stream, from, relayed })) => {
                Poll::Ready(TransportEvent::Incoming {
                    listener_id: self.listener,
                    upgrade: ready(Ok(tcp::tokio::TcpStream(stream))),
                    local_addr: at_socket(relayed),
                    send_back_addr: at_socket(from),
                })
            }
            // Nobody comes any more, or nobody ever did.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_with_what_it_lets_in_by() {
        let server: TurnServer = "anna:pass:w@rd@turn.example.org:3478".parse().unwrap();
        assert_eq!(server.place, "turn.example.org:3478");
        assert_eq!((server.user.as_str(), server.password.as_str()), ("anna", "pass:w@rd"));
        assert!(!format!("{server:?}").contains("pass"), "no log has the password");
        for bad in
            ["", "turn.example.org:3478", "a@b:1", "a:b@c", ":b@c:1", "a:b@:1", "a:b@c:99999"]
        {
            assert_eq!(bad.parse::<TurnServer>(), Err(BadTurnServer), "{bad}");
        }
    }
}

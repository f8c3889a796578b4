//! TCP, or a circuit through a relay; then Noise IK; then yamux. Nothing is negotiated.

use crate::{
    address::{PeerAddress, identity_of, peer_id},
    home::HomeTcp,
    meter::Meter,
    pressure::Pressure,
    tor::{Tor, TorTransport},
    turn::TurnTransport,
};
use futures::{AsyncRead, AsyncWrite};
use libp2p::{
    PeerId, Transport,
    core::{
        ConnectedPoint, Endpoint,
        muxing::StreamMuxerBox,
        transport::Boxed,
        upgrade::{InboundConnectionUpgrade as _, OutboundConnectionUpgrade as _},
    },
    dns, relay, yamux,
};
use network::ik::{Identity, Responder, Stream, Suites};
use std::{io, time::Duration};

/// A peer that has not proved its identity after this time is cut off.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// While this node is busy, it waits for a third of that.
const BUSY_SHARE: u32 = 3;
/// Six relays lie in between.
const TOR_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

/// How connections are made secure.
#[derive(Clone, Debug)]
pub(crate) struct Security {
    pub(crate) me: Identity,
    pub(crate) suites: Suites,
    pub(crate) namespace: Vec<u8>,
    pub(crate) meter: Meter,
    pub(crate) pressure: Pressure,
}

pub(crate) fn transport(
    security: Security,
    circuits: relay::client::Transport,
    tor: Option<Tor>,
    turn: TurnTransport,
) -> io::Result<Boxed<(PeerId, StreamMuxerBox)>> {
    let timeout = if tor.is_some() { TOR_HANDSHAKE_TIMEOUT } else { HANDSHAKE_TIMEOUT };
    match tor {
        // Neither TCP nor a resolver is there to be used by mistake.
        Some(tor) if tor.only => {
            Ok(secure(circuits.or_transport(TorTransport::new(tor)), security, timeout))
        }
        Some(tor) => {
            let both = TorTransport::new(tor).or_transport(internet()?);
            Ok(secure(circuits.or_transport(turn).or_transport(both), security, timeout))
        }
        None => {
            let ways = circuits.or_transport(turn).or_transport(internet()?);
            Ok(secure(ways, security, timeout))
        }
    }
}

fn internet() -> io::Result<dns::tokio::Transport<HomeTcp>> {
    dns::tokio::Transport::system(HomeTcp::default())
}

fn secure<T>(transport: T, security: Security, timeout: Duration) -> Boxed<(PeerId, StreamMuxerBox)>
where
    T: Transport + Send + Unpin + 'static,
    T::Output: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T::Error: Send + Sync + 'static,
    T::ListenerUpgrade: Send + 'static,
    T::Dial: Send + 'static,
{
    transport
        .and_then(move |io, end| {
            let security = security.clone();
            async move {
                let (_pressing, bits) = match end {
                    ConnectedPoint::Listener { .. } => Some(security.pressure.one_more()).unzip(),
                    ConnectedPoint::Dialer { .. } => (None, None),
                };
                let bits = bits.unwrap_or(0);
                let timeout = if bits > 0 { timeout / BUSY_SHARE } else { timeout };
                tokio::time::timeout(timeout, upgrade(io, end, security, bits))
                    .await
                    .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
            }
        })
        .boxed()
}

async fn upgrade<T>(
    io: T,
    end: ConnectedPoint,
    security: Security,
    work: u8,
) -> io::Result<(PeerId, StreamMuxerBox)>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Security { me, suites, namespace, meter, .. } = security;
    // In a hole punch both sides dial, and one of them acts as if it had been dialled.
    let dials = matches!(&end, ConnectedPoint::Dialer { role_override: Endpoint::Dialer, .. });
    if dials {
        let wanted =
            PeerAddress::new(end.get_remote_address().clone()).map_err(io::Error::other)?;
        let identity = identity_of(&wanted.peer()).map_err(io::Error::other)?;
        let stream = Stream::initiate(io, &me, suites, &namespace, identity).await?;
        let stream = meter.on(wanted.peer(), stream);
        let muxer = yamux::Config::default().upgrade_outbound(stream, "/yamux").await?;
        Ok((wanted.peer(), StreamMuxerBox::new(muxer)))
    } else {
        let responder = Responder { me, suites, namespace };
        let stream = Stream::respond_to_work(io, &responder, work).await?;
        let peer = peer_id(&stream.peer().public()).map_err(io::Error::other)?;
        let stream = meter.on(peer, stream);
        let muxer = yamux::Config::default().upgrade_inbound(stream, "/yamux").await?;
        Ok((peer, StreamMuxerBox::new(muxer)))
    }
}

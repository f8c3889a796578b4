//! STUN (RFC 8489): how this machine looks from outside; and with two servers, what kind of NAT is in between.

use serde::Serialize;
use std::{net::SocketAddr, time::Duration};
use stun_types::{
    attribute::XorMappedAddress,
    message::{BINDING, Message, MessageClass, MessageWrite as _, MessageWriteVec},
};
use tokio::net::{UdpSocket, lookup_host};

/// How often a request is sent, and how long each answer is waited for.
const TRIES: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// What one server said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// The socket's own address, on this machine.
    pub local: SocketAddr,
    /// The address that the server saw the request come from.
    pub mapped: SocketAddr,
}

/// What stands in between, by what two servers saw of one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NatKind {
    /// None: the address outside is one of this machine.
    None,
    /// The same address for every destination (RFC 4787: endpoint-independent mapping): holes can be punched.
    EndpointIndependent,
    /// Another address for every destination: a relay is needed, or a mapped port.
    EndpointDependent,
    /// Only one server answered.
    Unknown,
}

/// Why a STUN server did not say how this machine looks from outside.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum StunError {
    #[error("{0} is not the address of a STUN server\nhint: write it like stun.example.org:3478")]
    Name(String),
    #[error("{0} does not answer: the server is down, or UDP is blocked")]
    Silent(String),
    #[error("cannot open a socket: {0}")]
    Socket(String),
}

/// Ask `server` (`host:port`) how `socket` looks from there.
///
/// # Errors
/// [`StunError`].
pub async fn seen_by(socket: &UdpSocket, server: &str) -> Result<Seen, StunError> {
    let address = lookup_host(server)
        .await
        .ok()
        .and_then(|mut found| found.find(SocketAddr::is_ipv4))
        .ok_or_else(|| StunError::Name(server.to_owned()))?;
    let broken = |error: std::io::Error| StunError::Socket(error.to_string());
    let request = Message::builder_request(BINDING, MessageWriteVec::new()).finish();
    let id = Message::from_bytes(&request).expect("just made").transaction_id();
    let (mut wait, mut buffer) = (FIRST_WAIT, [0; 1_024]);
    for _ in 0..TRIES {
        socket.send_to(&request, address).await.map_err(broken)?;
        let deadline = tokio::time::Instant::now() + wait;
        while let Ok(received) =
            tokio::time::timeout_at(deadline, socket.recv_from(&mut buffer)).await
        {
            let (length, from) = received.map_err(broken)?;
            // Anybody may send anything to a socket: only that server's answer to this request counts.
            if from != address {
                continue;
            }
            if let Some(mapped) = answer(&buffer[..length], id) {
                let local = socket.local_addr().map_err(broken)?;
                return Ok(Seen { local, mapped });
            }
        }
        wait *= 2;
    }
    Err(StunError::Silent(server.to_owned()))
}

fn answer(bytes: &[u8], id: stun_types::message::TransactionId) -> Option<SocketAddr> {
    let message = Message::from_bytes(bytes).ok()?;
    let fits = message.transaction_id() == id
        && message.has_class(MessageClass::Success)
        && message.has_method(BINDING);
    let mapped = message.attribute::<XorMappedAddress>().ok()?;
    fits.then(|| mapped.addr(id))
}

/// Ask all `servers` from one socket, and say what that means.
///
/// # Errors
/// [`StunError`] of the last, if none answers.
pub async fn nat_kind(servers: &[String]) -> Result<(NatKind, Vec<Seen>), StunError> {
    let socket = UdpSocket::bind(("0.0.0.0", 0))
        .await
        .map_err(|error| StunError::Socket(error.to_string()))?;
    let (mut seen, mut last) = (Vec::new(), StunError::Name(String::new()));
    for server in servers {
        match seen_by(&socket, server).await {
            Ok(one) => seen.push(one),
            Err(error) => last = error,
        }
    }
    let kind = match &seen[..] {
        [] => return Err(last),
        [first, ..] if is_ours(first.mapped) => NatKind::None,
        [_] => NatKind::Unknown,
        [first, rest @ ..] if rest.iter().all(|other| other.mapped == first.mapped) => {
            NatKind::EndpointIndependent
        }
        _ => NatKind::EndpointDependent,
    };
    Ok((kind, seen))
}

/// Whether a socket of this machine could have that address.
fn is_ours(address: SocketAddr) -> bool {
    std::net::UdpSocket::bind((address.ip(), 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use stun_types::message::MessageWriteExt as _;

    /// A server that answers each request twice: first with what another asked, then rightly.
    async fn server(shown: SocketAddr) -> String {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
        let at = socket.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            let mut buffer = [0; 1_024];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let other = Message::builder_request(BINDING, MessageWriteVec::new()).finish();
                for request in [&other[..], &buffer[..length]] {
                    let request = Message::from_bytes(request).unwrap();
                    let mut reply = Message::builder_success(&request, MessageWriteVec::new());
                    let address = XorMappedAddress::new(shown, request.transaction_id());
                    reply.add_attribute(&address).unwrap();
                    socket.send_to(&reply.finish(), from).await.unwrap();
                }
                socket.send_to(b"noise", from).await.unwrap();
            }
        });
        at
    }

    #[tokio::test]
    async fn what_two_servers_see_tells_the_kind() {
        let [one, other] = ["192.0.2.7:1000", "192.0.2.7:2000"].map(|at| at.parse().unwrap());
        let kind = async |servers: &[String]| nat_kind(servers).await.map(|(kind, _)| kind);
        let (a, b, c) = (server(one).await, server(one).await, server(other).await);
        assert_eq!(kind(&[a.clone(), b]).await, Ok(NatKind::EndpointIndependent));
        assert_eq!(kind(&[a.clone(), c]).await, Ok(NatKind::EndpointDependent));
        assert_eq!(kind(&[a]).await, Ok(NatKind::Unknown));
        let here = server("127.0.0.1:9".parse().unwrap()).await;
        assert_eq!(kind(&[here]).await, Ok(NatKind::None));
        assert!(matches!(kind(&["nowhere".into()]).await, Err(StunError::Name(_))));
    }
}

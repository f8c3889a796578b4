//! Messages on a channel, each behind its length.

use crate::MESSAGE_BYTES_MAX;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use types::codec::{Decode, Encode};

/// What goes wrong on a channel.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum ChannelFault {
    #[error("the channel ended: {0}")]
    Io(#[from] io::Error),
    #[error("a message of {length} bytes is too long; at most {MESSAGE_BYTES_MAX} are allowed")]
    TooLong { length: u16 },
    #[error("a message cannot be decoded")]
    Unreadable,
    #[error("a message came out of turn")]
    OutOfTurn,
}

/// Send one message: its length (two bytes, big-endian), then itself.
pub(crate) async fn send(
    channel: &mut (impl AsyncWrite + Unpin),
    message: &impl Encode,
) -> Result<(), ChannelFault> {
    let message = message.encode();
    assert!(message.len() <= MESSAGE_BYTES_MAX, "bounds of types: {} bytes", message.len());
    let length = u16::try_from(message.len()).expect("at most 512");
    // Length and message in one write, so that a short message leaves in one packet.
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend_from_slice(&message);
    channel.write_all(&bytes).await?;
    Ok(channel.flush().await?)
}

/// Receive one message. Not to be cancelled and called again: half a message would be lost.
pub(crate) async fn receive<M: Decode<Cfg = ()>>(
    channel: &mut (impl AsyncRead + Unpin),
) -> Result<M, ChannelFault> {
    let length = channel.read_u16().await?;
    if usize::from(length) > MESSAGE_BYTES_MAX {
        return Err(ChannelFault::TooLong { length });
    }
    let mut bytes = vec![0; usize::from(length)];
    channel.read_exact(&mut bytes).await?;
    M::decode_cfg(bytes, &()).map_err(|_| ChannelFault::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ToProver;

    async fn check(bytes: &[u8], wanted: &str) {
        let (mut here, mut there) = tokio::io::duplex(2_048);
        here.write_all(bytes).await.unwrap();
        drop(here);
        let shown = match receive::<ToProver>(&mut there).await {
            Ok(message) => format!("{message:?}"),
            Err(fault) => fault.to_string(),
        };
        assert!(shown.starts_with(wanted), "{shown}");
    }

    #[tokio::test]
    async fn what_comes_is_bounded_and_read() {
        check(&[0, 1, 2], "Probed").await;
        check(&[0, 1, 9], "a message cannot be decoded").await;
        check(&[0, 0], "a message cannot be decoded").await;
        check(&[0, 2, 2, 2], "a message cannot be decoded").await;
        check(&[2, 1], "a message of 513 bytes is too long; at most 512 are allowed").await;
        check(&[0, 9, 2], "the channel ended").await;
        check(&[], "the channel ended").await;
    }
}

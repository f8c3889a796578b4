//! The same handshake and records for commonware's peers: what validators speak among themselves.

use super::{
    handshake::{HANDSHAKE_FRAME_MAX, HandshakeError, Initiator, Responder, Suites},
    identity::{BadIdentity, Identity, PeerIdentity},
    record::{HEADER, KEY_LIFETIME, Opener, RECORD_PLAIN_MAX, RecordError, Sealer},
};
use commonware_codec::DecodeExt as _;
use commonware_cryptography::ed25519::PublicKey;
use commonware_runtime::{Buf as _, Clock, Error as RuntimeError, IoBufs, Sink, Stream};
use commonware_stream::Upgrader;
use std::time::Instant;

/// Bytes of a message's length in front of it.
const LENGTH: usize = 4;
/// Records are sent once so much is sealed, so that a long batch does not double in memory.
const WRITE_AT: usize = 256 * 1024;

/// Noise IK for commonware: every message `u32 length (big-endian) ‖ bytes`, as many to a record as fit.
#[derive(Clone, Debug)]
pub struct Ik {
    me: Identity,
    suites: Suites,
}

impl Ik {
    /// Handshakes as `me`, with one of `suites`.
    pub fn new(me: Identity, suites: Suites) -> Self {
        Self { me, suites }
    }
}

#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum IkError {
    #[error("the connection: {0}")]
    Io(#[from] RuntimeError),
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("{0} is not an expected peer")]
    Uninvited(PublicKey),
    #[error("a message has {0} bytes, more than the {1} that this network allows")]
    TooLong(usize, u32),
}

impl From<BadIdentity> for IkError {
    fn from(error: BadIdentity) -> Self {
        Self::Handshake(error.into())
    }
}

fn identity(key: &PublicKey) -> Result<PeerIdentity, BadIdentity> {
    PeerIdentity::new(key.as_ref().try_into().expect("an Ed25519 key has 32 bytes"))
}

fn public_key(identity: &PeerIdentity) -> PublicKey {
    PublicKey::decode(identity.public().to_vec()).expect("a checked identity is a key")
}

impl Upgrader for Ik {
    const MAX_SIZE: u32 = 1 << 26;
    type PublicKey = PublicKey;
    type Error = IkError;
    type Sender<I: Stream, O: Sink> = IkSender<O>;
    type Receiver<I: Stream, O: Sink> = IkReceiver<I>;

    fn public_key(&self) -> PublicKey {
        PublicKey::decode(self.me.public().to_vec()).expect("one's own key is a key")
    }

    async fn dial<C, I, O>(
        self,
        _context: C,
        namespace: &[u8],
        message_max: u32,
        peer: PublicKey,
        mut stream: I,
        mut sink: O,
    ) -> Result<(IkSender<O>, IkReceiver<I>), IkError>
    where
        C: Clock + rand_core::CryptoRng,
        I: Stream,
        O: Sink,
    {
        assert!(message_max <= Self::MAX_SIZE, "messages of at most {} bytes", Self::MAX_SIZE);
        let (initiator, first) = Initiator::new(&self.me, self.suites, namespace, identity(&peer)?);
        write_frame(&mut sink, first).await?;
        let answer = read_frame(&mut stream).await?;
        let mut made = initiator.finish(&answer)?;
        let mut confirmation = Vec::new();
        made.sealer.change_key(&mut confirmation);
        sink.send(confirmation).await?;
        Ok((
            IkSender::new(sink, made.sealer, message_max),
            IkReceiver::new(stream, made.opener, message_max),
        ))
    }

    async fn listen<C, I, O, B, F>(
        self,
        _context: C,
        namespace: &[u8],
        message_max: u32,
        bouncer: B,
        mut stream: I,
        mut sink: O,
    ) -> Result<(PublicKey, IkSender<O>, IkReceiver<I>), IkError>
    where
        C: Clock + rand_core::CryptoRng,
        I: Stream,
        O: Sink,
        B: FnOnce(PublicKey) -> F + Send,
        F: Future<Output = bool> + Send,
    {
        assert!(message_max <= Self::MAX_SIZE, "messages of at most {} bytes", Self::MAX_SIZE);
        let responder =
            Responder { me: self.me, suites: self.suites, namespace: namespace.to_vec() };
        let first = read_frame(&mut stream).await?;
        let incoming = responder.read(&first)?;
        let peer = public_key(&incoming.claimed());
        if !bouncer(peer.clone()).await {
            return Err(IkError::Uninvited(peer));
        }
        let (answer, mut made) = incoming.answer();
        write_frame(&mut sink, answer).await?;
        let mut confirmation = read_frame(&mut stream).await?;
        made.opener.confirm(&mut confirmation)?;
        Ok((
            peer,
            IkSender::new(sink, made.sealer, message_max),
            IkReceiver::new(stream, made.opener, message_max),
        ))
    }
}

async fn write_frame<O: Sink>(sink: &mut O, message: Vec<u8>) -> Result<(), RuntimeError> {
    let length = u16::try_from(message.len()).expect("a handshake message is short");
    sink.send([&length.to_be_bytes()[..], &message].concat()).await
}

async fn read_frame<I: Stream>(stream: &mut I) -> Result<Vec<u8>, IkError> {
    let length = read_length(stream).await?;
    if length > HANDSHAKE_FRAME_MAX {
        return Err(HandshakeError::Length.into());
    }
    read(stream, length).await.map_err(IkError::from)
}

async fn read_length<I: Stream>(stream: &mut I) -> Result<usize, RuntimeError> {
    let mut header = stream.recv(HEADER).await?;
    Ok(usize::from(header.get_u16()))
}

async fn read<I: Stream>(stream: &mut I, length: usize) -> Result<Vec<u8>, RuntimeError> {
    if length == 0 {
        return Ok(Vec::new());
    }
    let mut bytes = vec![0; length];
    stream.recv(length).await?.copy_to_slice(&mut bytes);
    Ok(bytes)
}

/// Sends messages, packed.
pub struct IkSender<O> {
    sink: O,
    sealer: Sealer,
    message_max: u32,
    key_since: Instant,
}

impl<O: Sink> IkSender<O> {
    fn new(sink: O, sealer: Sealer, message_max: u32) -> Self {
        Self { sink, sealer, message_max, key_since: Instant::now() }
    }
}

/// Records under construction: the last one is open from `start` on.
struct Packing<'a> {
    sealer: &'a mut Sealer,
    out: Vec<u8>,
    start: usize,
}

impl<'a> Packing<'a> {
    fn new(sealer: &'a mut Sealer) -> Self {
        let mut out = Vec::new();
        let start = Sealer::begin(&mut out);
        Self { sealer, out, start }
    }

    fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = RECORD_PLAIN_MAX - (self.out.len() - self.start - HEADER);
            if room == 0 {
                self.sealer.close(&mut self.out, self.start);
                self.start = Sealer::begin(&mut self.out);
                continue;
            }
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.out.extend_from_slice(now);
            bytes = later;
        }
    }

    /// All records, closed. None is empty: an empty one would change the key.
    fn finish(mut self) -> Vec<u8> {
        if self.out.len() > self.start + HEADER {
            self.sealer.close(&mut self.out, self.start);
        } else {
            self.out.truncate(self.start);
        }
        self.out
    }
}

impl<O: Sink> commonware_stream::Sender for IkSender<O> {
    type Error = IkError;

    async fn send(&mut self, message: impl Into<IoBufs> + Send) -> Result<(), IkError> {
        self.send_many([message]).await
    }

    async fn send_many<M>(&mut self, messages: M) -> Result<(), IkError>
    where
        M: IntoIterator + Send,
        M::Item: Into<IoBufs> + Send,
        M::IntoIter: Send,
    {
        let mut messages = messages.into_iter();
        loop {
            let mut packing = Packing::new(&mut self.sealer);
            let mut more = false;
            for message in messages.by_ref() {
                let mut message = message.into();
                let length = u32::try_from(message.remaining())
                    .ok()
                    .filter(|length| *length <= self.message_max)
                    .ok_or(IkError::TooLong(message.remaining(), self.message_max))?;
                packing.push(&length.to_be_bytes());
                while message.has_remaining() {
                    let chunk = message.chunk();
                    let length = chunk.len();
                    packing.push(chunk);
                    message.advance(length);
                }
                if packing.out.len() >= WRITE_AT {
                    more = true;
                    break;
                }
            }
            let mut out = packing.finish();
            if out.is_empty() {
                return Ok(());
            }
            if self.key_since.elapsed() >= KEY_LIFETIME {
                self.sealer.change_key(&mut out);
                self.key_since = Instant::now();
            }
            self.sink.send(out).await?;
            if !more {
                return Ok(());
            }
        }
    }
}

/// Receives messages.
pub struct IkReceiver<I> {
    stream: I,
    opener: Opener,
    message_max: u32,
    /// Decrypted and not yet handed out, from `begin` on: at most a message and a record.
    plain: Vec<u8>,
    begin: usize,
}

impl<I: Stream> IkReceiver<I> {
    fn new(stream: I, opener: Opener, message_max: u32) -> Self {
        Self { stream, opener, message_max, plain: Vec::new(), begin: 0 }
    }

    /// Have `wanted` bytes of plaintext.
    async fn fill(&mut self, wanted: usize) -> Result<(), IkError> {
        while self.plain.len() - self.begin < wanted {
            if self.begin > 0 {
                self.plain.drain(..self.begin);
                self.begin = 0;
            }
            let length = read_length(&mut self.stream).await?;
            let mut record = read(&mut self.stream, length).await?;
            let plain = self.opener.open(&mut record)?;
            self.plain.extend_from_slice(plain);
        }
        Ok(())
    }
}

impl<I: Stream> commonware_stream::Receiver for IkReceiver<I> {
    type Error = IkError;

    async fn recv(&mut self) -> Result<IoBufs, IkError> {
        self.fill(LENGTH).await?;
        let header = self.plain[self.begin..].first_chunk().expect("filled");
        let length = u32::from_be_bytes(*header);
        if length > self.message_max {
            return Err(IkError::TooLong(length as usize, self.message_max));
        }
        let length = length as usize;
        self.begin += LENGTH;
        self.fill(length).await?;
        let message = self.plain[self.begin..self.begin + length].to_vec();
        self.begin += length;
        Ok(message.into())
    }
}

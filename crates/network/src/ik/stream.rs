//! Records on a byte stream: what is written is collected to full records and sent on flush.

use super::{
    handshake::{HANDSHAKE_FRAME_MAX, HandshakeError, Initiator, Responder, Suites},
    identity::{Identity, PeerIdentity},
    puzzle::{AT_ONCE, PUZZLE_BITS_MAX, Puzzle, Work},
    record::{HEADER, KEY_LIFETIME, Opener, RECORD_MAX, RECORD_PLAIN_MAX, Sealer},
};
use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ready};
use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

/// Read ahead and written behind: four full records a system call.
const BUFFER: usize = 4 * (HEADER + RECORD_MAX);

/// An encrypted, authenticated byte stream. Nothing leaves before a flush, unless a full buffer does.
pub struct Stream<T> {
    io: T,
    peer: PeerIdentity,
    sealer: Sealer,
    opener: Opener,
    /// What came and was not yet decrypted: `incoming[begin..end]`.
    incoming: Box<[u8]>,
    begin: usize,
    end: usize,
    /// Decrypted in place, not yet handed out: a part of `incoming` before `begin`.
    plain: std::ops::Range<usize>,
    /// Sealed records, and at `open_at` one that is still filled.
    outgoing: Vec<u8>,
    sent: usize,
    open_at: Option<usize>,
    key_since: Instant,
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl<T: AsyncRead + AsyncWrite + Unpin> Stream<T> {
    /// Dial: `io` leads to `peer`, or to nobody this will speak to.
    ///
    /// # Errors
    /// Of `io`, or [`HandshakeError`] inside [`io::ErrorKind::InvalidData`].
    pub async fn initiate(
        mut io: T,
        me: &Identity,
        suites: Suites,
        namespace: &[u8],
        peer: PeerIdentity,
    ) -> io::Result<Self> {
        let (initiator, first) = Initiator::new(me, suites, namespace, peer);
        write_frame(&mut io, &first).await?;
        let mut answer = read_frame(&mut io).await?;
        if let Some(puzzle) = Puzzle::of(&answer) {
            if puzzle.bits > PUZZLE_BITS_MAX {
                return Err(invalid(HandshakeError::TooMuchWork(puzzle.bits)));
            }
            let nonce = done(&puzzle.work(&first)).await;
            write_frame(&mut io, &nonce.to_le_bytes()).await?;
            answer = read_frame(&mut io).await?;
        }
        let mut made = initiator.finish(&answer).map_err(invalid)?;
        let mut confirmation = Vec::new();
        made.sealer.change_key(&mut confirmation);
        io.write_all(&confirmation).await?;
        io.flush().await?;
        Ok(Self::new(io, made.peer, made.sealer, made.opener))
    }

    /// Be dialled. Returns once the peer has confirmed, so that a replayed first message is nobody.
    ///
    /// # Errors
    /// As [`Self::initiate`].
    pub async fn respond(io: T, responder: &Responder) -> io::Result<Self> {
        Self::respond_to_work(io, responder, 0).await
    }

    /// Be dialled while busy: the peer has to do `bits` of work first, [`PUZZLE_BITS_MAX`] at most.
    ///
    /// # Errors
    /// As [`Self::initiate`].
    pub async fn respond_to_work(mut io: T, responder: &Responder, bits: u8) -> io::Result<Self> {
        let first = read_frame(&mut io).await?;
        if bits > 0 {
            let puzzle = Puzzle::new(bits.min(PUZZLE_BITS_MAX)).map_err(io::Error::other)?;
            write_frame(&mut io, &puzzle.frame()).await?;
            let nonce = read_frame(&mut io).await?.try_into().map(u64::from_le_bytes);
            if !nonce.is_ok_and(|nonce| puzzle.work(&first).is_done_by(nonce)) {
                return Err(invalid(HandshakeError::NoWork));
            }
        }
        let (answer, mut made) = responder.read(&first).map_err(invalid)?.answer();
        write_frame(&mut io, &answer).await?;
        let mut confirmation = read_frame(&mut io).await?;
        made.opener.confirm(&mut confirmation).map_err(invalid)?;
        Ok(Self::new(io, made.peer, made.sealer, made.opener))
    }
}

impl<T> Stream<T> {
    fn new(io: T, peer: PeerIdentity, sealer: Sealer, opener: Opener) -> Self {
        Self {
            io,
            peer,
            sealer,
            opener,
            incoming: Box::new([]),
            begin: 0,
            end: 0,
            plain: 0..0,
            outgoing: Vec::new(),
            sent: 0,
            open_at: None,
            key_since: Instant::now(),
        }
    }

    /// Who is on the other side.
    pub fn peer(&self) -> PeerIdentity {
        self.peer
    }

    fn close_record(&mut self) {
        if let Some(start) = self.open_at.take() {
            self.sealer.close(&mut self.outgoing, start);
            if self.key_since.elapsed() >= KEY_LIFETIME {
                self.sealer.change_key(&mut self.outgoing);
                self.key_since = Instant::now();
            }
        }
    }

    /// Decrypt the next record that is here whole. `None`: more has to come.
    fn open_record(&mut self) -> io::Result<Option<()>> {
        let Some(header) = self.incoming[self.begin..self.end].first_chunk() else {
            return Ok(None);
        };
        let length = usize::from(u16::from_be_bytes(*header));
        let start = self.begin + HEADER;
        let Some(record) = self.incoming[..self.end].get_mut(start..start + length) else {
            return Ok(None);
        };
        let plain = self.opener.open(record).map_err(invalid)?.len();
        self.plain = start..start + plain;
        self.begin = start + length;
        Ok(Some(()))
    }
}

/// A nonce that does `work`. Others on this thread are let in between.
async fn done(work: &Work) -> u64 {
    let mut from = 0_u64;
    poll_fn(|context| match work.search(from..from + AT_ONCE) {
        Some(nonce) => Poll::Ready(nonce),
        None => {
            from += AT_ONCE;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

async fn write_frame<T: AsyncWrite + Unpin>(io: &mut T, message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len()).expect("a handshake message is short");
    io.write_all(&[&length.to_be_bytes()[..], message].concat()).await?;
    io.flush().await
}

async fn read_frame<T: AsyncRead + Unpin>(io: &mut T) -> io::Result<Vec<u8>> {
    let mut length = [0; HEADER];
    io.read_exact(&mut length).await?;
    let length = usize::from(u16::from_be_bytes(length));
    if length > HANDSHAKE_FRAME_MAX {
        return Err(invalid(HandshakeError::Length));
    }
    let mut message = vec![0; length];
    io.read_exact(&mut message).await?;
    Ok(message)
}

impl<T: AsyncRead + Unpin> AsyncRead for Stream<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        loop {
            if !this.plain.is_empty() {
                let length = this.plain.len().min(out.len());
                let start = this.plain.start;
                out[..length].copy_from_slice(&this.incoming[start..start + length]);
                this.plain.start += length;
                return Poll::Ready(Ok(length));
            }
            if this.open_record()?.is_some() {
                continue;
            }
            this.incoming.copy_within(this.begin..this.end, 0);
            (this.begin, this.end) = (0, this.end - this.begin);
            if this.incoming.is_empty() {
                this.incoming = vec![0; BUFFER].into();
            }
            let read =
                ready!(Pin::new(&mut this.io).poll_read(context, &mut this.incoming[this.end..]))?;
            if read == 0 {
                let cut = this.end > 0;
                return Poll::Ready(if cut {
                    Err(io::ErrorKind::UnexpectedEof.into())
                } else {
                    Ok(0)
                });
            }
            this.end += read;
        }
    }
}

impl<T: AsyncWrite + Unpin> Stream<T> {
    fn drain(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.outgoing.len() {
            let wrote =
                ready!(Pin::new(&mut self.io).poll_write(context, &self.outgoing[self.sent..]))?;
            if wrote == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += wrote;
        }
        self.outgoing.clear();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Stream<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let this = self.get_mut();
        // A flush that was begun closed its record; what is appended then comes behind it.
        if this.open_at.is_none() && this.outgoing.len() + HEADER + RECORD_MAX > BUFFER {
            ready!(this.drain(context))?;
        }
        let start = match this.open_at {
            Some(start) => start,
            None => *this.open_at.insert(Sealer::begin(&mut this.outgoing)),
        };
        let room = RECORD_PLAIN_MAX - (this.outgoing.len() - start - HEADER);
        let length = room.min(bytes.len());
        this.outgoing.extend_from_slice(&bytes[..length]);
        if length == room {
            this.close_record();
        }
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.close_record();
        ready!(this.drain(context))?;
        Pin::new(&mut this.io).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(context))?;
        Pin::new(&mut self.get_mut().io).poll_close(context)
    }
}

//! Bridges: bodies for code that blocks.
//!
//! A blob store reads from [`std::io::Read`] and writes to [`std::io::Write`], on a thread for blocking
//! work; the routes speak [`Chunks`]. Both bridges hold a few chunks at most.

use crate::{Chunks, Problem};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use std::io::{self, Read, Write};
use tokio::{runtime::Handle, sync::mpsc};

/// Reads [`Chunks`]. For threads on which blocking is allowed (`spawn_blocking`); made on any thread
/// of the runtime that is to drive the chunks.
pub struct ChunkReader {
    runtime: Handle,
    chunks: Chunks,
    rest: Bytes,
}

impl ChunkReader {
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn new(chunks: Chunks) -> Self {
        Self { runtime: Handle::current(), chunks, rest: Bytes::new() }
    }
}

impl Read for ChunkReader {
    /// # Errors
    /// The [`Problem`] that ended the chunks, inside.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.runtime.block_on(self.chunks.next()) {
                Some(chunk) => self.rest = chunk.map_err(io::Error::other)?,
                None => return Ok(0),
            }
        }
        let len = buffer.len().min(self.rest.len());
        buffer[..len].copy_from_slice(&self.rest.split_to(len));
        Ok(len)
    }
}

/// Bytes gathered before they go out as one chunk.
const CHUNK_BYTES: usize = 64 << 10;
/// Chunks that may wait for the client.
const CHUNKS_WAITING_MAX: usize = 4;

/// Makes [`Chunks`] of what is written to it. [`flush`](Write::flush) it at the end, or
/// [`fail`](Self::fail); dropped before that, it ends the body as broken.
pub struct ChunkWriter {
    chunks: mpsc::Sender<Result<Bytes, Problem>>,
    buffer: Vec<u8>,
    complete: bool,
}

/// A writer for a thread on which blocking is allowed, and the chunks it makes.
pub fn chunk_pipe() -> (ChunkWriter, Chunks) {
    let (sender, receiver) = mpsc::channel(CHUNKS_WAITING_MAX);
    let chunks = stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    });
    (ChunkWriter { chunks: sender, buffer: Vec::new(), complete: false }, Box::pin(chunks))
}

impl ChunkWriter {
    /// End the body with `problem`: the client's connection is cut, so that it does not take a part
    /// for the whole.
    pub fn fail(mut self, problem: Problem) {
        self.complete = true;
        let _ = self.chunks.blocking_send(Err(problem));
    }
}

impl Write for ChunkWriter {
    /// # Errors
    /// `BrokenPipe` when the client has gone.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.complete = false;
        let len = bytes.len().min(CHUNK_BYTES - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..len]);
        if self.buffer.len() == CHUNK_BYTES {
            self.flush()?;
            self.complete = false;
        }
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.complete = true;
        if self.buffer.is_empty() {
            return Ok(());
        }
        let chunk = Bytes::from(std::mem::take(&mut self.buffer));
        self.chunks.blocking_send(Ok(chunk)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Drop for ChunkWriter {
    fn drop(&mut self) {
        if !self.complete {
            // Not blocking: a full pipe ends short of its length, which breaks the body as well.
            let _ = self.chunks.try_send(Err(Problem::internal("a body's writer stopped early")));
        }
    }
}

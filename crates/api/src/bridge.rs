//! Bridges: bodies for code that blocks.
//!
//! A blob store reads from [`std::io::Read`] and writes to [`std::io::Write`], on a thread for blocking
//! work; the routes speak [`Chunks`]. Both bridges hold a few chunks at most.

use crate::{Chunks, Problem};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use std::{
    io::{self, Read, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{runtime::Handle, sync::mpsc};

/// Reads [`Chunks`]. For threads on which blocking is allowed (`spawn_blocking`); made on any thread
/// of the runtime that is to drive the chunks.
pub struct ChunkReader {
    runtime: Handle,
    chunks: Chunks,
    rest: Bytes,
}

impl ChunkReader {
    /// A reader of `chunks`, which the current runtime drives.
    ///
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
/// [`fail`](Self::fail): a writer dropped before that breaks the body, so that no client takes a part
/// for the whole.
pub struct ChunkWriter {
    chunks: mpsc::Sender<Result<Bytes, Problem>>,
    buffer: Vec<u8>,
    complete: Arc<AtomicBool>,
}

/// A writer for a thread on which blocking is allowed, and the chunks it makes.
pub fn chunk_pipe() -> (ChunkWriter, Chunks) {
    let (sender, receiver) = mpsc::channel(CHUNKS_WAITING_MAX);
    let complete = Arc::new(AtomicBool::new(false));
    let writer = ChunkWriter { chunks: sender, buffer: Vec::new(), complete: complete.clone() };
    let chunks = stream::unfold(Some((receiver, complete)), |pipe| async {
        let (mut receiver, complete) = pipe?;
        match receiver.recv().await {
            Some(chunk) => Some((chunk, Some((receiver, complete)))),
            None if complete.load(Ordering::Acquire) => None,
            None => Some((Err(Problem::internal("the writer of a body stopped early")), None)),
        }
    });
    (writer, Box::pin(chunks))
}

impl ChunkWriter {
    /// End the body with `problem`.
    pub fn fail(self, problem: Problem) {
        self.complete.store(true, Ordering::Release);
        let _ = self.chunks.blocking_send(Err(problem));
    }

    fn send(&mut self) -> io::Result<()> {
        let chunk = Bytes::from(std::mem::take(&mut self.buffer));
        self.chunks.blocking_send(Ok(chunk)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for ChunkWriter {
    /// # Errors
    /// `BrokenPipe` when the client has gone.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.complete.store(false, Ordering::Release);
        let len = bytes.len().min(CHUNK_BYTES - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..len]);
        if self.buffer.len() == CHUNK_BYTES {
            self.send()?;
        }
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            self.send()?;
        }
        self.complete.store(true, Ordering::Release);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::TryStreamExt as _;

    fn check(write: impl FnOnce(ChunkWriter) + Send + 'static) -> Result<usize, Problem> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (writer, chunks) = chunk_pipe();
            let task = tokio::task::spawn_blocking(move || write(writer));
            let len = chunks.try_fold(0, |len, chunk| async move { Ok(len + chunk.len()) }).await;
            task.await.unwrap();
            len
        })
    }

    #[test]
    fn what_is_written_and_flushed_arrives() {
        let written = |mut writer: ChunkWriter| {
            writer.write_all(&vec![7; 1_000_000]).unwrap();
            writer.flush().unwrap();
        };
        assert_eq!(check(written), Ok(1_000_000));
    }

    #[test]
    fn a_writer_that_stops_early_breaks_the_body() {
        let stopped = |mut writer: ChunkWriter| writer.write_all(&[7; 100]).unwrap();
        assert_eq!(check(stopped).unwrap_err().code, crate::Code::Internal);
    }

    #[test]
    fn a_reader_gives_the_chunks_and_then_their_problem() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let problem = Problem::new(crate::Code::PayloadTooLarge, "enough");
            let chunks = [Ok(Bytes::from("ab")), Ok(Bytes::from("cde")), Err(problem.clone())];
            let mut reader = ChunkReader::new(Box::pin(stream::iter(chunks)));
            let (read, error) = tokio::task::spawn_blocking(move || {
                let mut bytes = Vec::new();
                let error = reader.read_to_end(&mut bytes).unwrap_err();
                (bytes, error)
            })
            .await
            .unwrap();
            assert_eq!(read, b"abcde");
            assert_eq!(error.get_ref().unwrap().downcast_ref(), Some(&problem));
        });
    }
}

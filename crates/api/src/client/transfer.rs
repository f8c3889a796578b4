//! Bytes to and from a node, never all in memory.

use super::{Answer, ClientError};
use std::io::{self, Read};
use ureq::{Body, BodyReader, http::Response};

/// Bytes on their way from a node. Reading ends in an error, never early, if they are not all there.
pub struct Download {
    url: String,
    len: Option<u64>,
    reader: BodyReader<'static>,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download")
            .field("url", &self.url)
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

impl Download {
    pub(super) fn new(url: String, response: Response<Body>, bytes_max: u64) -> Self {
        let len = announced_len(&response);
        // One byte more than allowed, so that exactly as many as allowed are no error.
        let reader = response.into_body().into_with_config().limit(bytes_max + 1).reader();
        Self { url, len, reader }
    }

    /// How many bytes the node announced.
    pub const fn len(&self) -> Option<u64> {
        self.len
    }

    /// Whether the node announced that there are none.
    pub const fn is_empty(&self) -> bool {
        matches!(self.len, Some(0))
    }

    /// All of it.
    ///
    /// # Errors
    /// [`ClientError`] if the connection breaks.
    pub fn bytes(mut self) -> Answer<Vec<u8>> {
        let mut bytes = Vec::new();
        match self.reader.read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(ClientError::from_io(self.url, &error)),
        }
    }
}

impl Read for Download {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

pub(super) fn announced_len(response: &Response<Body>) -> Option<u64> {
    response.headers().get("content-length")?.to_str().ok()?.parse().ok()
}

/// What is to be sent; keeps its own failure apart from the connection's.
pub(super) struct Source<R> {
    reader: R,
    failure: Option<io::Error>,
}

impl<R: Read> Source<R> {
    pub(super) const fn new(reader: R) -> Self {
        Self { reader, failure: None }
    }

    pub(super) fn failure(self) -> Option<io::Error> {
        self.failure
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.reader.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let kind = error.kind();
                    self.failure = Some(error);
                    return Err(kind.into());
                }
                Ok(len) => return Ok(len),
            }
        }
    }
}

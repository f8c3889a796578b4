//! Limits: how much of a node its clients may use at once.

use std::time::Duration;

/// The longest blob, as `blobs` has it: what is larger is cut into several.
pub const BLOB_BYTES_MAX: u64 = 96 << 20;

/// How much of a node its clients may use at once. The defaults suit a node with a few cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests under `/v1` in work at once, until their last byte is out; one more gets 429.
    /// Usual: 1,024. A transaction that waits to be final keeps its place for about half a second, so
    /// this also bounds how many per second can wait. Too high: memory (each may hold `body_bytes_max`).
    pub requests_max: usize,
    /// Event streams open at once, beside the requests; one more gets 429. Usual: 256.
    pub streams_max: usize,
    /// Longest body that is not a blob; a longer one gets 413. Usual: 1 MiB, above any transaction.
    pub body_bytes_max: usize,
    /// Longest blob; a longer one gets 413. At most [`BLOB_BYTES_MAX`], which the store enforces.
    pub blob_bytes_max: u64,
    /// Most items on a page. Usual: 100.
    pub page_max: usize,
    /// How long the backend may take to begin an answer; then 504. Usual: 10 s. A proof may wait a
    /// few blocks, so not below 2 s.
    pub answer_timeout: Duration,
    /// The same for a transaction that waits to be final. Usual: 60 s, a hundred blocks.
    pub final_timeout: Duration,
    /// How long a client may pause while it sends a body; then its request ends. Usual: 15 s.
    /// Too high: idle clients hold their place among `requests_max`.
    pub body_pause: Duration,
    /// How long one blob may take to arrive, however steadily. Usual: 10 min, 96 MiB at 1.4 Mbit/s.
    pub blob_timeout: Duration,
    /// How often an idle event stream says that it is alive. Usual: 15 s. Longer than proxies wait
    /// (often 60 s) and streams break.
    pub keep_alive: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_max: 1_024,
            streams_max: 256,
            body_bytes_max: 1 << 20,
            blob_bytes_max: BLOB_BYTES_MAX,
            page_max: 100,
            answer_timeout: Duration::from_secs(10),
            final_timeout: Duration::from_secs(60),
            body_pause: Duration::from_secs(15),
            blob_timeout: Duration::from_secs(600),
            keep_alive: Duration::from_secs(15),
        }
    }
}

//! Answer over HTTP what people, programs and workers ask of a node.

mod backend;
mod bridge;
mod limits;
mod problem;
mod view;

pub use backend::{Backend, Body, Chunks, Events, JobsQuery, Wait, WorkersQuery};
pub use bridge::{ChunkReader, ChunkWriter, chunk_pipe};
pub use limits::{BLOB_BYTES_MAX, Limits};
pub use problem::{Code, PROBLEM_JSON, Problem};
pub use view::{
    AccountView, BlobView, BlockView, ChainStatus, Evidence, Hex, JobEvent, JobView, NetworkStatus, Output,
    OutputChunk, Page, ProofKey, ProofView, Reason, Submitted, Why, WorkerView,
};

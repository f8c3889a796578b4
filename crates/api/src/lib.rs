//! Answer over HTTP what people, programs and workers ask of a node.
//!
//! A node is a [`Backend`]: one method for each question. This crate turns requests into questions and
//! answers into responses, and holds what both sides must agree on: the routes, the [views](JobView),
//! the [`Code`]s of everything that can go wrong, and a [`client`] that speaks all of it.
//!
//! ```text
//!                   .- App: places, timeouts -.
//! client ==HTTP==> | routes/  -> extract      | --> Backend   (`node`; a fake in the tests)
//!    ^             |    |  Problem on failure | <-- views, bodies, events
//!    '---------    '----|---------------------'
//!                       '--> openapi.json
//! ```
//!
//! Nothing reaches the backend that is not well-formed: chains, hashes, addresses and transactions are
//! parsed here, bodies are bounded while they arrive ([`Limits`]). Every failure, be it of the route, the
//! method, a body or the backend, is told as a [`Problem`] (RFC 9457) with a code that stays.
//!
//! ```
//! # fn serve(backend: impl api::Backend) {
//! let app: axum::Router = api::router(backend, api::Limits::default());
//! # }
//! ```
//!
//! Not here: any implementation of [`Backend`], who may ask (put a proxy before a public node: there are
//! no keys, no TLS, and no limit per client), and whether an answer is true (see `receipt`).

mod app;
mod backend;
mod bridge;
pub mod client;
mod economy;
mod extract;
mod limits;
mod noun;
mod openapi;
mod presence;
mod problem;
mod routes;
mod view;

pub use backend::{Backend, Body, Chunks, Events, JobsQuery, Wait, WorkersQuery};
pub use bridge::{ChunkReader, ChunkWriter, chunk_pipe};
pub use client::{Client, ClientError};
pub use economy::{
    AttestationView, DelegationView, EarningsView, FaucetAsked, FaucetGave, MarketView, StakeView,
    UnbondingView, ValidatorView,
};
pub use limits::{BLOB_BYTES_MAX, Limits};
pub use openapi::openapi;
pub use presence::{MeasuredView, PeriodView, PresenceView, SeatView, WitnessView};
pub use problem::{PROBLEM_JSON, Problem};
pub use routes::router;
pub use types::Code;
pub use view::{
    AccountView, Assurance, BlobView, BlockView, ChainStatus, Hex, JobEvent, JobView,
    NetworkStatus, Output, OutputChunk, Page, ProofKey, ProofView, Reason, Submitted, Why,
    WorkerView,
};

//! The routes over a fake node, in this process; and the client over a real socket.

mod ask;
mod blobs;
mod client;
mod events;
mod fake;
mod limits;
mod nouns;
mod openapi;
mod problems;
mod views;

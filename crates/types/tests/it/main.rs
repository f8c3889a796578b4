//! The wire, held to itself: the bytes of `vectors/`, the descriptions, the schemas, and decoders that meet anything.
//!
//! `cargo xtask codegen` runs this with `MESHX_UPDATE=1`, which writes what is generated anew. A vector that changes is a
//! decision and says so in its commit.

mod decoders;
mod described;
mod fits;
mod generated;
mod import;
mod json;
mod presence;
mod read;
mod sample;
mod schema;

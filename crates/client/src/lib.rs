//! Use a MeshX network from a program of your own.

#![forbid(unsafe_code)]

mod files;

pub use files::{NotWritten, write_whole};

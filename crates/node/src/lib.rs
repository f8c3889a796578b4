//! Hold a node together: chains, workers, blobs and the API in one process.
//!
//! Everything that decides anything lives in the crates below; this one starts it, feeds it and
//! answers for it.
//!
//! ```text
//!            +-- chains:  one engine per validator (consensus)
//! Node ------+-- workers: watch their chain, run what they are drawn for (worker)
//!            +-- blobs:   modules, inputs, outputs
//!            +-- backend: answers the API from the chains' own state
//! ```
//!
//! [`local`] deals a whole network's keys in one process; [`start()`] runs the part of a network that
//! this process is to run: all of it for `meshx up`, one validator per chain for `meshx node start`.

mod backend;
pub mod doctor;
mod duties;
mod economy;
mod edges;
mod explain;
mod failstop;
mod files;
mod folder;
mod gateway;
mod headers;
mod host;
mod import;
mod line;
mod listed;
pub mod local;
pub mod measuring;
pub mod mesh;
mod part;
mod presence;
mod receipts;
mod runtime;
mod seen;
mod start;
mod tickets;
mod wires;
mod workers;

pub use edges::NotServed;
pub use files::{BadFile, Layout, NodeFiles, NodeSecrets, read_node, short, write_network};
pub use folder::{BadFolder, FREE_BYTES_MIN, Folder, free_bytes};
pub use gateway::{Facts, NoGateway, gateway, usual_chain, usual_roles};
pub use host::{Host, NoBlob, Node};
pub use part::Part;
pub use runtime::run;
pub use start::{NotStarted, Running, serve, start};
pub use wires::Net;

//! The binary as a user meets it: processes, pipes, files, exit codes.

mod attest;
mod cases;
mod edges;
mod failures;
mod gov;
mod hints;
mod json;
mod lab;
mod mesh;
mod nodes;
mod outputs;
mod presence;
mod refusals;
mod stake;
mod supply;
mod support;
mod wire;

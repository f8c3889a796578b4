//! The sandbox from outside: hostile modules, determinism, both ABIs, and WASI against wasmtime's own.

mod atomics;
mod cases;
mod common;
mod determinism;
mod differential;
mod examples;
mod exceptions;
mod files;
mod hostile;
mod parallel;
mod raw;
mod reference;
mod script;
mod testsuite;
mod traps;

//! Run a stranger's WebAssembly: the same answer on every honest machine, and never more than paid for.
//!
//! A [`Job`] is everything that decides a result: module, input, arguments, files, limits, seed,
//! clock. An [`Engine`] runs it and says how it [`Ended`]. Work is counted in fuel, by the operator
//! inside the module, which counts it itself, and by the call and byte outside it; only the wall clock, which no two machines
//! share, can end a run without an agreed outcome.
//!
//! ```text
//!  module ─ check ─ rewrite ─ compile ─► cache          (once per module)
//!                                          │
//!  job ── slot ── instance ◄───────────────┘            (once per job)
//!           enter by _start, or alloc + run
//!             │  ▲
//!   wasi_…, meshx.*, env.abort: streams, files, clock, randomness, all from the job
//!             │  │ fuel, memory, output: limits that end it alike everywhere
//!             ▼  │ ticks: wall clock, cancel
//!           Ended { status, stdout, stderr, fuel }
//! ```
//!
//! ```
//! use sandbox::{Ended, Engine, EngineConfig, Job};
//! use types::{Fuel, Limits, Millis, Status};
//!
//! let engine = Engine::new(EngineConfig { slots: 2, memory_bytes_max: 64 << 20, cache_modules: 8 })?;
//! let module = sandbox::binary_of(br#"(module
//!     (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
//!     (memory (export "memory") 1)
//!     (data (i32.const 0) "\08\00\00\00\06\00\00\00hello\n")
//!     (func (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))))"#)?;
//! let limits = Limits {
//!     fuel: Fuel::new(1_000_000),
//!     memory_bytes: 1 << 20,
//!     output_bytes: 1 << 10,
//!     wall: Millis::new(5_000),
//! };
//! let job = Job::new(&module, engine.inspect(&module)?.abi, limits);
//! let Ended::Done(run) = engine.run(&job, &|_chunk| {}, &false.into())? else { panic!("it is quick") };
//! assert_eq!((run.status, &run.stdout[..]), (Status::Exited(0), &b"hello\n"[..]));
//! # Ok::<(), sandbox::Refused>(())
//! ```
//!
//! What it deliberately does not do: know whose job it runs, what it costs in money or where its
//! bytes came from; open files, sockets or real clocks for a job; accept compiled code; run threads,
//! garbage-collected objects other than exceptions, 64-bit memories or components; decide which of two results is right.
//!
//! Two things are the same only within one [`profile`], which results must share to be compared: the
//! fuel of each operator, and the recursion depth at which the stack overflows. The latter also
//! differs between processor architectures: a job that recurses a million calls deep is its own risk.

// What is asked and answered.
mod advice;
mod job;
mod limits;
mod names;
mod refused;
mod unpack;

// A module, from bytes to something that can run.
mod count;
mod facts;
mod module;
mod prepared;
mod rewrite;

// Running it.
mod engine;
mod place;
mod run;

// What running needs.
mod cache;
#[expect(unsafe_code, reason = "lends a job's borrows to a store that wants them for ever")]
mod loan;
mod meter;
mod slots;
mod state;

// What the module may call.
mod call;
mod raw;
mod wasi;

mod execute;

pub use engine::{Engine, EngineConfig, Places};
pub use execute::{Error, execute_wasm};
pub use job::{Ended, Job, Run, SpecBytes};
pub use limits::{
    MEMORIES_MAX, MODULE_BYTES_MAX, OUTPUT_BYTES_MAX, STACK_BYTES, TABLE_ELEMENTS_MAX, TABLES_MAX,
};
pub use meter::profile;
pub use module::{Inspected, binary_of};
pub use names::check_file_names;
pub use place::{Fault, TrapPlace};
pub use refused::Refused;
pub use unpack::{Unpacked, unpack};
pub use wasi::TooMuch;

//! Refusals: why a job cannot be run at all. Nothing ran, nothing is owed.

use types::Abi;

/// Why a module or a job was refused. The message says what was found and what to try.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Refused {
    #[error("not a WebAssembly module: it is {looks}; {advice}")]
    NotWasm { looks: &'static str, advice: &'static str },
    #[error("the WebAssembly text does not parse: {0}")]
    BadText(String),
    #[error(
        "the module is damaged at byte {offset}: {message}; try building or downloading it again"
    )]
    Malformed { message: String, offset: usize },
    #[error(
        "the module needs a feature that jobs may not use ({message}, at byte {offset}); {advice}"
    )]
    Forbidden { message: String, offset: usize, advice: &'static str },
    #[error(
        "the module has {bytes} bytes, more than the {max} a job may have; move data into input files (try also `wasm-opt -Oz` and stripping debug info)"
    )]
    TooBig { bytes: usize, max: usize },
    #[error("the module imports {module}.{name}, which no worker offers; {advice}")]
    UnknownImport { module: String, name: String, advice: String },
    #[error("the module imports {module}.{name} as {found}, but it is {offered}")]
    WrongImport { module: String, name: String, found: String, offered: String },
    #[error("the module has no entry for the {} ABI ({missing}); a WASI command exports `_start`, a raw module exports `alloc`, `run` and `memory`", abi_name(*.abi))]
    NoEntry { abi: Abi, missing: &'static str },
    #[error(
        "the module is a WASI reactor, a library for other programs: it exports `_initialize` and no `_start`; build a command instead: a program with `main` (for C without -mexec-model=reactor, for Rust a binary rather than a cdylib, for Go without -buildmode=c-shared)"
    )]
    Reactor,
    #[error(
        "the module imports {module}.{name} but exports no memory named `memory` through which it could be answered; export its memory (`--export-memory` for wasm-ld, `(export \"memory\" (memory 0))` in text)"
    )]
    NoMemory { module: String, name: String },
    #[error("the module exports {name} as {found}, expected {expected}")]
    WrongExport { name: &'static str, found: String, expected: &'static str },
    #[error(
        "the module starts with {needed} bytes of memory, the job allows {limit}; raise the job's memory limit or link with a smaller initial memory"
    )]
    MemoryOverLimit { needed: u64, limit: u64 },
    #[error(
        "the module has a memory that threads share; build without threads: their order is not reproducible"
    )]
    SharedMemory,
    #[error("the module has {found} memories, at most {max} are allowed")]
    TooManyMemories { found: u32, max: u32 },
    #[error("the module has {found} tables, at most {max} are allowed")]
    TooManyTables { found: u32, max: u32 },
    #[error("the module has a table of {elements} elements, at most {max} are allowed")]
    TableTooLarge { elements: u64, max: u32 },
    #[error("the module is valid but cannot be compiled: {0}; try splitting its largest functions")]
    NotCompiled(String),
    #[error("the job allows {asked} bytes of {what}, this worker offers at most {offered}")]
    LimitTooHigh { what: &'static str, asked: u64, offered: u64 },
    #[error(
        "the job's file {name:?} {problem}; a file is named by its path below /in, such as model.gguf or data/train.csv"
    )]
    BadFile { name: String, problem: &'static str },
    #[error("the job's {what} contains a zero byte, which no program could read: {text:?}")]
    ZeroByte { what: &'static str, text: String },
    #[error("the engine configuration is out of range: {0}")]
    BadConfig(&'static str),
    /// This machine's failure, not the job's: another worker may run it.
    #[error("this machine could not run the job: {0}")]
    Machine(String),
}

impl Refused {
    /// Whether every worker would say the same. If not, the job should go to another one.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Machine(_) | Self::BadConfig(_) | Self::LimitTooHigh { .. })
    }
}

fn abi_name(abi: Abi) -> &'static str {
    match abi {
        Abi::Raw => "raw",
        Abi::Wasi => "WASI",
    }
}

//! A job: what is to be run, within which limits, and what came out.

use crate::{Fuel, Hash, List, Millis, Text, wire_enum, wire_struct};
use serde::{Deserialize, Serialize};

/// A job's name: the hash of the transaction that submitted it.
pub type JobId = Hash;

/// Most replicas one job may ask for.
pub const REPLICAS_MAX: usize = 16;
/// Most command-line arguments one job may have.
pub const ARGS_MAX: usize = 64;
/// Most environment variables one job may have.
pub const ENV_MAX: usize = 64;
/// Most read-only files a job may find under `/in`.
pub const INPUT_FILES_MAX: usize = 64;

/// How a module is entered (DESIGN §11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Abi {
    /// Exports `alloc(len) -> ptr` and `run(ptr, len) -> i32`.
    Raw,
    /// A WASI preview 1 command: exports `_start`.
    Wasi,
}
wire_enum!(Abi { 0 => Raw, 1 => Wasi });

/// Whether floating point must give the same bits on every architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Float {
    /// NaNs are canonical: any architecture agrees.
    Strict,
    /// NaNs are the processor's: replicas must share one architecture.
    ArchClass,
}
wire_enum!(Float { 0 => Strict, 1 => ArchClass });

/// What makes two runs comparable: H(engine version, configuration, operator cost table).
pub type ExecProfile = Hash;

/// What a job may use. Every worker enforces the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Limits {
    /// Most fuel; at zero left the job ends as [`Trap::OutOfFuel`].
    pub fuel: Fuel,
    /// Most linear memory in bytes, over all memories of the module.
    pub memory_bytes: u64,
    /// Most bytes on stdout (or returned by `run`) and, separately, on stderr.
    pub output_bytes: u64,
    /// Wall-clock kill. Differs between machines, so its outcome is never "agreed".
    pub wall: Millis,
}
wire_struct!(Limits { fuel, memory_bytes, output_bytes, wall });

/// How many run the job and how many must say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Agreement {
    pub replicas: u8,
    pub agree: u8,
}
wire_struct!(Agreement { replicas, agree });

/// A read-only file the job finds at `/in/<name>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InputFile {
    pub name: Text<128>,
    pub content: Hash,
    pub len: u64,
}
wire_struct!(InputFile { name, content, len });

/// Everything that decides a job's result. Two equal specs have equal results.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct JobSpec {
    /// BLAKE3 of the module's bytes.
    pub module: Hash,
    pub module_len: u64,
    pub abi: Abi,
    pub float: Float,
    /// BLAKE3 of standard input (or of the argument of `run`).
    pub input: Hash,
    pub input_len: u64,
    pub args: List<Text<4096>, ARGS_MAX>,
    /// `NAME=value`.
    pub env: List<Text<4096>, ENV_MAX>,
    pub files: List<InputFile, INPUT_FILES_MAX>,
    pub limits: Limits,
    pub profile: ExecProfile,
    /// What the job's clock and randomness start from.
    pub seed: Hash,
    /// What the job's clock reads at its first call, in milliseconds since the Unix epoch.
    pub clock: Millis,
}
wire_struct!(JobSpec {
    module,
    module_len,
    abi,
    float,
    input,
    input_len,
    args,
    env,
    files,
    limits,
    profile,
    seed,
    clock
});

/// Why a run ended early. Each is an honest outcome that gets a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trap {
    /// `unreachable`, out-of-bounds access, division by zero, bad indirect call, …
    Wasm,
    OutOfFuel,
    /// Memory could not grow within the limit and the module gave up (trapped) after that.
    OutOfMemory,
    StackOverflow,
    OutputTooLong,
    /// The raw ABI's contract was broken: a pointer or length outside memory.
    BadAbi,
    /// `env.abort` was called.
    Abort,
}
wire_enum!(Trap { 0 => Wasm, 1 => OutOfFuel, 2 => OutOfMemory, 3 => StackOverflow, 4 => OutputTooLong, 5 => BadAbi, 6 => Abort });

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It returned or exited with this code; 0 means success. Raw ABI: the negated error code.
    Exited(i32),
    Trapped(Trap),
}
wire_enum!(Status { 0 => Exited(code), 1 => Trapped(trap) });

/// Bytes a job produced, by content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OutputRef {
    pub hash: Hash,
    pub len: u64,
}
wire_struct!(OutputRef { hash, len });

/// What a run of a [`JobSpec`] gives, the same on every honest worker.
///
/// `fuel` of [`Trap::OutOfFuel`] is the limit itself: engines stop a little before or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Outcome {
    pub status: Status,
    pub stdout: OutputRef,
    pub stderr: OutputRef,
    pub fuel: Fuel,
    /// Most linear memory it held, in bytes, over all memories of the module.
    pub memory_bytes: u64,
}
wire_struct!(Outcome { status, stdout, stderr, fuel, memory_bytes });

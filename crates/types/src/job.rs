//! A job: what is to be run, within which limits, and what came out.

use crate::{Fuel, Hash, List, Millis, OutputFiles, Text, Wire};
use serde::{Deserialize, Serialize};

/// A job's name: the hash of the transaction that submitted it.
pub type JobId = Hash;

/// Longest module, in bytes: no more than one blob may have. Compilers and synthesis tools take up to 70 MB.
pub const MODULE_BYTES_MAX: u64 = 96 << 20;
/// Most replicas one job may ask for.
pub const REPLICAS_MAX: usize = 16;
/// Most command-line arguments one job may have.
pub const ARGS_MAX: usize = 64;
/// Most environment variables one job may have.
pub const ENV_MAX: usize = 64;
/// Most read-only files a job may find under `/in`.
pub const INPUT_FILES_MAX: usize = 64;

/// How a module is entered (DESIGN §11).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Wire,
)]
#[serde(rename_all = "snake_case")]
pub enum Abi {
    /// Exports `alloc(len) -> ptr` and `run(ptr, len) -> i32`.
    Raw = 0,
    /// A WASI preview 1 command: exports `_start`.
    Wasi = 1,
}

/// Whether floating point must give the same bits on every architecture.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Wire,
)]
#[serde(rename_all = "snake_case")]
pub enum Float {
    /// NaNs are canonical: any architecture agrees.
    Strict = 0,
    /// NaNs are the processor's: replicas must share one architecture.
    ArchClass = 1,
}

/// What makes two runs comparable: H(engine version, configuration, operator cost table).
pub type ExecProfile = Hash;

/// What a job may use. Every worker enforces the same numbers.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Wire,
)]
#[wire(name = "JobLimits")]
pub struct Limits {
    /// Most fuel; at zero left the job ends as [`Trap::OutOfFuel`].
    pub fuel: Fuel,
    /// Most linear memory in bytes, over all memories of the module.
    pub memory_bytes: u64,
    /// Most bytes on stdout (or returned by `run`) and in files under `/out` together; separately, on stderr.
    pub output_bytes: u64,
    /// Wall-clock kill. Differs between machines, so its outcome is never "agreed".
    pub wall: Millis,
}

/// How many run the job and how many must say the same.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Wire,
)]
pub struct Agreement {
    /// How many workers run the job, from 1 to [`REPLICAS_MAX`].
    pub replicas: u8,
    /// How many workers must reveal the same outcome; at most `replicas`.
    pub agree: u8,
}

/// A read-only file the job finds at `/in/<name>`, or a folder of them in one blob.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Wire)]
pub struct InputFile {
    /// Its path below `/in`. With `/` at its end, `content` is a packed [`crate::folder`] of that name, and `./` is all
    /// of `/in`.
    pub name: Text<128>,
    /// BLAKE3 of its bytes.
    pub content: Hash,
    /// Its length in bytes.
    pub len: u64,
}

/// Everything that decides a job's result. Two equal specs have equal results.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Wire)]
pub struct JobSpec {
    /// BLAKE3 of the module's bytes.
    pub module: Hash,
    /// The module's length in bytes.
    pub module_len: u64,
    /// How the module is entered.
    pub abi: Abi,
    /// Whether replicas may run on different processor architectures.
    pub float: Float,
    /// BLAKE3 of standard input (or of the argument of `run`).
    pub input: Hash,
    /// The input's length in bytes.
    pub input_len: u64,
    /// Command-line arguments, without the program's name.
    pub args: List<Text<4096>, ARGS_MAX>,
    /// `NAME=value`.
    pub env: List<Text<4096>, ENV_MAX>,
    /// What the module finds under `/in`, sorted by name.
    pub files: List<InputFile, INPUT_FILES_MAX>,
    /// How much the job may use.
    pub limits: Limits,
    /// The engine and settings that run it.
    pub profile: ExecProfile,
    /// What the job's clock and randomness start from.
    pub seed: Hash,
    /// What the job's clock reads at its first call, in milliseconds since the Unix epoch.
    pub clock: Millis,
}

/// Why a run ended early. Each is an honest outcome that gets a receipt.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Wire,
)]
#[serde(rename_all = "snake_case")]
pub enum Trap {
    /// `unreachable`, out-of-bounds access, division by zero, bad indirect call, …
    Wasm = 0,
    /// It used all of [`Limits::fuel`].
    OutOfFuel = 1,
    /// Memory could not grow within the limit and the module gave up (trapped) after that.
    OutOfMemory = 2,
    /// Its calls were nested too deep.
    StackOverflow = 3,
    /// It wrote more than [`Limits::output_bytes`], or left more files under `/out` than [`crate::OUTPUT_FILES_MAX`] or
    /// longer paths than [`crate::OUTPUT_PATH_BYTES_MAX`].
    OutputTooLong = 4,
    /// The raw ABI's contract was broken: a pointer or length outside memory.
    BadAbi = 5,
    /// `env.abort` was called.
    Abort = 6,
}

/// How a run ended.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Wire,
)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It returned or exited with this code; 0 means success. Raw ABI: the negated error code.
    #[wire(tag = 0)]
    Exited(i32),
    /// The sandbox stopped it.
    #[wire(tag = 1)]
    Trapped(Trap),
    /// It exited with this code and left files under `/out`. A run that leaves none is [`Status::Exited`].
    #[wire(tag = 2)]
    ExitedWithFiles {
        /// The exit code, as in [`Status::Exited`].
        code: i32,
        /// What it left.
        files: OutputFiles,
    },
    /// The worker could not run it. It printed nothing.
    #[wire(tag = 3)]
    CannotRun(Obstacle),
}

/// Why a worker cannot run a job, or not to its end.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Wire,
)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// Something that the job names could not be had from anybody.
    MissingInput = 0,
    /// Something that the job names has another length than the job says.
    Length = 1,
    /// The sandbox does not take the module.
    Module = 2,
    /// It was still running when its wall-clock limit was over.
    WallClock = 3,
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::MissingInput => "something that it names could not be had",
            Self::Length => "something that it names has another length",
            Self::Module => "the sandbox does not take its module",
            Self::WallClock => "it was still running when its wall-clock limit was over",
        })
    }
}

impl Obstacle {
    /// Whether it is the job's, so that every worker must come to the same. The others depend on the network and on the
    /// machine.
    pub const fn is_the_jobs(self) -> bool {
        matches!(self, Self::Length | Self::Module)
    }
}

impl Status {
    /// The exit code; `None` if the sandbox stopped it.
    pub const fn code(&self) -> Option<i32> {
        match self {
            Self::Exited(code) | Self::ExitedWithFiles { code, .. } => Some(*code),
            Self::Trapped(_) | Self::CannotRun(_) => None,
        }
    }

    /// Why it could not be run; `None` if it was.
    pub const fn obstacle(&self) -> Option<Obstacle> {
        match self {
            Self::CannotRun(obstacle) => Some(*obstacle),
            _ => None,
        }
    }

    /// What it left under `/out`, if anything.
    pub const fn files(&self) -> Option<OutputFiles> {
        match self {
            Self::ExitedWithFiles { files, .. } => Some(*files),
            Self::Exited(_) | Self::Trapped(_) | Self::CannotRun(_) => None,
        }
    }
}

/// Bytes a job produced, by content.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Wire,
)]
pub struct OutputRef {
    /// BLAKE3 of the bytes.
    pub hash: Hash,
    /// Their number.
    pub len: u64,
}

impl OutputRef {
    /// What names `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self { hash: Hash::of_content(bytes), len: bytes.len() as u64 }
    }
}

/// What a run of a [`JobSpec`] gives, the same on every honest worker.
///
/// `fuel` of [`Trap::OutOfFuel`] is the limit itself: engines stop a little before or after it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Wire,
)]
pub struct Outcome {
    /// How the run ended.
    pub status: Status,
    /// What it wrote on stdout, or what `run` returned.
    pub stdout: OutputRef,
    /// What it wrote on stderr.
    pub stderr: OutputRef,
    /// The fuel it used.
    pub fuel: Fuel,
    /// Most linear memory it held, in bytes, over all memories of the module.
    pub memory_bytes: u64,
}

impl Outcome {
    /// What a worker says that cannot run a job. Its bytes are the same on every worker with the same obstacle.
    pub fn hindered(obstacle: Obstacle) -> Self {
        let nothing = OutputRef::of(b"");
        Self {
            status: Status::CannotRun(obstacle),
            stdout: nothing,
            stderr: nothing,
            fuel: Fuel::ZERO,
            memory_bytes: 0,
        }
    }
}

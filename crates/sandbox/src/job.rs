//! What is asked of the engine, and what it answers.

use crate::place::TrapPlace;
use types::{Abi, Float, Fuel, Hash, Limits, Millis, Outcome, OutputRef, Status};

/// Everything that decides a run's result. Two equal jobs have equal results.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The module in binary form.
    pub module: &'a [u8],
    /// How the module is entered.
    pub abi: Abi,
    /// Whether replicas may differ in architecture.
    pub float: Float,
    /// Standard input, or the argument of `run`.
    pub input: &'a [u8],
    /// Arguments after the program's name, which is always `job`.
    pub args: &'a [&'a str],
    /// Environment variables, each as `NAME=value`.
    pub env: &'a [&'a str],
    /// Path below `/in` and content of each file, also for `meshx.read_blob`.
    pub files: &'a [(&'a str, &'a [u8])],
    /// What it may use.
    pub limits: Limits,
    /// What the job's randomness is made from.
    pub seed: Hash,
    /// What the job's clock reads at its start, in milliseconds since the Unix epoch.
    pub clock: Millis,
}

impl<'a> Job<'a> {
    /// A job without input, arguments or files, reproducible everywhere ([`Float::Strict`]).
    pub fn new(module: &'a [u8], abi: Abi, limits: Limits) -> Self {
        Self {
            module,
            abi,
            float: Float::Strict,
            input: &[],
            args: &[],
            env: &[],
            files: &[],
            limits,
            seed: Hash::default(),
            clock: Millis::ZERO,
        }
    }
}

/// The bytes that the hashes of a [`types::JobSpec`] name.
#[derive(Clone, Debug)]
pub struct SpecBytes<'a> {
    /// [`types::JobSpec::module`], in binary form.
    pub module: &'a [u8],
    /// [`types::JobSpec::input`].
    pub input: &'a [u8],
    /// Contents of [`types::JobSpec::files`], in their order.
    pub files: &'a [&'a [u8]],
}

/// How the engine came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The module ran to its end or to a limit that every machine shares.
    Done(Run),
    /// The wall clock ran out after this long. Machines differ, so this is never an agreed outcome.
    Killed {
        /// The limit it ran into.
        after: Millis,
    },
    /// The caller raised the cancel flag.
    Cancelled,
}

/// What a run gave: the same on every honest machine of one profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// How it ended.
    pub status: Status,
    /// What was printed, emitted or returned by `run`, at most [`Limits::output_bytes`].
    pub stdout: Vec<u8>,
    /// What was printed there or logged, at most [`Limits::output_bytes`].
    pub stderr: Vec<u8>,
    /// Work done, at most [`Limits::fuel`]; up to a trap if it ended with one. It is the whole limit
    /// after out of fuel, and after a stack overflow, whose depth differs between machines.
    pub fuel: Fuel,
    /// The part of `fuel` spent on loading the module and on its calls to the host.
    pub fuel_host: Fuel,
    /// Most linear memory it held, over all its memories.
    pub memory_bytes: u64,
    /// Where it trapped and over what, for people: no part of what replicas compare.
    pub trap: Option<TrapPlace>,
}

impl Run {
    /// What replicas compare: this run with its outputs by their content's hash.
    pub fn outcome(&self) -> Outcome {
        let by_content =
            |bytes: &[u8]| OutputRef { hash: Hash::of_content(bytes), len: bytes.len() as u64 };
        Outcome {
            status: self.status,
            stdout: by_content(&self.stdout),
            stderr: by_content(&self.stderr),
            fuel: self.fuel,
            memory_bytes: self.memory_bytes,
        }
    }
}

//! What is asked of the engine, and what it answers.

use crate::place::TrapPlace;
use std::borrow::Cow;
use types::{
    Abi, Float, Fuel, Hash, Limits, List, Millis, Outcome, OutputFile, OutputFiles, OutputList,
    OutputRef, Status, Text, codec::Encode as _,
};

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
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each run, and it is nearly always a run"
)]
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
    /// What was printed, emitted or returned by `run`; with `files` at most [`Limits::output_bytes`].
    pub stdout: Vec<u8>,
    /// What was printed there or logged, at most [`Limits::output_bytes`].
    pub stderr: Vec<u8>,
    /// What it left under `/out` when it exited: each file's path below it and its bytes, in the order of
    /// the paths' bytes. Nothing after a trap.
    pub files: Vec<(String, Vec<u8>)>,
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
        Outcome {
            status: match (self.status, self.left()) {
                (Status::Exited(code), Some(files)) => Status::ExitedWithFiles { code, files },
                (status, _) => status,
            },
            stdout: OutputRef::of(&self.stdout),
            stderr: OutputRef::of(&self.stderr),
            fuel: self.fuel,
            memory_bytes: self.memory_bytes,
        }
    }

    /// All that others may ask for by its hash: what it printed, and the list of its files and their bytes
    /// if it left any.
    pub fn outputs(&self) -> Vec<Cow<'_, [u8]>> {
        let mut outputs: Vec<Cow<'_, [u8]>> =
            vec![self.stdout.as_slice().into(), self.stderr.as_slice().into()];
        if !self.files.is_empty() {
            outputs.push(self.list().encode().to_vec().into());
            outputs.extend(self.files.iter().map(|(_, bytes)| Cow::from(bytes.as_slice())));
        }
        outputs
    }

    fn left(&self) -> Option<OutputFiles> {
        let bytes = self.files.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        let list = OutputRef::of(&self.list().encode());
        (!self.files.is_empty()).then_some(OutputFiles { list, bytes })
    }

    fn list(&self) -> OutputList {
        let files = self.files.iter().map(|(path, bytes)| OutputFile {
            path: Text::new(path.clone()).expect("longer paths end the run"),
            content: OutputRef::of(bytes),
        });
        OutputList { files: List::new(files.collect()).expect("more files end the run") }
    }
}

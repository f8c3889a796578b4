//! From what was typed to a job that is complete.

use anyhow::{Context as _, Result, bail};
use args::Job;
use client::{Engine, Module, Request, Resources, TreeBounds};
use std::{
    io::{IsTerminal as _, Read as _},
    path::Path,
    sync::mpsc,
    time::Duration,
};
use types::{Agreement, Fuel, Limits, Millis};

/// An input that takes longer to end is told of.
const STDIN_PATIENCE: Duration = Duration::from_secs(3);

/// How much the folder of a job may hold: it travels as one blob.
pub const TREE: TreeBounds =
    TreeBounds { files: types::folder::FOLDER_FILES_MAX, bytes: api::BLOB_BYTES_MAX };

/// Longest text or binary of a module that is read. Text is longer than what becomes of it.
pub const TEXT_BYTES_MAX: u64 = 8 * types::MODULE_BYTES_MAX;

/// Read everything a job needs, and refuse what can never run before anything is sent or paid.
pub fn read(engine: &Engine, job: &Job) -> Result<Request> {
    let name = job.file.display().to_string();
    let text = client::read_plain(&job.file, TEXT_BYTES_MAX)?;
    let module = Module::read(engine, &name, &text)?;
    let input = input(job)?;
    let files = job.files.iter().map(|file| named(file)).collect::<Result<_>>()?;
    let tree = job.dir.as_ref().map(|dir| client::read_tree(dir, TREE)).transpose()?;
    let limits = Limits {
        fuel: Fuel::new(job.fuel),
        memory_bytes: job.memory.saturating_mul(1 << 20),
        output_bytes: job.output_limit.saturating_mul(1 << 20),
        wall: Millis::new(job.wall().saturating_mul(1_000)),
    };
    let agreement = Agreement { replicas: job.replicas, agree: job.agree() };
    let (args, env) = (job.args.clone(), job.env.clone());
    Ok(Request::new(module, Resources { input, files, tree, args, env, limits, agreement })?)
}

/// Says what is waited for if stdin stays open, until it is dropped.
struct Patience {
    _alive: mpsc::Sender<()>,
}

impl Patience {
    fn start() -> Self {
        let (alive, gone) = mpsc::channel::<()>();
        std::thread::spawn(move || {
            if gone.recv_timeout(STDIN_PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                eprintln!(
                    "waiting for the end of the job's input on stdin\nhint: Ctrl-D ends it; --no-input or < /dev/null gives none"
                );
            }
        });
        Self { _alive: alive }
    }
}

fn named(file: &str) -> Result<(String, Vec<u8>)> {
    let (name, path) = file
        .split_once('=')
        .with_context(|| format!("--file {file:?} names no path\nhint: --file NAME=PATH"))?;
    Ok((name.to_owned(), client::read_plain(Path::new(path), api::BLOB_BYTES_MAX)?))
}

fn input(job: &Job) -> Result<Vec<u8>> {
    let limit = api::BLOB_BYTES_MAX;
    let mut bytes = Vec::new();
    if let Some(path) = &job.input {
        return Ok(client::read_plain(path, limit)?);
    }
    // At a terminal nobody has piped anything: the job gets an empty input.
    if job.no_input || std::io::stdin().is_terminal() {
        return Ok(bytes);
    }
    let _patience = Patience::start();
    std::io::stdin().take(limit + 1).read_to_end(&mut bytes).context("cannot read stdin")?;
    if bytes.len() as u64 > limit {
        bail!(
            "the input is longer than {}\nhint: give large data as several --file NAME=PATH",
            client::units::bytes(limit.into())
        );
    }
    Ok(bytes)
}

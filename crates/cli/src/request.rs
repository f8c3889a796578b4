//! From what was typed to a job that is complete.

use anyhow::{Context as _, Result, bail};
use args::Job;
use client::{Engine, Module, Request, Resources, TreeBounds};
use std::{
    fs,
    io::{IsTerminal as _, Read as _},
    sync::mpsc,
    time::Duration,
};
use types::{Agreement, Fuel, Limits, Millis};

/// An input that takes longer to end is told of.
const STDIN_PATIENCE: Duration = Duration::from_secs(3);

/// How much the folder of a job may hold: it travels as one blob.
pub const TREE: TreeBounds =
    TreeBounds { files: types::folder::FOLDER_FILES_MAX, bytes: api::BLOB_BYTES_MAX };

/// Read everything a job needs, and refuse what can never run before anything is sent or paid.
pub fn read(engine: &Engine, job: &Job) -> Result<Request> {
    let name = job.file.display().to_string();
    let text = fs::read(&job.file).with_context(|| format!("cannot read {name}"))?;
    let module = Module::read(engine, &name, &text)?;
    let input = input(job)?;
    let files = job.files.iter().map(|file| named(file)).collect::<Result<_>>()?;
    let tree = job.dir.as_ref().map(|dir| client::read_tree(dir, TREE)).transpose()?;
    let limits = Limits {
        fuel: Fuel::new(job.fuel),
        memory_bytes: job.memory.saturating_mul(1 << 20),
        output_bytes: job.output_limit.saturating_mul(1 << 20),
        wall: Millis::new(job.wall.saturating_mul(1_000)),
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
    Ok((name.to_owned(), fs::read(path).with_context(|| format!("cannot read {path}"))?))
}

fn input(job: &Job) -> Result<Vec<u8>> {
    let limit = api::BLOB_BYTES_MAX;
    let mut bytes = Vec::new();
    let len = match &job.input {
        Some(path) => {
            let unreadable = || format!("cannot read {}", path.display());
            let file = fs::File::open(path).with_context(unreadable)?;
            match file.metadata().with_context(unreadable)?.len() {
                len if len > limit => len,
                _ => file.take(limit + 1).read_to_end(&mut bytes).with_context(unreadable)? as u64,
            }
        }
        None if job.no_input => 0,
        // At a terminal nobody has piped anything: the job gets an empty input.
        None if std::io::stdin().is_terminal() => 0,
        None => {
            let _patience = Patience::start();
            let stdin = std::io::stdin().take(limit + 1).read_to_end(&mut bytes);
            stdin.context("cannot read stdin")? as u64
        }
    };
    if len > limit {
        bail!(
            "the input is longer than {limit} bytes\nhint: give large data as several --file NAME=PATH"
        );
    }
    Ok(bytes)
}

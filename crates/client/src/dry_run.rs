//! A job run on this machine, metered as a worker would meter it.

use crate::Request;
use sandbox::{Ended, Engine, EngineConfig, Job, Refused};
use types::{Hash, Outcome, OutputRef};

/// Why a run gave no result. A job that traps has one.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NoResult {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(
        "the job was killed by its wall-clock limit after {after_ms} ms\nhint: raise --wall; a job killed by the clock has no result"
    )]
    Killed { after_ms: types::Millis },
}

/// The sandbox does not start.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox does not start on this machine")]
pub struct NoEngine(#[source] Refused);

/// A sandbox for one job at a time.
///
/// # Errors
/// [`NoEngine`] if the machine has no memory for it.
pub fn engine() -> Result<Engine, NoEngine> {
    let config = EngineConfig { slots: 2, memory_bytes_max: 1 << 30, cache_modules: 4 };
    Engine::new(config).map_err(NoEngine)
}

/// What workers that run `request` will agree on.
///
/// # Errors
/// [`NoResult`].
///
/// # Panics
/// Never: nobody cancels this run.
pub fn dry_run(engine: &Engine, request: &Request) -> Result<Outcome, NoResult> {
    let spec = &request.spec;
    let args: Vec<&str> = spec.args.iter().map(types::Text::as_str).collect();
    let env: Vec<&str> = spec.env.iter().map(types::Text::as_str).collect();
    let files: Vec<(&str, &[u8])> =
        request.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let job = Job {
        module: &request.module,
        abi: spec.abi,
        float: spec.float,
        input: &request.input,
        args: &args,
        env: &env,
        files: &files,
        limits: spec.limits,
        seed: spec.seed,
        clock: spec.clock,
    };
    let kept = |bytes: &[u8]| OutputRef { hash: Hash::of_content(bytes), len: bytes.len() as u64 };
    match engine.run(&job, &|_chunk| {}, &false.into())? {
        Ended::Done(run) => Ok(Outcome {
            status: run.status,
            stdout: kept(&run.stdout),
            stderr: kept(&run.stderr),
            fuel: run.fuel,
            memory_bytes: run.memory_bytes,
        }),
        Ended::Killed { after } => Err(NoResult::Killed { after_ms: after }),
        Ended::Cancelled => unreachable!("nobody cancels this run"),
    }
}

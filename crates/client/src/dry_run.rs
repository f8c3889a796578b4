//! A job run on this machine, metered as a worker would meter it.

use crate::{Request, when};
use sandbox::{Ended, Engine, EngineConfig, Places, Refused, Run, SpecBytes};
use types::Outcome;

/// Why a run gave no result. A job that traps has one.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NoResult {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(
        "the job was killed by its wall-clock limit after {}\nhint: raise --wall; a job killed by the clock has no result", when::span(*after_ms)
    )]
    Killed { after_ms: types::Millis },
}

/// The sandbox does not start.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox does not start on this machine")]
pub struct NoEngine(#[source] Refused);

impl NoEngine {
    pub(crate) const fn new(why: Refused) -> Self {
        Self(why)
    }
}

const CONFIG: EngineConfig = EngineConfig { slots: 2, memory_bytes_max: 1 << 30, cache_modules: 4 };

/// A sandbox for one job at a time.
///
/// # Errors
/// [`NoEngine`] if the machine has no memory for it.
pub fn engine() -> Result<Engine, NoEngine> {
    Engine::new(CONFIG).map_err(NoEngine)
}

/// The same, which also says at which byte of the module a job trapped.
///
/// # Errors
/// As [`engine`].
pub fn engine_with_places() -> Result<Engine, NoEngine> {
    Engine::with_places(CONFIG, Places::Bytes).map_err(NoEngine)
}

/// What workers that run `request` will agree on.
///
/// # Errors
/// [`NoResult`].
pub fn dry_run(engine: &Engine, request: &Request) -> Result<Outcome, NoResult> {
    meter(engine, request).map(|run| run.outcome())
}

/// A run of `request` here, with what it printed and where it trapped.
///
/// # Errors
/// [`NoResult`].
///
/// # Panics
/// Never: nobody cancels this run.
pub fn meter(engine: &Engine, request: &Request) -> Result<Run, NoResult> {
    let files: Vec<&[u8]> = request.files.iter().map(|(_, bytes)| bytes.as_slice()).collect();
    let bytes = SpecBytes { module: &request.module, input: &request.input, files: &files };
    match engine.run_spec(&request.spec, &bytes, &false.into())? {
        Ended::Done(run) => Ok(run),
        Ended::Killed { after } => Err(NoResult::Killed { after_ms: after }),
        Ended::Cancelled => unreachable!("nobody cancels this run"),
    }
}

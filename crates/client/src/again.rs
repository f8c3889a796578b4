//! A job that ended badly, run again on this machine: where did it trap, and is it the job or its workers?
//!
//! The chain settles on what replicas agree about. In which function a module trapped is no part of that, and a job
//! that nobody answered has no outcome at all. A machine that has the job's bytes can look for both.

use crate::{NoEngine, Request};
use sandbox::{Ended, Engine, EngineConfig, Places, Refused, SpecBytes, TrapPlace};
use std::time::{Duration, Instant};
use types::{Millis, Outcome};

/// The longest that a run is tried for: nobody waits for an explanation as long as for a result.
const PATIENCE: Millis = Millis::new(5_000);

/// What a run on this machine came to.
#[derive(Clone, Debug)]
pub enum Again {
    /// It ended by itself, or by a limit that all machines share.
    Ended {
        /// What honest workers report.
        outcome: Outcome,
        /// Where it trapped, if it did.
        place: Option<TrapPlace>,
        /// How long it took here, with its compilation.
        took: Duration,
    },
    /// It did not end within this time.
    Killed {
        /// The job's own limit, or less.
        after: Millis,
    },
    /// Nothing that runs jobs takes it.
    Refused(Refused),
    /// This machine cannot say: it has not the memory, for instance.
    Unknown,
}

/// Run `request` for some seconds at most.
///
/// # Errors
/// [`NoEngine`] if the machine has no memory for it.
///
/// # Panics
/// Never: nobody cancels this run.
pub fn again(request: &Request) -> Result<Again, NoEngine> {
    let config = EngineConfig { slots: 1, memory_bytes_max: 1 << 30, cache_modules: 1 };
    let engine = Engine::with_places(config, Places::Bytes).map_err(NoEngine::new)?;
    let files: Vec<&[u8]> = request.files.iter().map(|(_, bytes)| bytes.as_slice()).collect();
    let bytes = SpecBytes { module: &request.module, input: &request.input, files: &files };
    let mut spec = request.spec.clone();
    spec.limits.wall = spec.limits.wall.min(PATIENCE);
    let begun = Instant::now();
    Ok(match engine.run_spec(&spec, &bytes, &false.into()) {
        Ok(Ended::Done(run)) => {
            let (outcome, took) = (run.outcome(), begun.elapsed());
            Again::Ended { outcome, place: run.trap, took }
        }
        Ok(Ended::Killed { after }) => Again::Killed { after },
        Ok(Ended::Cancelled) => unreachable!("nobody cancels this run"),
        Err(refused) if refused.is_final() => Again::Refused(refused),
        Err(_) => Again::Unknown,
    })
}

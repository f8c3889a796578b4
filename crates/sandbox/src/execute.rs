//! The whitepaper's one function: code, input and gas in, bytes out.

use crate::engine::{Engine, EngineConfig};
use crate::job::{Ended, Job};
use crate::module::binary_of;
use crate::refused::Refused;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use types::{Fuel, Limits, Millis, Status, Trap};

const MEMORY_BYTES_MAX: u64 = 1 << 30;
const OUTPUT_BYTES_MAX: u64 = 64 << 20;
/// Gas is what bounds a call; the wall clock only guards against a machine that stands still.
const WALL_MAX: Millis = Millis::new(60 * 60 * 1000);

/// Why [`execute_wasm`] gave no output.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("the module ended with exit code {0}")]
    Exited(i32),
    #[error("the module trapped: {0:?}")]
    Trapped(Trap),
    #[error("the module was stopped after {0} ms")]
    Killed(Millis),
}

/// Run `code` on `input` with at most `max_gas` of [`Fuel`], and return its output in bytes.
///
/// `code` is a raw module or a WASI command, in binary or text form; it may use 1 GiB of memory and
/// give 64 MiB of output. For anything finer, such as files, limits or streaming, use [`Engine::run`].
///
/// ```
/// let upper = br#"(module
///   (import "env" "memory" (memory 1))
///   (func (export "alloc") (param $len i32) (result i32) (i32.const 1024))
///   (func (export "run") (param $at i32) (param $len i32) (result i32) (local $i i32)
///     (loop $next
///       (i32.store8 (i32.add (local.get $at) (local.get $i))
///         (i32.sub (i32.load8_u (i32.add (local.get $at) (local.get $i))) (i32.const 32)))
///       (local.set $i (i32.add (local.get $i) (i32.const 1)))
///       (br_if $next (i32.lt_u (local.get $i) (local.get $len))))
///     (i32.store (i32.const 1020) (local.get $len))   ;; { length, bytes }
///     (i32.const 1020)))"#;
/// assert_eq!(sandbox::execute_wasm(upper, b"meshx", 10_000), Ok(b"MESHX".to_vec()));
///
/// use sandbox::Error;
/// assert_eq!(sandbox::execute_wasm(upper, b"meshx", 1_500), Err(Error::Trapped(types::Trap::OutOfFuel)));
/// ```
///
/// # Errors
/// [`Error`] says whether the code was refused, trapped, exited with a code other than 0, or took
/// more than an hour.
///
/// Source: whitepaper §2.3.
pub fn execute_wasm(code: &[u8], input: &[u8], max_gas: u64) -> Result<Vec<u8>, Error> {
    let engine = shared()?;
    let module = binary_of(code)?;
    let limits = Limits {
        fuel: Fuel::new(max_gas),
        memory_bytes: MEMORY_BYTES_MAX,
        output_bytes: OUTPUT_BYTES_MAX,
        wall: WALL_MAX,
    };
    let abi = engine.inspect(&module)?.abi;
    let job = Job { input, ..Job::new(&module, abi, limits) };
    match engine.run(&job, &|_| {}, &AtomicBool::new(false))? {
        Ended::Done(run) => match run.status {
            Status::Exited(0) | Status::ExitedWithFiles { code: 0, .. } => Ok(run.stdout),
            Status::Exited(code) | Status::ExitedWithFiles { code, .. } => Err(Error::Exited(code)),
            Status::Trapped(trap) => Err(Error::Trapped(trap)),
            Status::CannotRun(_) => unreachable!("a run has run"),
        },
        Ended::Killed { after } => Err(Error::Killed(after)),
        Ended::Cancelled => unreachable!("nobody else has the flag"),
    }
}

fn shared() -> Result<&'static Engine, Refused> {
    static ENGINE: OnceLock<Result<Engine, Refused>> = OnceLock::new();
    let slots = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(64)) as u32;
    let config = EngineConfig { slots, memory_bytes_max: MEMORY_BYTES_MAX, cache_modules: 16 };
    ENGINE.get_or_init(|| Engine::new(config)).as_ref().map_err(Clone::clone)
}

//! Talk to people at a terminal: results on stdout; failures, progress and the log on stderr.
//!
//! `meshx` and `meshx-lab` are two programs and behave as one: the same failures, hints, exit codes and environment
//! variables. What they say is theirs; this crate only knows how it is said. After [`speak_json`], each line on stderr is a
//! JSON object: a note, or a failure.
//!
//! ```
//! let text = std::fs::read_to_string("/nowhere").map_err(Box::<dyn std::error::Error>::from);
//! let code = talk::exit_code(text.map(|_| std::process::ExitCode::SUCCESS));
//! assert_eq!(code, std::process::ExitCode::from(talk::OWN_FAILURE));
//! ```

mod bytes;
mod progress;
mod said;

pub use bytes::{show_stdout, to_stderr};
pub use progress::Progress;
pub use said::{note, speak_json};

use said::Told;
use std::{
    error::Error,
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
    sync::OnceLock,
};

/// What a program exits with when the failure is its own, and not that of a job it ran.
pub const OWN_FAILURE: u8 = 125;

/// What is logged unless `MESHX_LOG` says something else. The spreading of blocks reports as an error that it ends with
/// its engine.
const LOG_USUAL: &str = "error,commonware_broadcast::buffered::engine=off";

/// Log to stderr: `MESHX_LOG` says what, `MESHX_LOG_FORMAT=json` one object a line.
pub fn log() {
    let wanted = std::env::var("MESHX_LOG").unwrap_or_else(|_| LOG_USUAL.into());
    let filter = tracing_subscriber::EnvFilter::try_new(&wanted).unwrap_or_else(|error| {
        note(&format!(
            "MESHX_LOG={wanted} is not understood: {error}\nhint: write MESHX_LOG=info, MESHX_LOG=debug, or MESHX_LOG=client=debug"
        ));
        LOG_USUAL.into()
    });
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match std::env::var("MESHX_LOG_FORMAT").as_deref() {
        Ok("json") => log.json().flatten_event(true).init(),
        _ => log.init(),
    }
}

/// The exit code of `done`. A failure is printed and gives [`OWN_FAILURE`]. So does a line that could not be written to
/// stdout.
pub fn exit_code(done: Result<ExitCode, impl AsRef<dyn Error>>) -> ExitCode {
    let code = done.unwrap_or_else(|error| {
        failed(error.as_ref());
        ExitCode::from(OWN_FAILURE)
    });
    match UNWRITTEN.get() {
        None => code,
        Some(why) => {
            note(&format!(
                "error: cannot write to stdout: {why}\nhint: what was printed is not complete"
            ));
            ExitCode::from(OWN_FAILURE)
        }
    }
}

/// Say on stderr what failed: what happened, its causes, and the hints last.
pub fn failed(error: &(dyn Error + 'static)) {
    said::tell(&Told::of(error));
}

/// What `--help` and a mistake in what was typed come to: `text` as the reader of the command line has it, and `code` as its
/// exit code, 0 for help that was asked for. People are `shown` it as it stands; programs get the mistake in its parts.
pub fn misread(
    code: u8,
    text: &str,
    json: bool,
    shown: impl FnOnce() -> std::io::Result<()>,
) -> ExitCode {
    if json {
        match code {
            0 => line(&serde_json::json!({ "help": text }).to_string()),
            _ => said::tell(&Told::typed(text)),
        }
    } else if let Err(error) = shown()
        && code == 0
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        UNWRITTEN.get_or_init(|| error.to_string());
    }
    ExitCode::from(code)
}

/// Write bytes to stdout. A reader that went away is no error of ours.
///
/// # Errors
/// All other errors of stdout.
pub fn to_stdout(bytes: &[u8]) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Print one line to stdout. If it cannot be written, [`exit_code`] says so at the end: a node goes on without.
pub fn line(text: &str) {
    if let Err(error) = to_stdout(format!("{text}\n").as_bytes()) {
        UNWRITTEN.get_or_init(|| error.to_string());
    }
}

/// Why a line could not be written.
static UNWRITTEN: OnceLock<String> = OnceLock::new();

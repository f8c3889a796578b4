//! Talk to people at a terminal: results on stdout; failures, progress and the log on stderr.
//!
//! `meshx` and `meshx-lab` are two programs and behave as one: the same failures, hints, exit codes and environment
//! variables. What they say is theirs; this crate only knows how it is said.
//!
//! ```
//! let text = std::fs::read_to_string("/nowhere").map_err(Box::<dyn std::error::Error>::from);
//! let code = talk::exit_code(text.map(|_| std::process::ExitCode::SUCCESS));
//! assert_eq!(code, std::process::ExitCode::from(talk::OWN_FAILURE));
//! ```

mod progress;

pub use progress::Progress;

use std::{error::Error, io::Write as _, process::ExitCode};

/// What a program exits with when the failure is its own, and not that of a job it ran.
pub const OWN_FAILURE: u8 = 125;

/// Log to stderr: `MESHX_LOG` says what, `MESHX_LOG_FORMAT=json` one object a line.
pub fn log() {
    let filter =
        tracing_subscriber::EnvFilter::try_from_env("MESHX_LOG").unwrap_or_else(|_| "error".into());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match std::env::var("MESHX_LOG_FORMAT").as_deref() {
        Ok("json") => log.json().flatten_event(true).init(),
        _ => log.init(),
    }
}

/// The exit code of `done`; a failure is printed, and is [`OWN_FAILURE`].
pub fn exit_code(done: Result<ExitCode, impl AsRef<dyn Error>>) -> ExitCode {
    done.unwrap_or_else(|error| {
        eprint!("{}", words(error.as_ref()));
        ExitCode::from(OWN_FAILURE)
    })
}

/// What is said of a failure: what happened, its causes, and the hints last.
fn words(error: &(dyn Error + 'static)) -> String {
    let (mut said, mut hints) = (String::new(), String::new());
    // An error may tell its cause itself; nobody wants to read that twice.
    let whole = error.to_string();
    let mut next = Some(error);
    while let Some(cause) = next {
        for line in cause.to_string().lines() {
            match line.strip_prefix("hint: ") {
                Some(hint) => hints += &format!("hint: {hint}\n"),
                None if std::ptr::eq(cause, error) => said += &format!("error: {line}\n"),
                None if whole.contains(line) => {}
                None => said += &format!("  because: {line}\n"),
            }
        }
        next = cause.source();
    }
    said + &hints
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

/// Print one line to stdout. What cannot be written is left: nobody reads it.
pub fn line(text: &str) {
    let _ = to_stdout(format!("{text}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Told(&'static str, Option<Box<Told>>);

    impl std::fmt::Display for Told {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Told {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as &(dyn Error + 'static))
        }
    }

    fn check(error: Told, expected: &str) {
        assert_eq!(words(&error), expected);
    }

    #[test]
    fn hints_come_last_whoever_gives_them() {
        let cause = Told("the disk is full\nhint: make room", None);
        check(
            Told("cannot write x\nhint: choose another", Some(Box::new(cause))),
            "error: cannot write x\n  because: the disk is full\nhint: choose another\nhint: make room\n",
        );
    }

    #[test]
    fn a_cause_that_was_told_already_is_not_told_twice() {
        let cause = Told("the disk is full", None);
        let error = Told("cannot write x: the disk is full", Some(Box::new(cause)));
        check(error, "error: cannot write x: the disk is full\n");
    }
}

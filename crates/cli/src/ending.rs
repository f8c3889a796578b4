//! How a job ended, as an exit code.

use std::process::ExitCode;
use types::Status;

/// What `run` exits with when the job trapped, as a shell would after an abort.
const TRAPPED: u8 = 134;

/// What `run` exits with when there is no result.
const NO_RESULT: u8 = 125;

/// The job's own exit code, as an operating system gives it on; but a failure is never 0.
pub fn exit_code(status: &Status) -> ExitCode {
    match status {
        Status::Exited(code) | Status::ExitedWithFiles { code, .. } => {
            let low = code.to_le_bytes()[0];
            ExitCode::from(if low == 0 && *code != 0 { 1 } else { low })
        }
        Status::Trapped(_) => ExitCode::from(TRAPPED),
        Status::CannotRun(_) => ExitCode::from(NO_RESULT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_never_exits_with_0() {
        let code = |code| format!("{:?}", exit_code(&Status::Exited(code)));
        let plain = |code: u8| format!("{:?}", ExitCode::from(code));
        assert_eq!([code(0), code(7), code(255), code(-1)], [0, 7, 255, 255].map(plain));
        assert_eq!([code(256), code(512), code(i32::MIN)], [1, 1, 1].map(plain));
    }
}

//! How a job ended, for people: what happened, and what to try.

use std::process::ExitCode;
use types::{Limits, Status, Trap};

/// What `run` exits with when the job trapped, as a shell would after an abort.
const TRAPPED: u8 = 134;

/// The job's own exit code, as an operating system gives it on; but a failure is never 0.
pub fn exit_code(status: &Status) -> ExitCode {
    match status {
        Status::Exited(code) => {
            let low = code.to_le_bytes()[0];
            ExitCode::from(if low == 0 && *code != 0 { 1 } else { low })
        }
        Status::Trapped(_) => ExitCode::from(TRAPPED),
    }
}

/// What happened to a job that did not exit with 0, and a hint where there is something to try.
pub fn words(status: &Status, limits: &Limits) -> Option<(String, Option<String>)> {
    let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
    let raise = |option: &str| Some(format!("raise {option}"));
    let trap = match status {
        Status::Exited(0) => return None,
        Status::Exited(code) => return Some((format!("exit code {code}"), None)),
        Status::Trapped(trap) => trap,
    };
    Some(match trap {
        Trap::Wasm => (
            "trapped: the module reached `unreachable`, divided by zero, or left its memory".into(),
            Some("meshx quote runs it on this machine, where it can be looked into".into()),
        ),
        Trap::OutOfFuel => (format!("out of fuel: it used all {}", limits.fuel), raise("--fuel")),
        Trap::OutOfMemory => (
            format!("out of memory: its limit was {} MiB", mebibytes(limits.memory_bytes)),
            raise("--memory"),
        ),
        Trap::StackOverflow => (
            "stack overflow: its functions call each other too deeply".into(),
            Some("a job's stack cannot be raised; write the recursion as a loop".into()),
        ),
        Trap::OutputTooLong => {
            (format!("output past {} MiB", mebibytes(limits.output_bytes)), raise("--output-limit"))
        }
        Trap::BadAbi => {
            ("trapped: the module gave MeshX a pointer or a length outside its memory".into(), None)
        }
        Trap::Abort => ("trapped: the module called abort".into(), None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{Fuel, Millis};

    #[test]
    fn a_failure_never_exits_with_0() {
        let code = |code| format!("{:?}", exit_code(&Status::Exited(code)));
        let plain = |code: u8| format!("{:?}", ExitCode::from(code));
        assert_eq!([code(0), code(7), code(255), code(-1)], [0, 7, 255, 255].map(plain));
        assert_eq!([code(256), code(512), code(i32::MIN)], [1, 1, 1].map(plain));
    }

    #[test]
    fn each_limit_names_its_option() {
        let limits = Limits {
            fuel: Fuel::new(10),
            memory_bytes: 2 << 20,
            output_bytes: 1,
            wall: Millis::new(5),
        };
        let said = |trap| {
            let (what, hint) = words(&Status::Trapped(trap), &limits).unwrap();
            format!("{what}; {}", hint.unwrap_or_default())
        };
        assert_eq!(said(Trap::OutOfFuel), "out of fuel: it used all 10; raise --fuel");
        assert_eq!(said(Trap::OutOfMemory), "out of memory: its limit was 2 MiB; raise --memory");
        assert_eq!(said(Trap::OutputTooLong), "output past 1 MiB; raise --output-limit");
        assert!(words(&Status::Exited(0), &limits).is_none());
    }
}

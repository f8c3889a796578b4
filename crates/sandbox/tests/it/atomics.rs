//! Atomic instructions: a job has one thread, so each does what its plain form does.

use crate::common::{LIMITS, engine, module, run};
use crate::reference;
use sandbox::{Job, Run};
use types::{Abi, Float, Status, Trap};

/// Run the command with this body, in both modes and in the reference engine, and compare them.
fn check(body: &str) -> Run {
    let text = format!(
        r#"(module (memory (export "memory") 1)
          (func $exit_unless (param i32) (if (i32.eqz (local.get 0)) (then unreachable)))
          (func (export "_start") {body}))"#
    );
    let (engine, module) = (engine(), module(&text));
    let job = Job::new(&module, Abi::Wasi, LIMITS);
    let strict = run(&engine, &job);
    assert_eq!(strict, run(&engine, &Job { float: Float::ArchClass, ..job.clone() }));
    assert_eq!(strict.status, reference::run(&job).status);
    strict
}

#[test]
fn what_is_read_and_written_at_once_is_as_one_thread_sees_it() {
    let body = "
      (i64.atomic.store (i32.const 8) (i64.const 40))
      (call $exit_unless (i64.eq (i64.atomic.rmw.add (i32.const 8) (i64.const 2)) (i64.const 40)))
      (call $exit_unless (i64.eq (i64.load (i32.const 8)) (i64.const 42)))
      (call $exit_unless (i32.eq
        (i32.atomic.rmw.cmpxchg (i32.const 8) (i32.const 41) (i32.const 7)) (i32.const 42)))
      (call $exit_unless (i32.eq
        (i32.atomic.rmw8.cmpxchg_u (i32.const 8) (i32.const 42) (i32.const 7)) (i32.const 42)))
      (atomic.fence)
      (call $exit_unless (i32.eq (i32.atomic.rmw16.xchg_u (i32.const 8) (i32.const 9)) (i32.const 7)))
      (call $exit_unless (i32.eqz (memory.atomic.notify (i32.const 8) (i32.const 1))))
      (call $exit_unless (i32.eq (i32.atomic.load (i32.const 8)) (i32.const 9)))";
    assert_eq!(check(body).status, Status::Exited(0));
}

#[test]
fn nobody_could_end_a_wait() {
    let wait = "(drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))";
    let ended = check(wait);
    assert_eq!(ended.status, Status::Trapped(Trap::Wasm));
    let said = ended.trap.unwrap().to_string();
    assert!(said.starts_with("atomic wait on non-shared memory"), "{said}");
}

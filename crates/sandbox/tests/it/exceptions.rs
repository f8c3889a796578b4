//! WebAssembly exceptions: thrown, caught, metered and bounded like all other work.

use crate::common::{LIMITS, check_alive, engine, module, run};
use sandbox::{Engine, Job, Run};
use types::{Abi, Float, Fuel, Limits, Status, Trap};

/// Run the command with these functions and this body, in both modes, and compare them.
fn check(functions: &str, body: &str, limits: Limits) -> Run {
    thread_local!(static ENGINE: Engine = engine());
    let text = format!(
        r#"(module (tag $e (param i32)) (tag $none) (memory (export "memory") 1)
          (func $exit_unless (param i32) (if (i32.eqz (local.get 0)) (then unreachable)))
          {functions} (func (export "_start") {body}))"#
    );
    let module = module(&text);
    ENGINE.with(|engine| {
        let job = Job::new(&module, Abi::Wasi, limits);
        let strict = run(engine, &job);
        let arch_class = run(engine, &Job { float: Float::ArchClass, ..job.clone() });
        assert_eq!(strict, arch_class);
        assert_eq!(strict, run(engine, &job));
        check_alive(engine);
        strict
    })
}

#[test]
fn what_is_thrown_is_caught_with_its_value() {
    let throws = "(func $throws (param i32) (throw $e (i32.add (local.get 0) (i32.const 1))))";
    let body = "(block $caught (result i32)
        (try_table (catch $e $caught) (call $throws (i32.const 6)))
        (i32.const 0))
      (call $exit_unless (i32.eq (i32.const 7)))";
    assert_eq!(check(throws, body, LIMITS).status, Status::Exited(0));
}

#[test]
fn what_is_caught_can_be_thrown_on() {
    let throws = "(func $throws (throw $none))
      (func $passes_on (local $kept exnref)
        (block $caught (result exnref)
          (try_table (catch_all_ref $caught) (call $throws)) unreachable)
        (local.tee $kept) (throw_ref))";
    let body = "(block $all (try_table (catch $none $all) (call $passes_on)) unreachable)";
    assert_eq!(check(throws, body, LIMITS).status, Status::Exited(0));
    let not_caught = check(throws, "(call $passes_on)", LIMITS);
    assert_eq!(not_caught.status, Status::Trapped(Trap::Wasm));
    assert_eq!(not_caught.trap.unwrap().fault, sandbox::Fault::Exception);
}

/// Throws and catches `turns` times, doing `work` before each throw, out of sight of the catcher.
fn storm(turns: u32, work: u32) -> String {
    format!(
        "(local $i i32) (local.set $i (i32.const {turns}))
         (loop $more
           (block $caught (try_table (catch_all $caught) (call $works_and_throws (i32.const {work}))))
           (br_if $more (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))"
    )
}

const WORKS_AND_THROWS: &str = "(func $works_and_throws (param $n i32)
    (loop $more (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (throw $e (local.get $n)))";

#[test]
fn work_before_a_throw_is_paid_for() {
    let fuel = |turns, work| check(WORKS_AND_THROWS, &storm(turns, work), LIMITS).fuel.get();
    let (base, more_work, more_turns) = (fuel(10, 1), fuel(10, 1_001), fuel(20, 1));
    assert_eq!(more_work - base, 10 * 1_000 * 5, "five operators a turn");
    let throw = (more_turns - base) / 10;
    assert!((1_000..1_100).contains(&throw), "{throw}");
}

#[test]
fn a_storm_of_exceptions_needs_little_memory() {
    let limits = Limits { fuel: Fuel::new(1 << 40), ..LIMITS };
    let run = check(WORKS_AND_THROWS, &storm(200_000, 1), limits);
    assert_eq!(run.status, Status::Exited(0));
    assert!(run.memory_bytes <= 4 << 20, "{}", run.memory_bytes);
}

#[test]
fn exceptions_that_are_kept_count_as_memory() {
    let keeps = "(table $kept 100000 exnref)
      (func $keep (param $at i32)
        (table.set $kept (local.get $at)
          (block $caught (result exnref) (try_table (catch_all_ref $caught) (throw $none)) unreachable)))";
    let body = "(local $i i32)
      (loop $more (call $keep (local.get $i))
        (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100000))))";
    let limits = Limits { fuel: Fuel::new(1 << 40), ..LIMITS };
    let all = check(keeps, body, limits);
    assert_eq!(all.status, Status::Exited(0));
    assert!(all.memory_bytes > 1 << 20, "{}", all.memory_bytes);
    let limits = Limits { memory_bytes: 1 << 20, ..limits };
    let run = check(keeps, body, limits);
    assert_eq!(run.status, Status::Trapped(Trap::OutOfMemory));
    assert!(run.memory_bytes <= limits.memory_bytes && run.fuel < all.fuel);
}

#[test]
fn an_exception_from_deep_down_is_metered_in_both_directions() {
    let descends = "(func $down (param $n i32)
      (if (i32.eqz (local.get $n)) (then (throw $e (i32.const 5))))
      (call $down (i32.sub (local.get $n) (i32.const 1))))";
    let body = "(block $caught (result i32)
        (try_table (catch $e $caught) (call $down (i32.const 1000))) (i32.const 0))
      (call $exit_unless (i32.eq (i32.const 5)))";
    let run = check(descends, body, LIMITS);
    assert_eq!(run.status, Status::Exited(0));
    assert!(run.fuel.get() > 7_000);
}

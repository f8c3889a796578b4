//! Many jobs at once: more than there are slots, several modules, more modules than the cache keeps.

use crate::common::{LIMITS, module, run};
use sandbox::{Engine, EngineConfig, Job};
use types::{Abi, Float};

#[test]
fn jobs_beyond_the_slots_wait_their_turn() {
    let engine =
        Engine::new(EngineConfig { slots: 2, memory_bytes_max: 64 << 20, cache_modules: 2 })
            .unwrap();
    let modules: Vec<_> = (0..5)
        .map(|n| {
            module(&format!(
                r#"(module (import "meshx" "emit" (func $emit (param i32 i32)))
                (memory (export "memory") 1) (data (i32.const 0) "job {n}")
                (func (export "_start") (local $i i32)
                  (loop (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 10000))))
                  (call $emit (i32.const 0) (i32.const 5))))"#
            ))
        })
        .collect();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (engine, modules) = (&engine, &modules);
            scope.spawn(move || {
                for round in 0..50 {
                    let n = (thread + round) % modules.len();
                    let float = if round % 2 == 0 { Float::Strict } else { Float::ArchClass };
                    let run =
                        run(engine, &Job { float, ..Job::new(&modules[n], Abi::Wasi, LIMITS) });
                    assert_eq!(run.stdout, format!("job {n}").as_bytes());
                }
            });
        }
    });
}

#[test]
fn a_waiting_job_can_be_cancelled() {
    let engine =
        Engine::new(EngineConfig { slots: 1, memory_bytes_max: 1 << 20, cache_modules: 1 })
            .unwrap();
    let module = module(r#"(module (func (export "_start") (loop (br 0))))"#);
    let limits =
        types::Limits { fuel: types::Fuel::new(u64::MAX), memory_bytes: 1 << 20, ..LIMITS };
    let (first, second) = (false.into(), true.into());
    std::thread::scope(|scope| {
        let running =
            scope.spawn(|| engine.run(&Job::new(&module, Abi::Wasi, limits), &|_| {}, &first));
        let waiting = engine.run(&Job::new(&module, Abi::Wasi, limits), &|_| {}, &second);
        assert_eq!(waiting, Ok(sandbox::Ended::Cancelled));
        first.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(running.join().unwrap(), Ok(sandbox::Ended::Cancelled));
    });
}

#[test]
fn the_observer_sees_what_is_kept() {
    let engine = crate::common::engine();
    let module = module(
        r#"(module (import "meshx" "emit" (func $emit (param i32 i32)))
        (memory (export "memory") 1) (data (i32.const 0) "abcdef")
        (func (export "_start") (loop (call $emit (i32.const 0) (i32.const 6)) (br 0))))"#,
    );
    let limits = types::Limits { output_bytes: 100, ..LIMITS };
    let seen = std::cell::RefCell::new(vec![]);
    let observer = |chunk: &[u8]| seen.borrow_mut().extend_from_slice(chunk);
    let ended = engine.run(&Job::new(&module, Abi::Wasi, limits), &observer, &false.into());
    let Ok(sandbox::Ended::Done(run)) = ended else { panic!("{ended:?}") };
    assert_eq!(*seen.borrow(), run.stdout);
    assert_eq!(run.stdout.len(), 100);
}

#[test]
fn a_panicking_observer_costs_one_job_and_no_slot() {
    let engine =
        Engine::new(EngineConfig { slots: 1, memory_bytes_max: 64 << 20, cache_modules: 1 })
            .unwrap();
    let module = module(
        r#"(module (import "meshx" "emit" (func $emit (param i32 i32)))
        (memory (export "memory") 1) (func (export "_start") (call $emit (i32.const 0) (i32.const 6))))"#,
    );
    for _ in 0..3 {
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            engine.run(
                &Job::new(&module, Abi::Wasi, LIMITS),
                &|_| panic!("as the test wants"),
                &false.into(),
            )
        }));
        assert!(panicked.is_err());
    }
    crate::common::check_alive(&engine);
}

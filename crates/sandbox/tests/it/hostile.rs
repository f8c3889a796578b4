//! Modules that mean harm. Each is contained, and the same engine serves the next job.

use crate::common::{Dice, LIMITS, check_alive, command, ended, engine, module, run};
use sandbox::{Ended, Job, Refused};
use types::{Abi, Fuel, Limits, Millis, Status, Trap};

/// Run the command `text` and say how it ended; the engine lives on.
fn check(text: &str, limits: Limits, expected: Status) -> sandbox::Run {
    let engine = engine();
    let module = module(text);
    let run = run(&engine, &Job::new(&module, Abi::Wasi, limits));
    assert_eq!(run.status, expected, "{run:?}");
    check_alive(&engine);
    run
}

#[test]
fn an_endless_loop_ends_with_its_fuel() {
    let run = check(
        r#"(module (func (export "_start") (loop (br 0))))"#,
        LIMITS,
        Status::Trapped(Trap::OutOfFuel),
    );
    assert_eq!(run.fuel, LIMITS.fuel);
}

#[test]
fn an_endless_loop_ends_with_the_wall_clock() {
    let engine = engine();
    let module = command("(loop (br 0))");
    let limits = Limits { fuel: Fuel::new(u64::MAX), wall: Millis::new(50), ..LIMITS };
    let killed = ended(&engine, &Job::new(&module, Abi::Wasi, limits));
    assert!(
        matches!(killed, Ok(Ended::Killed { after }) if after >= Millis::new(50) && after < Millis::new(5_000))
    );
    check_alive(&engine);
}

#[test]
fn a_cancelled_job_ends() {
    let engine = engine();
    let module = command("(loop (br 0))");
    let limits = Limits { fuel: Fuel::new(u64::MAX), ..LIMITS };
    let cancel = std::sync::atomic::AtomicBool::new(false);
    let job = Job::new(&module, Abi::Wasi, limits);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| engine.run(&job, &|_| {}, &cancel));
        cancel.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(running.join().unwrap(), Ok(Ended::Cancelled));
    });
    check_alive(&engine);
}

#[test]
fn a_loop_in_the_start_function_is_metered_too() {
    let text = r#"(module (func $f (loop (br 0))) (start $f) (func (export "_start")))"#;
    check(text, LIMITS, Status::Trapped(Trap::OutOfFuel));
}

#[test]
fn memory_grows_to_the_jobs_limit_and_no_further() {
    let bomb = |after: &str| {
        format!(
            r#"(module (memory (export "memory") 1)
                (func (export "_start")
                  (block $full (loop $more
                    (br_if $full (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))
                    (i32.store (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 4)) (i32.const 1))
                    (br $more)))
                  {after}))"#
        )
    };
    let exact = "(if (i32.ne (memory.size) (i32.const 256)) (then (unreachable)))";
    check(&bomb(exact), LIMITS, Status::Exited(0));
    check(&bomb("unreachable"), LIMITS, Status::Trapped(Trap::OutOfMemory));
}

#[test]
fn a_module_that_grows_past_its_own_maximum_is_just_wrong() {
    let text = r#"(module (memory (export "memory") 1 2)
        (func (export "_start") (drop (memory.grow (i32.const 9))) unreachable))"#;
    check(text, LIMITS, Status::Trapped(Trap::Wasm));
}

#[test]
fn growing_past_four_gigabytes_is_refused_like_any_other() {
    let text = r#"(module (memory (export "memory") 1)
        (func (export "_start") (drop (memory.grow (i32.const 65536))) (drop (memory.grow (i32.const -1))) unreachable))"#;
    check(text, LIMITS, Status::Trapped(Trap::OutOfMemory));
}

#[test]
fn the_memory_limit_holds_over_all_memories() {
    let text = r#"(module (memory $a (export "memory") 100) (memory $b 100)
        (func (export "_start")
          (if (i32.ne (memory.grow $a (i32.const 56)) (i32.const 100)) (then (unreachable)))
          (if (i32.ne (memory.grow $b (i32.const 1)) (i32.const -1)) (then (unreachable)))))"#;
    check(text, LIMITS, Status::Exited(0));
}

#[test]
fn too_much_memory_from_the_start_is_refused() {
    let engine = engine();
    let module = module(r#"(module (memory (export "memory") 257) (func (export "_start")))"#);
    let refused = ended(&engine, &Job::new(&module, Abi::Wasi, LIMITS));
    assert_eq!(refused, Err(Refused::MemoryOverLimit { needed: 257 << 16, limit: 16 << 20 }));
    let limits = Limits { memory_bytes: 1 << 40, ..LIMITS };
    let refused = ended(&engine, &Job::new(&module, Abi::Wasi, limits));
    assert!(matches!(refused, Err(Refused::LimitTooHigh { what: "memory", .. })));
    check_alive(&engine);
}

#[test]
fn deep_recursion_overflows_the_modules_stack_not_ours() {
    let text = r#"(module (func $f (export "_start") (call $f)))"#;
    let run = check(text, LIMITS, Status::Trapped(Trap::StackOverflow));
    assert_eq!(run.fuel, LIMITS.fuel, "the depth differs between machines, so the price must not");
}

#[test]
fn the_promised_stack_is_enough() {
    let engine = engine();
    let module = module(r#"(module (func $f (export "_start") (call $f)))"#);
    let thread = std::thread::Builder::new().stack_size(sandbox::STACK_BYTES + (512 << 10));
    let ended = std::thread::scope(|scope| {
        let running =
            thread.spawn_scoped(scope, || run(&engine, &Job::new(&module, Abi::Wasi, LIMITS)));
        running.unwrap().join().unwrap()
    });
    assert_eq!(ended.status, Status::Trapped(Trap::StackOverflow));
}

#[test]
fn memory_is_paid_for_as_it_is_given() {
    let grow = |pages: u32, after: &str| {
        let text = format!(
            r#"(module (memory (export "memory") 1) (func (export "_start") (drop (memory.grow (i32.const {pages}))) {after}))"#
        );
        let module = module(&text);
        run(&engine(), &Job::new(&module, Abi::Wasi, LIMITS)).fuel_host.get()
    };
    assert_eq!(grow(10, "") - grow(0, ""), 2_560);
    assert_eq!(grow(10, "unreachable") - grow(0, "unreachable"), 2_560);
    assert_eq!(grow(1_000, ""), grow(0, ""), "what was refused costs nothing");
}

#[test]
fn tables_stay_within_bounds() {
    let text = r#"(module (table $t 1 funcref)
        (func (export "_start")
          (if (i32.ne (table.grow $t (ref.null func) (i32.const 199999)) (i32.const 1)) (then (unreachable)))
          (if (i32.ne (table.grow $t (ref.null func) (i32.const 1)) (i32.const -1)) (then (unreachable)))
          (if (i32.ne (table.grow $t (ref.null func) (i32.const -1)) (i32.const -1)) (then (unreachable)))))"#;
    let limits = Limits { fuel: Fuel::new(u64::MAX >> 1), ..LIMITS };
    check(text, limits, Status::Exited(0));
    let engine = engine();
    let huge = module(r#"(module (table 4000000000 funcref) (func (export "_start")))"#);
    let refused = ended(&engine, &Job::new(&huge, Abi::Wasi, LIMITS));
    assert!(matches!(refused, Err(Refused::TableTooLarge { elements: 4_000_000_000, .. })));
}

const FLOOD: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1) (data (i32.const 0) "\10\00\00\00\07\00\00\00--------abcdefg")
    (func (export "_start") (loop (drop (call $write (i32.const FD) (i32.const 0) (i32.const 1) (i32.const 8))) (br 0))))"#;

#[test]
fn output_is_cut_exactly_at_its_limit() {
    let limits = Limits { output_bytes: 1_000, ..LIMITS };
    let run = check(&FLOOD.replace("FD", "1"), limits, Status::Trapped(Trap::OutputTooLong));
    assert_eq!(run.stdout, "abcdefg".repeat(143).as_bytes()[..1_000]);
    let run = check(&FLOOD.replace("FD", "2"), limits, Status::Trapped(Trap::OutputTooLong));
    assert_eq!((run.stdout.len(), run.stderr.len()), (0, 1_000));
}

#[test]
fn a_flood_of_host_calls_is_paid_for() {
    let text = r#"(module (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
        (func (export "_start") (loop (drop (call $yield)) (br 0))))"#;
    let run = check(text, LIMITS, Status::Trapped(Trap::OutOfFuel));
    assert!(run.fuel_host.get() > run.fuel.get() / 100 * 90, "{run:?}");
}

#[test]
fn a_huge_request_to_the_host_is_paid_for_before_it_is_served() {
    let text = r#"(module (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (memory (export "memory") 200)
        (func (export "_start") (drop (call $random (i32.const 0) (i32.const 13000000)))))"#;
    let limits = Limits { fuel: Fuel::new(1_000_000), ..LIMITS };
    check(text, limits, Status::Trapped(Trap::OutOfFuel));
    check(text, LIMITS, Status::Exited(0));
}

#[test]
fn work_hidden_before_a_fault_is_not_free() {
    let text = r#"(module (func (export "_start") (local $i i32)
        (local.set $i (i32.const 1000000))
        (loop (br_if 0 (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
        (drop (i32.div_u (i32.const 1) (local.get $i)))))"#;
    let abort = text.replace("(drop (i32.div_u (i32.const 1) (local.get $i)))", "unreachable");
    for text in [text, &abort] {
        let run = check(text, LIMITS, Status::Trapped(Trap::Wasm));
        assert!(
            run.fuel > Fuel::new(4_000_000) && run.fuel < Fuel::new(6_000_000),
            "a fault costs what was done before it: {}",
            run.fuel
        );
    }
}

#[test]
fn data_outside_memory_is_the_modules_fault() {
    let text = r#"(module (memory (export "memory") 1) (data (i32.const 65535) "ab") (func (export "_start")))"#;
    check(text, LIMITS, Status::Trapped(Trap::Wasm));
}

#[test]
fn too_little_fuel_to_load_runs_nothing() {
    let limits = Limits { fuel: Fuel::new(500), ..LIMITS };
    let run =
        check(r#"(module (func (export "_start")))"#, limits, Status::Trapped(Trap::OutOfFuel));
    assert_eq!(run.fuel, Fuel::new(500));
}

#[test]
fn exit_codes_arrive() {
    for code in [0, 1, 125, 126, 255, -1] {
        let text = format!(
            r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                (func (export "_start") (call $exit (i32.const {code}))))"#
        );
        check(&text, LIMITS, Status::Exited(code));
    }
}

/// A module with one of nearly everything, to be damaged.
fn specimen() -> Vec<u8> {
    module(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (import "env" "memory" (memory 1 9))
            (table 3 funcref) (elem (i32.const 0) $f $g) (global $n (mut i64) (i64.const 7))
            (type $v (func)) (func $f) (func $g (call_indirect (type $v) (i32.const 0)))
            (func $h (global.set $n (i64.mul (global.get $n) (i64.const 3)))) (start $h)
            (data (i32.const 0) "\10\00\00\00\07\00\00\00--------abcdefg") (data "passive")
            (func (export "_start") (local v128 f64)
              (memory.init 1 (i32.const 64) (i32.const 0) (i32.const 7))
              (call $g) (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#,
    )
}

#[test]
fn every_truncation_is_refused_with_a_reason() {
    let engine = engine();
    let module = specimen();
    assert_eq!(run(&engine, &Job::new(&module, Abi::Wasi, LIMITS)).stdout, b"abcdefg");
    for len in 0..module.len() {
        let short = &module[..len];
        let Err(refused) = engine.inspect(short) else {
            // Only the names are gone, which are no part of the program.
            assert_eq!(run(&engine, &Job::new(short, Abi::Wasi, LIMITS)).stdout, b"abcdefg");
            continue;
        };
        assert!(!refused.to_string().is_empty());
        let again = ended(&engine, &Job::new(short, Abi::Wasi, LIMITS)).expect_err("the same");
        let no_entry = |refused: &Refused| matches!(refused, Refused::NoEntry { .. });
        assert!(again == refused || no_entry(&again) && no_entry(&refused), "at {len}: {again}");
    }
    check_alive(&engine);
}

#[test]
fn flipped_bits_never_harm_us() {
    let engine = engine();
    let module = specimen();
    let limits = Limits { fuel: Fuel::new(1_000_000), wall: Millis::new(5_000), ..LIMITS };
    let (mut ran, mut refusals) = (0, 0);
    for seed in 0..2_000 {
        let mut dice = Dice(seed);
        let mut damaged = module.clone();
        for _ in 0..1 + dice.below(3) {
            let place = dice.below(damaged.len());
            damaged[place] ^= 1 << dice.below(8);
        }
        match (engine.inspect(&damaged), ended(&engine, &Job::new(&damaged, Abi::Wasi, limits))) {
            (_, Ok(Ended::Done(run))) => {
                assert!(run.fuel <= limits.fuel, "seed {seed}");
                ran += 1;
            }
            (_, Ok(other)) => panic!("seed {seed}: {other:?}"),
            (_, Err(Refused::Machine(message))) => panic!("seed {seed}: {message}"),
            (_, Err(refused)) => {
                assert!(!refused.to_string().is_empty(), "seed {seed}");
                refusals += 1;
            }
        }
    }
    assert!(ran > 50 && refusals > 50, "{ran} ran, {refusals} were refused");
    check_alive(&engine);
}

#[test]
fn random_bytes_never_harm_us() {
    let engine = engine();
    for seed in 0..500 {
        let mut dice = Dice(seed);
        let mut bytes: Vec<u8> = (0..dice.below(300)).map(|_| dice.below(256) as u8).collect();
        if seed % 2 == 0 {
            bytes.splice(0..0, *b"\0asm\x01\0\0\0");
        }
        assert!(ended(&engine, &Job::new(&bytes, Abi::Wasi, LIMITS)).is_err(), "seed {seed}");
        let _ = sandbox::binary_of(&bytes);
    }
}

#[test]
fn names_that_are_no_files_are_refused() {
    let engine = engine();
    let module = command("");
    let long = "x".repeat(256);
    let deep = "x/".repeat(40) + "x";
    for files in [
        &[("/a", &b""[..])][..],
        &[("..", b"")],
        &[("", b"")],
        &[("a/", b"")],
        &[("a//b", b"")],
        &[("a/../b", b"")],
        &[("./a", b"")],
        &[(&long, b"")],
        &[(&deep, b"")],
        &[("a\0", b"")],
        &[("a", b""), ("a", b"")],
        &[("a/b", b""), ("a", b"")],
        &[("a", b""), ("a/b/c", b"")],
    ] {
        let job = Job { files, ..Job::new(&module, Abi::Wasi, LIMITS) };
        assert!(matches!(ended(&engine, &job), Err(Refused::BadFile { .. })), "{files:?}");
    }
    let job = Job { args: &["a\0b"], ..Job::new(&module, Abi::Wasi, LIMITS) };
    assert!(matches!(ended(&engine, &job), Err(Refused::ZeroByte { what: "argument", .. })));
}

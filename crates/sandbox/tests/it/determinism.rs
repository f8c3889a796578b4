//! The same job gives the same bytes and the same fuel: twice, on two engines, in either order.

use crate::common::{LIMITS, engine, module, run};
use sandbox::{Job, Run};
use types::{Abi, Float, Fuel, Hash, Millis, Status, Trap};

/// Prints the clock, random bytes, its arguments and files, and a NaN made by computing.
const NOSY: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_readdir" (func $readdir (param i32 i32 i32 i64 i32) (result i32)))
    (memory (export "memory") 1)
    (func $print (param $at i32) (param $len i32)
      (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $len))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func (export "_start")
      (drop (call $clock (i32.const 0) (i64.const 1) (i32.const 64)))
      (drop (call $clock (i32.const 1) (i64.const 1) (i32.const 72)))
      (drop (call $random (i32.const 80) (i32.const 100)))
      (drop (call $args (i32.const 200) (i32.const 300)))
      (drop (call $readdir (i32.const 3) (i32.const 400) (i32.const 500) (i64.const 0) (i32.const 8)))
      (f64.store (i32.const 1000) (f64.div (f64.const 0) (f64.load (i32.const 2000))))
      (f32.store (i32.const 1008) (f32.sqrt (f32.const -1)))
      (call $print (i32.const 64) (i32.const 1000))))"#;

fn job<'a>(module: &'a [u8]) -> Job<'a> {
    Job {
        args: &["one", "two"],
        files: &[("b", b"2"), ("a", b"1")],
        seed: Hash([7; 32]),
        clock: Millis::new(1_700_000_000_000),
        ..Job::new(module, Abi::Wasi, LIMITS)
    }
}

#[test]
fn a_job_repeats_to_the_byte() {
    let module = module(NOSY);
    let (one, two) = (engine(), engine());
    let first = run(&one, &job(&module));
    assert_eq!(first.status, Status::Exited(0));
    for engine in [&one, &two, &one] {
        assert_eq!(run(engine, &job(&module)), first);
    }
}

#[test]
fn nans_are_canonical_in_strict_mode() {
    let module = module(NOSY);
    let Run { stdout, .. } = run(&engine(), &job(&module));
    assert_eq!(stdout[936..944], 0x7ff8_0000_0000_0000u64.to_le_bytes());
    assert_eq!(stdout[944..948], 0x7fc0_0000u32.to_le_bytes());
}

#[test]
fn the_seed_and_the_clock_are_all_the_chance_there_is() {
    let module = module(NOSY);
    let engine = engine();
    let base = run(&engine, &job(&module));
    let other_seed = run(&engine, &Job { seed: Hash([8; 32]), ..job(&module) });
    assert_ne!(other_seed.stdout[16..116], base.stdout[16..116]);
    assert_eq!(other_seed.stdout[..16], base.stdout[..16]);
    let other_clock = run(&engine, &Job { clock: Millis::new(5), ..job(&module) });
    assert_eq!(other_clock.stdout[..8], 5_001_000u64.to_le_bytes());
    assert_eq!(other_clock.stdout[8..], base.stdout[8..]);
}

#[test]
fn both_float_modes_count_the_same_fuel() {
    let module = module(NOSY);
    let engine = engine();
    let strict = run(&engine, &job(&module));
    let arch_class = run(&engine, &Job { float: Float::ArchClass, ..job(&module) });
    assert_eq!(strict.fuel, arch_class.fuel);
}

#[test]
fn limits_that_do_not_bind_do_not_show() {
    let module = module(NOSY);
    let engine = engine();
    let base = run(&engine, &job(&module));
    let mut limits = LIMITS;
    limits.memory_bytes = 100 << 20;
    limits.fuel = base.fuel;
    assert_eq!(run(&engine, &Job { limits, ..job(&module) }).stdout, base.stdout);
    limits.fuel = Fuel::new(base.fuel.get() - 1);
    let short = run(&engine, &Job { limits, ..job(&module) });
    assert_eq!((short.status, short.fuel), (Status::Trapped(Trap::OutOfFuel), limits.fuel));
}

#[test]
fn a_used_instance_leaves_nothing_behind() {
    // Prints what it finds in memory, then soils it.
    let module = module(
        r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 8) (global $g (mut i32) (i32.const 5)) (table 8 funcref) (elem declare func $f) (func $f)
        (func (export "_start")
          (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 524272))
          (i32.store (i32.const 16) (i32.add (global.get $g) (ref.is_null (table.get (i32.const 7)))))
          (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
          (global.set $g (i32.const 9)) (table.set (i32.const 7) (ref.func $f))
          (memory.fill (i32.const 16) (i32.const 255) (i32.const 524272))))"#,
    );
    let engine = engine();
    let job = Job::new(&module, Abi::Wasi, LIMITS);
    let first = run(&engine, &job);
    assert!(first.stdout[4..].iter().all(|byte| *byte == 0) && first.stdout[0] == 6);
    for _ in 0..20 {
        assert!(run(&engine, &job) == first);
    }
}

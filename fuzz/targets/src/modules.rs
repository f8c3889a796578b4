//! Strangers' modules, and the paths a module may ask for.

use sandbox::{Ended, Engine, EngineConfig, Job, Refused};
use std::sync::LazyLock;
use types::{Abi, Fuel, Limits, Millis, Status};

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let config = EngineConfig { slots: 1, memory_bytes_max: 16 << 20, cache_modules: 2 };
    Engine::new(config).expect("this machine runs modules")
});

/// A module, binary or text, is looked at and not run.
pub(crate) fn inspect(input: &[u8]) {
    let Ok(binary) = sandbox::binary_of(input) else { return };
    if let Ok(facts) = ENGINE.inspect(&binary) {
        assert!(facts.memory_bytes_min <= 4 << 30);
        assert_eq!(ENGINE.inspect(&binary), Ok(facts), "a module is what it is");
    }
}

/// Opens, looks at and lists the path on its input, and prints what the host answered.
const ASK: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_get" (func $stat (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") (local $len i32)
    (i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const 4096))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (local.set $len (i32.load (i32.const 8)))
    (i32.store (i32.const 16) (call $open (i32.const 3) (i32.const 1) (i32.const 1024) (local.get $len)
      (i32.const 0) (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 32)))
    (i32.store (i32.const 20) (call $stat (i32.const 3) (i32.const 1) (i32.const 1024) (local.get $len) (i32.const 64)))
    (i32.store (i32.const 24) (call $stat (i32.const 4) (i32.const 1) (i32.const 1024) (local.get $len) (i32.const 64)))
    (i32.store (i32.const 40) (i32.const 16)) (i32.store (i32.const 44) (i32.const 112))
    (drop (call $write (i32.const 1) (i32.const 40) (i32.const 1) (i32.const 8)))))"#;

static ASKING: LazyLock<Vec<u8>> =
    LazyLock::new(|| sandbox::binary_of(ASK.as_bytes()).expect("it is valid").into_owned());

/// A path that a module asks for: the answer is the same each time, and the host comes to no harm.
pub(crate) fn path(input: &[u8]) {
    let name = std::str::from_utf8(input).unwrap_or("data.bin");
    let files = [("data.bin", &b"hello"[..]), (name, input)];
    ask(input, &files[..1]).expect("a job with one well-named file runs");
    // This file's name comes from the input too; most are refused.
    let _ = ask(input, &files);
}

fn ask(input: &[u8], files: &[(&str, &[u8])]) -> Result<(), Refused> {
    let limits = Limits {
        fuel: Fuel::new(1_000_000),
        memory_bytes: 1 << 20,
        output_bytes: 1 << 10,
        wall: Millis::new(60_000),
    };
    let job = Job { input, files, ..Job::new(&ASKING, Abi::Wasi, limits) };
    let first = ENGINE.run(&job, &|_| {}, &false.into())?;
    let Ended::Done(done) = &first else { panic!("it is quick: {first:?}") };
    assert_eq!((done.status, done.stdout.len()), (Status::Exited(0), 112), "it only asks");
    assert_eq!(ENGINE.run(&job, &|_| {}, &false.into()), Ok(first), "the same answer each time");
    Ok(())
}

//! The raw ABI, kept and broken.

use crate::common::{LIMITS, engine, module};
use expect_test::{Expect, expect};
use sandbox::{Ended, Job};
use types::Abi;

/// Run a raw module with these functions on `input`, and show what came of it.
fn check(functions: &str, input: &[u8], expected: Expect) {
    let text = format!(
        r#"(module
        (import "env" "abort" (func $abort (param i32 i32 i32 i32)))
        (import "meshx" "emit" (func $emit (param i32 i32)))
        (import "meshx" "log" (func $log (param i32 i32)))
        (import "meshx" "read_blob" (func $read_blob (param i32 i32 i64 i32 i32) (result i32)))
        (memory (export "memory") 1)
        {functions})"#
    );
    let module = module(&text);
    let files: &[(&str, &[u8])] = &[("notes", b"do re mi")];
    let job = Job { input, files, ..Job::new(&module, Abi::Raw, LIMITS) };
    let shown = match engine().run(&job, &|_| {}, &false.into()) {
        Ok(Ended::Done(run)) => format!(
            "{:?} stdout {:?} stderr {:?}",
            run.status,
            String::from_utf8_lossy(&run.stdout),
            String::from_utf8_lossy(&run.stderr)
        ),
        Ok(other) => format!("{other:?}"),
        Err(refused) => refused.to_string(),
    };
    expected.assert_eq(&shown);
}

const ALLOC: &str = r#"(func (export "alloc") (param i32) (result i32) (i32.const 1024))"#;

fn run(body: &str) -> String {
    format!(r#"{ALLOC} (func (export "run") (param $at i32) (param $len i32) (result i32) {body})"#)
}

#[test]
fn input_comes_back_by_length_and_bytes() {
    let echo = run("(i32.store (i32.const 1020) (local.get $len)) (i32.const 1020)");
    check(&echo, b"hello", expect![[r#"Exited(0) stdout "hello" stderr """#]]);
    check(&echo, b"", expect![[r#"Exited(0) stdout "" stderr """#]]);
}

#[test]
fn without_alloc_the_input_lies_in_fresh_pages() {
    let run = r#"(func (export "run") (param $at i32) (param $len i32) (result i32)
        (call $emit (local.get $at) (local.get $len))
        (i32.store (i32.const 0) (i32.const 4)) (i32.store (i32.const 4) (local.get $at)) (i32.const 0))"#;
    check(run, b"hello", expect![[r#"Exited(0) stdout "hello\0\0\u{1}\0" stderr """#]]);
}

#[test]
fn a_negative_result_is_the_error_code() {
    check(&run("(i32.const -7)"), b"", expect![[r#"Exited(7) stdout "" stderr """#]]);
    check(
        &run("(i32.const 0x80000000)"),
        b"",
        expect![[r#"Exited(2147483647) stdout "" stderr """#]],
    );
}

#[test]
fn pointers_outside_memory_break_the_contract() {
    for body in [
        "(i32.const 65534)",
        "(i32.const 2147483647)",
        "(i32.store (i32.const 0) (i32.const -1)) (i32.const 0)",
        "(call $emit (i32.const 65530) (i32.const 7)) (i32.const 0)",
        "(call $log (i32.const -1) (i32.const 1)) (i32.const 0)",
        "(drop (call $read_blob (i32.const -1) (i32.const 5) (i64.const 0) (i32.const 0) (i32.const 5))) (i32.const 0)",
    ] {
        check(&run(body), b"x", expect![[r#"Trapped(BadAbi) stdout "" stderr """#]]);
    }
    let bad_alloc = r#"(func (export "alloc") (param i32) (result i32) (i32.const -5))
        (func (export "run") (param i32 i32) (result i32) (i32.const 0))"#;
    check(bad_alloc, b"hello", expect![[r#"Trapped(BadAbi) stdout "" stderr """#]]);
}

#[test]
fn what_was_emitted_comes_before_what_is_returned() {
    let body = r#"(call $emit (local.get $at) (i32.const 2)) (call $log (local.get $at) (local.get $len))
        (i32.store (i32.const 1020) (local.get $len)) (i32.const 1020)"#;
    check(&run(body), b"abc", expect![[r#"Exited(0) stdout "ababc" stderr "abc\n""#]]);
}

#[test]
fn blobs_are_read_by_name_and_offset() {
    let body = r#"(data (i32.const 0) "notes") (func (export "later"))"#;
    let read = run(
        r#"(i32.store (i32.const 2000) (call $read_blob (i32.const 0) (i32.const 5) (i64.const 3) (i32.const 2004) (i32.const 100)))
        (if (i32.ne (call $read_blob (i32.const 0) (i32.const 5) (i64.const 99) (i32.const 0) (i32.const 1)) (i32.const 0)) (then (unreachable)))
        (if (i32.ne (call $read_blob (i32.const 0) (i32.const 4) (i64.const 0) (i32.const 0) (i32.const 1)) (i32.const -1)) (then (unreachable)))
        (i32.const 2000)"#,
    );
    check(&format!("{body} {read}"), b"", expect![[r#"Exited(0) stdout "re mi" stderr """#]]);
}

#[test]
fn abort_tells_why() {
    let body = r#"(data (i32.const 16) "\06\00\00\00b\00a\00d\00") (data (i32.const 32) "\06\00\00\00a\00.\00t\00")"#;
    let abort =
        run("(call $abort (i32.const 20) (i32.const 36) (i32.const 3) (i32.const 9)) unreachable");
    check(
        &format!("{body} {abort}"),
        b"",
        expect![[r#"Trapped(Abort) stdout "" stderr "abort: bad at a.t:3:9\n""#]],
    );
    let abort =
        run("(call $abort (i32.const 0) (i32.const -9) (i32.const 3) (i32.const 9)) unreachable");
    check(
        &abort,
        b"",
        expect![[r#"Trapped(Abort) stdout "" stderr "abort: (unknown) at (unknown):3:9\n""#]],
    );
}

#[test]
fn an_imported_memory_becomes_the_modules_own() {
    let engine = engine();
    let text = r#"(module (import "env" "memory" (memory 2 10)) (data (i32.const 8) "\02\00\00\00ok")
        (func (export "alloc") (param i32) (result i32) (i32.const 1024))
        (func (export "run") (param i32 i32) (result i32) (i32.const 8)))"#;
    let module = module(text);
    let Ok(Ended::Done(run)) =
        engine.run(&Job::new(&module, Abi::Raw, LIMITS), &|_| {}, &false.into())
    else {
        panic!()
    };
    assert_eq!(run.stdout, b"ok");
}

#[test]
fn a_start_function_may_call_the_host() {
    let functions = run("(i32.const 3000)");
    let start = r#"(data (i32.const 100) "early") (func $s (call $emit (i32.const 100) (i32.const 5))) (start $s)"#;
    check(&format!("{start} {functions}"), b"", expect![[r#"Exited(0) stdout "early" stderr """#]]);
}

#[test]
fn the_wrong_abi_is_refused() {
    let engine = engine();
    let command = crate::common::command("");
    let refused =
        engine.run(&Job::new(&command, Abi::Raw, LIMITS), &|_| {}, &false.into()).unwrap_err();
    expect!["the module has no entry for the raw ABI (it exports neither `_start` nor `run`); a WASI command exports `_start`, a raw module exports `alloc`, `run` and `memory`"].assert_eq(&refused.to_string());
}

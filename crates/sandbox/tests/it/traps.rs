//! What a trap costs and what it says: the work up to it, on every machine, and where it was.

use crate::common::{LIMITS, module, run};
use crate::reference;
use expect_test::{Expect, expect};
use sandbox::{Engine, EngineConfig, Job, Places, Run};
use types::{Abi, Float, Fuel, Status, Trap};

const CONFIG: EngineConfig =
    EngineConfig { slots: 2, memory_bytes_max: 256 << 20, cache_modules: 8 };

/// A command that works for `$n` turns in a function, then does `fault`, which is the last thing.
fn faulty(fault: &str, operand: &str) -> Vec<u8> {
    module(&format!(
        r#"(module (memory (export "memory") 1) (table 4 funcref) (data $d "passive")
          (type $v (func)) (elem (i32.const 0) $nothing) (func $nothing)
          (func $work (param $n i32) (result i32)
            (loop $more (if (i32.and (local.get $n) (i32.const 1)) (then (call $nothing)))
              (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (local.get $n))
          (func $faults (param $x i32) {fault})
          (func (export "_start") (drop (call $work (i32.const 1000))) (call $faults (i32.const {operand}))))"#
    ))
}

/// What ends well with the first operand and traps with the second, as the last thing it does.
const FAULTS: [(&str, &str, &str); 20] = [
    ("(drop (i32.div_u (i32.const 1) (local.get $x)))", "1", "0"),
    ("(drop (i32.rem_s (i32.const 1) (local.get $x)))", "1", "0"),
    ("(drop (i32.div_s (i32.const 0x80000000) (local.get $x)))", "1", "-1"),
    (
        "(drop (i64.div_s (i64.const 0x8000000000000000) (i64.extend_i32_s (local.get $x))))",
        "1",
        "-1",
    ),
    ("(drop (i64.rem_u (i64.const 1) (i64.extend_i32_s (local.get $x))))", "1", "0"),
    ("(drop (i32.load (local.get $x)))", "0", "65533"),
    ("(i64.store offset=8 (local.get $x) (i64.const 1))", "0", "65535"),
    ("(drop (i64.atomic.load (local.get $x)))", "8", "12"),
    ("(drop (i32.atomic.rmw.add (local.get $x) (i32.const 1)))", "0", "65536"),
    ("(drop (memory.atomic.notify (local.get $x) (i32.const 1)))", "4", "6"),
    ("(drop (v128.load (local.get $x)))", "0", "-1"),
    ("(drop (i32.trunc_f32_s (f32.reinterpret_i32 (local.get $x))))", "0", "0x7fc00000"),
    (
        "(drop (i64.trunc_f64_u (f64.promote_f32 (f32.reinterpret_i32 (local.get $x)))))",
        "0",
        "0xff800000",
    ),
    ("(drop (table.get 0 (local.get $x)))", "0", "4"),
    ("(table.set 0 (local.get $x) (ref.null func))", "0", "4"),
    ("(memory.fill (local.get $x) (i32.const 1) (i32.const 100))", "0", "65500"),
    ("(memory.copy (i32.const 0) (local.get $x) (i32.const 100))", "0", "65500"),
    ("(memory.init $d (local.get $x) (i32.const 0) (i32.const 7))", "0", "65535"),
    ("(table.fill 0 (local.get $x) (ref.null func) (i32.const 2))", "0", "3"),
    ("(table.copy (i32.const 0) (local.get $x) (i32.const 3))", "0", "3"),
];

fn own(run: &Run) -> Fuel {
    Fuel::new(run.fuel.get() - run.fuel_host.get())
}

#[test]
fn a_trap_costs_the_work_up_to_it() {
    let engine = Engine::new(CONFIG).unwrap();
    for (fault, well, badly) in FAULTS {
        let (good, bad) = (faulty(fault, well), faulty(fault, badly));
        let counted = reference::run(&Job::new(&good, Abi::Wasi, LIMITS));
        assert_eq!(counted.status, Status::Exited(0), "{fault}");
        for float in [Float::Strict, Float::ArchClass] {
            let job = Job { float, ..Job::new(&bad, Abi::Wasi, LIMITS) };
            let trapped = run(&engine, &job);
            assert_eq!(trapped.status, Status::Trapped(Trap::Wasm), "{fault}");
            let missing = counted.fuel.get() - own(&trapped).get();
            assert!(missing < 200, "{fault} lacks {missing} of {}", counted.fuel);
            assert_eq!(
                run(&Engine::with_places(CONFIG, Places::Bytes).unwrap(), &job).fuel,
                trapped.fuel
            );
        }
    }
}

#[test]
fn a_fault_forgets_little_of_a_loop() {
    // Without calls the count is written down now and then only.
    let engine = Engine::new(CONFIG).unwrap();
    for turns in [1, 10, 1_000, 123_456] {
        let text = format!(
            r#"(module (memory (export "memory") 1) (func (export "_start") (local $i i32)
              (loop $more
                (drop (i32.div_u (i32.const 1) (i32.sub (i32.const {turns}) (local.get $i))))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $more (i32.lt_u (local.get $i) (i32.const END))))))"#
        );
        let (good, bad) = (text.replace("END", &turns.to_string()), text.replace("END", "1000000"));
        let counted = reference::run(&Job::new(&module(&good), Abi::Wasi, LIMITS));
        let trapped = run(&engine, &Job::new(&module(&bad), Abi::Wasi, LIMITS));
        assert_eq!(trapped.status, Status::Trapped(Trap::Wasm));
        let missing = counted.fuel.get() - own(&trapped).get();
        assert!(missing < 4_096 + 20, "{turns} turns: lacks {missing} of {}", counted.fuel);
    }
}

#[test]
fn a_call_that_cannot_be_made_costs_the_work_up_to_it() {
    let engine = Engine::new(CONFIG).unwrap();
    let cost = |operand: &str| {
        let module = faulty("(call_indirect (type $v) (local.get $x))", operand);
        let run = run(&engine, &Job::new(&module, Abi::Wasi, LIMITS));
        (run.status, own(&run).get())
    };
    let (ended, with_call) = cost("0");
    assert_eq!(ended, Status::Exited(0));
    for nowhere in ["1", "9"] {
        // The function that is not entered costs nothing.
        assert_eq!(cost(nowhere), (Status::Trapped(Trap::Wasm), with_call - 1));
    }
}

#[test]
fn fuel_ends_a_run_exactly() {
    let engine = Engine::new(CONFIG).unwrap();
    for (fault, well, badly) in FAULTS {
        for operand in [well, badly] {
            let module = faulty(fault, operand);
            let whole = run(&engine, &Job::new(&module, Abi::Wasi, LIMITS));
            let with = |fuel: u64| {
                let limits = types::Limits { fuel: Fuel::new(fuel), ..LIMITS };
                run(&engine, &Job::new(&module, Abi::Wasi, limits))
            };
            let enough = with(whole.fuel.get());
            assert_eq!((enough.status, enough.fuel), (whole.status, whole.fuel), "{fault}");
            if whole.status != Status::Exited(0) {
                continue; // After a fault, less may have been noted than was done.
            }
            for fuel in [whole.fuel.get() - 1, whole.fuel.get() / 2, 1_300] {
                let short = with(fuel);
                assert_eq!(short.status, Status::Trapped(Trap::OutOfFuel), "{fault} {fuel}");
                assert_eq!(short.fuel, Fuel::new(fuel));
            }
        }
    }
}

fn check(text: &str, expected: Expect) {
    let engine = Engine::with_places(CONFIG, Places::Bytes).unwrap();
    let module = module(text);
    let limits = types::Limits { fuel: Fuel::new(1_000_000), memory_bytes: 1 << 20, ..LIMITS };
    let run = run(&engine, &Job::new(&module, Abi::Wasi, limits));
    let place = run.trap.as_ref().expect("it traps");
    if let Some(byte) = place.byte {
        assert!(byte < module.len(), "{byte}");
        expected.assert_eq(&format!("{place}: {:02x}", module[byte]));
    } else {
        expected.assert_eq(&place.to_string());
    }
}

#[test]
fn a_trap_says_what_happened_and_where() {
    check(
        r#"(module (memory (export "memory") 1) (func (export "_start") unreachable))"#,
        expect!["unreachable executed in function 0 at byte 0x31: 00"],
    );
    check(
        r#"(module (memory (export "memory") 1) (func $pad (param i32))
          (func $mean (param $n i32) (result i32) (call $pad (local.get $n))
            (if (local.get $n) (then (call $pad (i32.const 300))))
            (i32.div_u (i32.const 100) (local.get $n)))
          (func $main (export "_start") (drop (call $mean (i32.const 0)))))"#,
        expect!["integer divide by zero in function 1 (`mean`) at byte 0x52: 6e"],
    );
    check(
        r#"(module (memory (export "memory") 1)
          (func $deep (export "_start") (local i64)
            (loop (block (br_if 0 (i32.const 1)) unreachable) (drop (i32.load (i32.const 65535))))))"#,
        expect!["memory access out of bounds in function 0 (`deep`) at byte 0x41: 28"],
    );
    check(
        r#"(module (memory (export "memory") 1) (func $spin (export "_start") (loop (br 0))))"#,
        expect!["out of fuel in function 0 (`spin`) at byte 0x33: 0c"],
    );
    check(
        r#"(module (memory (export "memory") 1) (func $eat (export "_start")
          (drop (memory.grow (i32.const 100))) unreachable))"#,
        expect![
            "unreachable executed, after memory could not grow within the job's limit in function 0 (`eat`) at byte 0x37: 00"
        ],
    );
    check(
        r#"(module (memory (export "memory") 1) (func $again (export "_start") (call $again)))"#,
        expect!["stack overflow in function 0 (`again`)"],
    );
    check(
        r#"(module (memory (export "memory") 1) (table 1 funcref) (type $v (func))
          (func $jump (export "_start") (call_indirect (type $v) (i32.const 0))))"#,
        expect!["call through an empty table element in function 0 (`jump`) at byte 0x39: 11"],
    );
    check(
        r#"(module (memory (export "memory") 1) (data (i32.const 65536) "x") (func (export "_start")))"#,
        expect!["memory access out of bounds"],
    );
}

#[test]
fn names_of_functions_are_shown_harmlessly() {
    let name = format!(r"a\1b[2J{}", "x".repeat(1_000));
    let text = format!(
        r#"(module (memory (export "memory") 1) (func (@name "{name}") (export "_start") unreachable))"#
    );
    let module = module(&text);
    let run = run(&Engine::new(CONFIG).unwrap(), &Job::new(&module, Abi::Wasi, LIMITS));
    let shown = run.trap.expect("it traps").name.expect("it has a name");
    assert!(shown.starts_with(r"a\u{1b}[2Jxxx") && shown.len() < 250, "{shown}");
}

#[test]
fn what_ends_well_has_no_trap() {
    let module = module(r#"(module (memory (export "memory") 1) (func (export "_start")))"#);
    assert_eq!(
        run(&Engine::new(CONFIG).unwrap(), &Job::new(&module, Abi::Wasi, LIMITS)).trap,
        None
    );
}

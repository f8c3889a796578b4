//! A module before it runs: its binary form, and what one may know of it.

use crate::advice::{is_wat, not_wasm};
use crate::limits::MODULE_BYTES_MAX;
use crate::refused::Refused;
use std::borrow::Cow;
use types::{Abi, Fuel};

/// What a module is, as far as one can tell without running it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// How it is entered. A module with both entries is a [`Abi::Wasi`] command.
    pub abi: Abi,
    /// Whether it computes in floating point. If not, [`types::Float`] makes no difference to it.
    pub uses_float: bool,
    /// Linear memory it starts with, in bytes: a job's limit must be at least this.
    pub memory_bytes_min: u64,
    /// What every run of it costs before its first instruction.
    pub load: Fuel,
}

/// The binary form of `bytes`, which may be a module's text form (`.wat`) too.
///
/// ```
/// let module = sandbox::binary_of(b"(module)").unwrap();
/// assert!(module.starts_with(b"\0asm"));
/// ```
///
/// # Errors
/// [`Refused::BadText`] for text that does not parse, [`Refused::NotWasm`] for anything else that
/// does not start like a module. A binary is *not* checked further: see [`crate::Engine::inspect`].
pub fn binary_of(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Refused> {
    if bytes.len() > MODULE_BYTES_MAX {
        return Err(Refused::TooBig { bytes: bytes.len(), max: MODULE_BYTES_MAX });
    }
    if bytes.starts_with(b"\0asm\x01\0\0\0") {
        return Ok(Cow::Borrowed(bytes));
    }
    if !is_wat(bytes) {
        return Err(not_wasm(bytes));
    }
    let binary = wat::parse_bytes(bytes).map_err(|error| Refused::BadText(error.to_string()))?;
    Ok(Cow::Owned(binary.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Facts, Offer};
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: Expect) {
        let answer = binary_of(text.as_bytes()).and_then(|module| {
            let facts = Facts::read(&module)?;
            facts.check_imports(&Offer::from([(
                ("meshx".into(), "emit".into()),
                "(i32, i32) -> ()".into(),
            )]))?;
            Ok((facts.abi()?, facts.uses_float, facts.load()))
        });
        let shown = match answer {
            Ok((abi, uses_float, load)) => format!("{abi:?}, float: {uses_float}, load: {load}"),
            Err(refused) => refused.to_string(),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn knows_both_abis() {
        check(r#"(module (func (export "_start")))"#, expect!["Wasi, float: false, load: 1000"]);
        check(
            r#"(module (memory (export "memory") 1) (data (i32.const 0) "abc")
                (func (export "alloc") (param i32) (result i32) (i32.const 0))
                (func (export "run") (param i32 i32) (result i32) (i32.const 0)))"#,
            expect!["Raw, float: false, load: 1259"],
        );
    }

    #[test]
    fn finds_floats_wherever_they_hide() {
        for body in [
            "(f64.const 1) drop",
            "(f32.convert_i32_s (i32.const 1)) drop",
            "(f32x4.splat (f32.const 1)) drop",
            "(v128.const i32x4 0 0 0 0) (v128.const i32x4 0 0 0 0) f32x4.add drop",
            "(v128.const i32x4 0 0 0 0) f64x2.sqrt drop",
            "(v128.const i32x4 0 0 0 0) f32x4.convert_i32x4_s drop",
            "(v128.const i32x4 0 0 0 0) i32x4.trunc_sat_f32x4_s drop",
            "(v128.const i32x4 0 0 0 0) i32x4.relaxed_trunc_f32x4_s drop",
            "(v128.const i32x4 0 0 0 0) f32x4.demote_f64x2_zero drop",
            "(v128.const i32x4 0 0 0 0) (v128.const i32x4 0 0 0 0) f32x4.eq drop",
            "(v128.const i32x4 0 0 0 0) (v128.const i32x4 0 0 0 0) f64x2.pmin drop",
            "(v128.const i32x4 0 0 0 0) (v128.const i32x4 0 0 0 0) f32x4.relaxed_min drop",
            "(v128.const i32x4 0 0 0 0) (v128.const i32x4 0 0 0 0) (v128.const i32x4 0 0 0 0) f32x4.relaxed_madd drop",
        ] {
            let text = format!(r#"(module (func (export "_start") {body}))"#);
            check(&text, expect!["Wasi, float: true, load: 1000"]);
        }
        check(
            r#"(module (type (func (param f32))) (func (export "_start")))"#,
            expect!["Wasi, float: true, load: 1000"],
        );
    }

    #[test]
    fn says_what_is_wrong_and_what_to_try() {
        check(
            "(module)",
            expect![
                "the module has no entry for the raw ABI (it exports neither `_start` nor `run`); a WASI command exports `_start`, a raw module exports `alloc`, `run` and `memory`"
            ],
        );
        check(
            r#"(module (import "meshx" "emmit" (func)) (func (export "_start")))"#,
            expect!["the module imports meshx.emmit, which no worker offers; meshx offers emit"],
        );
        check(
            r#"(module (import "meshx" "emit" (func (param i64))) (func (export "_start")))"#,
            expect!["the module imports meshx.emit as (i64) -> (), but it is (i32, i32) -> ()"],
        );
        check(
            r#"(module (import "gojs" "runtime.wasmExit" (func)) (func (export "_start")))"#,
            expect![
                "the module imports gojs.runtime.wasmExit, which no worker offers; build with GOOS=wasip1 instead of GOOS=js"
            ],
        );
        check(
            r#"(module (import "a" "a" (func)) (func (export "_start")))"#,
            expect![
                "the module imports a.a, which no worker offers; it was built by Emscripten for a host in JavaScript; build with `emcc -sSTANDALONE_WASM`, or with wasi-sdk"
            ],
        );
        check(
            r#"(module (memory (export "memory") 1) (func (export "_initialize")))"#,
            expect![
                "the module is a WASI reactor, a library for other programs: it exports `_initialize` and no `_start`; build a command instead: a program with `main` (for C without -mexec-model=reactor, for Rust a binary rather than a cdylib, for Go without -buildmode=c-shared)"
            ],
        );
        check(
            r#"(module (import "meshx" "emit" (func (param i32 i32))) (memory 1) (func (export "_start")))"#,
            expect![[
                r#"the module imports meshx.emit but exports no memory named `memory` through which it could be answered; export its memory (`--export-memory` for wasm-ld, `(export "memory" (memory 0))` in text)"#
            ]],
        );
        check(
            r#"(module (func (export "_start") (param i32)))"#,
            expect!["the module exports _start as (i32) -> (), expected () -> ()"],
        );
        check(
            r#"(module (memory 1 2 shared) (func (export "_start")))"#,
            expect![
                "the module has a memory that threads share; build without threads: their order is not reproducible"
            ],
        );
        check(
            r#"(module (memory i64 1) (func (export "_start")))"#,
            expect![
                "the module needs a feature that jobs may not use (memory64 must be enabled for 64-bit memories, at byte 21); build for 32-bit WebAssembly (wasm32)"
            ],
        );
        check(
            r#"(module (func (export "_start") try catch_all end))"#,
            expect![
                "the module needs a feature that jobs may not use (legacy_exceptions feature required for try instruction, at byte 35); it throws exceptions in the older form (try, catch, rethrow); build for the standard form (clang: -mllvm -wasm-use-legacy-eh=false; binaryen: wasm-opt --translate-to-exnref)"
            ],
        );
        check(
            r#"(module (table 300000 funcref) (func (export "_start")))"#,
            expect!["the module has a table of 300000 elements, at most 200000 are allowed"],
        );
        check(
            "(component)",
            expect![
                "not a WebAssembly module: it is a WebAssembly component; build a core module instead, for instance with target wasm32-wasip1 or `jco`'s and `cargo component`'s core output"
            ],
        );
        check(
            "fn main() {}",
            expect![
                "not a WebAssembly module: it is text; give the compiled .wasm file rather than its source"
            ],
        );
        check(
            "",
            expect!["not a WebAssembly module: it is empty; check that the build wrote the file"],
        );
        check(
            "\x7fELF...",
            expect![
                "not a WebAssembly module: it is a native Linux program (ELF); compile for wasm32-wasip1 instead of this machine"
            ],
        );
    }
}

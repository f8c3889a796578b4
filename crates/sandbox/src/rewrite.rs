//! Bring a module into the one shape that is run: its memory is its own, its start is a plain call.
//!
//! A start function would otherwise run inside instantiation, where fuel depends on how the engine
//! lays out memory; an imported memory would tie every compiled module to one store. So:
//!
//! ```text
//! (import "env" "memory" (memory 1))   =>   (memory (export "memory") 1)
//! (start $f)                           =>   (export "meshx:start" (func $f))
//! ```
//!
//! No index moves: the imported memory was number 0 and stays so. A module with neither is left alone.

use crate::facts::Facts;
use std::borrow::Cow;
use wasmparser::{MemoryType, Parser, Payload, TypeRef};

/// The export by which a module's start function is called.
const START: &str = "meshx:start";

/// The order of sections in a module, by id.
const ORDER: [u8; 12] = [1, 2, 3, 4, 5, 13, 6, 7, 9, 12, 10, 11];
const IMPORTS: u8 = 2;
const MEMORIES: u8 = 5;
const EXPORTS: u8 = 7;

/// `module` in the shape that is run. `module` is valid and `facts` are its facts; its imports have
/// been checked, so what is imported beside functions is at most one memory.
pub(crate) fn rewrite<'a>(module: &'a [u8], facts: &Facts) -> Cow<'a, [u8]> {
    if facts.has_start.is_none() && facts.imported_memory.is_none() {
        return Cow::Borrowed(module);
    }
    let mut sections: [Option<Cow<'a, [u8]>>; 14] = Default::default();
    let mut imports = None;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.expect("the module is valid");
        if let Some((id, range)) = payload.as_section()
            && let Some(section) = sections.get_mut(id as usize)
        {
            *section = Some(Cow::Borrowed(&module[range]));
        }
        if let Payload::ImportSection(reader) = payload {
            imports = Some(reader);
        }
    }
    let mut exports = vec![];
    if let Some(memory) = facts.imported_memory {
        let kept = imports.into_iter().flat_map(wasmparser::ImportSectionReader::into_imports);
        sections[IMPORTS as usize] = Some(Cow::Owned(functions_only(kept)));
        let first = vec![memory_type(&memory)];
        sections[MEMORIES as usize] =
            Some(Cow::Owned(with(first, sections[MEMORIES as usize].as_deref(), true)));
        if !facts.exports("memory") {
            exports.push(export("memory", 2, 0));
        }
    }
    if let Some(start) = facts.has_start {
        exports.push(export(&start_name(facts), 0, start));
    }
    sections[EXPORTS as usize] =
        Some(Cow::Owned(with(exports, sections[EXPORTS as usize].as_deref(), false)));

    let mut out = Vec::with_capacity(module.len() + 64);
    out.extend_from_slice(b"\0asm\x01\0\0\0");
    for id in ORDER {
        if let Some(section) = &sections[id as usize] {
            out.push(id);
            leb(&mut out, section.len() as u64);
            out.extend_from_slice(section);
        }
    }
    Cow::Owned(out)
}

/// [`START`], or its first free variant if the module exports that name already.
pub(crate) fn start_name(facts: &Facts) -> String {
    let mut name = START.to_owned();
    while facts.exports(&name) {
        name.push(':');
    }
    name
}

fn functions_only<'a>(
    imports: impl Iterator<Item = wasmparser::Result<wasmparser::Import<'a>>>,
) -> Vec<u8> {
    let mut entries = vec![];
    for import in imports {
        let import = import.expect("the module is valid");
        if let TypeRef::Func(ty) | TypeRef::FuncExact(ty) = import.ty {
            let mut entry = vec![];
            name(&mut entry, import.module);
            name(&mut entry, import.name);
            entry.push(0);
            leb(&mut entry, ty.into());
            entries.push(entry);
        }
    }
    with(entries, None, false)
}

/// A section made of `entries` and those of `section`; the new ones first or last.
fn with(entries: Vec<Vec<u8>>, section: Option<&[u8]>, first: bool) -> Vec<u8> {
    let (count, old) = section.map_or((0, &[][..]), split_count);
    let mut out = vec![];
    leb(&mut out, count + entries.len() as u64);
    let new = entries.concat();
    let (one, two) = if first { (&new[..], old) } else { (old, &new[..]) };
    out.extend_from_slice(one);
    out.extend_from_slice(two);
    out
}

/// A section's number of entries, and the entries.
fn split_count(section: &[u8]) -> (u64, &[u8]) {
    let mut reader = wasmparser::BinaryReader::new(section, 0);
    let count = reader.read_var_u32().expect("the module is valid");
    (count.into(), &section[reader.current_position()..])
}

fn memory_type(memory: &MemoryType) -> Vec<u8> {
    let mut out = vec![u8::from(memory.maximum.is_some())];
    leb(&mut out, memory.initial);
    if let Some(maximum) = memory.maximum {
        leb(&mut out, maximum);
    }
    out
}

fn export(as_name: &str, kind: u8, index: u32) -> Vec<u8> {
    let mut out = vec![];
    name(&mut out, as_name);
    out.push(kind);
    leb(&mut out, index.into());
    out
}

fn name(out: &mut Vec<u8>, name: &str) {
    leb(out, name.len() as u64);
    out.extend_from_slice(name.as_bytes());
}

fn leb(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: Expect) {
        let module = crate::binary_of(text.as_bytes()).unwrap();
        let facts = Facts::read(&module).unwrap();
        let module = rewrite(&module, &facts);
        let again = Facts::read(&module).expect("what was valid stays valid");
        assert!(again.has_start.is_none() && again.imported_memory.is_none());
        expected.assert_eq(&format!("{:?}", again.names()));
    }

    #[test]
    fn leaves_plain_modules_alone() {
        let module = crate::binary_of(b"(module (memory 1))").unwrap();
        let facts = Facts::read(&module).unwrap();
        assert!(matches!(rewrite(&module, &facts), Cow::Borrowed(_)));
    }

    #[test]
    fn turns_start_into_an_export() {
        check(
            r#"(module (func $a) (func $b) (start $b) (export "meshx:start" (func $a)) (data "x"))"#,
            expect![[r#"["meshx:start=Func 0", "meshx:start:=Func 1"]"#]],
        );
    }

    #[test]
    fn turns_an_imported_memory_into_an_own_one() {
        check(
            r#"(module (import "env" "abort" (func $abort (param i32 i32 i32 i32)))
                (import "env" "memory" (memory 3 60000)) (memory $two 1) (data (i32.const 0) "x")
                (func (export "run")))"#,
            expect![[r#"["memory=Memory 0", "run=Func 1"]"#]],
        );
    }
}

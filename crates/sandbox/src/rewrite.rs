//! Bring a module into the one shape that is run: it counts its work, its memory is its own, its
//! start is a plain call.
//!
//! A start function would otherwise run inside instantiation, before the count is set; an imported
//! memory would tie every compiled module to one store. So:
//!
//! ```text
//! (import "env" "memory" (memory 1))   =>   (memory (export "memory") 1)
//! (start $f)                           =>   (export "meshx:start" (func $f))
//! (func ...)                           =>   (func ...), counting: see [`crate::count`]
//!                                           (global (export "meshx:fuel") (mut i64) ...)
//! ```
//!
//! No index moves: the imported memory was number 0 and stays so, the new global is the last one.

use crate::count::{Count, leb, split_count};
use crate::facts::Facts;
use std::borrow::Cow;
use wasmparser::{FunctionBody, MemoryType, Parser, Payload, TypeRef};

/// The export by which a module's start function is called.
const START: &str = "meshx:start";
/// The export that holds the fuel left.
const FUEL: &str = "meshx:fuel";

/// The order of sections in a module, by id.
const ORDER: [u8; 12] = [1, 2, 3, 4, 5, 13, 6, 7, 9, 12, 10, 11];
const IMPORTS: u8 = 2;
const MEMORIES: u8 = 5;
const GLOBALS: u8 = 6;
const EXPORTS: u8 = 7;
const CODE: u8 = 10;

/// `(mut i64) (i64.const 0)`, as an entry of the global section.
const FUEL_GLOBAL: [u8; 5] = [0x7e, 1, 0x42, 0, 0x0b];

/// `module` in the shape that is run. `module` is valid and `facts` are its facts; its imports have
/// been checked, so what is imported beside functions is at most one memory.
pub(crate) fn rewrite(module: &[u8], facts: &Facts) -> Vec<u8> {
    let mut sections: [Option<Cow<'_, [u8]>>; 14] = Default::default();
    let (mut imports, mut bodies) = (None, vec![]);
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.expect("the module is valid");
        if let Some((id, range)) = payload.as_section()
            && let Some(section) = sections.get_mut(id as usize)
        {
            *section = Some(Cow::Borrowed(&module[range]));
        }
        match payload {
            Payload::ImportSection(reader) => imports = Some(reader),
            Payload::CodeSectionEntry(body) => bodies.push(body),
            _ => {}
        }
    }
    let mut add = |id: u8, entries: Vec<Vec<u8>>, first: bool| {
        let section = &mut sections[id as usize];
        *section = Some(Cow::Owned(with(entries, section.as_deref(), first)));
    };
    let mut exports = vec![export(&fuel_name(facts), 3, facts.globals)];
    add(GLOBALS, vec![FUEL_GLOBAL.to_vec()], false);
    if let Some(memory) = facts.imported_memory {
        add(MEMORIES, vec![memory_type(&memory)], true);
        if !facts.exports("memory") {
            exports.push(export("memory", 2, 0));
        }
    }
    if let Some(start) = facts.has_start {
        exports.push(export(&start_name(facts), 0, start));
    }
    add(EXPORTS, exports, false);
    if facts.imported_memory.is_some() {
        let kept = imports.into_iter().flat_map(wasmparser::ImportSectionReader::into_imports);
        sections[IMPORTS as usize] = Some(Cow::Owned(functions_only(kept)));
    }
    if !bodies.is_empty() {
        sections[CODE as usize] = Some(Cow::Owned(code(module, facts, &bodies)));
    }

    let mut out = Vec::with_capacity(2 * module.len() + 64);
    out.extend_from_slice(b"\0asm\x01\0\0\0");
    for id in ORDER {
        if let Some(section) = &sections[id as usize] {
            out.push(id);
            leb(&mut out, section.len() as u64);
            out.extend_from_slice(section);
        }
    }
    out
}

/// The code section, counting.
fn code(module: &[u8], facts: &Facts, bodies: &[FunctionBody<'_>]) -> Vec<u8> {
    let count = Count { global: facts.globals };
    let mut out = Vec::with_capacity(2 * module.len());
    leb(&mut out, bodies.len() as u64);
    for (index, body) in (0u32..).zip(bodies) {
        let body = count.body(module, body, facts.type_of_body(index));
        leb(&mut out, body.len() as u64);
        out.extend_from_slice(&body);
    }
    out
}

/// The export under which the start function is called.
pub(crate) fn start_name(facts: &Facts) -> String {
    free_name(START, facts)
}

/// The export that holds the fuel left.
pub(crate) fn fuel_name(facts: &Facts) -> String {
    free_name(FUEL, facts)
}

/// `name`, or its first variant that the module does not export already.
fn free_name(name: &str, facts: &Facts) -> String {
    let mut name = name.to_owned();
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
    fn adds_a_global_behind_the_others() {
        check(
            r#"(module (global i32 (i32.const 1)) (global (export "meshx:fuel") i64 (i64.const 2)))"#,
            expect![[r#"["meshx:fuel=Global 1", "meshx:fuel:=Global 2"]"#]],
        );
    }

    #[test]
    fn turns_start_into_an_export() {
        check(
            r#"(module (func $a) (func $b) (start $b) (export "meshx:start" (func $a)) (data "x"))"#,
            expect![[r#"["meshx:fuel=Global 0", "meshx:start=Func 0", "meshx:start:=Func 1"]"#]],
        );
    }

    #[test]
    fn turns_an_imported_memory_into_an_own_one() {
        check(
            r#"(module (import "env" "abort" (func $abort (param i32 i32 i32 i32)))
                (import "env" "memory" (memory 3 60000)) (memory $two 1) (data (i32.const 0) "x")
                (func (export "run")))"#,
            expect![[r#"["memory=Memory 0", "meshx:fuel=Global 0", "run=Func 1"]"#]],
        );
    }
}

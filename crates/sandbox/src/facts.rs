//! The facts about a module that decide whether it may run: what it holds, needs and offers.

use crate::advice::{feature_advice, import_advice, not_wasm};
use crate::limits::{
    MEMORIES_MAX, MEMORY_BYTES_MAX, MODULE_BYTES_MAX, PAGE_BYTES, TABLE_ELEMENTS_MAX, TABLES_MAX,
};
use crate::meter;
use crate::refused::Refused;
use std::collections::BTreeMap;
use types::{Abi, Fuel};
use wasmparser::{
    DataKind, ElementItems, ExternalKind, FuncType, MemoryType, Parser, Payload, TypeRef,
    Validator, WasmFeatures,
};

/// What the engine needs to know of a valid module.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) uses_float: bool,
    pub(crate) has_start: Option<u32>,
    pub(crate) imported_memory: Option<MemoryType>,
    pub(crate) memory_bytes_min: u64,
    /// How many globals it defines; it imports none.
    pub(crate) globals: u32,
    functions_imported: u32,
    data_bytes: u64,
    elements: u64,
    memories: u32,
    shares_memory: bool,
    tables: u32,
    table_elements_max: u64,
    types: Vec<Option<FuncType>>,
    functions: Vec<u32>,
    imports: Vec<(String, String, Wanted)>,
    exports: BTreeMap<String, (ExternalKind, u32)>,
}

#[derive(Debug)]
enum Wanted {
    Function(u32),
    Memory,
    Other(&'static str),
}

/// A host function's parameters and results, as `(i32, i64) -> (i32)`.
pub(crate) type Offer = BTreeMap<(String, String), String>;

impl Facts {
    /// Read and check `module`: it is whole, within what jobs may use, and within shared limits.
    pub(crate) fn read(module: &[u8]) -> Result<Self, Refused> {
        if module.len() > MODULE_BYTES_MAX {
            return Err(Refused::TooBig { bytes: module.len(), max: MODULE_BYTES_MAX });
        }
        if !module.starts_with(b"\0asm\x01\0\0\0") {
            return Err(not_wasm(module));
        }
        validate(module)?;
        let mut facts = Self { uses_float: uses_float(module), ..Self::default() };
        for payload in Parser::new(0).parse_all(module) {
            facts.note(payload.map_err(malformed)?).map_err(malformed)?;
        }
        facts.within_limits()?;
        Ok(facts)
    }

    fn note(&mut self, payload: Payload<'_>) -> wasmparser::Result<()> {
        match payload {
            Payload::TypeSection(types) => {
                for group in types {
                    for ty in group?.into_types() {
                        self.types.push(match ty.composite_type.inner {
                            wasmparser::CompositeInnerType::Func(function) => Some(function),
                            _ => None,
                        });
                    }
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import?;
                    let wanted = match import.ty {
                        TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                            self.functions.push(ty);
                            self.functions_imported += 1;
                            Wanted::Function(ty)
                        }
                        TypeRef::Memory(ty) => {
                            self.memory(&ty);
                            self.imported_memory = Some(ty);
                            Wanted::Memory
                        }
                        TypeRef::Table(_) => Wanted::Other("a table"),
                        TypeRef::Global(_) => Wanted::Other("a global"),
                        TypeRef::Tag(_) => Wanted::Other("a tag"),
                    };
                    self.imports.push((import.module.into(), import.name.into(), wanted));
                }
            }
            Payload::FunctionSection(functions) => {
                for ty in functions {
                    self.functions.push(ty?);
                }
            }
            Payload::MemorySection(memories) => {
                for memory in memories {
                    self.memory(&memory?);
                }
            }
            Payload::TableSection(tables) => {
                for table in tables {
                    let elements = table?.ty.initial;
                    self.tables += 1;
                    self.elements = self.elements.saturating_add(elements);
                    self.table_elements_max = self.table_elements_max.max(elements);
                }
            }
            Payload::GlobalSection(globals) => self.globals = globals.count(),
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    self.exports.insert(export.name.into(), (export.kind, export.index));
                }
            }
            Payload::StartSection { func, .. } => self.has_start = Some(func),
            Payload::ElementSection(segments) => {
                for segment in segments {
                    let count = match segment?.items {
                        ElementItems::Functions(items) => items.count(),
                        ElementItems::Expressions(_, items) => items.count(),
                    };
                    self.elements = self.elements.saturating_add(count.into());
                }
            }
            Payload::DataSection(segments) => {
                for segment in segments {
                    let segment = segment?;
                    if let DataKind::Active { .. } = segment.kind {
                        self.data_bytes += segment.data.len() as u64;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn memory(&mut self, ty: &MemoryType) {
        self.memories += 1;
        self.shares_memory |= ty.shared;
        let bytes = ty.initial.saturating_mul(PAGE_BYTES);
        self.memory_bytes_min = self.memory_bytes_min.saturating_add(bytes);
    }

    fn within_limits(&self) -> Result<(), Refused> {
        if self.shares_memory {
            return Err(Refused::SharedMemory);
        }
        if self.memories > MEMORIES_MAX {
            return Err(Refused::TooManyMemories { found: self.memories, max: MEMORIES_MAX });
        }
        if self.tables > TABLES_MAX {
            return Err(Refused::TooManyTables { found: self.tables, max: TABLES_MAX });
        }
        if self.table_elements_max > TABLE_ELEMENTS_MAX.into() {
            return Err(Refused::TableTooLarge {
                elements: self.table_elements_max,
                max: TABLE_ELEMENTS_MAX,
            });
        }
        if self.memory_bytes_min > MEMORY_BYTES_MAX {
            return Err(Refused::MemoryOverLimit {
                needed: self.memory_bytes_min,
                limit: MEMORY_BYTES_MAX,
            });
        }
        Ok(())
    }

    /// Every import is one that `offer` has, with the type it has there.
    pub(crate) fn check_imports(&self, offer: &Offer) -> Result<(), Refused> {
        for (module, name, wanted) in &self.imports {
            let (module, name) = (module.clone(), name.clone());
            let offered = offer.get(&(module.clone(), name.clone()));
            match (wanted, offered) {
                (Wanted::Function(ty), Some(offered)) => {
                    let found = self.signature(*ty);
                    if found != *offered {
                        return Err(Refused::WrongImport {
                            module,
                            name,
                            found,
                            offered: offered.clone(),
                        });
                    }
                }
                // The first memory only: the instance gets one of its own in its place.
                (Wanted::Memory, None)
                    if module == "env" && name == "memory" && self.memories_imported() == 1 => {}
                (Wanted::Memory, _) | (Wanted::Other(_) | Wanted::Function(_), None) => {
                    let names = offer.keys().filter(|(from, _)| *from == module);
                    let names: Vec<_> = names.map(|(_, name)| name.as_str()).collect();
                    let advice = import_advice(&module, &name, &names);
                    return Err(Refused::UnknownImport { module, name, advice });
                }
                (Wanted::Other(what), Some(offered)) => {
                    let (found, offered) = ((*what).into(), offered.clone());
                    return Err(Refused::WrongImport { module, name, found, offered });
                }
            }
        }
        Ok(())
    }

    fn memories_imported(&self) -> usize {
        self.imports.iter().filter(|(_, _, wanted)| matches!(wanted, Wanted::Memory)).count()
    }

    /// The ABI to enter by, or why there is none.
    pub(crate) fn abi(&self) -> Result<Abi, Refused> {
        if self.exports.contains_key("_start") {
            return self.check_entry(Abi::Wasi).map(|()| Abi::Wasi);
        }
        if self.exports.contains_key("_initialize") && !self.exports.contains_key("run") {
            return Err(Refused::Reactor);
        }
        self.check_entry(Abi::Raw).map(|()| Abi::Raw)
    }

    /// The exports that `abi` enters by exist and have the right types.
    pub(crate) fn check_entry(&self, abi: Abi) -> Result<(), Refused> {
        match abi {
            Abi::Wasi => {
                self.entry(abi, "_start", "() -> ()")?;
                if self.has_memory() {
                    return Ok(());
                }
                // A program that only ends itself needs none.
                let answered = |name: &str| !matches!(name, "proc_exit" | "sched_yield");
                match self.imports.iter().find(|(_, name, _)| answered(name)) {
                    Some((module, name, _)) => {
                        Err(Refused::NoMemory { module: module.clone(), name: name.clone() })
                    }
                    None => Ok(()),
                }
            }
            Abi::Raw => {
                self.entry(abi, "run", "(i32, i32) -> (i32)")?;
                if self.exports.contains_key("alloc") {
                    self.entry(abi, "alloc", "(i32) -> (i32)")?;
                }
                if self.has_memory() {
                    return Ok(());
                }
                Err(Refused::NoEntry { abi, missing: "it exports no memory named `memory`" })
            }
        }
    }

    /// Whether the host will find a memory to read from and write to.
    fn has_memory(&self) -> bool {
        match self.exports.get("memory") {
            Some((kind, _)) => *kind == ExternalKind::Memory,
            None => self.imported_memory.is_some(),
        }
    }

    fn entry(&self, abi: Abi, name: &'static str, expected: &'static str) -> Result<(), Refused> {
        let missing = match name {
            "_start" => "it exports no function `_start`",
            _ => "it exports neither `_start` nor `run`",
        };
        match self.exports.get(name) {
            Some((ExternalKind::Func, index)) => {
                let ty = self.functions.get(*index as usize).copied().unwrap_or(u32::MAX);
                let found = self.signature(ty);
                if found == expected {
                    Ok(())
                } else {
                    Err(Refused::WrongExport { name, found, expected })
                }
            }
            Some(_) => Err(Refused::WrongExport { name, found: "no function".into(), expected }),
            None => Err(Refused::NoEntry { abi, missing }),
        }
    }

    pub(crate) const fn functions_imported(&self) -> u32 {
        self.functions_imported
    }

    /// The type of the function whose body is number `index`.
    pub(crate) fn type_of_body(&self, index: u32) -> &FuncType {
        let function = self.functions_imported.saturating_add(index);
        let ty = self.functions.get(function as usize).and_then(|ty| self.types.get(*ty as usize));
        ty.and_then(Option::as_ref).expect("the module is valid")
    }

    pub(crate) fn exports(&self, name: &str) -> bool {
        self.exports.contains_key(name)
    }

    #[cfg(test)]
    pub(crate) fn names(&self) -> Vec<String> {
        self.exports
            .iter()
            .map(|(name, (kind, index))| format!("{name}={kind:?} {index}"))
            .collect()
    }

    pub(crate) fn load(&self) -> Fuel {
        meter::load(self.memory_bytes_min, self.data_bytes, self.elements)
    }

    fn signature(&self, ty: u32) -> String {
        match self.types.get(ty as usize) {
            Some(Some(ty)) => signature(ty.params(), ty.results()),
            _ => "no function".into(),
        }
    }
}

/// `(i32, i64) -> (i32)`: how function types are compared and shown.
pub(crate) fn signature<T: std::fmt::Display>(parameters: &[T], results: &[T]) -> String {
    let list = |types: &[T]| types.iter().map(T::to_string).collect::<Vec<_>>().join(", ");
    format!("({}) -> ({})", list(parameters), list(results))
}

/// What jobs may use: everything that is standard, reproducible and has a heap at most for exceptions.
///
/// Toolchains use atomic instructions even where there is one thread. Those are reproducible as long as no memory is
/// shared, which [`Facts`] sees to.
const FEATURES: WasmFeatures = WasmFeatures::FLOATS
    .union(WasmFeatures::MUTABLE_GLOBAL)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::EXCEPTIONS)
    .union(WasmFeatures::THREADS);

fn validate(module: &[u8]) -> Result<(), Refused> {
    let Err(error) = Validator::new_with_features(FEATURES).validate_all(module) else {
        return Ok(());
    };
    let (message, offset) = (error.message().to_owned(), error.offset());
    // Damaged, or merely modern? A validator that accepts every feature knows.
    if Validator::new_with_features(WasmFeatures::all()).validate_all(module).is_ok() {
        let advice = feature_advice(&message);
        return Err(Refused::Forbidden { message, offset, advice });
    }
    Err(Refused::Malformed { message, offset })
}

fn uses_float(module: &[u8]) -> bool {
    // The validator does not count relaxed SIMD among the floats, but most of it is.
    let without = FEATURES.difference(WasmFeatures::FLOATS.union(WasmFeatures::RELAXED_SIMD));
    Validator::new_with_features(without).validate_all(module).is_err()
}

fn malformed(error: wasmparser::Error) -> Refused {
    Refused::Malformed { message: error.message().to_owned(), offset: error.offset() }
}

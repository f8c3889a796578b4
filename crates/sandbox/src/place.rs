//! Where a module trapped, for the person who wrote it.

use crate::count::Count;
use crate::facts::Facts;
use crate::state::Stop;
use std::fmt;
use wasmparser::{KnownCustom, Name, NameSectionReader, Parser, Payload};
use wasmtime::{FrameInfo, ThrownException, WasmBacktrace};

/// Longest function name shown, in characters: names come from strangers.
const NAME_CHARS_MAX: usize = 200;

/// What ended a run, and where. Machines may differ in it, so replicas never compare it.
///
/// ```text
/// integer divide by zero in function 17 (`mean`) at byte 0x1f3
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrapPlace {
    /// What happened, such as `unreachable executed`.
    pub what: String,
    /// The function's number in the module.
    pub function: Option<u32>,
    /// The function's name, if the module names its functions.
    pub name: Option<String>,
    /// Where in the module the instruction is, if the engine was made with [`crate::Places::Bytes`].
    pub byte: Option<usize>,
}

impl TrapPlace {
    pub(crate) fn of(error: &wasmtime::Error, module: &[u8], facts: &Facts) -> Self {
        let frame = error
            .downcast_ref::<WasmBacktrace>()
            .and_then(|backtrace| backtrace.frames().first())
            .filter(|frame| frame.func_index() >= facts.functions_imported());
        Self {
            what: what(error),
            function: frame.map(FrameInfo::func_index),
            name: frame.and_then(|frame| name_of(module, frame.func_index())),
            byte: frame.and_then(|frame| byte_of(frame, module, facts)),
        }
    }

    /// Say also what the run's status knows better than the instruction.
    pub(crate) fn after(&mut self, status: Option<types::Status>) {
        match status {
            Some(types::Status::Trapped(types::Trap::OutOfFuel)) => {
                self.what = "out of fuel".into();
            }
            Some(types::Status::Trapped(types::Trap::OutOfMemory)) => {
                self.what += ", after memory could not grow within the job's limit";
            }
            _ => {}
        }
    }
}

impl fmt::Display for TrapPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(function) = self.function {
            write!(f, " in function {function}")?;
        }
        if let Some(name) = &self.name {
            write!(f, " (`{name}`)")?;
        }
        if let Some(byte) = self.byte {
            write!(f, " at byte {byte:#x}")?;
        }
        Ok(())
    }
}

fn what(error: &wasmtime::Error) -> String {
    use wasmtime::Trap;
    if let Some(Stop::Trap(trap)) = error.downcast_ref::<Stop>() {
        return match trap {
            types::Trap::OutOfFuel => "out of fuel",
            types::Trap::OutOfMemory => "the input has no room in memory",
            types::Trap::OutputTooLong => "the output limit was reached",
            types::Trap::BadAbi => "a pointer outside memory was given to the host",
            types::Trap::Abort => "abort called",
            types::Trap::StackOverflow => "stack overflow",
            types::Trap::Wasm => "the host was called with an argument that WASI does not know",
        }
        .into();
    }
    if error.is::<ThrownException>() {
        return "an exception was thrown and never caught".into();
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::UnreachableCodeReached) => "unreachable executed".into(),
        Some(Trap::MemoryOutOfBounds) => "memory access out of bounds".into(),
        Some(Trap::TableOutOfBounds) => "table access out of bounds".into(),
        Some(Trap::StackOverflow) => "stack overflow".into(),
        Some(Trap::IndirectCallToNull) => "call through an empty table element".into(),
        Some(Trap::BadSignature) => "call through a table to a function of another type".into(),
        Some(Trap::IntegerDivisionByZero) => "integer divide by zero".into(),
        Some(Trap::IntegerOverflow) => "integer overflow in a division or conversion".into(),
        Some(Trap::BadConversionToInteger) => "not-a-number converted to an integer".into(),
        Some(trap) => trap.to_string().trim_start_matches("wasm trap: ").into(),
        None => "the run ended".into(),
    }
}

/// The name that the module gives to function `index`, made harmless to print.
fn name_of(module: &[u8], index: u32) -> Option<String> {
    let sections = Parser::new(0).parse_all(module).filter_map(Result::ok);
    let names = sections.filter_map(|payload| match payload {
        Payload::CustomSection(custom) => match custom.as_known() {
            KnownCustom::Name(names) => Some(names),
            _ => None,
        },
        _ => None,
    });
    let name = names.last().and_then(|names| function_name(names, index))?;
    Some(name.chars().take(NAME_CHARS_MAX).flat_map(char::escape_debug).collect())
}

fn function_name(names: NameSectionReader<'_>, index: u32) -> Option<&str> {
    let mut maps = names.into_iter().filter_map(Result::ok).filter_map(|name| match name {
        Name::Function(map) => Some(map),
        _ => None,
    });
    let mut entries = maps.next()?.into_iter().filter_map(Result::ok);
    entries.find(|naming| naming.index == index).map(|naming| naming.name)
}

/// Where the frame stands in `module`, as it was before it was made to count.
fn byte_of(frame: &FrameInfo, module: &[u8], facts: &Facts) -> Option<usize> {
    let offset = frame.func_offset()?;
    let index = frame.func_index().checked_sub(facts.functions_imported())?;
    let mut bodies = Parser::new(0).parse_all(module).filter_map(|payload| match payload {
        Ok(Payload::CodeSectionEntry(body)) => Some(body),
        _ => None,
    });
    let body = bodies.nth(index as usize)?;
    let count = Count { global: facts.globals };
    Some(count.original_offset(module, &body, facts.type_of_body(index), offset))
}

//! Where a module trapped, for the person who wrote it.

use crate::count::Count;
use crate::facts::Facts;
use crate::state::Stop;
use crate::wasi::TooMuch;
use std::fmt;
use wasmparser::{KnownCustom, Name, NameSectionReader, Parser, Payload};
use wasmtime::{FrameInfo, ThrownException, WasmBacktrace};

/// Longest function name shown, in characters: names come from strangers.
const NAME_CHARS_MAX: usize = 200;

/// What ended a run that did not end by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `unreachable` was executed: the program gave up.
    Unreachable,
    /// An access outside linear memory.
    MemoryBounds,
    /// An access outside a table.
    TableBounds,
    /// Functions called each other too deeply.
    StackOverflow,
    /// A call through a table element that holds no function.
    EmptyCall,
    /// A call through a table to a function of another type.
    CallType,
    /// An integer was divided by zero.
    DivisionByZero,
    /// The result of a division or conversion does not fit.
    IntegerOverflow,
    /// Not-a-number was converted to an integer.
    NotANumber,
    /// An exception was thrown and never caught.
    Exception,
    /// The host ended it.
    Host(types::Trap),
    /// What it left under `/out` is more than an output may be.
    Outputs(TooMuch),
    /// Something else, in the engine's words.
    Other(String),
}

/// What ended a run, and where. Machines may differ in it, so replicas never compare it.
///
/// ```text
/// integer divide by zero in function 17 (`mean`) at byte 0x1f3
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrapPlace {
    /// What happened.
    pub fault: Fault,
    /// Memory could not grow within the job's limit before.
    pub memory_ran_out: bool,
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
            fault: Fault::of(error),
            memory_ran_out: false,
            function: frame.map(FrameInfo::func_index),
            name: frame.and_then(|frame| name_of(module, frame.func_index())),
            byte: frame.and_then(|frame| byte_of(frame, module, facts)),
        }
    }

    /// For what is found out after the last instruction.
    pub(crate) const fn nowhere(fault: Fault) -> Self {
        Self { fault, memory_ran_out: false, function: None, name: None, byte: None }
    }

    /// Say also what the run's status knows better than the instruction.
    pub(crate) fn after(&mut self, status: Option<types::Status>) {
        match status {
            Some(types::Status::Trapped(types::Trap::OutOfFuel)) => {
                self.fault = Fault::Host(types::Trap::OutOfFuel);
            }
            Some(types::Status::Trapped(types::Trap::OutOfMemory)) => {
                self.memory_ran_out = true;
            }
            _ => {}
        }
    }
}

impl fmt::Display for TrapPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)?;
        if self.memory_ran_out {
            f.write_str(", after memory could not grow within the job's limit")?;
        }
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

impl Fault {
    fn of(error: &wasmtime::Error) -> Self {
        use wasmtime::Trap;
        if let Some(Stop::Trap(trap)) = error.downcast_ref::<Stop>() {
            return Self::Host(*trap);
        }
        if error.is::<ThrownException>() {
            return Self::Exception;
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::UnreachableCodeReached) => Self::Unreachable,
            Some(Trap::MemoryOutOfBounds) => Self::MemoryBounds,
            Some(Trap::TableOutOfBounds) => Self::TableBounds,
            Some(Trap::StackOverflow) => Self::StackOverflow,
            Some(Trap::IndirectCallToNull) => Self::EmptyCall,
            Some(Trap::BadSignature) => Self::CallType,
            Some(Trap::IntegerDivisionByZero) => Self::DivisionByZero,
            Some(Trap::IntegerOverflow) => Self::IntegerOverflow,
            Some(Trap::BadConversionToInteger) => Self::NotANumber,
            Some(trap) => Self::Other(trap.to_string().trim_start_matches("wasm trap: ").into()),
            None => Self::Other("the run ended".into()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use types::Trap;
        f.write_str(match self {
            Self::Unreachable => "unreachable executed",
            Self::MemoryBounds => "memory access out of bounds",
            Self::TableBounds => "table access out of bounds",
            Self::StackOverflow | Self::Host(Trap::StackOverflow) => "stack overflow",
            Self::EmptyCall => "call through an empty table element",
            Self::CallType => "call through a table to a function of another type",
            Self::DivisionByZero => "integer divide by zero",
            Self::IntegerOverflow => "integer overflow in a division or conversion",
            Self::NotANumber => "not-a-number converted to an integer",
            Self::Exception => "an exception was thrown and never caught",
            Self::Host(Trap::OutOfFuel) => "out of fuel",
            Self::Host(Trap::OutOfMemory) => "the input has no room in memory",
            Self::Host(Trap::OutputTooLong) => "the output limit was reached",
            Self::Host(Trap::BadAbi) => "a pointer outside memory was given to the host",
            Self::Host(Trap::Abort) => "abort called",
            Self::Host(Trap::Wasm) => {
                "the host was given a pointer outside memory, or an argument that WASI does not know"
            }
            Self::Outputs(too_much) => return too_much.fmt(f),
            Self::Other(words) => words,
        })
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

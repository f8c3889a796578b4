//! The raw ABI: bytes in, bytes out, four imports.
//!
//! ```text
//!   host                              module
//!   alloc(len)            ──────────► pointer
//!   input copied there
//!   run(pointer, len)     ──────────► < 0: error code, negated
//!                                     else pointer to { u32 length, bytes }, appended to the output
//! ```
//!
//! A module without `alloc`, the whitepaper's shape, finds its input in pages grown for it at the
//! end of its memory.

use crate::call::{Call, Outside, at, between, enter};
use crate::limits::PAGE_BYTES;
use crate::state::{State, Stop};
use types::Trap;
use wasmtime::{Caller, Instance, Linker, Store};

/// Longest text taken from `env.abort`'s strings, in UTF-16 units.
const ABORT_TEXT_MAX: u32 = 1024;

impl From<Outside> for Stop {
    fn from(_: Outside) -> Self {
        Stop::Trap(Trap::BadAbi)
    }
}

/// Offer `env.abort` and `meshx.*`.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "abort",
        |mut caller: Caller<'_, State>, message: u32, file: u32, line: u32, column: u32| {
            enter::<()>(&mut caller, |call| {
                let text = format!(
                    "abort: {} at {}:{line}:{column}\n",
                    assembly_script_text(call, message)?,
                    assembly_script_text(call, file)?
                );
                call.state.stderr.append(text.as_bytes()).1?;
                Err(Stop::Trap(Trap::Abort))
            })
        },
    )?;
    linker.func_wrap(
        "meshx",
        "emit",
        |mut caller: Caller<'_, State>, pointer: u32, len: u32| {
            enter(&mut caller, |call| emit(call, pointer, len))
        },
    )?;
    linker.func_wrap("meshx", "log", |mut caller: Caller<'_, State>, pointer: u32, len: u32| {
        enter(&mut caller, |call| {
            let place = call.pay_for::<Stop>(pointer, len)?;
            let Call { memory, state, .. } = call;
            state.stderr.append(&memory[place]).1?;
            state.stderr.append(b"\n").1
        })
    })?;
    linker.func_wrap(
        "meshx",
        "read_blob",
        |mut caller: Caller<'_, State>,
         name: u32,
         name_len: u32,
         offset: u64,
         pointer: u32,
         len: u32| {
            enter(&mut caller, |call| read_blob(call, name, name_len, offset, pointer, len))
        },
    )?;
    Ok(())
}

/// Append to the output stream.
fn emit(call: &mut Call<'_>, pointer: u32, len: u32) -> Result<(), Stop> {
    let place = call.pay_for::<Stop>(pointer, len)?;
    let Call { memory, state, .. } = call;
    state.print(&memory[place])
}

/// Copy the file `name` from `offset` into memory: how many bytes, 0 at its end, -1 if there is none.
fn read_blob(
    call: &mut Call<'_>,
    name: u32,
    name_len: u32,
    offset: u64,
    pointer: u32,
    len: u32,
) -> Result<i32, Stop> {
    let name = call.pay_for::<Stop>(name, name_len)?;
    let loan = call.state.loan;
    // A packed folder may hold thousands, all of which are looked at.
    call.charge(loan.job().files.len() as u64)?;
    let name = &call.memory[name];
    let file = loan.job().files.iter().find(|(file, _)| file.as_bytes() == name);
    let Some((_, content)) = file else { return Ok(-1) };
    let rest = content.get(usize::try_from(offset).unwrap_or(usize::MAX)..).unwrap_or(&[]);
    let len = rest.len().min(len as usize).min(i32::MAX as usize);
    call.charge_bytes(len)?;
    call.write(pointer, &rest[..len])?;
    Ok(len as i32)
}

/// A string as AssemblyScript lays it out: UTF-16 at `pointer`, its length in bytes just before.
fn assembly_script_text(call: &mut Call<'_>, pointer: u32) -> Result<String, Stop> {
    const UNREADABLE: &str = "(unknown)";
    let Some(size_at) = pointer.checked_sub(4).filter(|_| pointer != 0) else {
        return Ok(UNREADABLE.into());
    };
    let Ok(size) = call.read_u32(size_at) else { return Ok(UNREADABLE.into()) };
    let size = size.min(2 * ABORT_TEXT_MAX) & !1;
    call.charge_bytes(size as usize)?;
    let Ok(bytes) = call.bytes(pointer, size) else { return Ok(UNREADABLE.into()) };
    let units: Vec<_> =
        bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    Ok(String::from_utf16_lossy(&units))
}

/// Enter a raw module: hand it the input, collect what `run` returns. Gives the exit code.
pub(crate) fn run(store: &mut Store<State>, instance: &Instance) -> wasmtime::Result<i32> {
    let loan = store.data().loan;
    let input = loan.job().input;
    let Ok(len) = u32::try_from(input.len()) else {
        return Err(Stop::Trap(Trap::OutOfMemory).into());
    };
    if let Some(initialize) = instance.get_func(&mut *store, "_initialize")
        && let Ok(initialize) = initialize.typed::<(), ()>(&*store)
    {
        initialize.call(&mut *store, ())?;
    }
    let pointer = match instance.get_typed_func::<u32, u32>(&mut *store, "alloc") {
        Ok(alloc) => alloc.call(&mut *store, len)?,
        Err(_) => grow(store, len)?,
    };
    between(store, |call| {
        call.charge_bytes(input.len())?;
        Ok(call.write(pointer, input)?)
    })?;
    let run = instance.get_typed_func::<(u32, u32), i32>(&mut *store, "run")?;
    let result = run.call(&mut *store, (pointer, len))?;
    let Ok(result) = u32::try_from(result) else {
        return Ok(result.checked_neg().unwrap_or(i32::MAX));
    };
    between(store, |call| {
        let len = u32::from_le_bytes(call.bytes(result, 4)?.try_into().expect("four bytes"));
        emit(call, at(result, 4)?, len)
    })?;
    Ok(0)
}

/// Fresh pages at the end of memory for `len` bytes.
fn grow(store: &mut Store<State>, len: u32) -> wasmtime::Result<u32> {
    let memory = store.data().memory.expect("a raw module has a memory");
    let pages = u64::from(len).div_ceil(PAGE_BYTES);
    let old = memory.grow(&mut *store, pages).map_err(|_| Stop::Trap(Trap::OutOfMemory))?;
    // A memory of 4 GiB has no pointer to its end; with no pages grown there is nothing to point to.
    Ok(u32::try_from(old * PAGE_BYTES).unwrap_or(0))
}

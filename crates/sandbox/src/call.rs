//! One call from the module to the host: its memory, bounds-checked, and its meter, running.

use crate::meter::{self, HOST_BYTE, HOST_CALL};
use crate::state::{State, Stop};
use types::Trap;
use wasmtime::{AsContextMut, Caller, Global, Store, StoreContextMut, Val};

/// What a host function may touch while it answers.
pub(crate) struct Call<'a> {
    pub(crate) memory: &'a mut [u8],
    pub(crate) state: &'a mut State,
    fuel: u64,
}

/// A pointer or length that leaves the module's memory, or is not aligned to what it points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outside;

/// Answer a call by `work`. What it charged is taken from the module's fuel, also on failure.
pub(crate) fn enter<R>(
    caller: &mut Caller<'_, State>,
    work: impl FnOnce(&mut Call<'_>) -> Result<R, Stop>,
) -> wasmtime::Result<R> {
    during(caller.as_context_mut(), work)
}

/// The same for what the host does on the module's behalf between two calls into it.
pub(crate) fn between<R>(
    store: &mut Store<State>,
    work: impl FnOnce(&mut Call<'_>) -> Result<R, Stop>,
) -> wasmtime::Result<R> {
    during(store.as_context_mut(), work)
}

fn during<R>(
    mut store: StoreContextMut<'_, State>,
    work: impl FnOnce(&mut Call<'_>) -> Result<R, Stop>,
) -> wasmtime::Result<R> {
    let count = store.data().count;
    let left = count.map_or(0, |count| fuel_left(count, &mut store));
    let Ok(before) = u64::try_from(left) else {
        return Err(Stop::Trap(Trap::OutOfFuel).into()); // Spent before the call.
    };
    let (memory, state) = match store.data().memory {
        Some(memory) => memory.data_and_store_mut(&mut store),
        None => (&mut [][..], store.data_mut()),
    };
    let mut call = Call { memory, state, fuel: before };
    let grown = meter::pages(call.state.bounds.take_unpaid());
    let result = call
        .charge(grown.get())
        .and_then(|()| call.charge(HOST_CALL))
        .and_then(|()| work(&mut call));
    let after = call.fuel;
    call.state.fuel_host += before - after;
    if let Some(count) = count {
        set_fuel(count, &mut store, after)?;
    }
    result.map_err(wasmtime::Error::new)
}

/// The module's own count of the fuel left: below zero if it was noticed too late.
pub(crate) fn fuel_left(count: Global, store: impl AsContextMut) -> i64 {
    count.get(store).i64().expect("we gave it this type")
}

/// Give the module `fuel`, or as much of it as its count can hold.
pub(crate) fn set_fuel(count: Global, store: impl AsContextMut, fuel: u64) -> wasmtime::Result<()> {
    count.set(store, Val::I64(i64::try_from(fuel).unwrap_or(i64::MAX)))
}

impl Call<'_> {
    /// Take `fuel` from the module, or all it has and end it.
    pub(crate) fn charge(&mut self, fuel: u64) -> Result<(), Stop> {
        match self.fuel.checked_sub(fuel) {
            Some(left) => {
                self.fuel = left;
                Ok(())
            }
            None => {
                self.fuel = 0;
                Err(Stop::Trap(Trap::OutOfFuel))
            }
        }
    }

    /// The place of `len` bytes at `pointer`, in memory and paid for.
    pub(crate) fn pay_for<E: From<Outside> + From<Stop>>(
        &mut self,
        pointer: u32,
        len: u32,
    ) -> Result<std::ops::Range<usize>, E> {
        self.bytes(pointer, len)?;
        self.charge_bytes(len as usize)?;
        Ok(range(pointer, len))
    }

    pub(crate) fn charge_bytes(&mut self, bytes: usize) -> Result<(), Stop> {
        self.charge((bytes as u64).saturating_mul(HOST_BYTE))
    }

    /// Pay for what was done in the tree of files since this was last called.
    pub(crate) fn charge_steps(&mut self) -> Result<(), Stop> {
        let steps = self.state.files.take_steps();
        self.charge(steps.saturating_mul(HOST_BYTE))
    }

    pub(crate) fn bytes(&self, pointer: u32, len: u32) -> Result<&[u8], Outside> {
        self.memory.get(range(pointer, len)).ok_or(Outside)
    }

    pub(crate) fn bytes_mut(&mut self, pointer: u32, len: u32) -> Result<&mut [u8], Outside> {
        self.memory.get_mut(range(pointer, len)).ok_or(Outside)
    }

    pub(crate) fn write(&mut self, pointer: u32, bytes: &[u8]) -> Result<(), Outside> {
        let len = u32::try_from(bytes.len()).map_err(|_| Outside)?;
        self.bytes_mut(pointer, len)?.copy_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn read_u16(&self, pointer: u32) -> Result<u16, Outside> {
        Ok(u16::from_le_bytes(self.aligned(pointer)?))
    }

    pub(crate) fn read_u32(&self, pointer: u32) -> Result<u32, Outside> {
        Ok(u32::from_le_bytes(self.aligned(pointer)?))
    }

    pub(crate) fn read_u64(&self, pointer: u32) -> Result<u64, Outside> {
        Ok(u64::from_le_bytes(self.aligned(pointer)?))
    }

    pub(crate) fn write_u16(&mut self, pointer: u32, value: u16) -> Result<(), Outside> {
        align(pointer, 2)?;
        self.write(pointer, &value.to_le_bytes())
    }

    pub(crate) fn write_u32(&mut self, pointer: u32, value: u32) -> Result<(), Outside> {
        align(pointer, 4)?;
        self.write(pointer, &value.to_le_bytes())
    }

    pub(crate) fn write_u64(&mut self, pointer: u32, value: u64) -> Result<(), Outside> {
        align(pointer, 8)?;
        self.write(pointer, &value.to_le_bytes())
    }

    fn aligned<const N: usize>(&self, pointer: u32) -> Result<[u8; N], Outside> {
        align(pointer, N as u32)?;
        Ok(self.bytes(pointer, N as u32)?.try_into().expect("the slice has this length"))
    }
}

/// `pointer + offset` within a structure, or outside if it leaves the address space.
pub(crate) fn at(pointer: u32, offset: u32) -> Result<u32, Outside> {
    pointer.checked_add(offset).ok_or(Outside)
}

/// WASI lets a call trap on a misaligned pointer; wasmtime-wasi does, so we do.
pub(crate) fn align(pointer: u32, to: u32) -> Result<(), Outside> {
    if pointer.is_multiple_of(to) { Ok(()) } else { Err(Outside) }
}

/// Nothing lies anywhere: a length of 0 makes any pointer good, as in wasmtime-wasi.
fn range(pointer: u32, len: u32) -> std::ops::Range<usize> {
    let from = if len == 0 { 0 } else { pointer as usize };
    from..from.saturating_add(len as usize)
}

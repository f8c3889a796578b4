//! One run: an instance is made, entered, and its end is given a name.

use crate::call::between;
use crate::job::{Ended, Job, Run};
use crate::loan::Loan;
use crate::prepared::Prepared;
use crate::raw;
use crate::refused::Refused;
use crate::state::{State, Stop};
use std::sync::atomic::AtomicBool;
use types::{Abi, Fuel, Millis, Status, Trap};
use wasmtime::{Store, UpdateDeadline};

/// Run `prepared` as `job` says. The job has been checked against the module.
#[expect(unsafe_code, reason = "its store is gone before what it borrows")]
pub(crate) fn run(
    prepared: &Prepared,
    job: &Job<'_>,
    observer: &dyn Fn(&[u8]),
    cancel: &AtomicBool,
) -> Result<Ended, Refused> {
    // SAFETY: the loan lives in the store; the store is a local that nothing else owns, so it is
    // gone, unwinding or not, before the borrows that this function was given.
    let loan = unsafe { Loan::new(job, observer, cancel) };
    let mut store = Store::new(prepared.instance.module().engine(), State::new(loan));
    store.limiter(|state| &mut state.bounds);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|store| {
        store.data().may_go_on()?;
        Ok(UpdateDeadline::Continue(1))
    });
    let end = enter(&mut store, prepared, job)?;
    conclude(store, job, end)
}

/// How the module came back, and what was left of its fuel if the engine knows.
struct End {
    status: Result<Status, Stop>,
    fuel_left: Option<u64>,
}

fn enter(store: &mut Store<State>, prepared: &Prepared, job: &Job<'_>) -> Result<End, Refused> {
    let load = prepared.facts.load();
    let Some(fuel) = job.limits.fuel.checked_sub(load) else {
        return Ok(End { status: Ok(Status::Trapped(Trap::OutOfFuel)), fuel_left: None });
    };
    store.data_mut().fuel_host = load.get();
    // Loading has its price already: what the engine counts for it differs with its memory layout.
    set_fuel(store, u64::MAX);
    let instance = match prepared.instance.instantiate(&mut *store) {
        Ok(instance) => instance,
        // Data or elements that do not fit: the module's fault, known before it did anything.
        Err(error) if error.is::<wasmtime::Trap>() => {
            return Ok(End {
                status: Ok(Status::Trapped(Trap::Wasm)),
                fuel_left: Some(fuel.get()),
            });
        }
        Err(error) => return Err(Refused::Machine(format!("{error:#}"))),
    };
    set_fuel(store, fuel.get());
    store.data_mut().bounds.take_unpaid(); // The memory at the start is part of the load.
    store.data_mut().memory = instance.get_memory(&mut *store, "memory");

    let call = |store: &mut Store<State>, name: &str| {
        instance.get_typed_func::<(), ()>(&mut *store, name)?.call(&mut *store, ())
    };
    let started = prepared.start.as_ref().map_or(Ok(()), |start| call(store, start));
    let result = started.and_then(|()| match job.abi {
        Abi::Wasi => call(store, "_start").map(|()| 0),
        Abi::Raw => raw::run(store, &instance),
    });
    // Memory grown since the last call to the host is still to be paid for.
    let paid = between(store, |_| Ok(()));
    let result = result.and_then(|code| paid.map(|()| code));
    if let Some(broken) = store.data_mut().bounds.broken() {
        return Err(Refused::Machine(broken));
    }
    end(store, result)
}

/// Give the end a name. The engine keeps exact count across calls and `unreachable`; after a fault
/// in the middle of a function it no longer knows, and the whole limit is due: otherwise a module
/// could work for long, fault at the end, and owe next to nothing.
fn end(store: &Store<State>, result: wasmtime::Result<i32>) -> Result<End, Refused> {
    let exact = Some(store.get_fuel().expect("fuel is on"));
    let error = match result {
        Ok(code) => return Ok(End { status: Ok(Status::Exited(code)), fuel_left: exact }),
        Err(error) => error,
    };
    if let Some(stop) = error.downcast_ref::<Stop>() {
        let status = match *stop {
            Stop::Exit(code) => Ok(Status::Exited(code)),
            Stop::Trap(trap) => Ok(Status::Trapped(trap)),
            stop @ (Stop::Killed | Stop::Cancelled) => Err(stop),
        };
        return Ok(End { status, fuel_left: exact });
    }
    let (trap, fuel_left) = match error.downcast_ref::<wasmtime::Trap>() {
        Some(wasmtime::Trap::OutOfFuel) => (Trap::OutOfFuel, None),
        Some(wasmtime::Trap::StackOverflow) => (Trap::StackOverflow, None),
        Some(wasmtime::Trap::UnreachableCodeReached) => (store.data().bounds.trap(), exact),
        Some(_) => (store.data().bounds.trap(), None),
        None => return Err(Refused::Machine(format!("{error:#}"))),
    };
    Ok(End { status: Ok(Status::Trapped(trap)), fuel_left })
}

fn conclude(store: Store<State>, job: &Job<'_>, end: End) -> Result<Ended, Refused> {
    let limit = job.limits.fuel;
    let state = store.into_data();
    let status = match end.status {
        Ok(status) => status,
        Err(Stop::Cancelled) => return Ok(Ended::Cancelled),
        Err(_) => {
            let after = u64::try_from(state.elapsed().as_millis()).unwrap_or(u64::MAX);
            return Ok(Ended::Killed { after: Millis::new(after) });
        }
    };
    // Out of fuel is the limit itself, wherever it was noticed.
    let fuel_left =
        if status == Status::Trapped(Trap::OutOfFuel) { 0 } else { end.fuel_left.unwrap_or(0) };
    let fuel = limit.saturating_sub(Fuel::new(fuel_left));
    let fuel_host = Fuel::new(state.fuel_host.min(fuel.get()));
    let memory_bytes = state.bounds.memory_bytes();
    let (stdout, stderr) = (state.stdout.into_bytes(), state.stderr.into_bytes());
    assert!(fuel <= limit && fuel_host <= fuel);
    Ok(Ended::Done(Run { status, stdout, stderr, fuel, fuel_host, memory_bytes }))
}

fn set_fuel(store: &mut Store<State>, fuel: u64) {
    store.set_fuel(fuel).expect("fuel is on");
}

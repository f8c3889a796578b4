//! One run: an instance is made, entered, and its end is given a name.

use crate::call::{between, fuel_left, set_fuel};
use crate::job::{Ended, Job, Run};
use crate::loan::Loan;
use crate::place::{Fault, TrapPlace};
use crate::prepared::Prepared;
use crate::raw;
use crate::refused::Refused;
use crate::state::{State, Stop};
use std::sync::atomic::AtomicBool;
use types::{Abi, Fuel, Millis, Status, Trap};
use wasmtime::{GcHeapOutOfMemory, Store, ThrownException, UpdateDeadline};

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

/// How the module came back, and the work it did, if that is the same everywhere.
struct End {
    status: Result<Status, Stop>,
    fuel: Option<Fuel>,
    trap: Option<TrapPlace>,
}

impl End {
    fn trapped(trap: Trap, fuel: Option<Fuel>, place: Option<TrapPlace>) -> Self {
        Self { status: Ok(Status::Trapped(trap)), fuel, trap: place }
    }
}

fn enter(store: &mut Store<State>, prepared: &Prepared, job: &Job<'_>) -> Result<End, Refused> {
    let load = prepared.facts.load();
    let Some(fuel) = job.limits.fuel.checked_sub(load) else {
        return Ok(End::trapped(Trap::OutOfFuel, None, None));
    };
    store.data_mut().fuel_host = load.get();
    let instance = match prepared.instance.instantiate(&mut *store) {
        Ok(instance) => instance,
        // Data or elements that do not fit: the module's fault, known before it did anything.
        Err(error) if error.is::<wasmtime::Trap>() => {
            let place = TrapPlace::of(&error, job.module, &prepared.facts);
            return Ok(End::trapped(Trap::Wasm, Some(load), Some(place)));
        }
        Err(error) => return Err(Refused::Machine(format!("{error:#}"))),
    };
    let count = instance.get_global(&mut *store, &prepared.fuel).expect("we put it there");
    set_fuel(count, &mut *store, fuel.get())
        .map_err(|error| Refused::Machine(error.to_string()))?;
    let given = fuel_left(count, &mut *store);
    store.data_mut().count = Some(count);
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
    let left = fuel_left(count, &mut *store);
    let used = load.saturating_add(Fuel::new(given.saturating_sub(left.max(0)) as u64));
    match result {
        Ok(code) => Ok(End { status: Ok(Status::Exited(code)), fuel: Some(used), trap: None }),
        Err(error) => {
            let mut place = TrapPlace::of(&error, job.module, &prepared.facts);
            let (status, fuel) = fault(store.data(), &error, (left >= 0).then_some(used))?;
            place.after(status.ok());
            Ok(End { status, fuel, trap: Some(place) })
        }
    }
}

/// Give a run that ended early a name. `used` is the fuel up to there, or nothing if it was all.
fn fault(
    state: &State,
    error: &wasmtime::Error,
    used: Option<Fuel>,
) -> Result<(Result<Status, Stop>, Option<Fuel>), Refused> {
    let trapped = |trap, fuel| Ok((Ok(Status::Trapped(trap)), fuel));
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return match *stop {
            Stop::Exit(code) => Ok((Ok(Status::Exited(code)), used)),
            Stop::Trap(trap) => trapped(trap, used),
            stop @ (Stop::Killed | Stop::Cancelled) => Ok((Err(stop), None)),
        };
    }
    if used.is_none() {
        return trapped(Trap::OutOfFuel, None); // The module noticed, or did something else first.
    }
    if error.is::<ThrownException>() {
        return trapped(state.bounds.trap(), used);
    }
    if error.is::<GcHeapOutOfMemory<()>>() {
        return trapped(Trap::OutOfMemory, used);
    }
    match error.downcast_ref::<wasmtime::Trap>() {
        // How deep the stack is differs between machines, so the price must not.
        Some(wasmtime::Trap::StackOverflow) => trapped(Trap::StackOverflow, None),
        Some(_) => trapped(state.bounds.trap(), used),
        None => Err(Refused::Machine(format!("{error:#}"))),
    }
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
    let out = status == Status::Trapped(Trap::OutOfFuel);
    let fuel = end.fuel.filter(|_| !out).unwrap_or(limit);
    let fuel_host = Fuel::new(state.fuel_host.min(fuel.get()));
    let memory_bytes = state.bounds.memory_bytes_most();
    let (stdout, stderr) = (state.stdout.into_bytes(), state.stderr.into_bytes());
    assert!(fuel <= limit && fuel_host <= fuel);
    let mut run = Run {
        status,
        stdout,
        stderr,
        files: vec![],
        fuel,
        fuel_host,
        memory_bytes,
        trap: end.trap.filter(|_| matches!(status, Status::Trapped(_))),
    };
    if let Status::Exited(_) = status {
        let room = job.limits.output_bytes - run.stdout.len() as u64;
        match state.files.outputs(room) {
            Ok(files) => run.files = files,
            Err(too_much) => {
                run.status = Status::Trapped(Trap::OutputTooLong);
                run.trap = Some(TrapPlace::nowhere(Fault::Outputs(too_much)));
            }
        }
    }
    Ok(Ended::Done(run))
}

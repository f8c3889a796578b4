//! WASI preview 1, as much as a job may see of a system: streams, arguments, files.
//!
//! ```text
//! fd 0 ── input   1 ── stdout   2 ── stderr   3 ── /in   4 ── /tmp   5 ── /out   6 ── /   7 ── . (/in)
//! ```
//!
//! Answers equal wasmtime-wasi's, call by call and errno by errno (`tests/it/differential.rs`), with
//! these differences, each for reproducibility or bounds:
//! - clocks start at the job's and advance [`time::STEP`] per reading; sleeping costs no time;
//! - random bytes come from the job's seed;
//! - `readdir` goes by name, inode numbers count from 1, timestamps are the job's clock;
//! - a folder is removed also by a name with a slash at its end, and the times of a folder that was
//!   given can be set if it can be written to;
//! - reading a file does not change when it was last read;
//! - reading into an empty buffer gives 0 rather than `EINTR`;
//! - any exit code is accepted, not only those below 126;
//! - files live in memory, which counts as the job's: see [`files`].

mod change;
mod describe;
mod descriptors;
mod errno;
mod files;
mod folder;
mod path;
mod process;
mod streams;
mod time;

pub(crate) use descriptors::Descriptors;
pub(crate) use files::Files;
pub use files::TooMuch;
pub(crate) use process::Random;
pub(crate) use time::Clock;

use crate::call::{Call, enter};
use crate::state::State;
use errno::Fail;
use wasmtime::{Caller, Linker};

/// Offer all of `wasi_snapshot_preview1`.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    macro_rules! offer {
        ($($module:ident { $($name:ident($($argument:ident: $ty:ty),*);)* })*) => {$($(
            linker.func_wrap(
                "wasi_snapshot_preview1",
                stringify!($name),
                |mut caller: Caller<'_, State>, $($argument: $ty),*| {
                    answer(&mut caller, |call| $module::$name(call, $($argument),*))
                },
            )?;
        )*)*};
    }
    offer! {
        process {
            args_get(pointers: u32, bytes: u32);
            args_sizes_get(count: u32, len: u32);
            environ_get(pointers: u32, bytes: u32);
            environ_sizes_get(count: u32, len: u32);
            random_get(pointer: u32, len: u32);
            sched_yield();
            proc_raise(signal: u32);
            sock_accept(fd: u32, flags: u32, result: u32);
            sock_recv(fd: u32, buffers: u32, count: u32, flags: u32, len: u32, flags_out: u32);
            sock_send(fd: u32, buffers: u32, count: u32, flags: u32, len: u32);
            sock_shutdown(fd: u32, how: u32);
        }
        time {
            clock_res_get(clock: u32, result: u32);
            clock_time_get(clock: u32, precision: u64, result: u32);
            poll_oneoff(subscriptions: u32, events: u32, count: u32, result: u32);
        }
        streams {
            fd_advise(fd: u32, offset: u64, len: u64, advice: u32);
            fd_allocate(fd: u32, offset: u64, len: u64);
            fd_close(fd: u32);
            fd_datasync(fd: u32);
            fd_pread(fd: u32, buffers: u32, count: u32, offset: u64, result: u32);
            fd_pwrite(fd: u32, buffers: u32, count: u32, offset: u64, result: u32);
            fd_read(fd: u32, buffers: u32, count: u32, result: u32);
            fd_renumber(from: u32, to: u32);
            fd_seek(fd: u32, offset: i64, whence: u32, result: u32);
            fd_sync(fd: u32);
            fd_tell(fd: u32, result: u32);
            fd_write(fd: u32, buffers: u32, count: u32, result: u32);
        }
        describe {
            fd_fdstat_get(fd: u32, result: u32);
            fd_fdstat_set_flags(fd: u32, flags: u32);
            fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64);
            fd_filestat_get(fd: u32, result: u32);
            fd_filestat_set_size(fd: u32, size: u64);
            fd_filestat_set_times(fd: u32, accessed: u64, modified: u64, flags: u32);
        }
        folder {
            fd_prestat_dir_name(fd: u32, pointer: u32, len: u32);
            fd_prestat_get(fd: u32, result: u32);
            fd_readdir(fd: u32, buffer: u32, len: u32, cookie: u64, result: u32);
        }
        path {
            path_filestat_get(fd: u32, flags: u32, path: u32, len: u32, result: u32);
            path_filestat_set_times(fd: u32, flags: u32, path: u32, len: u32, accessed: u64, modified: u64, set: u32);
            path_open(fd: u32, flags: u32, path: u32, len: u32, how: u32, rights: u64, inheriting: u64, mode: u32, result: u32);
        }
        change {
            path_create_directory(fd: u32, path: u32, len: u32);
            path_link(fd: u32, flags: u32, path: u32, len: u32, to_fd: u32, to: u32, to_len: u32);
            path_readlink(fd: u32, path: u32, len: u32, buffer: u32, buffer_len: u32, result: u32);
            path_remove_directory(fd: u32, path: u32, len: u32);
            path_rename(fd: u32, path: u32, len: u32, to_fd: u32, to: u32, to_len: u32);
            path_symlink(target: u32, target_len: u32, fd: u32, path: u32, len: u32);
            path_unlink_file(fd: u32, path: u32, len: u32);
        }
    }
    linker.func_wrap(
        "wasi_snapshot_preview1",
        "proc_exit",
        |mut caller: Caller<'_, State>, code: u32| {
            enter::<()>(&mut caller, |_| Err(crate::state::Stop::Exit(code as i32)))
        },
    )?;
    Ok(())
}

fn answer(
    caller: &mut Caller<'_, State>,
    work: impl FnOnce(&mut Call<'_>) -> Result<(), Fail>,
) -> wasmtime::Result<u32> {
    enter(caller, |call| match work(call) {
        Ok(()) => Ok(0),
        Err(Fail::Told(errno)) => Ok(errno as u32),
        Err(Fail::Ended(stop)) => Err(stop),
    })
}

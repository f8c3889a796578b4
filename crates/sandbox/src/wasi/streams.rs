//! Reading and writing: streams, the job's files and the run's own.
//!
//! As in wasmtime-wasi a read or write serves the first buffer that is not empty; programs loop.

use super::describe::FILE_FLAGS_APPEND;
use super::descriptors::{Descriptor, File};
use super::errno::{Errno, Fail};
use super::files::Id;
use crate::call::{Call, align, at};

type Answer = Result<(), Fail>;

/// Most bytes one call may name, as in wasmtime-wasi.
pub(super) const BYTES_MAX: u32 = 128 << 20;

pub(super) fn fd_read(
    call: &mut Call<'_>,
    fd: u32,
    buffers: u32,
    count: u32,
    result: u32,
) -> Answer {
    read(call, fd, (buffers, count), None, result)
}

pub(super) fn fd_pread(
    call: &mut Call<'_>,
    fd: u32,
    buffers: u32,
    count: u32,
    offset: u64,
    result: u32,
) -> Answer {
    read(call, fd, (buffers, count), Some(offset), result)
}

/// Read at `offset`, or where the descriptor stands, which moves on then.
fn read(
    call: &mut Call<'_>,
    fd: u32,
    (buffers, count): (u32, u32),
    offset: Option<u64>,
    result: u32,
) -> Answer {
    let (pointer, len) = first_buffer(call, buffers, count)?;
    let read = match (call.state.descriptors.get(fd)?, offset) {
        (Descriptor::Stdin, None) => {
            let loan = call.state.loan;
            let rest = &loan.job().input[call.state.descriptors.input_position..];
            let read = rest.len().min(len as usize);
            call.charge_bytes(read)?;
            call.write(pointer, &rest[..read])?;
            call.state.descriptors.input_position += read;
            read as u32
        }
        (Descriptor::Stdin, Some(_)) => return Err(Errno::Spipe.into()),
        (Descriptor::File(file), None) => {
            call.bytes(pointer, len)?;
            let read = read_file(call, file, file.position, pointer, len)?;
            call.state.descriptors.file_mut(fd)?.position += u64::from(read);
            read
        }
        (Descriptor::File(file), Some(offset)) => read_file(call, file, offset, pointer, len)?,
        _ => return Err(Errno::Badf.into()),
    };
    Ok(call.write_u32(result, read)?)
}

/// Copy as much of `file` as fits. Only what is copied is charged, and must lie in memory.
fn read_file(
    call: &mut Call<'_>,
    file: File,
    from: u64,
    pointer: u32,
    len: u32,
) -> Result<u32, Fail> {
    if !file.reads {
        return Err(Errno::Badf.into());
    }
    i64::try_from(from).map_err(|_| Errno::Inval)?;
    let rest = len_of(call, file.id).saturating_sub(from);
    let len = u32::try_from(rest).unwrap_or(u32::MAX).min(len);
    let place = call.pay_for::<Fail>(pointer, len)?;
    let loan = call.state.loan;
    let given = |index: usize| loan.job().files[index].1;
    let into = &mut call.memory[place];
    let read = call.state.files.read(file.id, from, into, given)?;
    assert_eq!(read, into.len(), "the length was looked up before");
    Ok(len)
}

/// How long the file or folder is.
pub(super) fn len_of(call: &Call<'_>, id: Id) -> u64 {
    let job = call.state.loan.job();
    call.state.files.stat(id, |index| job.files[index].1.len() as u64).len
}

pub(super) fn fd_write(
    call: &mut Call<'_>,
    fd: u32,
    buffers: u32,
    count: u32,
    result: u32,
) -> Answer {
    write(call, fd, (buffers, count), None, result)
}

pub(super) fn fd_pwrite(
    call: &mut Call<'_>,
    fd: u32,
    buffers: u32,
    count: u32,
    offset: u64,
    result: u32,
) -> Answer {
    write(call, fd, (buffers, count), Some(offset), result)
}

/// Write at `offset`, or where the descriptor stands, which moves on then.
fn write(
    call: &mut Call<'_>,
    fd: u32,
    (buffers, count): (u32, u32),
    offset: Option<u64>,
    result: u32,
) -> Answer {
    let (pointer, len) = first_buffer(call, buffers, count)?;
    let descriptor = call.state.descriptors.get(fd)?;
    // What has no offset is refused before its bytes are paid for; the fuel of a run depends on this order.
    match (descriptor, offset) {
        (_, None) | (Descriptor::File(_), _) => {}
        (Descriptor::Stdout | Descriptor::Stderr, _) => return Err(Errno::Spipe.into()),
        _ => return Err(Errno::Badf.into()),
    }
    let place = call.pay_for::<Fail>(pointer, len)?;
    match descriptor {
        Descriptor::Stdout => call.state.print(&call.memory[place])?,
        Descriptor::Stderr => call.state.stderr.append(&call.memory[place]).1?,
        Descriptor::File(file) => {
            let end = write_file(call, file, offset.unwrap_or(file.position), place)?;
            if offset.is_none() {
                call.state.descriptors.file_mut(fd)?.position = end;
            }
        }
        _ => return Err(Errno::Badf.into()),
    }
    Ok(call.write_u32(result, len)?)
}

/// Write the bytes at `place` in memory to `file` at `offset`, or at its end if it only grows, and
/// say where they end there.
fn write_file(
    call: &mut Call<'_>,
    file: File,
    offset: u64,
    place: std::ops::Range<usize>,
) -> Result<u64, Fail> {
    if !file.writes {
        return Err(Errno::Badf.into());
    }
    i64::try_from(offset).map_err(|_| Errno::Inval)?;
    let offset = if file.flags & FILE_FLAGS_APPEND == 0 { offset } else { len_of(call, file.id) };
    let (now, len) = (call.state.clock.now_realtime(), place.len() as u64);
    let Call { memory, state, .. } = call;
    let written = state.files.write(file.id, offset, &memory[place], now, &mut state.bounds);
    call.charge_steps()?;
    written?;
    Ok(offset + len)
}

pub(super) fn fd_seek(
    call: &mut Call<'_>,
    fd: u32,
    offset: i64,
    whence: u32,
    result: u32,
) -> Answer {
    if whence > 2 {
        return Err(Fail::BAD_ARGUMENT);
    }
    let file = call.state.descriptors.seekable(fd)?;
    let from = match whence {
        0 => 0,
        1 => file.position,
        _ => len_of(call, file.id),
    };
    let position = from.checked_add_signed(offset).ok_or(Errno::Inval)?;
    call.state.descriptors.file_mut(fd)?.position = position;
    Ok(call.write_u64(result, position)?)
}

pub(super) fn fd_tell(call: &mut Call<'_>, fd: u32, result: u32) -> Answer {
    let file = call.state.descriptors.seekable(fd)?;
    Ok(call.write_u64(result, file.position)?)
}

pub(super) fn fd_close(call: &mut Call<'_>, fd: u32) -> Answer {
    let state = &mut *call.state;
    Ok(state.descriptors.close(fd, &mut state.files, &mut state.bounds)?)
}

pub(super) fn fd_renumber(call: &mut Call<'_>, from: u32, to: u32) -> Answer {
    let state = &mut *call.state;
    Ok(state.descriptors.renumber(from, to, &mut state.files, &mut state.bounds)?)
}

pub(super) fn fd_advise(call: &mut Call<'_>, fd: u32, _: u64, _: u64, advice: u32) -> Answer {
    if advice > 5 {
        return Err(Fail::BAD_ARGUMENT);
    }
    Ok(call.state.descriptors.file(fd).map(drop)?)
}

pub(super) fn fd_allocate(call: &mut Call<'_>, fd: u32, _: u64, _: u64) -> Answer {
    call.state.descriptors.file(fd)?;
    Err(Errno::Notsup.into())
}

pub(super) fn fd_sync(call: &mut Call<'_>, fd: u32) -> Answer {
    Ok(call.state.descriptors.file(fd).map(drop)?)
}

pub(super) fn fd_datasync(call: &mut Call<'_>, fd: u32) -> Answer {
    fd_sync(call, fd)
}

/// The first buffer that is not empty, paid for by its length and by those passed over.
fn first_buffer(call: &mut Call<'_>, buffers: u32, count: u32) -> Result<(u32, u32), Fail> {
    if count > BYTES_MAX / 8 {
        return Err(Errno::Nomem.into());
    }
    // The whole array must lie in memory, also what is not looked at.
    let len = count * 8;
    align(buffers, 4)?;
    call.bytes(buffers, len)?;
    for index in 0..count {
        call.charge_bytes(8)?;
        let buffer = at(buffers, index * 8)?;
        let (pointer, len) = (call.read_u32(buffer)?, call.read_u32(at(buffer, 4)?)?);
        if len > BYTES_MAX {
            return Err(Errno::Nomem.into());
        }
        if len != 0 {
            return Ok((pointer, len));
        }
    }
    Ok((0, 0))
}

//! Reading, writing and describing open descriptors.
//!
//! As in wasmtime-wasi a read or write serves the first buffer that is not empty; programs loop.

use super::descriptors::{Descriptor, File};
use super::errno::{Errno, Fail};
use super::time::Clock;
use crate::call::{Call, align, at};
use crate::loan::Loan;

type Answer = Result<(), Fail>;

/// Most bytes one call may name, as in wasmtime-wasi.
pub(super) const BYTES_MAX: u32 = 128 << 20;

const FILE_FLAGS: u16 = 0b1_1111;
const FILE_FLAGS_APPEND: u16 = 1 << 0;
const FILE_FLAGS_NONBLOCK: u16 = 1 << 2;
const FILE_FLAGS_SYNC: u16 = 0b1_1010;

const RIGHTS_ALL: u64 = (1 << 30) - 1;
const RIGHT_READ: u64 = 1 << 1;
const RIGHT_SEEK: u64 = 1 << 2;
pub(super) const RIGHT_WRITE: u64 = 1 << 6;
const RIGHT_PATH_SET_SIZE: u64 = 1 << 19;
const RIGHT_SET_SIZE: u64 = 1 << 22;
/// What wasmtime-wasi grants a folder given at the start: what many programs expect to find.
const RIGHTS_GIVEN: u64 = 0b111_1011_0111_1111_1110_0000_0000;
const RIGHTS_GIVEN_INHERITING: u64 = RIGHTS_GIVEN | 0b1_1111_1111 | RIGHT_SET_SIZE | 1 << 27;

pub(super) const KIND_UNKNOWN: u8 = 0;
pub(super) const KIND_FOLDER: u8 = 3;
pub(super) const KIND_FILE: u8 = 4;

pub(super) fn fd_read(
    call: &mut Call<'_>,
    fd: u32,
    buffers: u32,
    count: u32,
    result: u32,
) -> Answer {
    let (pointer, len) = first_buffer(call, buffers, count)?;
    let loan = call.state.loan;
    let read = match call.state.descriptors.get(fd)? {
        Descriptor::Stdin => {
            let rest = &loan.job().input[call.state.descriptors.input_position..];
            let read = copy_in(call, rest, pointer, len)?;
            call.state.descriptors.input_position += read as usize;
            read
        }
        Descriptor::File(file) => {
            call.bytes(pointer, len)?;
            let read = copy_in(call, rest_of(&loan, file, file.position)?, pointer, len)?;
            call.state.descriptors.file_mut(fd)?.position += u64::from(read);
            read
        }
        _ => return Err(Errno::Badf.into()),
    };
    Ok(call.write_u32(result, read)?)
}

pub(super) fn fd_pread(
    call: &mut Call<'_>,
    fd: u32,
    buffers: u32,
    count: u32,
    offset: u64,
    result: u32,
) -> Answer {
    let (pointer, len) = first_buffer(call, buffers, count)?;
    let loan = call.state.loan;
    let read = match call.state.descriptors.get(fd)? {
        Descriptor::Stdin => return Err(Errno::Spipe.into()),
        Descriptor::File(file) => copy_in(call, rest_of(&loan, file, offset)?, pointer, len)?,
        _ => return Err(Errno::Badf.into()),
    };
    Ok(call.write_u32(result, read)?)
}

pub(super) fn fd_write(
    call: &mut Call<'_>,
    fd: u32,
    buffers: u32,
    count: u32,
    result: u32,
) -> Answer {
    let (pointer, len) = first_buffer(call, buffers, count)?;
    let descriptor = call.state.descriptors.get(fd)?;
    let place = call.pay_for::<Fail>(pointer, len)?;
    let Call { memory, state, .. } = call;
    let bytes = &memory[place];
    match descriptor {
        Descriptor::Stdout => state.print(bytes)?,
        Descriptor::Stderr => state.stderr.append(bytes).1?,
        _ => return Err(Errno::Badf.into()),
    }
    Ok(call.write_u32(result, len)?)
}

pub(super) fn fd_pwrite(
    call: &mut Call<'_>,
    fd: u32,
    buffers: u32,
    count: u32,
    _: u64,
    _: u32,
) -> Answer {
    first_buffer(call, buffers, count)?;
    match call.state.descriptors.get(fd)? {
        Descriptor::Stdout | Descriptor::Stderr => Err(Errno::Spipe.into()),
        _ => Err(Errno::Badf.into()),
    }
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
        _ => content(&call.state.loan, file).len() as u64,
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
    Ok(call.state.descriptors.close(fd)?)
}

pub(super) fn fd_renumber(call: &mut Call<'_>, from: u32, to: u32) -> Answer {
    Ok(call.state.descriptors.renumber(from, to)?)
}

pub(super) fn fd_fdstat_get(call: &mut Call<'_>, fd: u32, result: u32) -> Answer {
    let (kind, flags, base, inheriting) = match call.state.descriptors.get(fd)? {
        Descriptor::Stdin => (KIND_UNKNOWN, 0, RIGHT_READ, RIGHT_READ),
        Descriptor::Stdout | Descriptor::Stderr => (KIND_UNKNOWN, 0, RIGHT_WRITE, RIGHT_WRITE),
        Descriptor::Folder { given: true } => {
            (KIND_FOLDER, 0, RIGHTS_GIVEN, RIGHTS_GIVEN_INHERITING)
        }
        Descriptor::Folder { given: false } => {
            let rights =
                RIGHTS_ALL & !RIGHT_SEEK & !RIGHT_SET_SIZE & !RIGHT_PATH_SET_SIZE & !RIGHT_WRITE;
            (KIND_FOLDER, 0, rights, rights)
        }
        Descriptor::File(file) => {
            (KIND_FILE, file.flags, RIGHTS_ALL & !RIGHT_WRITE, RIGHTS_ALL & !RIGHT_WRITE)
        }
    };
    align(result, 8)?;
    call.write(result, &[kind])?;
    call.write_u16(at(result, 2)?, flags)?;
    call.write_u64(at(result, 8)?, base)?;
    Ok(call.write_u64(at(result, 16)?, inheriting)?)
}

pub(super) fn fd_fdstat_set_flags(call: &mut Call<'_>, fd: u32, flags: u32) -> Answer {
    let flags = checked_flags(flags, FILE_FLAGS)?;
    let file = call.state.descriptors.file_mut(fd)?;
    if flags & FILE_FLAGS_SYNC != 0 {
        return Err(Errno::Inval.into());
    }
    file.flags = kept_flags(flags);
    Ok(())
}

pub(super) fn fd_fdstat_set_rights(
    call: &mut Call<'_>,
    fd: u32,
    base: u64,
    inheriting: u64,
) -> Answer {
    if (base | inheriting) & !RIGHTS_ALL != 0 {
        return Err(Fail::BAD_ARGUMENT);
    }
    call.state.descriptors.stored(fd)?;
    Err(Errno::Notsup.into())
}

pub(super) fn fd_filestat_get(call: &mut Call<'_>, fd: u32, result: u32) -> Answer {
    match call.state.descriptors.get(fd)? {
        Descriptor::Stdin | Descriptor::Stdout | Descriptor::Stderr => stat_stream(call, result),
        Descriptor::Folder { .. } => stat(call, None, result),
        Descriptor::File(file) => stat(call, Some(file.index), result),
    }
}

pub(super) fn fd_filestat_set_size(call: &mut Call<'_>, fd: u32, _: u64) -> Answer {
    call.state.descriptors.file(fd)?;
    Err(Errno::Perm.into())
}

pub(super) fn fd_filestat_set_times(
    call: &mut Call<'_>,
    fd: u32,
    _: u64,
    _: u64,
    flags: u32,
) -> Answer {
    checked_times(flags)?;
    call.state.descriptors.stored(fd)?;
    Err(Errno::Perm.into())
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

/// Write the file status of the job's file `index`, or of the folder.
pub(super) fn stat(call: &mut Call<'_>, index: Option<usize>, result: u32) -> Answer {
    let job_clock = Clock::starting(call.state.loan.job().clock).now_realtime();
    let (kind, size) = match index {
        Some(index) => (KIND_FILE, call.state.loan.job().files[index].1.len() as u64),
        None => (KIND_FOLDER, 0),
    };
    align(result, 8)?;
    call.write_u64(result, 1)?;
    call.write_u64(at(result, 8)?, inode(index))?;
    call.write(at(result, 16)?, &[kind])?;
    call.write_u64(at(result, 24)?, 1)?;
    call.write_u64(at(result, 32)?, size)?;
    for field in [40, 48, 56] {
        call.write_u64(at(result, field)?, job_clock)?;
    }
    Ok(())
}

pub(super) fn inode(index: Option<usize>) -> u64 {
    index.map_or(1, |index| index as u64 + 2)
}

pub(super) fn checked_flags(flags: u32, known: u16) -> Result<u16, Fail> {
    match u16::try_from(flags) {
        Ok(flags) if flags & !known == 0 => Ok(flags),
        _ => Err(Fail::BAD_ARGUMENT),
    }
}

/// Setting times: a time may be given or be now, not both.
pub(super) fn checked_times(flags: u32) -> Answer {
    let flags = checked_flags(flags, 0b1111)?;
    if flags & 0b11 == 0b11 || flags & 0b1100 == 0b1100 { Err(Errno::Inval.into()) } else { Ok(()) }
}

pub(super) fn opened_flags(flags: u32) -> Result<(u16, bool), Fail> {
    let flags = checked_flags(flags, FILE_FLAGS)?;
    Ok((kept_flags(flags), flags & FILE_FLAGS_SYNC != 0))
}

fn kept_flags(flags: u16) -> u16 {
    flags & (FILE_FLAGS_APPEND | FILE_FLAGS_NONBLOCK)
}

fn stat_stream(call: &mut Call<'_>, result: u32) -> Answer {
    align(result, 8)?;
    for field in [0, 8, 24, 32, 40, 48, 56] {
        call.write_u64(at(result, field)?, 0)?;
    }
    Ok(call.write(at(result, 16)?, &[KIND_UNKNOWN])?)
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

/// Copy as much of `from` as fits. Only what is copied is charged, and must lie in memory.
fn copy_in(call: &mut Call<'_>, from: &[u8], pointer: u32, len: u32) -> Result<u32, Fail> {
    let copied = from.len().min(len as usize);
    call.charge_bytes(copied)?;
    call.write(pointer, &from[..copied])?;
    Ok(copied as u32)
}

fn content(loan: &Loan, file: File) -> &[u8] {
    loan.job().files[file.index].1
}

fn rest_of(loan: &Loan, file: File, from: u64) -> Result<&[u8], Errno> {
    i64::try_from(from).map_err(|_| Errno::Inval)?;
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    Ok(content(loan, file).get(from..).unwrap_or(&[]))
}

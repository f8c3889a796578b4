//! Describing descriptors and files: kinds, flags, rights, sizes and times.

use super::descriptors::{Descriptor, Folder};
use super::errno::{Errno, Fail};
use super::files::{Id, KIND_FILE, KIND_FOLDER, Stat};
use crate::call::{Call, align, at};

type Answer = Result<(), Fail>;

const FILE_FLAGS: u16 = 0b1_1111;
pub(super) const FILE_FLAGS_APPEND: u16 = 1 << 0;
const FILE_FLAGS_NONBLOCK: u16 = 1 << 2;
const FILE_FLAGS_SYNC: u16 = 0b1_1010;

const RIGHTS_ALL: u64 = (1 << 30) - 1;
pub(super) const RIGHT_READ: u64 = 1 << 1;
const RIGHT_SEEK: u64 = 1 << 2;
pub(super) const RIGHT_WRITE: u64 = 1 << 6;
const RIGHT_PATH_SET_SIZE: u64 = 1 << 19;
const RIGHT_SET_SIZE: u64 = 1 << 22;
/// What wasmtime-wasi grants a folder given at the start: what many programs expect to find.
const RIGHTS_GIVEN: u64 = 0b111_1011_0111_1111_1110_0000_0000;
const RIGHTS_GIVEN_INHERITING: u64 = RIGHTS_GIVEN | 0b1_1111_1111 | RIGHT_SET_SIZE | 1 << 27;

const KIND_UNKNOWN: u8 = 0;

pub(super) fn fd_fdstat_get(call: &mut Call<'_>, fd: u32, result: u32) -> Answer {
    let (kind, flags, base, inheriting) = match call.state.descriptors.get(fd)? {
        Descriptor::Stdin => (KIND_UNKNOWN, 0, RIGHT_READ, RIGHT_READ),
        Descriptor::Stdout | Descriptor::Stderr => (KIND_UNKNOWN, 0, RIGHT_WRITE, RIGHT_WRITE),
        Descriptor::Folder(Folder { given: Some(_), .. }) => {
            (KIND_FOLDER, 0, RIGHTS_GIVEN, RIGHTS_GIVEN_INHERITING)
        }
        Descriptor::Folder(Folder { given: None, .. }) => {
            let rights =
                RIGHTS_ALL & !RIGHT_SEEK & !RIGHT_SET_SIZE & !RIGHT_PATH_SET_SIZE & !RIGHT_WRITE;
            (KIND_FOLDER, 0, rights, rights)
        }
        Descriptor::File(file) => {
            let without = |has: bool, right: u64| if has { 0 } else { right };
            let lacks =
                without(file.reads, RIGHT_READ | RIGHT_READDIR) | without(file.writes, RIGHT_WRITE);
            (KIND_FILE, file.flags, RIGHTS_ALL & !lacks, RIGHTS_ALL & !lacks)
        }
    };
    align(result, 8)?;
    call.write(result, &[kind])?;
    call.write_u16(at(result, 2)?, flags)?;
    call.write_u64(at(result, 8)?, base)?;
    Ok(call.write_u64(at(result, 16)?, inheriting)?)
}

const RIGHT_READDIR: u64 = 1 << 14;

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
        Descriptor::Folder(folder) => stat(call, folder.id, result),
        Descriptor::File(file) => stat(call, file.id, result),
    }
}

pub(super) fn fd_filestat_set_size(call: &mut Call<'_>, fd: u32, size: u64) -> Answer {
    let file = call.state.descriptors.file(fd)?;
    if call.state.files.given(file.id).is_some() {
        return Err(Errno::Perm.into());
    }
    if !file.writes || i64::try_from(size).is_err() {
        return Err(Errno::Inval.into());
    }
    let now = call.state.clock.now_realtime();
    let state = &mut *call.state;
    let set = state.files.set_len(file.id, size, now, &mut state.bounds);
    call.charge_steps()?;
    Ok(set?)
}

pub(super) fn fd_filestat_set_times(
    call: &mut Call<'_>,
    fd: u32,
    accessed: u64,
    modified: u64,
    flags: u32,
) -> Answer {
    checked_times(flags)?;
    let id = call.state.descriptors.stored(fd)?;
    set_times(call, id, accessed, modified, flags)
}

/// Set the times that `flags` name, to a moment or to now.
pub(super) fn set_times(
    call: &mut Call<'_>,
    id: Id,
    accessed: u64,
    modified: u64,
    flags: u32,
) -> Answer {
    let now = call.state.clock.now_realtime();
    let choose = |flags: u32, moment: u64| match flags & 0b11 {
        0 => None,
        1 => Some(moment),
        _ => Some(now),
    };
    let (accessed, modified) = (choose(flags, accessed), choose(flags >> 2, modified));
    Ok(call.state.files.set_times(id, accessed, modified, now)?)
}

/// Write the status of what `id` names in the tree.
pub(super) fn stat(call: &mut Call<'_>, id: Id, result: u32) -> Answer {
    let job = call.state.loan.job();
    let Stat { id, kind, links, len, times } =
        call.state.files.stat(id, |index| job.files[index].1.len() as u64);
    align(result, 8)?;
    call.write_u64(result, 1)?;
    call.write_u64(at(result, 8)?, id.inode())?;
    call.write(at(result, 16)?, &[kind])?;
    call.write_u64(at(result, 24)?, links)?;
    call.write_u64(at(result, 32)?, len)?;
    call.write_u64(at(result, 40)?, times.accessed)?;
    call.write_u64(at(result, 48)?, times.modified)?;
    Ok(call.write_u64(at(result, 56)?, times.changed)?)
}

fn stat_stream(call: &mut Call<'_>, result: u32) -> Answer {
    align(result, 8)?;
    for field in [0, 8, 24, 32, 40, 48, 56] {
        call.write_u64(at(result, field)?, 0)?;
    }
    Ok(call.write(at(result, 16)?, &[KIND_UNKNOWN])?)
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

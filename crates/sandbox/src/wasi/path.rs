//! Paths: opening and describing what they lead to.
#![expect(clippy::too_many_arguments, reason = "preview 1 has them")]

use super::describe::{self, checked_flags, opened_flags};
use super::descriptors::{Descriptor, File, Folder};
use super::errno::{Errno, Fail};
use super::files::{Id, KIND_FOLDER, KIND_LINK, Walked};
use super::streams::BYTES_MAX;
use crate::call::Call;

type Answer = Result<(), Fail>;

const OPEN_CREATE: u16 = 1 << 0;
const OPEN_FOLDER: u16 = 1 << 1;
const OPEN_EXCLUSIVE: u16 = 1 << 2;
const OPEN_TRUNCATE: u16 = 1 << 3;
/// Why lookup and open flags are 1 and 4 bits: preview 1 defines no more.
pub(super) const LOOKUP_FLAGS: u16 = 0b1;
const OPEN_FLAGS: u16 = 0b1111;
pub(super) const LOOKUP_FOLLOW: u16 = 0b1;

/// What `path_open` is asked to do.
#[derive(Clone, Copy)]
struct How {
    create: bool,
    folder: bool,
    exclusive: bool,
    truncate: bool,
    reads: bool,
    writes: bool,
}

impl How {
    fn new(flags: u16, rights: u64) -> Result<Self, Errno> {
        let has = |flag: u16| flags & flag != 0;
        let writes = rights & describe::RIGHT_WRITE != 0;
        let how = Self {
            create: has(OPEN_CREATE),
            folder: has(OPEN_FOLDER),
            // Alone it means nothing, as in wasmtime-wasi.
            exclusive: has(OPEN_CREATE) && has(OPEN_EXCLUSIVE),
            truncate: has(OPEN_TRUNCATE),
            // A program that asks for neither may read, as in wasmtime-wasi.
            reads: rights & describe::RIGHT_READ != 0 || !writes,
            writes: writes || has(OPEN_CREATE | OPEN_TRUNCATE),
        };
        let changes = has(OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_TRUNCATE);
        if how.folder && changes { Err(Errno::Inval) } else { Ok(how) }
    }
}

pub(super) fn path_open(
    call: &mut Call<'_>,
    fd: u32,
    flags: u32,
    path: u32,
    len: u32,
    how: u32,
    rights: u64,
    _inheriting: u64,
    mode: u32,
    result: u32,
) -> Answer {
    let follow = checked_flags(flags, LOOKUP_FLAGS)? & LOOKUP_FOLLOW != 0;
    let how = checked_flags(how, OPEN_FLAGS)?;
    let (kept, sync) = opened_flags(mode)?;
    let path = path_text(call, path, len)?;
    let start = match call.state.descriptors.get(fd)? {
        Descriptor::Folder(folder) => folder.id,
        Descriptor::File(_) => return Err(Errno::Notdir.into()),
        _ => return Err(Errno::Badf.into()),
    };
    if sync {
        return Err(Errno::Notsup.into());
    }
    let how = How::new(how, rights)?;
    if call.state.files.is_read_only(start) && how.writes {
        return Err(Errno::Perm.into());
    }
    let at = walk(call, start, &path, follow && !how.exclusive)?;
    let id = open_or_make(call, &at, how)?;
    let descriptor = if call.state.files.kind_of(id) == KIND_FOLDER {
        Descriptor::Folder(Folder { id, given: None })
    } else {
        Descriptor::File(File {
            id,
            position: 0,
            reads: how.reads,
            writes: how.writes,
            flags: kept,
        })
    };
    let state = &mut *call.state;
    let opened = state.descriptors.open(descriptor, &mut state.files)?;
    Ok(call.write_u32(result, opened)?)
}

/// What `at` leads to, opened as `how` says; made if that is asked for.
fn open_or_make(call: &mut Call<'_>, at: &Walked, how: How) -> Result<Id, Fail> {
    let now = call.state.clock.now_realtime();
    let state = &mut *call.state;
    let Some(id) = at.found else {
        if !how.create {
            return Err(Errno::Noent.into());
        }
        return Ok(state.files.make_file(at, now, &mut state.bounds)?);
    };
    if how.exclusive {
        return Err(Errno::Exist.into());
    }
    match state.files.kind_of(id) {
        KIND_FOLDER if how.writes => return Err(Errno::Isdir.into()),
        KIND_FOLDER => return Ok(id),
        KIND_LINK => return Err(Errno::Loop.into()),
        _ if how.folder || at.ends_in_slash() => return Err(Errno::Notdir.into()),
        _ if how.writes && state.files.given(id).is_some() => return Err(Errno::Perm.into()),
        _ => {}
    }
    if how.truncate {
        state.files.set_len(id, 0, now, &mut state.bounds)?;
    }
    Ok(id)
}

pub(super) fn path_filestat_get(
    call: &mut Call<'_>,
    fd: u32,
    flags: u32,
    path: u32,
    len: u32,
    result: u32,
) -> Answer {
    let id = find(call, fd, flags, path, len)?;
    describe::stat(call, id, result)
}

pub(super) fn path_filestat_set_times(
    call: &mut Call<'_>,
    fd: u32,
    flags: u32,
    path: u32,
    len: u32,
    accessed: u64,
    modified: u64,
    set: u32,
) -> Answer {
    checked_flags(flags, LOOKUP_FLAGS)?;
    describe::checked_times(set)?;
    let id = find(call, fd, flags, path, len)?;
    describe::set_times(call, id, accessed, modified, set)
}

/// What the path leads to, which must be there.
fn find(call: &mut Call<'_>, fd: u32, flags: u32, path: u32, len: u32) -> Result<Id, Fail> {
    let follow = checked_flags(flags, LOOKUP_FLAGS)? & LOOKUP_FOLLOW != 0;
    let start = call.state.descriptors.folder(fd)?;
    let path = path_text(call, path, len)?;
    let at = walk(call, start, &path, follow)?;
    let id = at.existing()?;
    if at.ends_in_slash() && call.state.files.kind_of(id) != KIND_FOLDER {
        return Err(Errno::Notdir.into());
    }
    Ok(id)
}

/// Walk a path, and pay for the way.
fn walk(call: &mut Call<'_>, start: Id, path: &str, follow: bool) -> Result<Walked, Fail> {
    let walked = call.state.files.walk(start, path, follow);
    call.charge_steps()?;
    Ok(walked?)
}

/// A path as the module gave it, read and paid for.
pub(super) fn path_text(call: &mut Call<'_>, pointer: u32, len: u32) -> Result<String, Fail> {
    if len > BYTES_MAX {
        return Err(Errno::Nomem.into());
    }
    let place = call.pay_for::<Fail>(pointer, len)?;
    Ok(std::str::from_utf8(&call.memory[place]).map_err(|_| Errno::Ilseq)?.to_owned())
}

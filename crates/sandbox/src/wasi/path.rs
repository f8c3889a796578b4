//! The folder `/in`: flat, read-only, the job's files by name.
#![expect(clippy::too_many_arguments, reason = "preview 1 has them")]

use super::descriptors::{Descriptor, File};
use super::errno::{Errno, Fail};
use super::io;
use crate::call::{Call, align, at};

type Answer = Result<(), Fail>;

/// Where the module finds the folder.
const FOLDER: &str = "/in";
const DIRENT_BYTES: usize = 24;

const OPEN_CREATE: u16 = 1 << 0;
const OPEN_FOLDER: u16 = 1 << 1;
const OPEN_EXCLUSIVE: u16 = 1 << 2;
const OPEN_TRUNCATE: u16 = 1 << 3;
/// Why lookup and open flags are 1 and 4 bits: preview 1 defines no more.
const LOOKUP_FLAGS: u16 = 0b1;
const OPEN_FLAGS: u16 = 0b1111;

/// What a path leads to: the folder, or a file by its place in the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Folder,
    File(usize),
}

pub(super) fn fd_prestat_get(call: &mut Call<'_>, fd: u32, result: u32) -> Answer {
    let Descriptor::Folder { given: true } = call.state.descriptors.get(fd)? else {
        return Err(Errno::Badf.into());
    };
    align(result, 4)?;
    call.write(result, &[0])?;
    Ok(call.write_u32(at(result, 4)?, FOLDER.len() as u32)?)
}

pub(super) fn fd_prestat_dir_name(call: &mut Call<'_>, fd: u32, pointer: u32, len: u32) -> Answer {
    let Descriptor::Folder { given: true } = call.state.descriptors.get(fd)? else {
        return Err(Errno::Notdir.into());
    };
    if (len as usize) < FOLDER.len() {
        return Err(Errno::Nametoolong.into());
    }
    Ok(call.write(pointer, FOLDER.as_bytes())?)
}

/// List the folder: `.`, `..`, then the files by name. A cut-off entry means: ask again with more room.
pub(super) fn fd_readdir(
    call: &mut Call<'_>,
    fd: u32,
    buffer: u32,
    len: u32,
    cookie: u64,
    result: u32,
) -> Answer {
    call.state.descriptors.folder(fd)?;
    let loan = call.state.loan;
    let files = loan.job().files;
    let mut entries = vec![(".", None), ("..", None)];
    let mut by_name: Vec<_> = (0..files.len()).map(|index| (files[index].0, Some(index))).collect();
    by_name.sort_unstable();
    entries.extend(by_name);
    let mut listing = vec![];
    for (next, (name, index)) in
        (1u64..).zip(entries).skip(usize::try_from(cookie).unwrap_or(usize::MAX))
    {
        let mut entry = [0; DIRENT_BYTES];
        entry[..8].copy_from_slice(&next.to_le_bytes());
        entry[8..16].copy_from_slice(&io::inode(index).to_le_bytes());
        entry[16..20].copy_from_slice(&(name.len() as u32).to_le_bytes());
        entry[20] = if index.is_some() { io::KIND_FILE } else { io::KIND_FOLDER };
        listing.extend_from_slice(&entry);
        listing.extend_from_slice(name.as_bytes());
    }
    listing.truncate(len as usize);
    call.charge_bytes(listing.len())?;
    call.write(buffer, &listing)?;
    Ok(call.write_u32(result, listing.len() as u32)?)
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
    io::checked_flags(flags, LOOKUP_FLAGS)?;
    let how = io::checked_flags(how, OPEN_FLAGS)?;
    let (kept, sync) = io::opened_flags(mode)?;
    let path = path_text(call, path, len)?;
    match call.state.descriptors.get(fd)? {
        Descriptor::Folder { .. } => {}
        Descriptor::File(_) => return Err(Errno::Notdir.into()),
        _ => return Err(Errno::Badf.into()),
    }
    if sync {
        return Err(Errno::Notsup.into());
    }
    if how & OPEN_FOLDER != 0 && how & (OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_TRUNCATE) != 0 {
        return Err(Errno::Inval.into());
    }
    if how & (OPEN_CREATE | OPEN_TRUNCATE) != 0 || rights & io::RIGHT_WRITE != 0 {
        return Err(Errno::Perm.into());
    }
    let opened = match find(call, &path)? {
        Found::Folder => Descriptor::Folder { given: false },
        Found::File(_) if how & OPEN_FOLDER != 0 => return Err(Errno::Notdir.into()),
        Found::File(index) => Descriptor::File(File { index, position: 0, flags: kept }),
    };
    let opened = call.state.descriptors.open(opened)?;
    Ok(call.write_u32(result, opened)?)
}

pub(super) fn path_filestat_get(
    call: &mut Call<'_>,
    fd: u32,
    flags: u32,
    path: u32,
    len: u32,
    result: u32,
) -> Answer {
    io::checked_flags(flags, LOOKUP_FLAGS)?;
    call.state.descriptors.folder(fd)?;
    let path = path_text(call, path, len)?;
    match find(call, &path)? {
        Found::Folder => io::stat(call, None, result),
        Found::File(index) => io::stat(call, Some(index), result),
    }
}

pub(super) fn path_readlink(
    call: &mut Call<'_>,
    fd: u32,
    path: u32,
    len: u32,
    _buffer: u32,
    _buffer_len: u32,
    _result: u32,
) -> Answer {
    call.state.descriptors.folder(fd)?;
    let path = path_text(call, path, len)?;
    find(call, &path)?;
    Err(Errno::Inval.into()) // There are no links.
}

pub(super) fn path_create_directory(call: &mut Call<'_>, fd: u32, path: u32, len: u32) -> Answer {
    read_only(call, fd, path, len)
}

pub(super) fn path_remove_directory(call: &mut Call<'_>, fd: u32, path: u32, len: u32) -> Answer {
    read_only(call, fd, path, len)
}

pub(super) fn path_unlink_file(call: &mut Call<'_>, fd: u32, path: u32, len: u32) -> Answer {
    read_only(call, fd, path, len)
}

pub(super) fn path_filestat_set_times(
    call: &mut Call<'_>,
    fd: u32,
    flags: u32,
    path: u32,
    len: u32,
    _accessed: u64,
    _modified: u64,
    set: u32,
) -> Answer {
    io::checked_flags(flags, LOOKUP_FLAGS)?;
    io::checked_times(set)?;
    read_only(call, fd, path, len)
}

pub(super) fn path_link(
    call: &mut Call<'_>,
    fd: u32,
    flags: u32,
    path: u32,
    len: u32,
    to_fd: u32,
    to: u32,
    to_len: u32,
) -> Answer {
    io::checked_flags(flags, LOOKUP_FLAGS)?;
    path_rename(call, fd, path, len, to_fd, to, to_len)
}

pub(super) fn path_rename(
    call: &mut Call<'_>,
    fd: u32,
    path: u32,
    len: u32,
    to_fd: u32,
    to: u32,
    to_len: u32,
) -> Answer {
    call.state.descriptors.folder(fd)?;
    call.state.descriptors.folder(to_fd)?;
    path_text(call, path, len)?;
    read_only(call, to_fd, to, to_len)
}

pub(super) fn path_symlink(
    call: &mut Call<'_>,
    target: u32,
    target_len: u32,
    fd: u32,
    path: u32,
    len: u32,
) -> Answer {
    call.state.descriptors.folder(fd)?;
    path_text(call, target, target_len)?;
    read_only(call, fd, path, len)
}

/// Any change to the folder is refused, after the arguments were looked at.
fn read_only(call: &mut Call<'_>, fd: u32, path: u32, len: u32) -> Answer {
    call.state.descriptors.folder(fd)?;
    path_text(call, path, len)?;
    Err(Errno::Perm.into())
}

fn path_text(call: &mut Call<'_>, pointer: u32, len: u32) -> Result<String, Fail> {
    if len > io::BYTES_MAX {
        return Err(Errno::Nomem.into());
    }
    let place = call.pay_for::<Fail>(pointer, len)?;
    Ok(std::str::from_utf8(&call.memory[place]).map_err(|_| Errno::Ilseq)?.to_owned())
}

fn find(call: &mut Call<'_>, path: &str) -> Result<Found, Fail> {
    let loan = call.state.loan;
    call.charge_bytes(loan.job().files.len())?;
    Ok(resolve(path, |name| loan.job().files.iter().position(|(file, _)| *file == name))?)
}

/// Walk `path` from the folder. It may wander (`./x/../x`) but not out.
fn resolve(path: &str, index_of: impl Fn(&str) -> Option<usize>) -> Result<Found, Errno> {
    if path.is_empty() {
        return Err(Errno::Noent);
    }
    if path.starts_with('/') {
        return Err(Errno::Perm);
    }
    if path.contains('\0') {
        return Err(Errno::Inval);
    }
    let mut found = Found::Folder;
    for part in path.split('/') {
        found = match (found, part) {
            (Found::File(_), _) => return Err(Errno::Notdir),
            (Found::Folder, "" | ".") => Found::Folder,
            (Found::Folder, "..") => return Err(Errno::Perm),
            (Found::Folder, name) => Found::File(index_of(name).ok_or(Errno::Noent)?),
        };
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_do_not_lead_out() {
        let find = |path: &str| resolve(path, |name| (name == "a").then_some(7));
        assert_eq!(find("a"), Ok(Found::File(7)));
        assert_eq!(find("./a"), Ok(Found::File(7)));
        assert_eq!(find("."), Ok(Found::Folder));
        assert_eq!(find("b"), Err(Errno::Noent));
        assert_eq!(find(""), Err(Errno::Noent));
        assert_eq!(find("a/"), Err(Errno::Notdir));
        assert_eq!(find("a/.."), Err(Errno::Notdir));
        for path in ["/a", "..", "../a", "./../in/a"] {
            assert_eq!(find(path), Err(Errno::Perm), "{path}");
        }
    }
}

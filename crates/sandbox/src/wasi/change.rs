//! Changing folders: making, removing, renaming and linking what is in them.

use super::describe::checked_flags;
use super::errno::{Errno, Fail};
use super::files::{Files, Id};
use super::path::{LOOKUP_FLAGS, LOOKUP_FOLLOW, path_text};
use crate::call::{Call, at};
use crate::limits::Bounds;

type Answer = Result<(), Fail>;
/// A folder, and a path from there.
type Named = (Id, String);

pub(super) fn path_create_directory(call: &mut Call<'_>, fd: u32, path: u32, len: u32) -> Answer {
    let (start, path) = named(call, fd, path, len)?;
    change(call, &[start], |files, now, bounds| {
        files.make_folder(start, &path, now, bounds).map(drop)
    })
}

pub(super) fn path_remove_directory(call: &mut Call<'_>, fd: u32, path: u32, len: u32) -> Answer {
    let (start, path) = named(call, fd, path, len)?;
    change(call, &[start], |files, now, bounds| files.remove_folder((start, &path), now, bounds))
}

pub(super) fn path_unlink_file(call: &mut Call<'_>, fd: u32, path: u32, len: u32) -> Answer {
    let (start, path) = named(call, fd, path, len)?;
    change(call, &[start], |files, now, bounds| files.unlink((start, &path), now, bounds))
}

#[expect(clippy::too_many_arguments, reason = "preview 1 has them")]
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
    let follow = checked_flags(flags, LOOKUP_FLAGS)? & LOOKUP_FOLLOW != 0;
    let (from, to) = two_named(call, (fd, path, len), (to_fd, to, to_len))?;
    if follow {
        return Err(Errno::Inval.into());
    }
    change(call, &[from.0, to.0], |files, _, bounds| {
        files.add_name((from.0, &from.1), (to.0, &to.1), bounds)
    })
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
    let (from, to) = two_named(call, (fd, path, len), (to_fd, to, to_len))?;
    change(call, &[from.0, to.0], |files, now, bounds| {
        files.rename((from.0, &from.1), (to.0, &to.1), now, bounds)
    })
}

pub(super) fn path_symlink(
    call: &mut Call<'_>,
    target: u32,
    target_len: u32,
    fd: u32,
    path: u32,
    len: u32,
) -> Answer {
    let start = call.state.descriptors.folder(fd)?;
    let target = path_text(call, target, target_len)?;
    let path = path_text(call, path, len)?;
    change(call, &[start], |files, now, bounds| files.link_to(start, &path, &target, now, bounds))
}

/// What a link says, as much of it as fits.
pub(super) fn path_readlink(
    call: &mut Call<'_>,
    fd: u32,
    path: u32,
    len: u32,
    buffer: u32,
    buffer_len: u32,
    result: u32,
) -> Answer {
    let (start, path) = named(call, fd, path, len)?;
    let target = call.state.files.target(start, &path);
    call.charge_steps()?;
    let target = target?;
    let shown = target.len().min(buffer_len as usize);
    call.charge_bytes(shown)?;
    call.write(buffer, &target.as_bytes()[..shown])?;
    Ok(call.write_u32(at(result, 0)?, shown as u32)?)
}

/// The folder and path of a call's arguments.
fn named(call: &mut Call<'_>, fd: u32, path: u32, len: u32) -> Result<Named, Fail> {
    let start = call.state.descriptors.folder(fd)?;
    Ok((start, path_text(call, path, len)?))
}

/// The same twice: both folders are looked at before both paths.
fn two_named(
    call: &mut Call<'_>,
    (fd, path, len): (u32, u32, u32),
    (to_fd, to, to_len): (u32, u32, u32),
) -> Result<(Named, Named), Fail> {
    let start = call.state.descriptors.folder(fd)?;
    let to_start = call.state.descriptors.folder(to_fd)?;
    let path = path_text(call, path, len)?;
    Ok(((start, path), (to_start, path_text(call, to, to_len)?)))
}

/// Change the tree below `starts`, and pay for the work also if it was refused.
fn change(
    call: &mut Call<'_>,
    starts: &[Id],
    work: impl FnOnce(&mut Files, u64, &mut Bounds) -> Result<(), Errno>,
) -> Answer {
    let now = call.state.clock.now_realtime();
    let state = &mut *call.state;
    if starts.iter().any(|start| state.files.is_read_only(*start)) {
        return Err(Errno::Perm.into());
    }
    let result = work(&mut state.files, now, &mut state.bounds);
    call.charge_steps()?;
    Ok(result?)
}

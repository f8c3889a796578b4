//! Folders: which the program is given, and what is in them.

use super::descriptors::{Descriptor, Folder};
use super::errno::{Errno, Fail};
use crate::call::{Call, align, at};

type Answer = Result<(), Fail>;

const DIRENT_BYTES: usize = 24;

pub(super) fn fd_prestat_get(call: &mut Call<'_>, fd: u32, result: u32) -> Answer {
    let Descriptor::Folder(Folder { given: Some(name), .. }) = call.state.descriptors.get(fd)?
    else {
        return Err(Errno::Badf.into());
    };
    align(result, 4)?;
    call.write(result, &[0])?;
    Ok(call.write_u32(at(result, 4)?, name.len() as u32)?)
}

pub(super) fn fd_prestat_dir_name(call: &mut Call<'_>, fd: u32, pointer: u32, len: u32) -> Answer {
    let Descriptor::Folder(Folder { given: Some(name), .. }) = call.state.descriptors.get(fd)?
    else {
        return Err(Errno::Notdir.into());
    };
    if (len as usize) < name.len() {
        return Err(Errno::Nametoolong.into());
    }
    Ok(call.write(pointer, name.as_bytes())?)
}

/// List a folder: `.`, `..`, then its entries by name. A cut-off entry means: ask again with more
/// room.
pub(super) fn fd_readdir(
    call: &mut Call<'_>,
    fd: u32,
    buffer: u32,
    len: u32,
    cookie: u64,
    result: u32,
) -> Answer {
    let folder = call.state.descriptors.folder(fd)?;
    let from = usize::try_from(cookie).unwrap_or(usize::MAX);
    let mut listing = vec![];
    let room = len as usize;
    call.state.files.list(folder, from, |number, name, id, kind| {
        let mut entry = [0; DIRENT_BYTES];
        entry[..8].copy_from_slice(&(number as u64 + 1).to_le_bytes());
        entry[8..16].copy_from_slice(&id.inode().to_le_bytes());
        entry[16..20].copy_from_slice(&(name.len() as u32).to_le_bytes());
        entry[20] = kind;
        listing.extend_from_slice(&entry);
        listing.extend_from_slice(name.as_bytes());
        listing.len() < room
    })?;
    listing.truncate(room);
    call.charge_steps()?;
    call.charge_bytes(listing.len())?;
    call.write(buffer, &listing)?;
    Ok(call.write_u32(result, listing.len() as u32)?)
}

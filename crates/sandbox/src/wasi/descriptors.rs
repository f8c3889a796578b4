//! Open descriptors: what each number stands for.

use super::errno::Errno;
use super::files::{Files, Id};
use crate::limits::{Bounds, OPEN_FILES_MAX};
use std::collections::{BTreeMap, BTreeSet};

/// What a descriptor stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Descriptor {
    Stdin,
    Stdout,
    Stderr,
    Folder(Folder),
    File(File),
}

/// An open folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Folder {
    pub(super) id: Id,
    /// The name under which the program was given it, if it was open from the start.
    pub(super) given: Option<&'static str>,
}

/// An open file: which, and where reading and writing go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(super) id: Id,
    pub(super) position: u64,
    pub(super) reads: bool,
    pub(super) writes: bool,
    /// `append` and `nonblock`; the second is kept only to be reported.
    pub(super) flags: u16,
}

/// The table. Numbers are handed out as wasmtime-wasi does: the highest freed one, else the next.
pub(crate) struct Descriptors {
    used: BTreeMap<u32, Descriptor>,
    free: BTreeSet<u32>,
    /// How much of the input has been read.
    pub(crate) input_position: usize,
}

impl Descriptors {
    /// The three streams, and the folders that a program is given. `/in` is first, where Go and Zig
    /// look for the current directory; `.` is last, where C looks for it.
    pub(crate) fn new(files: &mut Files) -> Self {
        let folders = [
            ("/in", files.input()),
            ("/tmp", files.temporary()),
            ("/out", files.output()),
            ("/", files.root()),
            (".", files.input()),
        ];
        let folders = folders.map(|(name, id)| {
            files.opened(id);
            Descriptor::Folder(Folder { id, given: Some(name) })
        });
        let used = [Descriptor::Stdin, Descriptor::Stdout, Descriptor::Stderr];
        let used = (0..).zip(used.into_iter().chain(folders)).collect();
        Self { used, free: BTreeSet::new(), input_position: 0 }
    }

    pub(crate) fn get(&self, fd: u32) -> Result<Descriptor, Errno> {
        self.used.get(&fd).copied().ok_or(Errno::Badf)
    }

    pub(crate) fn file(&self, fd: u32) -> Result<File, Errno> {
        match self.get(fd)? {
            Descriptor::File(file) => Ok(file),
            _ => Err(Errno::Badf),
        }
    }

    pub(crate) fn file_mut(&mut self, fd: u32) -> Result<&mut File, Errno> {
        match self.used.get_mut(&fd) {
            Some(Descriptor::File(file)) => Ok(file),
            _ => Err(Errno::Badf),
        }
    }

    /// A file, or the errno that seeking anything else gives.
    pub(crate) fn seekable(&self, fd: u32) -> Result<File, Errno> {
        match self.get(fd)? {
            Descriptor::File(file) => Ok(file),
            Descriptor::Folder(_) => Err(Errno::Badf),
            Descriptor::Stdin | Descriptor::Stdout | Descriptor::Stderr => Err(Errno::Spipe),
        }
    }

    pub(crate) fn folder(&self, fd: u32) -> Result<Id, Errno> {
        match self.get(fd)? {
            Descriptor::Folder(folder) => Ok(folder.id),
            _ => Err(Errno::Badf),
        }
    }

    /// A file or folder, not a stream.
    pub(crate) fn stored(&self, fd: u32) -> Result<Id, Errno> {
        match self.get(fd)? {
            Descriptor::File(file) => Ok(file.id),
            Descriptor::Folder(folder) => Ok(folder.id),
            _ => Err(Errno::Badf),
        }
    }

    pub(crate) fn open(&mut self, descriptor: Descriptor, files: &mut Files) -> Result<u32, Errno> {
        if self.used.len() >= OPEN_FILES_MAX {
            return Err(Errno::Nfile);
        }
        let next = self.used.last_key_value().map_or(0, |(fd, _)| fd + 1);
        let fd = self.free.pop_last().unwrap_or(next);
        let old = self.used.insert(fd, descriptor);
        assert_eq!(old, None, "a free number is not in use");
        if let Some(id) = descriptor.stored() {
            files.opened(id);
        }
        Ok(fd)
    }

    pub(crate) fn close(
        &mut self,
        fd: u32,
        files: &mut Files,
        bounds: &mut Bounds,
    ) -> Result<(), Errno> {
        let closed = self.used.remove(&fd).ok_or(Errno::Badf)?;
        self.free.insert(fd);
        if let Some(id) = closed.stored() {
            files.closed(id, bounds);
        }
        Ok(())
    }

    pub(crate) fn renumber(
        &mut self,
        from: u32,
        to: u32,
        files: &mut Files,
        bounds: &mut Bounds,
    ) -> Result<(), Errno> {
        let moved = self.get(from)?;
        let replaced = self.get(to)?;
        if from != to {
            self.used.remove(&from);
            self.free.insert(from);
            self.used.insert(to, moved);
            if let Some(id) = replaced.stored() {
                files.closed(id, bounds);
            }
        }
        Ok(())
    }
}

impl Descriptor {
    /// What it stands for in the tree, if it is not a stream.
    const fn stored(&self) -> Option<Id> {
        match self {
            Self::File(file) => Some(file.id),
            Self::Folder(folder) => Some(folder.id),
            Self::Stdin | Self::Stdout | Self::Stderr => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> (Descriptors, Files, Bounds) {
        let mut files = Files::new(std::iter::empty(), 0);
        (Descriptors::new(&mut files), files, Bounds::new(1 << 20))
    }

    #[test]
    fn freed_numbers_come_back() {
        let (mut table, mut files, mut bounds) = table();
        let folder = Descriptor::Folder(Folder { id: files.root(), given: None });
        assert_eq!(table.open(folder, &mut files), Ok(8));
        assert_eq!(table.close(0, &mut files, &mut bounds), Ok(()));
        assert_eq!(table.open(folder, &mut files), Ok(0));
        assert_eq!(table.renumber(0, 8, &mut files, &mut bounds), Ok(()));
        assert_eq!(table.get(0), Err(Errno::Badf));
        assert_eq!(table.close(9, &mut files, &mut bounds), Err(Errno::Badf));
    }

    #[test]
    fn open_files_are_bounded() {
        let (mut table, mut files, _) = table();
        let folder = Descriptor::Folder(Folder { id: files.root(), given: None });
        let open = |_: &usize| table.open(folder, &mut files).is_ok();
        assert_eq!((0..2 * OPEN_FILES_MAX).take_while(open).count(), OPEN_FILES_MAX - 8);
        assert_eq!(table.open(folder, &mut files), Err(Errno::Nfile));
    }
}

//! Open descriptors: what each number stands for.

use super::errno::Errno;
use crate::limits::OPEN_FILES_MAX;
use std::collections::{BTreeMap, BTreeSet};

/// What a descriptor stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Descriptor {
    Stdin,
    Stdout,
    Stderr,
    /// The folder `/in`: given at the start, or opened again by the module.
    Folder {
        given: bool,
    },
    File(File),
}

/// An open file: which of the job's, and where reading goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) index: usize,
    pub(crate) position: u64,
    /// `append` and `nonblock`, kept only to be reported.
    pub(crate) flags: u16,
}

/// The table. Numbers are handed out as wasmtime-wasi does: the highest freed one, else the next.
pub(crate) struct Descriptors {
    used: BTreeMap<u32, Descriptor>,
    free: BTreeSet<u32>,
    /// How much of the input has been read.
    pub(crate) input_position: usize,
}

impl Descriptors {
    pub(crate) fn new() -> Self {
        let used = [
            Descriptor::Stdin,
            Descriptor::Stdout,
            Descriptor::Stderr,
            Descriptor::Folder { given: true },
        ];
        Self { used: (0..).zip(used).collect(), free: BTreeSet::new(), input_position: 0 }
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
            Descriptor::Folder { .. } => Err(Errno::Badf),
            Descriptor::Stdin | Descriptor::Stdout | Descriptor::Stderr => Err(Errno::Spipe),
        }
    }

    pub(crate) fn folder(&self, fd: u32) -> Result<(), Errno> {
        match self.get(fd)? {
            Descriptor::Folder { .. } => Ok(()),
            _ => Err(Errno::Badf),
        }
    }

    /// A file or folder, not a stream.
    pub(crate) fn stored(&self, fd: u32) -> Result<(), Errno> {
        match self.get(fd)? {
            Descriptor::File(_) | Descriptor::Folder { .. } => Ok(()),
            _ => Err(Errno::Badf),
        }
    }

    pub(crate) fn open(&mut self, descriptor: Descriptor) -> Result<u32, Errno> {
        if self.used.len() >= OPEN_FILES_MAX {
            return Err(Errno::Nfile);
        }
        let next = self.used.last_key_value().map_or(0, |(fd, _)| fd + 1);
        let fd = self.free.pop_last().unwrap_or(next);
        let old = self.used.insert(fd, descriptor);
        assert_eq!(old, None, "a free number is not in use");
        Ok(fd)
    }

    pub(crate) fn close(&mut self, fd: u32) -> Result<(), Errno> {
        self.used.remove(&fd).ok_or(Errno::Badf)?;
        self.free.insert(fd);
        Ok(())
    }

    pub(crate) fn renumber(&mut self, from: u32, to: u32) -> Result<(), Errno> {
        let moved = self.get(from)?;
        self.get(to)?;
        if from != to {
            self.close(from)?;
            self.used.insert(to, moved);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freed_numbers_come_back() {
        let mut table = Descriptors::new();
        let folder = Descriptor::Folder { given: false };
        assert_eq!(table.open(folder), Ok(4));
        assert_eq!(table.close(0), Ok(()));
        assert_eq!(table.open(folder), Ok(0));
        assert_eq!(table.renumber(0, 4), Ok(()));
        assert_eq!(table.get(0), Err(Errno::Badf));
        assert_eq!(table.close(9), Err(Errno::Badf));
    }

    #[test]
    fn open_files_are_bounded() {
        let mut table = Descriptors::new();
        let folder = Descriptor::Folder { given: false };
        let opened = (0..2 * OPEN_FILES_MAX).take_while(|_| table.open(folder).is_ok()).count();
        assert_eq!(opened, OPEN_FILES_MAX - 4);
        assert_eq!(table.open(folder), Err(Errno::Nfile));
    }
}

//! Changing the tree: what is made, written, renamed and removed.

use super::super::errno::Errno;
use super::walk::Walked;
use super::{Content, Files, Id, Kind, LINKS_MAX, NODE_BYTES, Times};
use crate::limits::Bounds;
use std::collections::BTreeMap;

impl Files {
    /// A new file where `at` led.
    pub(in super::super) fn make_file(
        &mut self,
        at: &Walked,
        now: u64,
        bounds: &mut Bounds,
    ) -> Result<Id, Errno> {
        let name = self.free(at)?;
        if at.slash {
            return Err(Errno::Isdir);
        }
        self.make(at.folder, &name, Kind::File(Content::default()), now, bounds)
    }

    /// A new folder at `path` from `start`.
    pub(in super::super) fn make_folder(
        &mut self,
        start: Id,
        path: &str,
        now: u64,
        bounds: &mut Bounds,
    ) -> Result<Id, Errno> {
        let at = self.walk(start, path, false)?;
        let name = self.free(&at)?;
        let kind = Kind::Folder { entries: BTreeMap::new(), parent: at.folder };
        self.make(at.folder, &name, kind, now, bounds)
    }

    /// A new link at `path` from `start`, which says `target`.
    pub(in super::super) fn link_to(
        &mut self,
        start: Id,
        path: &str,
        target: &str,
        now: u64,
        bounds: &mut Bounds,
    ) -> Result<(), Errno> {
        if target.starts_with('/') {
            return Err(Errno::Perm);
        }
        let at = self.walk(start, path, false)?;
        let name = self.free(&at)?;
        if at.slash {
            return Err(Errno::Noent);
        }
        if !bounds.take(target.len() as u64) {
            return Err(Errno::Nospc);
        }
        self.steps += target.len() as u64;
        let made = self.make(at.folder, &name, Kind::Link(target.to_owned()), now, bounds);
        if made.is_err() {
            bounds.give_back(target.len() as u64);
        }
        made.map(drop)
    }

    /// What the link at `path` says.
    pub(in super::super) fn target(&mut self, start: Id, path: &str) -> Result<String, Errno> {
        let id = self.walk(start, path, false)?.existing()?;
        match &self.node(id).kind {
            Kind::Link(target) => Ok(target.clone()),
            _ => Err(Errno::Inval),
        }
    }

    /// A second name, at `to`, for the file at `from`.
    pub(in super::super) fn add_name(
        &mut self,
        (from_start, from): (Id, &str),
        (to_start, to): (Id, &str),
        bounds: &mut Bounds,
    ) -> Result<(), Errno> {
        let walked = self.walk(from_start, from, false)?;
        let id = walked.existing()?;
        let at = self.walk(to_start, to, false)?;
        let name = self.free(&at)?;
        match self.node(id).kind {
            Kind::Folder { .. } => return Err(Errno::Perm),
            Kind::Given(_) => return Err(Errno::Perm),
            _ if walked.slash => return Err(Errno::Notdir),
            _ if at.slash => return Err(Errno::Noent),
            Kind::File(_) | Kind::Link(_) => {}
        }
        if self.node(id).links >= LINKS_MAX {
            return Err(Errno::Mlink);
        }
        if !bounds.take(name.len() as u64) {
            return Err(Errno::Nospc);
        }
        self.attach(at.folder, &name, id);
        Ok(())
    }

    /// Remove the file or link at `path` from `start`.
    pub(in super::super) fn unlink(
        &mut self,
        (start, path): (Id, &str),
        now: u64,
        bounds: &mut Bounds,
    ) -> Result<(), Errno> {
        let at = self.walk(start, path, false)?;
        match self.node(at.existing()?).kind {
            Kind::Folder { .. } => Err(Errno::Isdir),
            _ if at.slash => Err(Errno::Notdir),
            _ => self.take_away(&at, now, bounds),
        }
    }

    /// Remove the empty folder at `path` from `start`.
    pub(in super::super) fn remove_folder(
        &mut self,
        (start, path): (Id, &str),
        now: u64,
        bounds: &mut Bounds,
    ) -> Result<(), Errno> {
        let at = self.walk(start, path, false)?;
        let Kind::Folder { entries, .. } = &self.node(at.existing()?).kind else {
            return Err(Errno::Notdir);
        };
        let empty = entries.is_empty();
        match at.name {
            None => Err(Errno::Inval),
            Some(_) if !empty => Err(Errno::Notempty),
            Some(_) => self.take_away(&at, now, bounds),
        }
    }

    fn take_away(&mut self, at: &Walked, now: u64, bounds: &mut Bounds) -> Result<(), Errno> {
        let name = self.changeable(at)?;
        self.remove(at.folder, &name, now, bounds);
        Ok(())
    }

    /// Give what is at `from` the name `to`; what was there is replaced.
    pub(in super::super) fn rename(
        &mut self,
        (from_start, from): (Id, &str),
        (to_start, to): (Id, &str),
        now: u64,
        bounds: &mut Bounds,
    ) -> Result<(), Errno> {
        let source = self.walk(from_start, from, false)?;
        let moved = source.existing()?;
        let target = self.walk(to_start, to, false)?;
        let is_folder = matches!(self.node(moved).kind, Kind::Folder { .. });
        if (source.slash || (target.slash && target.found.is_none())) && !is_folder {
            return Err(Errno::Notdir);
        }
        let old_name = self.changeable(&source)?;
        let new_name = target.name.clone().ok_or(Errno::Busy)?;
        self.writable(target.folder)?;
        if is_folder && self.is_inside(target.folder, moved) {
            return Err(Errno::Inval);
        }
        if let Some(replaced) = target.found {
            if replaced == moved {
                return Ok(());
            }
            self.replaceable(&target, replaced, is_folder)?;
        } else if !bounds.take(new_name.len() as u64) {
            return Err(Errno::Nospc);
        }
        if target.found.is_some() {
            self.remove(target.folder, &new_name, now, bounds);
            let fits = bounds.take(new_name.len() as u64);
            assert!(fits, "its room was just given back");
        }
        self.detach(source.folder, &old_name);
        bounds.give_back(old_name.len() as u64);
        self.attach(target.folder, &new_name, moved);
        for id in [source.folder, target.folder] {
            self.touch(id, now);
        }
        self.node_mut(moved).times.changed = now;
        Ok(())
    }

    /// Whether `replaced` may make room for a folder, or for something else.
    fn replaceable(&self, target: &Walked, replaced: Id, by_folder: bool) -> Result<(), Errno> {
        match (&self.node(replaced).kind, by_folder) {
            (Kind::Folder { entries, .. }, true) if !entries.is_empty() => Err(Errno::Notempty),
            (Kind::Folder { .. }, true) => self.changeable(target).map(drop),
            (Kind::Folder { .. }, false) => Err(Errno::Isdir),
            (_, true) => Err(Errno::Notdir),
            (_, false) if target.slash => Err(Errno::Notdir),
            (_, false) => self.changeable(target).map(drop),
        }
    }

    /// Whether `id` is `folder` or lies somewhere in it.
    fn is_inside(&mut self, mut id: Id, folder: Id) -> bool {
        while id != folder {
            self.steps += 1;
            match &self.node(id).kind {
                Kind::Folder { parent, .. } if *parent != id => id = *parent,
                _ => return false,
            }
        }
        true
    }

    /// Copy from file `id`, at `from`, into `into`: one of the job's, or one of the run's.
    pub(in super::super) fn read<'a>(
        &self,
        id: Id,
        from: u64,
        into: &mut [u8],
        given: impl Fn(usize) -> &'a [u8],
    ) -> Result<usize, Errno> {
        match &self.node(id).kind {
            Kind::Given(index) => {
                let start = usize::try_from(from).unwrap_or(usize::MAX);
                let rest = given(*index).get(start..).unwrap_or(&[]);
                let len = rest.len().min(into.len());
                into[..len].copy_from_slice(&rest[..len]);
                Ok(len)
            }
            Kind::File(content) => Ok(content.read(from, into)),
            _ => Err(Errno::Badf),
        }
    }

    /// Write `bytes` into file `id` at `at`; what lies between its end and there becomes zero.
    pub(in super::super) fn write(
        &mut self,
        id: Id,
        at: u64,
        bytes: &[u8],
        now: u64,
        bounds: &mut Bounds,
    ) -> Result<(), Errno> {
        let end = at.checked_add(bytes.len() as u64).ok_or(Errno::Fbig)?;
        if !bytes.is_empty() {
            let long_enough =
                matches!(&self.node(id).kind, Kind::File(content) if content.len() >= end);
            if !long_enough {
                self.set_len(id, end, now, bounds)?;
            }
        }
        let node = self.node_mut(id);
        let Kind::File(content) = &mut node.kind else { return Err(Errno::Perm) };
        if !bytes.is_empty() {
            content.write(at, bytes);
        }
        (node.times.modified, node.times.changed) = (now, now);
        Ok(())
    }

    /// Cut file `id` to `len`, or fill it up with zeros.
    pub(in super::super) fn set_len(
        &mut self,
        id: Id,
        len: u64,
        now: u64,
        bounds: &mut Bounds,
    ) -> Result<(), Errno> {
        let node = self.node_mut(id);
        let Kind::File(content) = &mut node.kind else { return Err(Errno::Perm) };
        let taken = content.set_len(len, bounds).ok_or(Errno::Nospc)?;
        (node.times.modified, node.times.changed) = (now, now);
        self.steps += taken;
        Ok(())
    }

    /// Set when `id` was last read and written, where given.
    pub(in super::super) fn set_times(
        &mut self,
        id: Id,
        accessed: Option<u64>,
        modified: Option<u64>,
        now: u64,
    ) -> Result<(), Errno> {
        let node = self.node_mut(id);
        if node.given {
            return Err(Errno::Perm);
        }
        let old = node.times;
        node.times = Times {
            accessed: accessed.unwrap_or(old.accessed),
            modified: modified.unwrap_or(old.modified),
            changed: now,
        };
        Ok(())
    }

    /// Whether entries of `folder` may be made and removed.
    fn writable(&self, folder: Id) -> Result<(), Errno> {
        let node = self.node(folder);
        if node.given {
            Err(Errno::Perm)
        } else if node.links == 0 {
            Err(Errno::Noent) // It was removed.
        } else {
            Ok(())
        }
    }

    /// The name of something new where `at` led.
    fn free(&self, at: &Walked) -> Result<String, Errno> {
        if at.found.is_some() {
            // A folder that is only given is read-only before it is full.
            return Err(self.writable(at.folder).err().unwrap_or(Errno::Exist));
        }
        self.writable(at.folder)?;
        at.name.clone().ok_or(Errno::Exist)
    }

    /// The name of what is where `at` led, if it may be taken away from there.
    fn changeable(&self, at: &Walked) -> Result<String, Errno> {
        self.writable(at.folder)?;
        let name = at.name.clone().ok_or(Errno::Busy)?;
        // The three folders of the root stay.
        let fixed = at.folder == self.root() && matches!(name.as_str(), "in" | "out" | "tmp");
        if fixed { Err(Errno::Perm) } else { Ok(name) }
    }

    fn make(
        &mut self,
        folder: Id,
        name: &str,
        kind: Kind,
        now: u64,
        bounds: &mut Bounds,
    ) -> Result<Id, Errno> {
        if !bounds.take(NODE_BYTES + name.len() as u64) {
            return Err(Errno::Nospc);
        }
        let id = self.add(kind, now);
        self.attach(folder, name, id);
        self.touch(folder, now);
        Ok(id)
    }

    fn remove(&mut self, folder: Id, name: &str, now: u64, bounds: &mut Bounds) {
        let id = self.detach(folder, name);
        bounds.give_back(name.len() as u64);
        self.touch(folder, now);
        self.node_mut(id).times.changed = now;
        self.drop_if_unused(id, bounds);
    }

    fn touch(&mut self, folder: Id, now: u64) {
        let times = &mut self.node_mut(folder).times;
        (times.modified, times.changed) = (now, now);
    }
}

//! The files of one run: a tree in memory that belongs to the run. All but the files in `/out` is gone with it.
//!
//! ```text
//! /            private, empty but for:
//! ├── in       the job's files, read-only; also the current directory
//! ├── out      empty; what is left in it when the run ends is its output
//! └── tmp      empty
//! ```
//!
//! Everything about it follows from what the job did: numbers are given in order and never twice,
//! folders list by name, times are the job's clock. What it holds counts as the job's memory, and
//! each step of work is counted, for the caller to charge.

mod change;
mod content;
mod outputs;
mod walk;

use super::errno::Errno;
use crate::limits::Bounds;
use content::Content;
use std::collections::BTreeMap;

pub use outputs::TooMuch;
pub(super) use walk::Walked;

/// A file, folder or link, by its number: also what programs see as its inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id(u64);

/// Bytes of memory that one entry costs beside its name and its content.
const NODE_BYTES: u64 = 256;
/// Longest name of one entry, in bytes.
const NAME_BYTES_MAX: usize = 255;
/// Most links to one file.
const LINKS_MAX: u64 = 1 << 16;

/// The tree.
pub(crate) struct Files {
    nodes: BTreeMap<Id, Node>,
    next: u64,
    /// Work done since this was last asked.
    steps: u64,
}

/// One file, folder or link.
struct Node {
    kind: Kind,
    /// Names that lead here; the root has one that nobody sees.
    links: u64,
    /// Descriptors that are open on it.
    opens: u64,
    /// Part of the job or of the tree's shape: never changed.
    given: bool,
    times: Times,
}

enum Kind {
    /// One of the job's files, by its place there.
    Given(usize),
    File(Content),
    Folder {
        entries: BTreeMap<String, Id>,
        parent: Id,
    },
    Link(String),
}

/// When it was last read, written and changed, in nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) accessed: u64,
    pub(super) modified: u64,
    pub(super) changed: u64,
}

/// What programs may ask about an entry.
pub(super) struct Stat {
    pub(super) id: Id,
    pub(super) kind: u8,
    pub(super) links: u64,
    pub(super) len: u64,
    pub(super) times: Times,
}

/// What WASI calls the kinds.
pub(super) const KIND_FOLDER: u8 = 3;
pub(super) const KIND_FILE: u8 = 4;
pub(super) const KIND_LINK: u8 = 7;

impl Id {
    const ROOT: Self = Self(1);

    pub(super) const fn inode(self) -> u64 {
        self.0
    }
}

impl Files {
    /// The tree at a run's start; `names` are the job's files, checked before.
    pub(crate) fn new<'a>(names: impl Iterator<Item = &'a str>, now: u64) -> Self {
        let mut files = Self { nodes: BTreeMap::new(), next: 1, steps: 0 };
        let root = files.add(Kind::Folder { entries: BTreeMap::new(), parent: Id::ROOT }, now);
        assert_eq!(root, Id::ROOT);
        files.node_mut(root).links = 1;
        for name in ["in", "out", "tmp"] {
            files.given_folder(root, name, now);
        }
        let input = files.input();
        for (index, name) in names.enumerate() {
            let mut folder = input;
            let (path, name) = name.rsplit_once('/').unwrap_or(("", name));
            for part in path.split('/').filter(|part| !part.is_empty()) {
                folder = files.given_folder(folder, part, now);
            }
            let file = files.add(Kind::Given(index), now);
            files.attach(folder, name, file);
            files.node_mut(file).given = true;
        }
        // The root, /out and /tmp may be written to.
        for name in ["out", "tmp"] {
            let id = files.entry(root, name).expect("it was just made");
            files.node_mut(id).given = false;
        }
        files.node_mut(root).given = false;
        files
    }

    /// The folder `name` in `folder`, made if it is not there.
    fn given_folder(&mut self, folder: Id, name: &str, now: u64) -> Id {
        if let Some(id) = self.entry(folder, name) {
            return id;
        }
        let id = self.add(Kind::Folder { entries: BTreeMap::new(), parent: folder }, now);
        self.attach(folder, name, id);
        self.node_mut(id).given = true;
        id
    }

    pub(super) const fn root(&self) -> Id {
        Id::ROOT
    }

    pub(super) fn input(&self) -> Id {
        self.top("in")
    }

    pub(super) fn output(&self) -> Id {
        self.top("out")
    }

    pub(super) fn temporary(&self) -> Id {
        self.top("tmp")
    }

    fn top(&self, name: &str) -> Id {
        self.entry(Id::ROOT, name).expect("these three never go away")
    }

    /// Work done since this was last asked: names passed, entries skipped, bytes of new memory.
    pub(crate) fn take_steps(&mut self) -> u64 {
        std::mem::take(&mut self.steps)
    }

    /// What may be known of `id`. `lens` are the lengths of the job's files.
    pub(super) fn stat(&self, id: Id, given_len: impl Fn(usize) -> u64) -> Stat {
        let node = self.node(id);
        let (kind, len) = match &node.kind {
            Kind::Given(index) => (KIND_FILE, given_len(*index)),
            Kind::File(content) => (KIND_FILE, content.len()),
            Kind::Folder { .. } => (KIND_FOLDER, 0),
            Kind::Link(target) => (KIND_LINK, target.len() as u64),
        };
        Stat { id, kind, links: node.links, len, times: node.times }
    }

    /// Show the entries of the folder `id` from number `from` on, `.` and `..` first, then by name,
    /// until `show` has had enough.
    pub(super) fn list(
        &mut self,
        id: Id,
        from: usize,
        mut show: impl FnMut(usize, &str, Id, u8) -> bool,
    ) -> Result<(), Errno> {
        let Kind::Folder { entries, parent } = &self.node(id).kind else {
            return Err(Errno::Notdir);
        };
        let dots = [(".", id), ("..", *parent)];
        let named = entries.iter().map(|(name, id)| (name.as_str(), *id));
        let mut passed = from.min(entries.len() + dots.len());
        for (number, (name, id)) in dots.into_iter().chain(named).enumerate().skip(from) {
            passed += 1;
            if !show(number, name, id, self.kind_of(id)) {
                break;
            }
        }
        self.steps += passed as u64;
        Ok(())
    }

    pub(super) fn kind_of(&self, id: Id) -> u8 {
        match self.node(id).kind {
            Kind::Given(_) | Kind::File(_) => KIND_FILE,
            Kind::Folder { .. } => KIND_FOLDER,
            Kind::Link(_) => KIND_LINK,
        }
    }

    /// Whether nothing in the folder `id` may be changed.
    pub(super) fn is_read_only(&self, id: Id) -> bool {
        self.node(id).given
    }

    /// Which of the job's files `id` is, if it is one.
    pub(super) fn given(&self, id: Id) -> Option<usize> {
        match self.node(id).kind {
            Kind::Given(index) => Some(index),
            _ => None,
        }
    }

    /// A descriptor was opened on `id`.
    pub(super) fn opened(&mut self, id: Id) {
        self.node_mut(id).opens += 1;
    }

    /// A descriptor on `id` was closed: what has no name any more is gone.
    pub(super) fn closed(&mut self, id: Id, bounds: &mut Bounds) {
        let node = self.node_mut(id);
        node.opens = node.opens.checked_sub(1).expect("it was open");
        self.drop_if_unused(id, bounds);
    }

    fn drop_if_unused(&mut self, id: Id, bounds: &mut Bounds) {
        let node = self.node(id);
        if node.links > 0 || node.opens > 0 {
            return;
        }
        let held = match &node.kind {
            Kind::File(content) => content.held(),
            Kind::Link(target) => target.len() as u64,
            Kind::Given(_) | Kind::Folder { .. } => 0,
        };
        self.nodes.remove(&id);
        bounds.give_back(NODE_BYTES + held);
    }

    fn add(&mut self, kind: Kind, now: u64) -> Id {
        let id = Id(self.next);
        self.next += 1;
        let times = Times { accessed: now, modified: now, changed: now };
        self.nodes.insert(id, Node { kind, links: 0, opens: 0, given: false, times });
        id
    }

    fn attach(&mut self, folder: Id, name: &str, id: Id) {
        let Kind::Folder { entries, .. } = &mut self.node_mut(folder).kind else {
            unreachable!("the caller looked");
        };
        let old = entries.insert(name.to_owned(), id);
        assert_eq!(old, None, "the caller looked");
        let node = self.node_mut(id);
        node.links += 1;
        if let Kind::Folder { parent, .. } = &mut node.kind {
            *parent = folder;
        }
    }

    fn detach(&mut self, folder: Id, name: &str) -> Id {
        let Kind::Folder { entries, .. } = &mut self.node_mut(folder).kind else {
            unreachable!("the caller looked");
        };
        let id = entries.remove(name).expect("the caller looked");
        let node = self.node_mut(id);
        node.links -= 1;
        if let Kind::Folder { parent, .. } = &mut node.kind {
            *parent = id; // Open descriptors must not lead to a folder that may be gone.
        }
        id
    }

    fn entry(&self, folder: Id, name: &str) -> Option<Id> {
        match &self.node(folder).kind {
            Kind::Folder { entries, .. } => entries.get(name).copied(),
            _ => None,
        }
    }

    fn node(&self, id: Id) -> &Node {
        self.nodes.get(&id).expect("an entry stays while it is named or open")
    }

    fn node_mut(&mut self, id: Id) -> &mut Node {
        self.nodes.get_mut(&id).expect("an entry stays while it is named or open")
    }
}

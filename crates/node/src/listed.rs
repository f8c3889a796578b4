//! The jobs that a node can list: the newest it has seen, kept over restarts.
//!
//! ```text
//! DIR/jobs/eu    one line a job, oldest first: HEIGHT MILLISECONDS JOB PAYER
//! ```
//!
//! The file only helps to find jobs. A job is found by its id without it, so that a line that cannot be read or written
//! costs no more than its place in the list.

use std::{
    collections::{BTreeSet, VecDeque},
    fs::{self, File, OpenOptions},
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};
use types::{Address, Height, JobId, Millis};

/// Most jobs that are listed; all others are found by id.
const LISTED_MAX: usize = 10_000;

/// Most of the file that is read: twice what [`LISTED_MAX`] lines take.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// A job that was submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListedJob {
    /// The block that holds it, and that block's timestamp.
    pub(crate) height: Height,
    pub(crate) at: Millis,
    pub(crate) job: JobId,
    pub(crate) payer: Address,
}

impl ListedJob {
    fn line(&self) -> String {
        let Self { height, at, job, payer } = self;
        format!("{height} {at} {job} {payer}\n")
    }

    fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let mut next = || words.next();
        let (height, at) = (next()?.parse().ok()?, next()?.parse().ok()?);
        let (job, payer) = (next()?.parse().ok()?, next()?.parse().ok()?);
        let whole = next().is_none();
        whole.then_some(Self { height: Height::new(height), at: Millis::new(at), job, payer })
    }
}

/// The newest jobs of one chain.
#[derive(Default)]
pub(crate) struct Listed {
    /// Oldest first.
    jobs: VecDeque<ListedJob>,
    known: BTreeSet<JobId>,
    /// Where they are kept; `None` if they are not, or not any more.
    path: Option<PathBuf>,
    /// Opened for the first job, and how many lines it has.
    file: Option<File>,
    lines: usize,
}

impl Listed {
    /// With what `path` holds, and kept there from now on.
    pub(crate) fn open(path: &Path) -> Self {
        let mut listed = Self::default();
        let mut text = String::new();
        // A torn line may not be text; what stands before it is read all the same.
        if let Ok(file) = File::open(path) {
            let mut bytes = Vec::new();
            let _ = file.take(FILE_BYTES_MAX).read_to_end(&mut bytes);
            text = String::from_utf8_lossy(&bytes).into_owned();
        }
        let read: Vec<Option<ListedJob>> = text.lines().map(ListedJob::read).collect();
        (listed.path, listed.lines) = (Some(path.to_owned()), read.len());
        let torn = read.contains(&None) || !(text.is_empty() || text.ends_with('\n'));
        read.into_iter().flatten().for_each(|job| listed.put(job));
        if torn {
            listed.write_anew();
        }
        listed
    }

    /// Add a job, unless it is listed.
    pub(crate) fn add(&mut self, job: ListedJob) {
        if self.known.contains(&job.job) {
            return;
        }
        self.put(job);
        self.lines += 1;
        if self.lines > 2 * LISTED_MAX {
            return self.write_anew();
        }
        let appended = self.journal().and_then(|file| match file {
            Some(file) => file.write_all(job.line().as_bytes()),
            None => Ok(()),
        });
        appended.unwrap_or_else(|error| self.give_up(&error));
    }

    /// The file to append to.
    fn journal(&mut self) -> std::io::Result<Option<&mut File>> {
        if let (None, Some(path)) = (&self.file, &self.path) {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            self.file = Some(OpenOptions::new().create(true).append(true).open(path)?);
        }
        Ok(self.file.as_mut())
    }

    fn give_up(&mut self, error: &std::io::Error) {
        if let Some(path) = self.path.take() {
            tracing::warn!(path = %path.display(), %error, "the list of jobs is not kept any more");
        }
        self.file = None;
    }

    fn put(&mut self, job: ListedJob) {
        if !self.known.insert(job.job) {
            return;
        }
        // Nearly always at the end: only what a restart missed comes late.
        let place = self.jobs.iter().rev().take_while(|other| other.height > job.height).count();
        self.jobs.insert(self.jobs.len() - place, job);
        if self.jobs.len() > LISTED_MAX
            && let Some(oldest) = self.jobs.pop_front()
        {
            self.known.remove(&oldest.job);
        }
    }

    /// Write what is listed in place of what the file holds.
    fn write_anew(&mut self) {
        let Some(path) = &self.path else { return };
        let text: String = self.jobs.iter().map(ListedJob::line).collect();
        self.file = None;
        match client::write_whole(path, text.as_bytes(), false) {
            Ok(()) => self.lines = self.jobs.len(),
            Err(error) => self.give_up(&std::io::Error::other(error)),
        }
    }

    /// Newest first: one payer's, or all.
    pub(crate) fn of(&self, payer: Option<Address>) -> impl Iterator<Item = ListedJob> {
        let wanted = move |job: &&ListedJob| payer.is_none_or(|payer| payer == job.payer);
        self.jobs.iter().rev().filter(wanted).copied()
    }

    /// When the block that holds `job` was made, if it is listed.
    pub(crate) fn at(&self, job: &JobId) -> Option<Millis> {
        let known = self.known.contains(job);
        let found = || self.jobs.iter().rev().find(|listed| listed.job == *job);
        known.then(found).flatten().map(|listed| listed.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{Hash, PublicKey};

    fn payer(n: u8) -> Address {
        Address::of(&PublicKey([n; 32]))
    }

    fn job(n: u8, payer_number: u8) -> ListedJob {
        let (height, at) = (Height::new(u64::from(n)), Millis::new(u64::from(n) * 500));
        ListedJob { height, at, job: Hash([n; 32]), payer: payer(payer_number) }
    }

    fn numbers(listed: &Listed, payer: Option<Address>) -> Vec<u8> {
        listed.of(payer).map(|job| job.job.0[0]).collect()
    }

    #[test]
    fn jobs_are_listed_from_the_newest_and_the_oldest_are_forgotten() {
        let mut listed = Listed::default();
        for (n, payer) in [(1, 1), (3, 1), (2, 2), (3, 1)] {
            listed.add(job(n, payer));
        }
        assert_eq!(numbers(&listed, None), [3, 2, 1], "each once, and in the order of blocks");
        assert_eq!(numbers(&listed, Some(payer(1))), [3, 1]);
        assert_eq!(listed.at(&Hash([2; 32])), Some(Millis::new(1_000)));
        for n in 0..LISTED_MAX as u64 {
            let id = types::domain_hash("test", &[&n.to_le_bytes()]);
            listed.add(ListedJob { job: id, height: Height::new(10), ..job(9, 2) });
        }
        assert_eq!(numbers(&listed, Some(payer(1))), [0; 0]);
        assert_eq!(listed.known.len(), LISTED_MAX);
    }

    #[test]
    fn the_list_comes_back_after_a_restart_and_a_torn_line_costs_one_job() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("jobs/eu");
        let mut listed = Listed::open(&path);
        for n in 1..=3 {
            listed.add(job(n, 1));
        }
        drop(listed);
        assert_eq!(numbers(&Listed::open(&path), None), [3, 2, 1]);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 9]).unwrap();
        let mut listed = Listed::open(&path);
        assert_eq!(numbers(&listed, None), [2, 1]);
        // What is written behind it is whole again.
        listed.add(job(4, 1));
        assert_eq!(numbers(&Listed::open(&path), None), [4, 2, 1]);
        fs::write(&path, [0xFF; 100]).unwrap();
        assert_eq!(numbers(&Listed::open(&path), None), [0; 0]);
    }
}

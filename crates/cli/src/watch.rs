//! What happens beside a job that is followed: a wait that is explained, and an interrupt that says how to go on.

use api::Client;
use client::units::short_id;
use std::{
    io, process,
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};
use talk::Progress;
use types::{ChainId, JobId};

/// A job that waits for longer is explained, and again each time so much later.
const EXPLAIN_AFTER: Duration = Duration::from_secs(10);
const EXPLAIN_AGAIN: Duration = Duration::from_secs(30);
const LOOKS: Duration = Duration::from_millis(250);
/// What a program exits with that a signal ended: this and the signal's number.
pub const SIGNALLED: i32 = 128;

#[derive(Default)]
struct Seen {
    /// What is being paid for.
    paying: Option<JobId>,
    job: Option<(ChainId, JobId)>,
    /// What the job is at, and since when.
    doing: Option<(String, Instant)>,
    over: bool,
}

/// What becomes of a job's network when the command that follows it is interrupted.
#[derive(Clone, Copy)]
pub enum End {
    GoesOn,
    /// It ends, too; this removes what it leaves.
    With(fn()),
}

/// The watch over one job.
#[derive(Clone)]
pub struct Watch(Arc<Mutex<Seen>>);

impl Watch {
    pub fn start(client: &Client, end: End) -> Self {
        let watch = Self(Arc::default());
        let (explaining, client) = (watch.clone(), client.clone());
        thread::spawn(move || explaining.explain(&client));
        let interrupted = watch.clone();
        thread::spawn(move || interrupted.wait_for_interrupt(end));
        watch
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().expect("no panic while locked")
    }

    pub fn doing(&self, text: &str) {
        let mut seen = self.seen();
        if seen.doing.as_ref().is_none_or(|(known, _)| known != text) {
            seen.doing = Some((text.to_owned(), Instant::now()));
        }
    }

    pub fn paying(&self, job: JobId) {
        self.seen().paying = Some(job);
    }

    pub fn submitted(&self, chain: ChainId, job: JobId) {
        self.seen().job = Some((chain, job));
    }

    pub fn over(&self) {
        self.seen().over = true;
    }

    pub fn job(&self) -> Option<(ChainId, JobId)> {
        self.seen().job
    }

    /// Say from time to time why nothing happens to the job.
    fn explain(&self, client: &Client) {
        let mut last: Option<Instant> = None;
        loop {
            thread::sleep(LOOKS);
            let (job, waited) = {
                let seen = self.seen();
                if seen.over {
                    return;
                }
                (seen.job, seen.doing.as_ref().map(|(_, since)| since.elapsed()))
            };
            let (Some((chain, job)), Some(waited)) = (job, waited) else { continue };
            if waited < EXPLAIN_AFTER || last.is_some_and(|at| at.elapsed() < EXPLAIN_AGAIN) {
                continue;
            }
            last = Some(Instant::now());
            if let Ok(why) = client.why(Some(chain), job)
                && !self.seen().over
            {
                Progress::new().say("");
                eprintln!("job {} waits: {}", short_id(&job), client::waiting(&why));
            }
        }
    }

    fn wait_for_interrupt(&self, end: End) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        let Ok(signal) = runtime.block_on(interrupt()) else { return };
        let seen = self.seen();
        if let End::With(remove) = end {
            eprintln!("\nthe job ends with this command, which was its network");
            remove();
        } else if let (Some((_, job)), false) = (seen.job, seen.over) {
            let job = short_id(&job);
            eprintln!(
                "\njob {job} goes on without this command\nhint: meshx job follow {job} tells how far it is; meshx job cancel {job} takes it back until workers are drawn"
            );
        } else if let (Some(job), false) = (seen.paying, seen.over) {
            eprintln!(
                "\nthe payment for job {job} is on its way and may be taken\nhint: meshx job show {job} tells; meshx job cancel {job} takes it back until workers are drawn"
            );
        }
        process::exit(SIGNALLED + signal);
    }
}

/// Wait for a signal that ends programs. Returns its number.
pub async fn interrupt() -> io::Result<i32> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut hung_up = signal(SignalKind::hangup())?;
    let kind = tokio::select! {
        _ = interrupted.recv() => SignalKind::interrupt(),
        _ = terminated.recv() => SignalKind::terminate(),
        _ = hung_up.recv() => SignalKind::hangup(),
    };
    Ok(kind.as_raw_value())
}

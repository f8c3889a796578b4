//! What happened to a job that gave no good result, and what to try.

use crate::{
    Again, OtherProfile, Request, home,
    units::{grouped, short_id},
};
use api::{Client, ClientError, JobView};
use sandbox::{Fault, TooMuch, TrapPlace};
use types::{
    Hash, JobId, JobSpec, Limits, Obstacle, Outcome, Status, Trap,
    state::{Assignment, Ending, JobRecord, Phase},
};

/// What happened, for the person who pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// A word that never changes its meaning: `out_of_fuel`.
    pub kind: &'static str,
    /// One sentence.
    pub what: String,
    /// What to try.
    pub hint: String,
}

/// Where a person reads what the job wrote to stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logs {
    /// `meshx job logs` shows it.
    Of(JobId),
    /// It was shown just now.
    Shown,
    /// It wrote nothing there.
    Empty,
}

impl Logs {
    /// Of a job whose stderr was these bytes, which were shown.
    #[must_use]
    pub const fn shown(bytes: &[u8]) -> Self {
        if bytes.is_empty() { Self::Empty } else { Self::Shown }
    }

    fn hint(self) -> String {
        match self {
            Self::Of(job) => {
                format!("meshx job logs {} shows what it wrote to stderr", short_id(&job))
            }
            Self::Shown => "what it wrote to stderr stands above".to_owned(),
            Self::Empty => "it wrote nothing to stderr".to_owned(),
        }
    }
}

/// More than this is not fetched only to explain something.
const FETCHED_BYTES_MAX: u64 = 64 << 20;

/// Why a job cannot be run again here.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NoBytes {
    #[error(transparent)]
    Node(#[from] ClientError),
    #[error(transparent)]
    Profile(#[from] OtherProfile),
    #[error("it is longer than {FETCHED_BYTES_MAX} bytes")]
    TooLong,
}

/// The job of `view` with its bytes: those that this machine has kept, and the node's.
///
/// # Errors
/// [`NoBytes`].
pub fn bytes_of(client: &Client, view: &JobView) -> Result<Request, NoBytes> {
    let submission = &view.record.submission;
    let JobSpec { module_len, input_len, files, .. } = &submission.spec;
    let files: u64 = files.iter().fold(0, |sum, file| file.len.saturating_add(sum));
    let all = module_len.saturating_add(*input_len).saturating_add(files);
    Request::again(submission, |_, hash: Hash| match home::kept_blob(&hash) {
        Some(bytes) => Ok(bytes),
        None if all > FETCHED_BYTES_MAX => Err(NoBytes::TooLong),
        None => Ok(client.blob_bytes(hash)?),
    })
}

/// The story of a job, with what a run of it on this machine came to. `None` if it ended well, or goes on as it should.
#[must_use]
pub fn story(job: &JobRecord, again: Option<&Again>, logs: Logs) -> Option<Story> {
    let limits = &job.submission.spec.limits;
    match &job.phase {
        Phase::Settled(settlement) => {
            let place = match again {
                // Only what came to the very same end says where that was.
                Some(Again::Ended { outcome, place, .. }) if *outcome == settlement.outcome => {
                    place.as_ref()
                }
                _ => None,
            };
            match settlement.outcome.status.obstacle() {
                Some(obstacle) => Some(hindered(obstacle, limits, again)),
                None => ending(&settlement.outcome, limits, place, logs),
            }
        }
        Phase::Ended { ending: Ending::Cancelled, .. } => Some(Story {
            kind: "cancelled",
            what: "cancelled: its payer took it back before workers were drawn".into(),
            hint: "meshx run sends it again".into(),
        }),
        Phase::Ended { ending: Ending::Expired, assignments, .. } if assignments.is_empty() => {
            Some(too_few_workers(job))
        }
        Phase::Ended { ending: Ending::Expired, assignments, .. } => {
            Some(unanswered(job, assignments.as_slice(), again))
        }
        Phase::Ended { ending: Ending::NoAgreement, assignments, .. } => {
            Some(disagreed(job, assignments.as_slice(), again))
        }
        Phase::Queued { .. } | Phase::Committing { .. } | Phase::Revealing { .. } => None,
    }
}

/// The story of an outcome under these limits, and of the place where it trapped. `None` if the job exited with 0.
#[must_use]
pub fn ending(
    outcome: &Outcome,
    limits: &Limits,
    place: Option<&TrapPlace>,
    logs: Logs,
) -> Option<Story> {
    let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
    let within = place.map(within).unwrap_or_default();
    let (kind, what, hint) = match outcome.status {
        Status::Exited(0) | Status::ExitedWithFiles { code: 0, .. } => return None,
        Status::Exited(code) | Status::ExitedWithFiles { code, .. } => (
            "exit_code",
            format!("exit code {code}"),
            format!("the program chose this code; {}", logs.hint()),
        ),
        Status::CannotRun(obstacle) => return Some(hindered(obstacle, limits, None)),
        Status::Trapped(Trap::Wasm) => return Some(trapped(place, logs)),
        Status::Trapped(Trap::OutOfFuel) => (
            "out_of_fuel",
            format!("out of fuel: it used all {}{within}", grouped(limits.fuel.get())),
            match logs {
                Logs::Of(_) => format!(
                    "raise --fuel (now {}); meshx quote shows how much an input takes",
                    limits.fuel
                ),
                Logs::Shown | Logs::Empty => {
                    format!("raise --fuel (now {}), or give it less to do", limits.fuel)
                }
            },
        ),
        Status::Trapped(Trap::OutOfMemory) => (
            "out_of_memory",
            format!(
                "out of memory: it asked for more than its {} MiB{within}",
                mebibytes(limits.memory_bytes)
            ),
            format!("raise --memory (now {})", mebibytes(limits.memory_bytes)),
        ),
        Status::Trapped(Trap::StackOverflow) => (
            "stack_overflow",
            format!("stack overflow{within}: its functions call each other too deeply"),
            "a job's stack cannot be raised; write the recursion as a loop, or check that it ends"
                .to_owned(),
        ),
        Status::Trapped(Trap::OutputTooLong) if let Some(what) = bad_outputs(place) => (
            "bad_outputs",
            format!("its output cannot be taken: {what}"),
            "pack the files into one, or give them shorter names".to_owned(),
        ),
        Status::Trapped(Trap::OutputTooLong) => (
            "output_too_long",
            format!(
                "output past {} MiB: it wrote more than its limit{within}",
                mebibytes(limits.output_bytes)
            ),
            format!("raise --output-limit (now {})", mebibytes(limits.output_bytes)),
        ),
        Status::Trapped(Trap::BadAbi) => (
            "bad_abi",
            format!("trapped: it gave MeshX a pointer or a length outside its memory{within}"),
            "check the pointers that the program passes to the functions it imports".to_owned(),
        ),
        Status::Trapped(Trap::Abort) => {
            ("abort", format!("trapped: it called abort{within}"), logs.hint())
        }
    };
    Some(Story { kind, what, hint })
}

/// What is wrong with the files under `/out`, if it is not their length.
fn bad_outputs(place: Option<&TrapPlace>) -> Option<TooMuch> {
    match place?.fault {
        Fault::Outputs(what @ (TooMuch::Files | TooMuch::Path)) => Some(what),
        _ => None,
    }
}

/// `, in function 17 (`mean`)`.
fn within(place: &TrapPlace) -> String {
    let Some(function) = place.function else { return String::new() };
    match &place.name {
        Some(name) => format!(", in function {function} (`{name}`)"),
        None => format!(", in function {function}"),
    }
}

/// What an instruction of the module did, and what is wrong where it does that.
fn trapped(place: Option<&TrapPlace>, logs: Logs) -> Story {
    let logs = logs.hint();
    let Some(place) = place else {
        return Story {
            kind: "trapped",
            what: "trapped: the module reached `unreachable`, divided by zero, left its memory, or called a function of another type".into(),
            hint: format!("meshx quote runs it on this machine and says more; {logs}"),
        };
    };
    let hint = match place.fault {
        Fault::Unreachable => {
            return Story {
                kind: "trapped",
                what: format!("trapped: {place}"),
                hint: format!(
                    "the program gave up there (a panic, a failed assertion, an exit that cannot be); {logs}"
                ),
            };
        }
        Fault::DivisionByZero => "check the divisor before that division",
        Fault::IntegerOverflow | Fault::NotANumber => {
            "check the range of the number before it is divided or converted there"
        }
        Fault::MemoryBounds => {
            "an index or a pointer is wrong there; more --memory does not help against that"
        }
        Fault::CallType => {
            "a function pointer was cast to another type; call it as the type it was defined with"
        }
        Fault::EmptyCall | Fault::TableBounds => {
            "a function pointer is null, or no function pointer at all"
        }
        Fault::Exception => "catch it in the program",
        Fault::Host(Trap::Wasm) => {
            "check the pointers that the program passes to the functions it imports"
        }
        Fault::StackOverflow | Fault::Host(_) | Fault::Outputs(_) | Fault::Other(_) => &logs,
    };
    Story { kind: "trapped", what: format!("trapped: {place}"), hint: hint.into() }
}

/// Its workers agree on what hindered them.
fn hindered(obstacle: Obstacle, limits: &Limits, again: Option<&Again>) -> Story {
    let wall_s = limits.wall.get() / 1_000;
    let (kind, what, hint) = match (obstacle, again) {
        (Obstacle::WallClock, _) => (
            "wall_clock",
            format!("killed by the wall clock: its workers ran it for longer than --wall {wall_s}"),
            format!("raise --wall (now {wall_s}), or give it less to do"),
        ),
        (Obstacle::Module, Some(Again::Refused(refused))) => (
            "refused",
            format!("no worker can run it: {refused}"),
            "meshx run and meshx quote refuse such a file before anything is paid".to_owned(),
        ),
        (Obstacle::Module, _) => (
            "refused",
            format!("no worker can run it: {obstacle}"),
            "meshx quote says why, before anything is paid".to_owned(),
        ),
        (Obstacle::MissingInput | Obstacle::Length, _) => (
            "input",
            format!("no worker can run it: {obstacle}"),
            "meshx run sends all that a job names to the node first, with its true length"
                .to_owned(),
        ),
    };
    Story { kind, what, hint }
}

fn too_few_workers(job: &JobRecord) -> Story {
    let (replicas, deadline) = (job.submission.agreement.replicas, job.submission.deadline);
    Story {
        kind: "too_few_workers",
        what: format!(
            "too few workers: it needs {replicas} at once, and so many were never free up to block {deadline}"
        ),
        hint: "ask for fewer with --replicas and --agree, for another --chain, or wait longer with --deadline".into(),
    }
}

/// Workers were drawn, and too few of them committed to a result.
fn unanswered(job: &JobRecord, assignments: &[Assignment], again: Option<&Again>) -> Story {
    let wall = job.submission.spec.limits.wall;
    let wall_s = wall.get() / 1_000;
    let committed = assignments.iter().filter(|one| one.commitment.is_some()).count();
    let all = assignments.len();
    let silent = format!("{committed} of {all} workers gave a result in time");
    let (kind, what, hint) = match again {
        Some(Again::Killed { after }) if *after >= wall => (
            "wall_clock",
            format!(
                "killed by the wall clock: {silent}, and here, too, it runs for longer than --wall {wall_s}"
            ),
            format!("raise --wall (now {wall_s}), or give it less to do"),
        ),
        Some(Again::Killed { after }) => (
            "wall_clock",
            format!(
                "{silent}; here it has not ended after {} s: it never ends, or it takes longer than --wall {wall_s}",
                after.get() / 1_000
            ),
            format!("check that it ends; then raise --wall (now {wall_s}), or give it less to do"),
        ),
        Some(Again::Refused(refused)) => (
            "refused",
            format!("no worker can run it: {refused}"),
            "meshx run and meshx quote refuse such a file before anything is paid".to_owned(),
        ),
        Some(Again::Ended { took, .. }) => (
            "unanswered",
            format!(
                "{silent}; here it ends after {:.1} s, so its workers were slow, busy or gone",
                took.as_secs_f32()
            ),
            format!("run it again, or raise --wall (now {wall_s})"),
        ),
        Some(Again::Unknown) | None => (
            "unanswered",
            format!("{silent}: a worker that reaches --wall has no result"),
            format!("raise --wall (now {wall_s})"),
        ),
    };
    Story { kind, what, hint }
}

fn disagreed(job: &JobRecord, assignments: &[Assignment], again: Option<&Again>) -> Story {
    let outcomes: Vec<Outcome> = assignments.iter().filter_map(|one| one.outcome).collect();
    let is_new = |(place, outcome): &(usize, &Outcome)| !outcomes[..*place].contains(outcome);
    let different = outcomes.iter().enumerate().filter(is_new).count();
    let agree = job.submission.agreement.agree;
    let here = match again {
        Some(Again::Ended { outcome, .. }) => {
            let same = outcomes.iter().filter(|one| *one == outcome).count();
            format!("; {same} of them gave what a run on this machine gives")
        }
        _ => String::new(),
    };
    Story {
        kind: "no_agreement",
        what: format!(
            "no agreement: {} of {} workers showed {different} different results, and {agree} must be the same{here}",
            outcomes.len(),
            assignments.len()
        ),
        hint: "honest workers always give the same result, so some of these are faulty or lie: run it again, with more --replicas"
            .into(),
    }
}

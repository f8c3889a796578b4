//! Commit: a drawn worker promises an outcome without showing it.

use crate::{
    Refusal,
    apply::BlockContext,
    effects,
    scratch::{Scratch, Stop},
};
use jobs::Input;
use types::{
    Address, Hash, JobId,
    state::{JobRecord, Key},
};

pub(super) fn apply(
    pad: &mut Scratch<'_>,
    worker: Address,
    job: &JobId,
    commitment: Hash,
    context: &BlockContext,
) -> Result<(), Stop> {
    let record: JobRecord = pad.get(Key::Job(*job))?.ok_or(Refusal::UnknownJob(*job))?;
    effects::advance(pad, job, record, Input::Commit { worker, commitment }, context)
}

//! CancelJob: the payer takes a job back before workers are drawn for it.

use crate::{
    Refusal,
    apply::BlockContext,
    effects,
    scratch::{Scratch, Stop},
};
use jobs::Input;
use types::{
    Address, JobId,
    state::{JobRecord, Key},
};

pub(super) fn apply(
    pad: &mut Scratch<'_>,
    by: Address,
    job: &JobId,
    context: &BlockContext,
) -> Result<(), Stop> {
    let record: JobRecord = pad.get(Key::Job(*job))?.ok_or(Refusal::UnknownJob(*job))?;
    effects::advance(pad, job, record, Input::Cancel { by }, context)
}

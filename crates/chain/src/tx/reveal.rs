//! Reveal: a worker opens its commitment. The last one settles the job, refund included.

use crate::{
    Refusal,
    apply::BlockContext,
    effects,
    scratch::{Scratch, Stop},
};
use jobs::Input;
use types::{
    Address, Reveal,
    state::{JobRecord, Key},
};

pub(super) fn apply(
    pad: &mut Scratch<'_>,
    worker: Address,
    reveal: &Reveal,
    context: &BlockContext,
) -> Result<(), Stop> {
    let record: JobRecord =
        pad.get(Key::Job(reveal.job))?.ok_or(Refusal::UnknownJob(reveal.job))?;
    effects::advance(
        pad,
        &reveal.job,
        record,
        Input::Reveal { worker, reveal: reveal.clone() },
        context,
    )
}

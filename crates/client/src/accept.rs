//! Whether a network takes a job: asked before anything is started, sent or paid.

use crate::{Dear, Request, Terms, price_max, submission};
use jobs::Unacceptable;
use sandbox::{Engine, Refused, SpecBytes};
use types::{Height, Ppm, state::Params};

/// Compiling a longer module takes seconds, which its workers spend, too.
const COMPILED_BYTES_MAX: usize = 2 << 20;

/// Why a job would be refused.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotTaken {
    #[error(transparent)]
    Dear(#[from] Dear),
    #[error("{0}\nhint: change {option}", option = option(.0))]
    Unacceptable(Unacceptable),
    #[error("the job cannot run")]
    CannotRun(#[source] Refused),
}

/// Check `request` on `terms` by the rules of a network, and at this demand.
///
/// # Errors
/// [`NotTaken`], with the first rule that it breaks.
pub fn acceptable(
    request: &Request,
    terms: &Terms,
    demand: Ppm,
    params: &Params,
) -> Result<(), NotTaken> {
    let price = price_max(request, demand, params)?;
    // A deadline counts from the block that the job is taken in, whichever that is.
    let now = Height::new(1);
    let submission = submission(request, terms, price, now, params);
    jobs::check(&submission, demand, params, now).map_err(NotTaken::Unacceptable)
}

/// Check what a run would refuse before it begins, which is all that a quote would refuse.
///
/// # Errors
/// [`NotTaken::CannotRun`].
pub fn runnable(engine: &Engine, request: &Request) -> Result<(), NotTaken> {
    if request.module.len() > COMPILED_BYTES_MAX {
        return Ok(());
    }
    let files: Vec<&[u8]> = request.files.iter().map(|(_, bytes)| bytes.as_slice()).collect();
    let bytes = SpecBytes { module: &request.module, input: &request.input, files: &files };
    // Cancelled before it begins: all that comes before is done.
    match engine.run_spec(&request.spec, &bytes, &true.into()) {
        Err(refused) if refused.is_final() => Err(NotTaken::CannotRun(refused)),
        _ => Ok(()),
    }
}

/// What a user changes to have it taken.
const fn option(refused: &Unacceptable) -> &'static str {
    match refused {
        Unacceptable::Agreement { .. } => "--replicas and --agree",
        Unacceptable::Fuel { .. } => "--fuel",
        Unacceptable::Memory { .. } => "--memory",
        Unacceptable::Output { .. } => "--output-limit",
        Unacceptable::Price { .. } => "--max-price, or lower --fuel and --memory",
        Unacceptable::Deadline { .. } => "--deadline",
        Unacceptable::Profile => "the network, or use the version of meshx that it runs",
        Unacceptable::Wall { .. } => "--wall",
        Unacceptable::Module { .. } => "the module: move its data into files (--file, --dir)",
    }
}

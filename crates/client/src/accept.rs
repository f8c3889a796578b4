//! Whether a network takes a job: asked before anything is started, sent or paid.

use crate::{
    Dear, Request, Terms, WAIT_BLOCKS, price_max, submission,
    units::{bytes, grouped},
};
use api::NetworkStatus;
use jobs::Unacceptable;
use sandbox::{Engine, Refused, SpecBytes};
use types::{ChainId, Height, NanoMeshx, Ppm, state::Params};

/// Compiling a longer module takes seconds, which its workers spend, too.
const COMPILED_BYTES_MAX: usize = 2 << 20;

/// The height at which a job is checked before there is one.
const NOW: Height = Height::new(1);

/// Why a job would be refused.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotTaken {
    #[error(transparent)]
    Dear(#[from] Dear),
    #[error("{}\nhint: change {}", words(.0), option(.0))]
    Unacceptable(Unacceptable),
    #[error(
        "{asked} workers are asked for, but {chain} has {there}\nhint: ask for fewer with --replicas and --agree, or for another --chain"
    )]
    Workers { asked: u8, there: u32, chain: ChainId },
    #[error(
        "--deadline {asked} is outside {least} to {} blocks: the payment, the draw and the reveals must fit in\nhint: change --deadline; a usual one is 1200",
        grouped(*most)
    )]
    Deadline { asked: u64, least: u64, most: u64 },
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
    let price = price_max(request, demand, params);
    // A deadline counts from the block that the job is taken in, whichever that is.
    let offered = price.unwrap_or(NanoMeshx::new(u64::MAX));
    let submission = submission(request, terms, offered, NOW, params);
    let check = |height| jobs::check(&submission, demand, params, height);
    let running = jobs::run_blocks(&request.spec, params);
    // As late as a payment may come into a block.
    let late = check(Height::new(NOW.get().saturating_add(WAIT_BLOCKS)));
    match (check(NOW).and(late), price) {
        (Err(Unacceptable::Deadline { least, max, .. }), _) => Err(NotTaken::Deadline {
            asked: terms.deadline,
            least: least.saturating_sub(running).saturating_add(WAIT_BLOCKS),
            most: max.saturating_sub(running),
        }),
        // What asks for too much of one thing is told so, and not that all of it would be too dear.
        (Err(Unacceptable::Price { .. }), Err(dear)) => Err(dear.into()),
        (checked, _) => checked.map_err(NotTaken::Unacceptable),
    }
}

/// As many workers as are asked for must be there; others would only wait for the deadline.
///
/// # Errors
/// [`NotTaken::Workers`].
pub fn enough_workers(
    status: &NetworkStatus,
    chain: ChainId,
    request: &Request,
) -> Result<(), NotTaken> {
    let asked = request.agreement.replicas;
    let found = status.chains.iter().find(|found| found.chain == chain && found.ready);
    match found.map(|found| found.workers) {
        Some(there) if u32::from(asked) > there => Err(NotTaken::Workers { asked, there, chain }),
        _ => Ok(()),
    }
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

/// What is wrong, in the units that its option has.
fn words(refused: &Unacceptable) -> String {
    match refused {
        Unacceptable::Fuel { asked, max } => {
            format!("--fuel {} is outside 1 to {}", grouped(*asked), grouped(*max))
        }
        Unacceptable::Memory { asked, max } => format!(
            "a memory limit of {} is more than the {} that this network allows",
            bytes((*asked).into()),
            bytes((*max).into())
        ),
        Unacceptable::Output { asked, max } => format!(
            "an output limit of {} is more than the {} that this network allows",
            bytes((*asked).into()),
            bytes((*max).into())
        ),
        Unacceptable::Wall { asked, least, max } => format!(
            "--wall {} is outside {} to {} seconds: a slow machine may need that long for --fuel",
            grouped(asked / 1_000),
            grouped(least.div_ceil(1_000)),
            grouped(max / 1_000)
        ),
        Unacceptable::Module { asked, max } => format!(
            "the module has {}, more than the {} that a job may have",
            bytes((*asked).into()),
            bytes((*max).into())
        ),
        Unacceptable::Price { offered, needed } => format!(
            "the job can cost {needed} MESHX at its limits, and --max-price allows {offered}"
        ),
        Unacceptable::Agreement { .. } | Unacceptable::Deadline { .. } | Unacceptable::Profile => {
            refused.to_string()
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Module, Resources, engine};
    use types::{Fuel, Millis};

    fn check(change: impl FnOnce(&mut Resources), deadline: u64, expected: &str) {
        let text = b"(module (memory (export \"memory\") 1) (func (export \"_start\")))";
        let module = Module::read(&engine().unwrap(), "m", text).unwrap();
        let mut resources = Resources::default();
        change(&mut resources);
        let request = Request::new(module, resources).unwrap();
        let terms = Terms { chain: ChainId::Europe, max_price: None, deadline, fresh: false };
        let params = Params { profile_strict: request.spec.profile, ..Params::DEFAULT };
        let refused = acceptable(&request, &terms, Ppm::ONE, &params).unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
    }

    #[test]
    fn what_is_asked_too_much_of_is_named_in_its_own_unit() {
        let limit = |change: fn(&mut types::Limits)| {
            move |resources: &mut Resources| change(&mut resources.limits)
        };
        check(limit(|limits| limits.memory_bytes = u64::MAX), 50, "more than the 1 GiB that");
        check(
            limit(|limits| limits.output_bytes = 1 << 40),
            50,
            "of 1 TiB is more than the 64 MiB",
        );
        check(limit(|limits| limits.fuel = Fuel::new(u64::MAX)), 50, "to 1,000,000,000,000");
        check(limit(|limits| limits.wall = Millis::new(4_000_000)), 50, "--wall 4,000 is outside");
        check(|_| (), 49, "--deadline 49 is outside 50 to 172,680 blocks");
        check(|_| (), 1 << 40, "--deadline 1099511627776 is outside 50 to 172,680 blocks");
    }
}

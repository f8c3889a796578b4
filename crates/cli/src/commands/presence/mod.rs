//! `meshx presence`: prove where a node stands, measure others, check what was measured, and try how well that works.

mod attend;
mod chain;
mod list;
mod live;
mod wire;

use crate::{
    args::{PresenceCommand, PresenceVerb},
    commands::lab::lab,
    settings::Settings,
    submit,
};
use anyhow::{Result, ensure};
use std::{path::Path, process::ExitCode};
use types::presence::{WITNESSES_GENESIS_MAX, WitnessEntry};

/// The witnesses of the list in `file`, as a genesis names them, by key.
pub fn entries(file: &Path) -> Result<Vec<WitnessEntry>> {
    let list = list::List::read(file)?;
    let entry = |witness: &presence::Witness| WitnessEntry {
        key: witness.key,
        place: witness.place,
        operator: witness.operator,
        network: witness.network,
    };
    let mut entries: Vec<_> = list.witnesses.iter().map(entry).collect();
    ensure!(
        entries.len() <= WITNESSES_GENESIS_MAX,
        "{} has {} witnesses; a network begins with at most {WITNESSES_GENESIS_MAX}",
        file.display(),
        entries.len()
    );
    entries.sort_unstable_by_key(|entry| entry.key);
    Ok(entries)
}

pub fn presence(settings: &Settings, command: &PresenceCommand) -> Result<ExitCode> {
    match &command.verb {
        PresenceVerb::Evaluate(words) => return lab(settings, &["presence", "evaluate"], words),
        PresenceVerb::Locate(words) => return lab(settings, &["presence", "locate"], words),
        PresenceVerb::SybilCost(words) => return lab(settings, &["presence", "sybil-cost"], words),
        PresenceVerb::Deal { network, dir, port } => list::deal(network, dir, *port)?,
        PresenceVerb::Show { address } => chain::show(settings, *address)?,
        PresenceVerb::List { out } => chain::list(settings, out)?,
        PresenceVerb::Submit { certificate } => chain::submit(settings, certificate)?,
        PresenceVerb::Attend { list, follow, keys, work_within } => {
            let chain = if *follow { Some(submit::client(settings)?) } else { None };
            let list = list.as_deref();
            attend::attend(attend::Asked { list, chain, keys, work_within_ms: *work_within })?;
        }
        PresenceVerb::Prove(asked) => return live::prove(settings, asked),
        PresenceVerb::Verify { certificate, list } => {
            return live::verify(settings, certificate, list);
        }
    }
    Ok(ExitCode::SUCCESS)
}

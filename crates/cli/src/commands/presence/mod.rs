//! `meshx presence`: prove where a node stands, measure others, check what was measured.

mod chain;
mod prove;

use crate::{commands::lab::lab, settings::Settings, user};
use anyhow::Result;
use args::{PresenceCommand, PresenceVerb};
use node::measuring::Attending;
use std::process::ExitCode;

pub fn presence(settings: &Settings, command: &PresenceCommand) -> Result<ExitCode> {
    match &command.verb {
        PresenceVerb::Evaluate(words) => return lab(settings, &["presence", "evaluate"], words),
        PresenceVerb::Locate(words) => return lab(settings, &["presence", "locate"], words),
        PresenceVerb::SybilCost(words) => return lab(settings, &["presence", "sybil-cost"], words),
        PresenceVerb::Deal { network, dir, port } => prove::deal(settings, network, dir, *port)?,
        PresenceVerb::Show { address } => chain::show(settings, *address)?,
        PresenceVerb::List { out } => chain::list(settings, out)?,
        PresenceVerb::Submit { certificate } => chain::submit(settings, certificate)?,
        PresenceVerb::Attend { list, follow, keys, work_within } => {
            let chain = if *follow { Some(user::client(settings)?) } else { None };
            let (list, work_within_ms) = (list.as_deref(), *work_within);
            prove::attend(settings, Attending { list, chain, keys, work_within_ms })?;
        }
        PresenceVerb::Prove(asked) => return prove::prove(settings, asked),
        PresenceVerb::Verify { certificate, list } => {
            return prove::verify(settings, certificate, list);
        }
    }
    Ok(ExitCode::SUCCESS)
}

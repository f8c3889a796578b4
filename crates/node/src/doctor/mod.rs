//! What keeps this machine from meeting others or earning, and the next step for each.
//!
//! Each check is a function that gives a [`Finding`]; none changes anything that stays.

mod chain;
mod machine;
mod reach;
mod ways;

use overlay::{PeerAddress, Tor, TurnServer};
use serde::Serialize;
use std::{path::PathBuf, time::Duration};
use types::{ChainId, Hash};

/// What is looked at.
#[derive(Clone)]
pub struct Asked {
    /// The port to listen on.
    pub port: u16,
    /// STUN servers; two tell the kind of NAT.
    pub stun: Vec<String>,
    /// The network to try to join.
    pub network: Option<Hash>,
    /// Nodes of that network to dial. Without any, or without a network, nothing is joined.
    pub join: Vec<PeerAddress>,
    /// Where a node would keep its data.
    pub dir: PathBuf,
    /// The base URL of a node to compare clocks with.
    pub node: Option<String>,
    /// The chain whose prices say what this machine would earn.
    pub chain: ChainId,
    /// A TURN server to try, if one was named.
    pub turn: Option<TurnServer>,
    /// The Tor daemon of this machine, and whether it is to be used.
    pub tor: (Tor, bool),
}

/// How bad one finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It works.
    Ok,
    /// It works, with a limit.
    Warn,
    /// It does not work.
    Bad,
    /// Nothing was asked.
    Skipped,
}

/// One thing looked at.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// What was looked at, in a word or two: `disk`.
    pub what: &'static str,
    /// How bad it is.
    pub verdict: Verdict,
    /// What was found, in a sentence for a person.
    pub found: String,
    /// What to do about it.
    pub next: Option<String>,
}

impl Finding {
    fn new(what: &'static str, verdict: Verdict, found: impl Into<String>) -> Self {
        Self { what, verdict, found: found.into(), next: None }
    }

    fn next(mut self, step: impl Into<String>) -> Self {
        self.next = Some(step.into());
        self
    }
}

/// Look at everything, in the order in which it is printed. Takes up to a minute.
///
/// # Errors
/// If the machine gives no threads.
pub fn examine(asked: &Asked) -> std::io::Result<Vec<Finding>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let mut findings = vec![
        machine::cpu(),
        machine::memory(),
        machine::disk(&asked.dir),
        machine::port(asked.port),
    ];
    findings.extend(chain::node(asked.node.as_deref(), asked.chain));
    let (daemon, used) = &asked.tor;
    findings.push(runtime.block_on(ways::tor(daemon, *used)));
    // These ask others directly, so a node that hides skips them.
    if !daemon.only {
        findings.push(runtime.block_on(ways::nat_type(&asked.stun)));
        findings.push(runtime.block_on(ways::router(asked.port)));
        findings.push(runtime.block_on(ways::turn(asked.turn.as_ref())));
    }
    findings.extend(runtime.block_on(reach::reach(asked)));
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(findings)
}

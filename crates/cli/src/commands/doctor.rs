//! `meshx doctor`: what keeps this machine from meeting others or earning, and the next step for each.

use crate::settings::Settings;
use anyhow::Result;
use args::Doctor;
use client::home;
use node::doctor::{Asked, Verdict, examine};
use std::process::ExitCode;

/// Exits with 1 if something does not work.
pub fn doctor(settings: &Settings, args: &Doctor) -> Result<ExitCode> {
    let findings = examine(&Asked {
        port: args.port,
        stun: args.stun.clone(),
        network: args.network,
        join: args.join.clone(),
        dir: args.dir.clone().or_else(|| home::data().ok()).unwrap_or_else(|| ".".into()),
        node: settings.node.clone(),
        chain: settings.chain,
        turn: args.turn.turn.clone(),
        tor: (args.tor.daemon(), args.tor.tor || args.tor.onion),
    })?;
    let bad = findings.iter().any(|finding| finding.verdict == Verdict::Bad);
    if settings.json() {
        println!("{}", serde_json::to_string(&findings)?);
    } else {
        for finding in &findings {
            let mark = match finding.verdict {
                Verdict::Ok => "ok",
                Verdict::Warn => "limit",
                Verdict::Bad => "BAD",
                Verdict::Skipped => "-",
            };
            println!("{mark:<6} {:<13} {}", finding.what, finding.found);
            if let Some(next) = &finding.next {
                println!("{:<20} next: {next}", "");
            }
        }
    }
    Ok(if bad { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

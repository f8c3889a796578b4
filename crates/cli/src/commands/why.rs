//! `meshx why`: the rules and workers that decide a job, what happened to it, and what to try.

use crate::{settings::Settings, user};
use anyhow::Result;
use api::{Client, JobView};
use client::{Again, Logs, Request, Story, units::short_address};
use serde_json::json;
use talk::Progress;
use types::{
    Obstacle, Status, Trap,
    state::{Ending, Phase},
};

pub fn why(settings: &Settings, id: &str) -> Result<()> {
    let client = user::client(settings)?;
    let view = client::find_job(&client, id)?;
    let why = client.why(Some(view.chain), view.job)?;
    let story = story(&client, &view, None, Logs::Of(view.job));
    if settings.json() {
        let (kind, what, hint) = story.map_or((None, None, None), |story| {
            (Some(story.kind), Some(story.what), Some(story.hint))
        });
        println!(
            "{}",
            json!({ "job": view.job, "verdict": why.verdict, "kind": kind, "what": what,
                "hint": hint, "reasons": why.reasons })
        );
        return Ok(());
    }
    if let Some(story) = &story {
        println!("{}", story.what);
    }
    println!("{}", why.verdict);
    for reason in &why.reasons {
        let who = reason.worker.map_or_else(
            || "the job".to_owned(),
            |worker| format!("worker {}", short_address(&worker)),
        );
        println!("  {:14} {who} {}", reason.rule, reason.detail);
    }
    if let Some(story) = story {
        println!("hint: {}", story.hint);
    }
    Ok(())
}

/// What happened to a job that is over. Where it helps, the job is run once more here: as `request`, or with the bytes
/// that this machine has kept and the node's.
pub fn story(
    client: &Client,
    view: &JobView,
    request: Option<&Request>,
    logs: Logs,
) -> Option<Story> {
    let again =
        if a_run_tells_more(&view.record.phase) { again(client, view, request) } else { None };
    client::story(&view.record, again.as_ref(), logs)
}

/// Without its bytes, a job is explained by what the chain knows.
fn again(client: &Client, view: &JobView, request: Option<&Request>) -> Option<Again> {
    let fetched;
    let request = match request {
        Some(request) => request,
        None => {
            fetched = client::bytes_of(client, view).ok()?;
            &fetched
        }
    };
    let progress = Progress::new();
    progress.say("running it again on this machine, to see what happened");
    client::again(request).ok()
}

/// Whether a run here would say where it trapped, or whether the job or its workers failed.
fn a_run_tells_more(phase: &Phase) -> bool {
    match phase {
        Phase::Settled(settlement) => {
            // A limit on output names no place; what aborts says so itself.
            matches!(&settlement.outcome.status,
                Status::Trapped(trap) if !matches!(trap, Trap::OutputTooLong))
                || settlement.outcome.status.obstacle() == Some(Obstacle::Module)
        }
        Phase::Ended { ending, assignments, .. } => {
            !matches!(ending, Ending::Cancelled) && !assignments.as_slice().is_empty()
        }
        Phase::Queued { .. } | Phase::Committing { .. } | Phase::Revealing { .. } => false,
    }
}

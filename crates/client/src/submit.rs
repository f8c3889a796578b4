//! From a request to a job on a chain, and on to its end: the shell that drives an [`Errand`].

use crate::{Answer, Errand, Finished, Next, Request, Stuck, Terms, home, wallet, when::span};
use api::{Client, ClientError, Code, JobEvent, Wait};
use crypto::SigningKey;
use std::{
    thread,
    time::{Duration, Instant},
};
use types::{
    Action, ChainId, JobId, NanoMeshx, Tx,
    codec::DecodeExt as _,
    network::NetworkKeys,
    state::{JobRecord, Phase},
};

/// Why a job was not followed to its end.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotFinished {
    #[error(transparent)]
    Node(#[from] ClientError),
    #[error("the node's network keys cannot be decoded")]
    Network(#[source] types::codec::Error),
    #[error(
        "the account holds {holds} MESHX on {chain}, and the job needs {needs}: {escrow} to be set aside for it, and the fee\nhint: lower --fuel, --memory or --output-limit, or get more MESHX (meshx faucet, on a development network)"
    )]
    Poor { chain: ChainId, holds: NanoMeshx, needs: NanoMeshx, escrow: NanoMeshx },
    #[error(transparent)]
    NoRandomness(#[from] wallet::NoRandomness),
    #[error(transparent)]
    Stuck(#[from] Stuck),
}

/// How long a node that is starting is waited for, and how often it is asked.
const READY_TIMEOUT: Duration = Duration::from_secs(30);
const READY_LOOKS: Duration = Duration::from_millis(100);

/// How often a payment is signed again because something that will pass stood in its way, and how soon: for two minutes.
const TURNS: u16 = 480;
const TURN_PAUSE: Duration = Duration::from_millis(250);
/// A module from this length on takes so long to compile that a user is told.
pub const LARGE_MODULE_BYTES: u64 = 4 << 20;

/// What a user is told of a phase.
#[must_use]
pub const fn phase_words(phase: &Phase) -> &'static str {
    match phase {
        Phase::Queued { .. } => "waiting for workers",
        Phase::Committing { .. } => "running",
        Phase::Revealing { .. } => "comparing results",
        Phase::Settled(_) => "settled",
        Phase::Ended { .. } => "ended",
    }
}

/// The same while the job is followed: the first job of a large module waits for its compilation.
fn progress_words(record: &JobRecord) -> String {
    let len = record.submission.spec.module_len;
    let words = phase_words(&record.phase);
    match record.phase {
        Phase::Committing { .. } if len >= LARGE_MODULE_BYTES => format!(
            "{words}; a worker that has not run this module before compiles its {} MB first, and has {} for that",
            len / 1_000_000,
            span(jobs::compile_time(len))
        ),
        _ => words.to_owned(),
    }
}

/// How far a submission is.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// What is being done now, for a person.
    Doing(&'a str),
    /// Something that is not kept on this machine, and why. The job goes on.
    NotKept(&'a home::NotKept),
    /// The payment for the job with this id is on its way: it may be taken, whatever becomes of this program.
    Paying(ChainId, JobId),
    /// The job is on the chain, and paid into escrow: from now on it goes on without us.
    Submitted(ChainId, JobId),
}

/// Send a job and follow it to its end. `tell` hears how far it is. The network is trusted from now on, and what was sent is
/// kept for a replay.
///
/// # Errors
/// [`NotFinished`]. The job may go on without us.
///
/// # Panics
/// Never: an errand with nothing left to do is over.
pub fn submit(
    client: &Client,
    key: &SigningKey,
    request: &Request,
    terms: &Terms,
    tell: &dyn Fn(Step<'_>),
) -> Result<Finished, NotFinished> {
    let finished = drive(client, key, request, terms, false, tell)?;
    Ok(finished.expect("nothing is left to do"))
}

/// As [`submit`], but only until the job is paid for: `tell` has heard its id then.
///
/// # Errors
/// [`NotFinished`]; no job was sent, unless `tell` has heard its id.
pub fn submit_detached(
    client: &Client,
    key: &SigningKey,
    request: &Request,
    terms: &Terms,
    tell: &dyn Fn(Step<'_>),
) -> Result<(), NotFinished> {
    drive(client, key, request, terms, true, tell).map(drop)
}

fn drive(
    client: &Client,
    key: &SigningKey,
    request: &Request,
    terms: &Terms,
    detach: bool,
    tell: &dyn Fn(Step<'_>),
) -> Result<Option<Finished>, NotFinished> {
    let say = |text: &str| {
        tracing::debug!(node = client.base(), "{text}");
        tell(Step::Doing(text));
    };
    let start = Instant::now();
    let (mut turns, mut fee) = (0, NanoMeshx::ZERO);
    let mut errand = Errand::new(key, request, *terms, wallet::random_number()?);
    loop {
        let answer = match errand.next() {
            Next::AskReady if is_ready(client, start)? => Answer::Yes,
            Next::AskReady => {
                say("waiting for the node to be ready");
                thread::sleep(READY_LOOKS);
                Answer::No
            }
            Next::AskNetwork => {
                let network_keys =
                    NetworkKeys::decode(client.genesis()?).map_err(NotFinished::Network)?;
                // A machine that keeps nothing can run jobs all the same.
                if !home::is_passing(&network_keys.network())
                    && let Err(error) = home::trust(&network_keys)
                {
                    tell(Step::NotKept(&error));
                }
                Answer::Network(network_keys.network())
            }
            Next::AskParams(chain) => Answer::Params(Box::new(client.params(chain)?)),
            Next::AskBlob(hash) => {
                say("sending module and input");
                if client.blob_len(hash)?.is_some() { Answer::Yes } else { Answer::No }
            }
            Next::Upload(hash, blob) => {
                client.put_blob(hash, blob, Some(blob.len() as u64))?;
                Answer::Yes
            }
            Next::AskMarket(chain) => {
                let market = client.market(chain)?;
                let api::MarketView { height, demand, base_fee, .. } = market;
                fee = base_fee;
                Answer::Market { height, demand, base_fee }
            }
            Next::Send(tx) => {
                affordable(client, key, tx, fee)?;
                // Before the payment: if this program dies after it, the job can still be replayed.
                request.blobs().for_each(home::keep_blob);
                say("paying into escrow");
                tell(Step::Paying(tx.chain, tx.id()));
                match client.submit(tx, Wait::Final) {
                    Ok(sent) => {
                        tracing::info!(trace = %sent.tx, chain = %sent.chain, height = ?sent.height, "paid into escrow");
                        Answer::Job(sent.tx)
                    }
                    Err(error) if turns < TURNS && will_pass(&error) => {
                        turns += 1;
                        say("waiting for earlier payments of the same wallet, or for a lower fee");
                        thread::sleep(TURN_PAUSE);
                        Answer::NotNow
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            Next::Follow(chain, job) => {
                tell(Step::Submitted(chain, job));
                if detach {
                    return Ok(None);
                }
                for event in client.job_events(Some(chain), job) {
                    if let JobEvent::Phase(view) = event? {
                        say(&progress_words(&view.record));
                        errand = errand.take(Answer::Phase(view))?;
                    }
                }
                Answer::End
            }
            Next::Nothing => return Ok(errand.finished()),
        };
        errand = errand.take(answer)?;
    }
}

/// Refuse a payment that would only cost its fee: what the account of `key` holds does not cover it.
fn affordable(
    client: &Client,
    key: &SigningKey,
    tx: &Tx,
    fee: NanoMeshx,
) -> Result<(), NotFinished> {
    let Action::SubmitJob(asked) = &tx.action else { return Ok(()) };
    let holds = client.account(tx.chain, wallet::address(key))?.balance;
    poor(tx.chain, holds, asked.price_max, fee).map_or(Ok(()), Err)
}

/// What is missing, if anything. The fee is several times the base fee, which only the chain knows exactly.
fn poor(
    chain: ChainId,
    holds: NanoMeshx,
    escrow: NanoMeshx,
    base_fee: NanoMeshx,
) -> Option<NotFinished> {
    let needs = escrow.saturating_add(base_fee);
    (holds < needs).then_some(NotFinished::Poor { chain, holds, needs, escrow })
}

/// Whether the same payment, signed anew, may be taken in a moment. It has not been taken and never will be.
fn will_pass(error: &ClientError) -> bool {
    let code = error.problem().map(|problem| problem.code);
    matches!(
        code,
        Some(Code::TooManyOpen | Code::TxExpired | Code::FeeAboveMax | Code::NonceOccupied)
    )
}

/// Whether the chains of a node have final blocks. A node that starts is given some time.
fn is_ready(client: &Client, start: Instant) -> Result<bool, ClientError> {
    let Err(error) = client.ready() else { return Ok(true) };
    let starting = error.problem().is_some_and(|problem| problem.code == Code::NotReady);
    if starting && start.elapsed() <= READY_TIMEOUT { Ok(false) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_that_cannot_pay_is_told_before_it_pays_a_fee() {
        let amount = NanoMeshx::new;
        let said = |holds| poor(ChainId::Europe, amount(holds), amount(5_000), amount(1_000));
        assert!(said(6_000).is_none());
        let refused = said(5_999).unwrap().to_string();
        assert!(refused.contains("holds 0.000005999 MESHX on EU"), "{refused}");
        assert!(refused.contains("needs 0.000006: 0.000005 to be set aside"), "{refused}");
        assert!(refused.contains("hint: lower --fuel"), "{refused}");
    }
}

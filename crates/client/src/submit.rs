//! From a request to a job on a chain, and on to its end.

use crate::{Dear, Request, home, price_max, signed, wallet};
use api::{Client, ClientError, Code, JobEvent, JobView, Wait};
use crypto::SigningKey;
use std::{
    thread,
    time::{Duration, Instant},
};
use types::{
    Action, ChainId, Hash, Height, NanoMeshx, Submission, codec::DecodeExt as _, network::Anchor,
    state::Phase,
};

/// How a job is to be paid for and waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    pub chain: ChainId,
    /// `None`: what the job can cost at its limits.
    pub max_price: Option<NanoMeshx>,
    /// Blocks until the job ends by itself and the money goes back.
    pub deadline: u64,
    /// Run it even if an equal job has been answered before.
    pub fresh: bool,
}

/// A job that is over.
#[derive(Clone, Debug)]
pub struct Finished {
    pub view: JobView,
    pub network: Hash,
}

/// Why a job was not followed to its end.
#[derive(Debug, thiserror::Error)]
pub enum NotFinished {
    #[error(transparent)]
    Node(#[from] ClientError),
    #[error("the node's network cannot be read")]
    Network(#[source] types::codec::Error),
    #[error(transparent)]
    NotKept(#[from] home::NotKept),
    #[error(transparent)]
    Dear(#[from] Dear),
    #[error("the node says nothing about the job\nhint: meshx job show asks again")]
    Silent,
}

/// How long a node that is starting is waited for.
const READY_TIMEOUT: Duration = Duration::from_secs(30);

/// What is asked of the chain at height `now`, where the job can cost `price_max`.
#[must_use]
pub fn submission(
    request: &Request,
    terms: &Terms,
    price_max: NanoMeshx,
    now: Height,
) -> Submission {
    Submission {
        spec: request.spec.clone(),
        agreement: request.agreement,
        price_max: terms.max_price.unwrap_or(price_max),
        deadline: Height::new(now.get().saturating_add(terms.deadline)),
        fresh: terms.fresh,
    }
}

/// What a user is told of a phase.
#[must_use]
pub const fn phase_words(phase: &Phase) -> &'static str {
    match phase {
        Phase::Queued => "waiting for workers",
        Phase::Committing { .. } => "running",
        Phase::Revealing { .. } => "comparing results",
        Phase::Settled(_) => "settled",
        Phase::Ended { .. } => "ended",
    }
}

/// Send a job and follow it to its end. `say` hears how far it is. The network is trusted from now on, and what was sent is kept
/// for a replay.
///
/// # Errors
/// [`NotFinished`]. The job may go on without us.
pub fn submit(
    client: &Client,
    key: &SigningKey,
    request: &Request,
    terms: &Terms,
    say: &dyn Fn(&str),
) -> Result<Finished, NotFinished> {
    await_ready(client, say)?;
    let anchor = Anchor::decode(client.genesis()?).map_err(NotFinished::Network)?;
    home::trust(&anchor)?;
    let network = anchor.network();
    let params = client.params(terms.chain)?;
    let account = client.account(terms.chain, wallet::address(key))?;
    say("sending module and input");
    for blob in request.blobs() {
        let hash = Hash::of_content(blob);
        if client.blob_len(hash)?.is_none() {
            client.put_blob(hash, blob, Some(blob.len() as u64))?;
        }
        home::keep_blob(blob);
    }
    let price_max = price_max(request, client.market(terms.chain)?.demand, &params)?;
    let action = Action::SubmitJob(submission(request, terms, price_max, account.height));
    say("paying into escrow");
    let tx = signed(key, &network, terms.chain, account.nonce, action);
    let job = client.submit(&tx, Wait::Final)?.tx;
    let mut last = None;
    for event in client.job_events(Some(terms.chain), job) {
        if let JobEvent::Phase(view) = event? {
            say(phase_words(&view.record.phase));
            last = Some(*view);
        }
    }
    Ok(Finished { view: last.ok_or(NotFinished::Silent)?, network })
}

/// Wait for a node that answers but whose chains have no final block yet.
fn await_ready(client: &Client, say: &dyn Fn(&str)) -> Result<(), ClientError> {
    let start = Instant::now();
    loop {
        let Err(error) = client.ready() else { return Ok(()) };
        let starting = error.problem().is_some_and(|problem| problem.code == Code::NotReady);
        if !starting || start.elapsed() > READY_TIMEOUT {
            return Err(error);
        }
        say("waiting for the node to be ready");
        thread::sleep(Duration::from_millis(100));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Module, Resources, engine};

    #[test]
    fn a_cap_that_is_named_counts_and_the_deadline_is_from_now() {
        let text = b"(module (memory (export \"memory\") 1) (func (export \"_start\")))";
        let module = Module::read(&engine().unwrap(), "m", text).unwrap();
        let request = Request::new(module, Resources::default()).unwrap();
        let terms =
            Terms { chain: ChainId::Europe, max_price: None, deadline: 1_200, fresh: false };
        let needed = NanoMeshx::new(500);
        let asked = submission(&request, &terms, needed, Height::new(30));
        assert_eq!((asked.price_max, asked.deadline), (needed, Height::new(1_230)));
        let named = Terms { max_price: Some(NanoMeshx::new(7)), deadline: u64::MAX, ..terms };
        let asked = submission(&request, &named, needed, Height::new(30));
        assert_eq!((asked.price_max, asked.deadline), (NanoMeshx::new(7), Height::new(u64::MAX)));
    }
}

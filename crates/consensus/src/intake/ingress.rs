//! What clients ask of the intake.

use crate::news::SubmitError;
use tokio::sync::{mpsc, oneshot};
use types::{Tx, TxId};

/// Most clients' requests that wait for the task; more are told at once to come again.
const REQUESTS_MAX: usize = 256;

/// One for each transaction, in order.
pub(super) type Verdicts = Vec<Result<TxId, SubmitError>>;

/// A client's transactions, and where the verdicts go.
pub(crate) struct Request {
    pub(crate) txs: Vec<Tx>,
    pub(crate) reply: oneshot::Sender<Verdicts>,
}

/// Where clients' transactions go.
#[derive(Clone)]
pub(crate) struct Mailbox(mpsc::Sender<Request>);

/// Clients' side, and the task's.
pub(crate) fn mailbox() -> (Mailbox, mpsc::Receiver<Request>) {
    let (sender, receiver) = mpsc::channel(REQUESTS_MAX);
    (Mailbox(sender), receiver)
}

impl Mailbox {
    /// Have `txs` judged. A full mailbox answers like a full pool: try again.
    pub(crate) async fn submit(&self, txs: Vec<Tx>) -> Verdicts {
        let count = txs.len();
        let all = |error: SubmitError| vec![Err(error); count];
        let (reply, verdicts) = oneshot::channel();
        match self.0.try_send(Request { txs, reply }) {
            Ok(()) => verdicts.await.unwrap_or_else(|_| all(SubmitError::Stopped)),
            Err(mpsc::error::TrySendError::Full(_)) => all(mempool::Rejected::Full.into()),
            Err(mpsc::error::TrySendError::Closed(_)) => all(SubmitError::Stopped),
        }
    }
}

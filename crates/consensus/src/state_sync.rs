//! Where a validator's state comes from when its disk is empty: its peers, operation by operation,
//! each batch proved under a root that a final block commits to.
//!
//! The library fetches and serves ([`p2p::Actor`]), but only operations whose decoding needs no
//! configuration and without a bound in bytes. So operations travel as [`Wired`], and what a peer asks
//! of a database goes through [`Served`], which answers with fewer operations where they are large.

use crate::{
    peers::Known,
    store::{MAILBOX, OutboxDb, StateDb},
};
use bytes::BufMut;
use commonware_codec::{Buf, Codec, EncodeSize, Error, Read, Write};
use commonware_glue::stateful::db::{AttachableResolver, Shared, p2p};
use commonware_p2p::{Blocker, Receiver, Sender};
use commonware_runtime::{Clock, Metrics, Spawner, Supervisor};
use commonware_storage::{
    Context as StorageContext,
    qmdb::{
        any::ordered::variable::Operation as StateOp,
        keyless::variable::Operation as OutboxOp,
        sync::{
            Feedback, Request, Response, ServeError,
            source::{Result as Answer, Source},
        },
    },
};
use commonware_utils::{
    NZDuration, NZU64,
    channel::{mpsc, oneshot},
};
use network::PublicKey;
use rand_core::CryptoRng;
use receipt::light::{Digest, Family, RECORD_BYTES_MAX, Record};
use std::{future::Future, num::NonZeroU64, sync::Arc, time::Duration};

/// Operations asked for at once. A peer sends fewer if they are large.
pub(crate) const FETCH_OPS: NonZeroU64 = NZU64!(256);
/// A response with more than one operation is not larger than this.
const RESPONSE_BYTES: usize = 512 << 10;
/// A record and what an operation needs around it: two keys, lengths, a tag.
const OP_BYTES_MAX: usize = RECORD_BYTES_MAX + 128;

/// The largest message of state sync: one operation, however large, with its proof.
pub(crate) fn message_bytes_max() -> usize {
    p2p::max_payload_size::<Family, Digest>(NonZeroU64::MIN, OP_BYTES_MAX)
}

type Batch<Op> = Response<Family, Op, Digest>;

/// A database that peers fetch from each other.
pub(crate) trait Synced: Send + Sync + Sized + 'static {
    type Op: Codec<Cfg: Default> + Clone + Send + 'static;

    fn serve(
        database: &Shared<Self>,
        request: Request<Family>,
    ) -> impl Future<Output = Result<Batch<Self::Op>, ServeError<Family>>> + Send;
}

impl<E: StorageContext + Spawner> Synced for StateDb<E> {
    type Op = StateOp<Family, Digest, Record>;
    async fn serve(
        database: &Shared<Self>,
        request: Request<Family>,
    ) -> Result<Batch<Self::Op>, ServeError<Family>> {
        Source::serve(database, request).await.map(|(batch, _)| batch)
    }
}

impl<E: StorageContext + Spawner> Synced for OutboxDb<E> {
    type Op = OutboxOp<Family, Record>;
    async fn serve(
        database: &Shared<Self>,
        request: Request<Family>,
    ) -> Result<Batch<Self::Op>, ServeError<Family>> {
        Source::serve(database, request).await.map(|(batch, _)| batch)
    }
}

/// An operation as it travels.
#[derive(Clone)]
pub(crate) struct Wired<Op>(Op);

impl<Op: Write> Write for Wired<Op> {
    fn write(&self, buf: &mut impl BufMut) {
        self.0.write(buf);
    }
}
impl<Op: EncodeSize> EncodeSize for Wired<Op> {
    fn encode_size(&self) -> usize {
        self.0.encode_size()
    }
}
impl<Op: Read<Cfg: Default>> Read for Wired<Op> {
    type Cfg = ();
    fn read_cfg(buf: &mut impl Buf, _: &()) -> Result<Self, Error> {
        Op::read_cfg(buf, &Op::Cfg::default()).map(Self)
    }
}

fn map<A, B>(batch: Batch<A>, one: impl Fn(A) -> B) -> Batch<B> {
    match batch {
        Response::Operations { proof, operations } => {
            Response::Operations { proof, operations: operations.into_iter().map(one).collect() }
        }
        Response::Boundary { proof, op, pinned_nodes } => {
            Response::Boundary { proof, op: one(op), pinned_nodes }
        }
    }
}

/// This validator's database as its peers may ask for it.
pub(crate) struct Served<DB: Synced>(Shared<DB>);

impl<DB: Synced> Source for Served<DB> {
    type Family = Family;
    type Digest = Digest;
    type Op = Wired<DB::Op>;
    type Error = ServeError<Family>;

    async fn serve(&self, mut request: Request<Family>) -> Answer<Self> {
        loop {
            let batch = map(DB::serve(&self.0, request).await?, Wired);
            match smaller(&request, batch.encode_size()) {
                Some(less) => request = less,
                None => return Ok((batch, None)),
            }
        }
    }
}

/// What to answer instead of `request` if its answer has `bytes` bytes and that is too much.
fn smaller(request: &Request<Family>, bytes: usize) -> Option<Request<Family>> {
    match request {
        Request::Operations { size, start, max_ops } if bytes > RESPONSE_BYTES => {
            // Half as many until it fits. A single operation is sent however large it is, or its record could never be
            // synced.
            let max_ops = NonZeroU64::new(max_ops.get() / 2)?;
            Some(Request::Operations { size: *size, start: *start, max_ops })
        }
        Request::Operations { .. } | Request::Boundary { .. } => None,
    }
}

type Mailbox<DB> = p2p::Mailbox<Served<DB>, Family, Wired<<DB as Synced>::Op>, Digest>;

/// The peers' copies of a database.
pub(crate) struct Peers<E, DB: Synced> {
    context: Arc<E>,
    mailbox: Mailbox<DB>,
}

impl<E: Spawner + Clock + CryptoRng + Metrics + Supervisor, DB: Synced> Peers<E, DB> {
    /// Serve peers on `channel`, once a database is attached, and fetch from them.
    pub(crate) fn start<B, S, R>(
        context: E,
        me: PublicKey,
        peers: &Known,
        blocks: &B,
        channel: (S, R),
    ) -> Self
    where
        B: Blocker<PublicKey = PublicKey>,
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
    {
        let config = p2p::Config {
            peer_provider: peers.clone(),
            blocker: blocks.clone(),
            database: None,
            mailbox_size: MAILBOX,
            me: Some(me),
            fetch_timeout: NZDuration!(Duration::from_secs(2)),
            fetch_retry_delay: Duration::from_millis(100),
            max_serve_ops: FETCH_OPS,
            priority_requests: false,
            priority_responses: false,
        };
        let (actor, mailbox) = p2p::Actor::new(context.child("actor"), config);
        actor.start(channel);
        Self { context: Arc::new(context), mailbox }
    }
}

impl<E, DB: Synced> Clone for Peers<E, DB> {
    fn clone(&self) -> Self {
        Self { context: self.context.clone(), mailbox: self.mailbox.clone() }
    }
}

impl<E: Spawner + Supervisor, DB: Synced> Source for Peers<E, DB> {
    type Family = Family;
    type Digest = Digest;
    type Op = DB::Op;
    type Error = p2p::ResponseDropped;

    async fn serve(&self, request: Request<Family>) -> Answer<Self> {
        let (batch, feedback) = self.mailbox.serve(request).await?;
        let feedback = feedback.map(|feedback| {
            let (verdict, judged) = oneshot::channel();
            let (candidates, later) = mpsc::channel(1);
            self.context.child("feedback").spawn(move |_| pass_on(feedback, judged, candidates));
            Feedback::new(verdict, later)
        });
        Ok((map(batch, |op| op.0), feedback))
    }
}

/// Tell the peers' side what the database thinks of each answer, and hand on the next one.
async fn pass_on<Op: Send>(
    mut feedback: Feedback<Batch<Wired<Op>>>,
    mut judged: oneshot::Receiver<bool>,
    candidates: mpsc::Sender<(Batch<Op>, oneshot::Sender<bool>)>,
) {
    loop {
        match judged.await {
            Ok(true) => return feedback.accept(),
            Ok(false) => {}
            // Nobody wants an answer any more; dropping the feedback says so.
            Err(_) => return,
        }
        let next = tokio::select! {
            biased;
            next = feedback.reject() => next,
            () = candidates.closed() => return,
        };
        let Some((batch, again)) = next else { return };
        let (verdict, receiver) = oneshot::channel();
        if candidates.send((map(batch, |op| op.0), verdict)).await.is_err() {
            return;
        }
        (feedback, judged) = (again, receiver);
    }
}

impl<E: Spawner + Supervisor, DB: Synced> AttachableResolver<DB> for Peers<E, DB> {
    async fn attach_database(&self, database: Shared<DB>) {
        self.mailbox.attach_database(Shared::new("served_to_peers", Served(database)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use commonware_storage::merkle::Location;

    #[test]
    fn a_large_answer_is_halved_until_it_fits_or_is_one_operation() {
        let ask = |max_ops| Request::Operations {
            size: Location::new(1_000),
            start: Location::new(0),
            max_ops: NonZeroU64::new(max_ops).expect("not zero"),
        };
        let large = RESPONSE_BYTES + 1;
        assert_eq!(smaller(&ask(256), large), Some(ask(128)));
        assert_eq!(smaller(&ask(3), large), Some(ask(1)));
        assert_eq!(smaller(&ask(1), large), None, "one operation is sent whole");
        assert_eq!(smaller(&ask(256), RESPONSE_BYTES), None);
    }

    #[test]
    fn the_largest_message_holds_the_largest_record() {
        assert!(message_bytes_max() > RECORD_BYTES_MAX);
        assert!(message_bytes_max() < 2 << 20, "two largest records never travel together");
    }
}

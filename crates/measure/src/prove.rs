//! A prover asks its whole committee at once, answers from one socket, and makes a certificate of what is signed in time.
//!
//! One loop and one closed set of events; each witness's channel has a task of its own that hangs, fails and ends without
//! the others.

use crate::{
    ANSWER_BYTES, AnswerBytes, Draw, Endpoint, Prover, QUESTION_BYTES, Reply, SessionId,
    SessionKey, SignedTranscript, ToProver, ToWitness, Transcript, Unopened, assemble,
    frame::{self, ChannelFault},
    is_signed,
    stamped::as_family,
};
use crypto::SigningKey;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::UdpSocket,
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{Instant, sleep_until},
};
use types::{
    Hash, PublicKey,
    presence::{Claim, Minimum, PresenceCertificate, WITNESSES_MAX},
};

/// How a prover measures.
#[derive(Clone, Copy, Debug)]
pub struct ProveSettings {
    /// From the beginning until when witnesses may probe; the transcript is made then, or before if all are done. Usually
    /// 8 s: a witness's window and patience, and the time to reach it. If shorter, slow witnesses are left out.
    pub probing: Duration,
    /// From the beginning until when minima count; after `probing`. Usually 12 s.
    pub deadline: Duration,
}

impl ProveSettings {
    /// For the default plan, and witnesses anywhere on earth.
    pub const DEFAULT: Self =
        Self { probing: Duration::from_secs(8), deadline: Duration::from_secs(12) };
}

/// What is to be measured, and by which witnesses.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is to be shown.
    pub claim: Claim,
    /// The proof that the committee was drawn.
    pub draw: Draw,
    /// The committee ([`crate::committee`]): each witness's place in the period's list, and its key. At most
    /// [`WITNESSES_MAX`], none twice.
    pub witnesses: Vec<(u16, PublicKey)>,
    /// Where this node's socket is reached; `None` if witnesses are to see that, which they can if they are reached
    /// themselves.
    pub reached_at: Option<SocketAddr>,
}

/// A certificate, and who is not in it.
#[derive(Debug)]
pub struct Proved {
    /// What the witnesses signed.
    pub certificate: PresenceCertificate,
    /// Sorted by witness.
    pub silent: Vec<(u16, Why)>,
}

/// How far a witness had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It had not said yet that it would measure.
    Asking,
    /// It was measuring.
    Probing,
    /// It had not signed yet what it measured.
    Signing,
}

/// Why there is no minimum of a witness.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Why {
    #[error("not reached: {0}")]
    Unreached(io::Error),
    #[error("{0}")]
    Channel(#[from] ChannelFault),
    #[error("refused: {0}")]
    Refused(String),
    #[error("no session: {0}")]
    Unopened(#[from] Unopened),
    #[error("its challenges did not arrive")]
    Unprobed,
    #[error("it did not sign this minimum with its own key")]
    Unsigned,
    #[error("it was still {0:?} at the deadline")]
    TooLate(Stage),
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotProved {
    #[error("a deadline of {deadline:?} is not after {probing:?} of probing")]
    Deadline { deadline: Duration, probing: Duration },
    #[error("{0} witnesses were asked; a claim has at most {WITNESSES_MAX}")]
    TooMany(usize),
    #[error("witness {0} was asked twice")]
    Twice(u16),
    #[error("the claim names another key")]
    Key,
    #[error("the socket fails: {0}")]
    Socket(io::Error),
    #[error("no witness signed a measurement")]
    Nobody { silent: Vec<(u16, Why)> },
}

/// Have a claim measured.
///
/// `connect` opens a channel to a witness, by place in the list and key: encrypted, both ends known to each other, since a
/// session's key goes through it. `key` is the claim's. Ends as soon as all witnesses have signed or failed, and at the
/// deadline at the latest. All time in which this future is not polled is measured as distance: a busy node gives it a
/// thread of its own.
///
/// # Errors
/// [`NotProved`]. A certificate of few minima is no error; whether it shows anything is for [`presence::verify`].
pub async fn prove<C, F, W>(
    request: Request,
    key: &SigningKey,
    socket: UdpSocket,
    connect: F,
    settings: &ProveSettings,
) -> Result<Proved, NotProved>
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(u16, PublicKey) -> W,
    W: Future<Output = io::Result<C>> + Send + 'static,
{
    check(&request, key, settings)?;
    let began = Instant::now();
    socket.writable().await.map_err(NotProved::Socket)?;
    // Each task sends two events, and is heard until it ends: room for all.
    let (events, mut heard) = mpsc::channel(2 * WITNESSES_MAX);
    let (claim, draw) = (request.claim.clone(), request.draw.clone());
    let ask = Arc::new(ToWitness::Ask { claim, draw });
    let ready = ToWitness::Ready { udp: request.reached_at.map(Into::into) };
    let claim = request.claim.id();
    let mut tasks = JoinSet::new();
    for (index, key) in &request.witnesses {
        let said = Said { ask: ask.clone(), ready: ready.clone(), claim };
        let spoken = speak(connect(*index, *key), *index, *key, said, events.clone());
        let index = *index;
        tasks.spawn(async move { (index, spoken.await) });
    }
    let mut measurement = Measurement::new(&request, Arc::new(socket), claim, key);
    let mut buffer = [0; QUESTION_BYTES + 1];
    let (worked, mut works) = mpsc::channel(WITNESSES_MAX);
    while !tasks.is_empty() {
        if measurement.prover.is_some()
            && (measurement.probing.is_empty() || began.elapsed() >= settings.probing)
        {
            measurement.close();
        }
        let due = match measurement.prover {
            Some(_) => settings.probing,
            None => settings.deadline,
        };
        let socket = measurement.socket.clone();
        tokio::select! {
            // In no fixed order: a flood of datagrams must not keep anything else from happening.
            received = socket.recv_from(&mut buffer) => match received {
                Ok((length, from)) => measurement.answer(&buffer[..length], from, &worked),
                // Somebody's port was closed; some systems say that here.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
                Err(error) => return Err(NotProved::Socket(error)),
            },
            Some((answer, to)) = works.recv() => measurement.send(&answer, to),
            Some(event) = heard.recv() => measurement.hear(event),
            Some(ended) = tasks.join_next() => {
                let (index, ended) = ended.expect("a task does not panic, and is not cancelled");
                measurement.end(index, ended);
            }
            () = sleep_until(began + due) => if measurement.prover.is_none() { break },
        }
    }
    let (silent, minima, transcript) = measurement.done();
    match transcript {
        Some(transcript) if !minima.is_empty() => {
            let certificate = assemble(request.claim, request.draw, transcript, minima);
            Ok(Proved { certificate, silent })
        }
        _ => Err(NotProved::Nobody { silent }),
    }
}

fn check(request: &Request, key: &SigningKey, settings: &ProveSettings) -> Result<(), NotProved> {
    let ProveSettings { probing, deadline } = *settings;
    if deadline <= probing {
        return Err(NotProved::Deadline { deadline, probing });
    }
    if request.witnesses.len() > WITNESSES_MAX {
        return Err(NotProved::TooMany(request.witnesses.len()));
    }
    let mut seen = BTreeSet::new();
    if let Some((index, _)) = request.witnesses.iter().find(|(index, _)| !seen.insert(*index)) {
        return Err(NotProved::Twice(*index));
    }
    if request.claim.prover.0 != key.public() {
        return Err(NotProved::Key);
    }
    Ok(())
}

/// What the task of a witness says to the loop.
enum Event {
    /// A witness began.
    Session {
        /// Which witness.
        index: u16,
        /// Names the session in datagrams.
        id: SessionId,
        /// Authenticates its datagrams.
        key: SessionKey,
        /// Where its datagrams come from.
        udp: Option<SocketAddr>,
        /// Whether the session is open now.
        opened: oneshot::Sender<Result<(), Unopened>>,
        /// What the witness is to sign for; dropped if it is in no transcript.
        rooted: oneshot::Sender<Rooted>,
    },
    /// A witness has asked all it wanted to.
    Probed {
        /// Which witness.
        index: u16,
    },
}

/// A witness's part of the transcript, to be sent.
struct Rooted {
    message: ToWitness,
    root: Hash,
}

/// What all witnesses are told.
struct Said {
    ask: Arc<ToWitness>,
    ready: ToWitness,
    claim: Hash,
}

/// Speak with one witness until it gives its minimum.
async fn speak<C: AsyncRead + AsyncWrite + Unpin>(
    connecting: impl Future<Output = io::Result<C>>,
    index: u16,
    witness: PublicKey,
    said: Said,
    events: mpsc::Sender<Event>,
) -> Result<Minimum, Why> {
    let mut channel = connecting.await.map_err(Why::Unreached)?;
    frame::send(&mut channel, &*said.ask).await?;
    let (id, key, udp) = match hear(&mut channel).await? {
        ToProver::Session { id, key, udp } => (id, key, udp.and_then(Endpoint::of_one)),
        _ => return Err(ChannelFault::OutOfTurn.into()),
    };
    let (opened, is_open) = oneshot::channel();
    let (rooted, root) = oneshot::channel();
    let session = Event::Session { index, id, key, udp, opened, rooted };
    // The loop hears until this task ends.
    if events.send(session).await.is_err() {
        return Err(Why::TooLate(Stage::Asking));
    }
    is_open.await.map_err(|_| Why::TooLate(Stage::Asking))??;
    frame::send(&mut channel, &said.ready).await?;
    let ToProver::Probed = hear(&mut channel).await? else {
        return Err(ChannelFault::OutOfTurn.into());
    };
    drop(events.send(Event::Probed { index }).await);
    let Rooted { message, root } = root.await.map_err(|_| Why::Unprobed)?;
    frame::send(&mut channel, &message).await?;
    match hear(&mut channel).await? {
        ToProver::Measured { minimum }
            if minimum.witness == index && is_signed(&minimum, &said.claim, &root, &witness) =>
        {
            Ok(minimum)
        }
        ToProver::Measured { .. } => Err(Why::Unsigned),
        _ => Err(ChannelFault::OutOfTurn.into()),
    }
}

/// The next message that is no refusal.
async fn hear<C: AsyncRead + Unpin>(channel: &mut C) -> Result<ToProver, Why> {
    match frame::receive(channel).await? {
        ToProver::Refused { why } => Err(Why::Refused(why.as_str().to_owned())),
        message => Ok(message),
    }
}

/// What the loop knows.
struct Measurement<'a> {
    socket: Arc<UdpSocket>,
    is_ipv6: bool,
    claim: Hash,
    key: &'a SigningKey,
    /// Until the transcript is made.
    prover: Option<Prover>,
    transcript: Option<SignedTranscript>,
    /// Witnesses that may still probe.
    probing: BTreeSet<u16>,
    /// Who has not ended, and how far it is.
    stages: BTreeMap<u16, Stage>,
    rooted: BTreeMap<u16, oneshot::Sender<Rooted>>,
    minima: Vec<Minimum>,
    silent: BTreeMap<u16, Why>,
}

impl<'a> Measurement<'a> {
    fn new(request: &Request, socket: Arc<UdpSocket>, claim: Hash, key: &'a SigningKey) -> Self {
        let witnesses = request.witnesses.iter().map(|(index, _)| *index);
        Self {
            is_ipv6: socket.local_addr().is_ok_and(|address| address.is_ipv6()),
            socket,
            claim,
            key,
            prover: Some(Prover::default()),
            transcript: None,
            probing: witnesses.clone().collect(),
            stages: witnesses.map(|index| (index, Stage::Asking)).collect(),
            rooted: BTreeMap::new(),
            minima: Vec::new(),
            silent: BTreeMap::new(),
        }
    }

    fn answer(
        &mut self,
        datagram: &[u8],
        from: SocketAddr,
        worked: &mpsc::Sender<(AnswerBytes, SocketAddr)>,
    ) {
        let Some(prover) = &mut self.prover else { return };
        match prover.receive(datagram) {
            Some(Reply::Answer(answer)) => self.send(&answer, from),
            Some(Reply::Work(work)) => {
                let worked = worked.clone();
                // The prover takes few items of a session, so these are few.
                tokio::task::spawn_blocking(move || {
                    // Nobody listens if the measurement is over.
                    let _ = worked.blocking_send((work.run(), from));
                });
            }
            None => {}
        }
    }

    fn send(&self, datagram: &[u8; ANSWER_BYTES], to: SocketAddr) {
        let to = as_family(to, self.is_ipv6);
        if let Err(error) = self.socket.try_send_to(datagram, to) {
            tracing::debug!(%to, %error, "an answer was not sent");
        }
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Session { index, id, key, udp, opened, rooted } => {
                // Too late for this transcript.
                let Some(prover) = &mut self.prover else { return };
                let opening = prover.open(index, id, &key);
                if let (Ok(opening), Some(to)) = (&opening, udp) {
                    self.send(opening, to);
                }
                self.stages.insert(index, Stage::Probing);
                self.rooted.insert(index, rooted);
                let _ = opened.send(opening.map(drop));
            }
            Event::Probed { index } => {
                self.probing.remove(&index);
                self.stages.insert(index, Stage::Signing);
            }
        }
    }

    fn end(&mut self, index: u16, ended: Result<Minimum, Why>) {
        self.probing.remove(&index);
        self.stages.remove(&index);
        match ended {
            Ok(minimum) => self.minima.push(minimum),
            Err(why) => {
                tracing::debug!(witness = index, %why, "no minimum");
                self.silent.insert(index, why);
            }
        }
    }

    /// Answer nothing more: sign the transcript, and give each witness its part.
    fn close(&mut self) {
        let Some(transcript) = self.prover.take().map(Prover::close) else { return };
        let signed = SignedTranscript::new(&self.claim, transcript.root(), self.key);
        self.transcript = Some(signed);
        self.tell(&transcript, &signed);
    }

    fn tell(&mut self, transcript: &Transcript, signed: &SignedTranscript) {
        let SignedTranscript { root, signature } = *signed;
        for (index, rooted) in std::mem::take(&mut self.rooted) {
            if let Some(part) = transcript.part(index) {
                let message = ToWitness::root(root, signature, part);
                drop(rooted.send(Rooted { message, root }));
            }
        }
    }

    fn done(mut self) -> (Vec<(u16, Why)>, Vec<Minimum>, Option<SignedTranscript>) {
        let late = self.stages.into_iter().map(|(index, stage)| (index, Why::TooLate(stage)));
        self.silent.extend(late);
        (self.silent.into_iter().collect(), self.minima, self.transcript)
    }
}

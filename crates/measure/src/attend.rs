//! A witness attends to one prover that asks: a channel, a socket, a minimum at the end.

use crate::{
    Draw, Next, Part, Plan, Prepared, SignedTranscript, Stamp, ToProver, ToWitness, Unsigned,
    Witness,
    frame::{self, ChannelFault},
    sign_minimum,
    stamped::Stamped,
};
use crypto::SigningKey;
use std::{
    fmt::Display,
    io,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{sleep_until, timeout},
};
use types::{
    Hash, PublicKey,
    presence::{Claim, Minimum},
};

/// Longer than any datagram that counts, so that one that is too long is seen to be.
const BUFFER: usize = crate::QUESTION_BYTES + 1;

/// How a witness attends.
#[derive(Clone, Copy, Debug)]
pub struct AttendSettings {
    /// What is asked, and how long answers are waited for.
    pub plan: Plan,
    /// How long a prover may take to ask, and then to say where it answers. Usually 5 s.
    pub turn: Duration,
    /// How long it may take to make the transcript after the last probe: as long as it waits for its slowest witness. Usually
    /// 15 s; if shorter than a prover's whole measurement, one slow witness costs it the others.
    pub transcript: Duration,
}

impl AttendSettings {
    /// The plan's own, and what one turn of a healthy peer takes.
    pub const DEFAULT: Self = Self {
        plan: Plan::DEFAULT,
        turn: Duration::from_secs(5),
        transcript: Duration::from_secs(15),
    };
}

/// Who attends, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Attendant<'a> {
    /// The witness's own.
    pub key: &'a SigningKey,
    /// Where to ask from; port 0 is any.
    pub bind: SocketAddr,
    /// Under which address provers reach that port; `None` if none do.
    pub reached_at: Option<IpAddr>,
}

/// What a witness measured and said.
#[derive(Clone, Debug)]
pub struct Attended {
    /// What was claimed.
    pub claim: Claim,
    /// What was measured and signed.
    pub minimum: Minimum,
    /// Of all answers, in microseconds.
    pub samples_us: Vec<u32>,
    /// Who noted the times; the worse, if it was not the same for all.
    pub stamp: Stamp,
}

/// Why a witness said nothing.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotAttended {
    #[error("{0}")]
    Channel(#[from] ChannelFault),
    #[error("the prover did not {0} in time")]
    TooLate(&'static str),
    #[error("the claim names key {claimed:?}, but key {peer:?} asks")]
    Another { claimed: PublicKey, peer: PublicKey },
    #[error("{0}")]
    Unwelcome(String),
    #[error("cannot open a socket: {0}")]
    Socket(io::Error),
    #[error("{0} is not the address of one machine")]
    Address(SocketAddr),
    #[error("the prover did not sign its transcript")]
    Prover,
    #[error("{0}")]
    Unsigned(#[from] Unsigned),
}

/// Measure the prover on `channel`, and sign what was measured.
///
/// `peer` is who the channel was authenticated with: only its own claims are measured, since what is said on the channel
/// holds the key that answers. `admit` says which place in the period's list is asked for, or why not: [`crate::seat`] by
/// the period's tables, and all else that the caller knows (is the claim registered, was it measured today already).
/// Takes the plan's window, as a rule; six turns, the plan's patience and the wait for the transcript more at most. How many
/// are attended to at once is the caller's to bound: each has a socket.
///
/// A prover names where it answers. So that nobody is made to flood a stranger, that address gets at most
/// `PROBES + WORKS_MAX` datagrams of 64 bytes.
///
/// # Errors
/// [`NotAttended`]; the prover is told, unless it is gone.
pub async fn attend<C, A, E>(
    mut channel: C,
    peer: &PublicKey,
    attendant: &Attendant<'_>,
    admit: A,
    settings: &AttendSettings,
) -> Result<Attended, NotAttended>
where
    C: AsyncRead + AsyncWrite + Unpin,
    A: FnOnce(&Claim, &Draw) -> Result<u16, E>,
    E: Display,
{
    let admit = |claim: &Claim, draw: &Draw| admit(claim, draw).map_err(|why| why.to_string());
    let attended = measure(&mut channel, peer, attendant, admit, settings).await;
    let last = match &attended {
        Ok(attended) => ToProver::Measured { minimum: attended.minimum },
        Err(failed) => ToProver::refused(&failed.to_string()),
    };
    // A prover that does not read is not waited for.
    let said = timeout(settings.turn, frame::send(&mut channel, &last)).await;
    let attended = attended?;
    said.map_err(|_| NotAttended::TooLate("read the minimum"))??;
    Ok(attended)
}

async fn measure(
    channel: &mut (impl AsyncRead + AsyncWrite + Unpin),
    peer: &PublicKey,
    attendant: &Attendant<'_>,
    admit: impl FnOnce(&Claim, &Draw) -> Result<u16, String>,
    settings: &AttendSettings,
) -> Result<Attended, NotAttended> {
    let (claim, index) = match hear(channel, settings.turn, "ask").await? {
        ToWitness::Ask { claim, .. } if claim.prover != *peer => {
            return Err(NotAttended::Another { claimed: claim.prover, peer: *peer });
        }
        ToWitness::Ask { claim, draw } => {
            let index = admit(&claim, &draw);
            (claim, index.map_err(NotAttended::Unwelcome)?)
        }
        _ => return Err(ChannelFault::OutOfTurn.into()),
    };
    let socket = Stamped::bind(attendant.bind).await.map_err(NotAttended::Socket)?;
    let prepared = prepare(index, settings.plan).await;
    let port = socket.port().map_err(NotAttended::Socket)?;
    let udp = attendant.reached_at.map(|ip| SocketAddr::new(ip, port).into());
    let session = ToProver::Session { id: prepared.id(), key: prepared.key(), udp };
    say(channel, settings.turn, &session).await?;
    let ToWitness::Ready { udp } = hear(channel, settings.turn, "get ready").await? else {
        return Err(ChannelFault::OutOfTurn.into());
    };
    let to = match udp {
        Some(endpoint) => (endpoint.of_one().ok_or(NotAttended::Address(endpoint.into()))?, false),
        None => {
            let seen = timeout(settings.turn, opened(&socket, &prepared)).await;
            (seen.map_err(|_| NotAttended::TooLate("open a way for datagrams"))??, true)
        }
    };
    let clock = Clock(Instant::now());
    let mut witness = prepared.begin(clock.now_us());
    let stamp = probe(&mut witness, &socket, to, &clock).await?;
    // All that comes from now on is too late to count, and the port is free for the next prover.
    drop(socket);
    say(channel, settings.turn, &ToProver::Probed).await?;
    if witness.minimum_us().is_none() {
        return Err(Unsigned::NoAnswer.into());
    }
    let (root, signature, part) = match hear(channel, settings.transcript, "sign").await? {
        ToWitness::Root { transcript, signature, answered, position, path } => {
            (transcript, signature, Part { answered, position, path })
        }
        _ => return Err(ChannelFault::OutOfTurn.into()),
    };
    let id: Hash = claim.id();
    if !(SignedTranscript { root, signature }).is_of(&id, peer) {
        return Err(NotAttended::Prover);
    }
    let rtt_us = witness.sign_for(&root, &part)?;
    let minimum = sign_minimum(&id, &root, index, rtt_us, attendant.key);
    Ok(Attended { claim, minimum, samples_us: witness.samples_us(), stamp })
}

/// Send each question at its time and note what comes, until nothing can come any more.
async fn probe(
    witness: &mut Witness,
    socket: &Stamped,
    to: (SocketAddr, bool),
    clock: &Clock,
) -> Result<Stamp, NotAttended> {
    let (mut to, mut was_opened) = to;
    let mut worst = Stamp::Kernel;
    let mut buffer = [0; BUFFER];
    loop {
        let (until_us, asking) = match witness.next() {
            Next::Ask { at_us } => (at_us, true),
            Next::Wait { until_us } => (until_us, false),
            Next::Over => return Ok(worst),
        };
        tokio::select! {
            arrival = socket.receive(&mut buffer) => {
                let arrival = arrival.map_err(NotAttended::Socket)?;
                let datagram = &buffer[..arrival.length];
                if witness.receive(datagram, clock.us_up(arrival.at)).is_some() {
                    worst = worst.max(arrival.stamp);
                } else if !was_opened && witness.is_opening(datagram) {
                    // Where it is seen from is better than where it believes to be; the first time, so that a recording of it
                    // leads nowhere.
                    (to, was_opened) = (arrival.from, true);
                }
            }
            () = sleep_until(clock.at(until_us).into()) => {
                if !asking {
                    return Ok(worst);
                }
                if let Some(question) = witness.ask(clock.now_us())
                    && let Err(error) = socket.send(question, to)
                {
                    // A lost round.
                    tracing::debug!(%to, %error, "a question was not sent");
                }
            }
        }
    }
}

/// Where the prover is seen from.
async fn opened(socket: &Stamped, prepared: &Prepared) -> Result<SocketAddr, NotAttended> {
    let mut buffer = [0; BUFFER];
    loop {
        let arrival = socket.receive(&mut buffer).await.map_err(NotAttended::Socket)?;
        if prepared.is_opening(&buffer[..arrival.length]) {
            return Ok(arrival.from);
        }
    }
}

async fn prepare(index: u16, plan: Plan) -> Prepared {
    let mut seed = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).expect("the operating system has randomness");
    match plan.work {
        // Computing what it will ask for takes a while; others are measured meanwhile.
        Some(_) => tokio::task::spawn_blocking(move || Prepared::new(index, &seed, &plan))
            .await
            .expect("it does not panic, and is not cancelled"),
        None => Prepared::new(index, &seed, &plan),
    }
}

async fn hear<C: AsyncRead + Unpin>(
    channel: &mut C,
    wait: Duration,
    what: &'static str,
) -> Result<ToWitness, NotAttended> {
    let message = timeout(wait, frame::receive(channel)).await;
    Ok(message.map_err(|_| NotAttended::TooLate(what))??)
}

async fn say<C: AsyncWrite + Unpin>(
    channel: &mut C,
    wait: Duration,
    message: &ToProver,
) -> Result<(), NotAttended> {
    let said = timeout(wait, frame::send(channel, message)).await;
    Ok(said.map_err(|_| NotAttended::TooLate("read"))??)
}

/// Microseconds since a session began. Sending is rounded down and arriving up: no time is measured shorter than it was.
struct Clock(Instant);

impl Clock {
    fn now_us(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).expect("a session is short")
    }

    fn us_up(&self, at: Instant) -> u64 {
        let ns = at.saturating_duration_since(self.0).as_nanos();
        u64::try_from(ns.div_ceil(1_000)).expect("a session is short")
    }

    fn at(&self, us: u64) -> Instant {
        self.0 + Duration::from_micros(us)
    }
}

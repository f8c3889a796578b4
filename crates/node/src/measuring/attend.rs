//! Witnesses that measure provers, in one period after another.

use super::{HANDSHAKE, LOOK, List, Met, NAMESPACE, NotMeasured, list};
use api::Client;
use crypto::SigningKey;
use measure::{AttendSettings, Attendant, Draw, NotAttended, WorkRule};
use network::ik::{Identity, Responder, Stream, Suites};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::timeout,
};
use tokio_util::compat::{FuturesAsyncReadCompatExt as _, TokioAsyncReadCompatExt as _};
use types::{Hash, PublicKey, presence::Claim};

/// Provers that one process attends to at once, over all its witnesses; the next ones wait to be accepted.
const ATTENDED_MAX: usize = 256;
/// Items of work that a witness asks for, and hashes of each: half a millisecond, so that 96 witnesses ask for a tenth of a second.
const WORKS: u8 = 3;
const WORK_ROUNDS: u32 = 4_096;

/// Who attends, and by which list.
pub struct Attending<'a> {
    /// A file with the list of witnesses; `None` only if `chain` is given.
    pub list: Option<&'a Path>,
    /// Whose list of the period is the one that counts; the file then only says where witnesses are met.
    pub chain: Option<Client>,
    /// A folder of files that end in .key.
    pub keys: &'a Path,
    /// Ask for work too, within so many milliseconds of the quickest answer.
    pub work_within_ms: Option<u16>,
}

/// What a person may want to know meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attended {
    /// So many witnesses attend.
    Ready(usize),
    /// Nobody knows where this witness is met.
    Unmet(PublicKey),
    /// A new period began, with a list of its own.
    Period {
        /// The period's number.
        number: u64,
        /// How many witnesses its list has.
        witnesses: usize,
    },
}

type Say = Arc<dyn Fn(Attended) + Send + Sync>;

/// A period's list, and what was claimed in it before each witness of each key, so that nobody tries place after place.
struct Period {
    list: List,
    claimed: Arc<Mutex<BTreeMap<(u16, PublicKey), Hash>>>,
}

type Now = watch::Receiver<Option<Arc<Period>>>;

/// Where the list of the next period comes from.
enum Source {
    File(PathBuf),
    Chain(Client, Met),
}

/// Attend until `stop` is done. Exactly one of list and chain may be missing.
///
/// # Errors
/// [`NotMeasured`] if nobody can attend.
///
/// # Panics
/// If neither a list nor a chain is named.
pub fn attend<S: Future<Output = io::Result<()>>>(
    asked: Attending<'_>,
    say: Arc<dyn Fn(Attended) + Send + Sync>,
    stop: impl FnOnce() -> S,
) -> Result<(), NotMeasured> {
    let mut settings = AttendSettings::DEFAULT;
    settings.plan.work = asked.work_within_ms.map(|ms| WorkRule {
        count: WORKS,
        rounds: WORK_ROUNDS,
        allowance_us: u32::from(ms) * 1_000,
    });
    let keys = keys(asked.keys)?;
    let file = asked.list.map(List::read).transpose()?;
    let met = file.as_ref().map(List::met).unwrap_or_default();
    if let Some(list) = &file {
        let named = |key: &PublicKey| list.witnesses.iter().any(|witness| witness.key == *key);
        if !keys.keys().any(named) {
            return Err(NotMeasured::NotListed(asked.keys.to_owned()));
        }
        if let Some(key) = keys.keys().find(|key| named(key) && !met.contains_key(key)) {
            say(Attended::Unmet(*key));
        }
    }
    let (tell, now) = watch::channel(None);
    match (asked.chain, asked.list) {
        (Some(client), _) => follow(Source::Chain(client, met.clone()), tell, say.clone()),
        (None, Some(path)) => {
            tell.send_replace(file.map(|list| Arc::new(Period::new(list, None))));
            follow(Source::File(path.to_owned()), tell, say.clone());
        }
        (None, None) => unreachable!("one of both is asked for"),
    }
    let witnesses = Witnesses { keys, settings, now, met, say };
    tokio::runtime::Runtime::new()?.block_on(async {
        tokio::select! {
            ended = witnesses.listen() => ended,
            ended = stop() => Ok(ended?),
        }
    })
}

/// The witnesses of this process.
struct Witnesses {
    keys: BTreeMap<PublicKey, Arc<SigningKey>>,
    settings: AttendSettings,
    now: Now,
    met: Met,
    say: Say,
}

impl Witnesses {
    /// Listen for each witness as soon as it is known where it is met.
    async fn listen(mut self) -> Result<(), NotMeasured> {
        let places = Arc::new(Semaphore::new(ATTENDED_MAX));
        let mut listening = BTreeSet::new();
        loop {
            let period = self.now.borrow_and_update().clone();
            if let Some(period) = &period {
                self.met.extend(period.list.met());
            }
            let before = listening.len();
            for (key, &address) in &self.met {
                let Some(signing) = self.keys.get(key).filter(|_| !listening.contains(key)) else {
                    continue;
                };
                let listener = TcpListener::bind(address)
                    .await
                    .map_err(|source| NotMeasured::Listen { address, source })?;
                listening.insert(*key);
                let (signing, now, places) = (signing.clone(), self.now.clone(), places.clone());
                tokio::spawn(witness(listener, signing, now, places, self.settings));
            }
            if listening.len() > before {
                (self.say)(Attended::Ready(listening.len()));
            }
            self.now.changed().await.map_err(|_| NotMeasured::NotFollowed)?;
        }
    }
}

/// The keys of a folder's files that end in .key.
fn keys(folder: &Path) -> Result<BTreeMap<PublicKey, Arc<SigningKey>>, NotMeasured> {
    let unreadable = |source| NotMeasured::Unreadable { path: folder.to_owned(), source };
    let mut keys = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "key") {
            let key = list::key(&path)?;
            keys.insert(PublicKey(key.public()), Arc::new(key));
        }
    }
    if keys.is_empty() { Err(NotMeasured::NoKeys(folder.to_owned())) } else { Ok(keys) }
}

impl Period {
    /// What was claimed goes on to count if `before` is of the same period.
    fn new(list: List, before: Option<&Self>) -> Self {
        let same = before.filter(|before| before.list.seed() == list.seed());
        let claimed = same.map(|before| before.claimed.clone()).unwrap_or_default();
        Self { list, claimed }
    }
}

/// Tell of each new list, from a thread of its own: reading and asking block.
fn follow(source: Source, tell: watch::Sender<Option<Arc<Period>>>, say: Say) {
    thread::spawn(move || {
        // A file is read once more at once: it may have been written since.
        let mut read = None;
        while !tell.is_closed() {
            match source.newer(&mut read) {
                Ok(None) => {}
                Ok(Some(list)) => {
                    let before = tell.borrow().clone();
                    let known = before.as_ref().map(|before| before.list.seed());
                    if known != Some(list.seed()) {
                        let (number, witnesses) = (list.period, list.witnesses.len());
                        say(Attended::Period { number, witnesses });
                    }
                    tell.send_replace(Some(Arc::new(Period::new(list, before.as_deref()))));
                }
                // A file that is being written, a node that is not there: the list that is known stays.
                Err(error) => tracing::info!("no newer list: {error}"),
            }
            thread::sleep(LOOK);
        }
    });
}

/// When a file was written last, and how long it is; of a chain, nothing.
type FileState = Option<(std::time::SystemTime, u64)>;

fn state(source: &Source) -> FileState {
    let Source::File(path) = source else { return None };
    let facts = fs::metadata(path).ok()?;
    Some((facts.modified().ok()?, facts.len()))
}

impl Source {
    /// The list, if it may be another than the one that was read last.
    fn newer(&self, read: &mut FileState) -> Result<Option<List>, NotMeasured> {
        match self {
            Self::Chain(client, met) => Ok(Some(List::of_chain(client.period()?, met)?)),
            Self::File(path) => {
                let state = state(self);
                if state == *read {
                    return Ok(None);
                }
                let list = List::read(path)?;
                *read = state;
                Ok(Some(list))
            }
        }
    }
}

async fn witness(
    listener: TcpListener,
    key: Arc<SigningKey>,
    now: Now,
    places: Arc<Semaphore>,
    settings: AttendSettings,
) {
    let responder = Arc::new(Responder {
        me: Identity::new(&key),
        suites: Suites::default(),
        namespace: NAMESPACE.to_vec(),
    });
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        // Such as too many open files: others may end meanwhile.
        let Ok((socket, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (key, now, responder) = (key.clone(), now.clone(), responder.clone());
        tokio::spawn(async move {
            let said = serve(socket, &key, &now, &responder, &settings).await;
            if let Err(error) = said {
                tracing::info!("not attended: {error}");
            }
            drop(place);
        });
    }
}

/// Why a prover was sent away.
#[derive(Debug, thiserror::Error)]
enum Unattended {
    #[error(transparent)]
    Socket(#[from] io::Error),
    #[error("the handshake took too long")]
    Slow,
    #[error(transparent)]
    NotAttended(#[from] NotAttended),
}

async fn serve(
    socket: TcpStream,
    key: &SigningKey,
    now: &Now,
    responder: &Responder,
    settings: &AttendSettings,
) -> Result<(), Unattended> {
    let own = socket.local_addr()?.ip();
    let handshake = timeout(HANDSHAKE, Stream::respond(socket.compat(), responder));
    let channel = handshake.await.map_err(|_| Unattended::Slow)??;
    let peer = PublicKey(channel.peer().public());
    let attendant = Attendant {
        key,
        bind: SocketAddr::new(own, 0),
        // Nobody behind a NAT reaches a witness on loopback, and a simulated wire is not to be gone around.
        reached_at: (!own.is_loopback()).then_some(own),
    };
    let me = PublicKey(key.public());
    let period = now.borrow().clone();
    let admit = |claim: &Claim, draw: &Draw| {
        let period = period.as_ref().ok_or("this witness does not know the period's list yet")?;
        let list = &period.list;
        let seat = measure::seat(claim, draw, &me, &list.params, &list.tables())
            .map_err(|error| error.to_string())?;
        let mut claimed = period.claimed.lock().expect("nothing panics with it");
        match *claimed.entry((seat, claim.prover)).or_insert_with(|| claim.id()) {
            known if known == claim.id() => Ok(seat),
            _ => Err("the prover has made another claim in this period".to_owned()),
        }
    };
    let attended = measure::attend(channel.compat(), &peer, &attendant, admit, settings).await?;
    tracing::info!(
        witness = attended.minimum.witness,
        rtt_us = attended.minimum.rtt_us,
        "measured"
    );
    Ok(())
}

//! A validator's machine: commonware's deterministic runtime with a clock that may be wrong and a disk
//! that may be slow.
//!
//! The engine is generic over its runtime, so both faults need no seam in it. Everything else is the
//! runtime's own. What a machine's clock shows differs from virtual time by an offset, which may jump;
//! how long a sleep lasts does not, as on a real machine.

use commonware_runtime::{
    Blob, BlobVersion, Clock, Error, Handle, IoBufs, IoBufsMut, ListenerOf, Metrics, Name, Network,
    ReadOptions, SinkOf, Spawner, Storage, StreamOf, Supervisor, WriteOptions,
    deterministic::Context,
    signal::Signal,
    telemetry::metrics::{Metric, Registered},
};
use governor::clock::{Clock as GovernorClock, ReasonablyRealtime};
use rand::{Rng as _, TryCryptoRng, TryRng};
use std::{
    collections::BTreeSet,
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    ops::RangeInclusive,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

/// What is wrong with a machine at the moment; shared, so that the director can change it.
#[derive(Debug, Default)]
pub struct Defects {
    /// The clock shows this much more than virtual time.
    pub clock_ahead_ms: AtomicI64,
    /// Each write and each sync takes this much longer.
    pub disk_ms: AtomicU64,
    /// How many operations the disk has slowed down so far.
    pub disk_waits: AtomicU64,
    /// The folders it has made on its disk.
    partitions: Mutex<BTreeSet<String>>,
}

impl Defects {
    fn partitions(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub struct Machine {
    context: Context,
    defects: Arc<Defects>,
}

impl Machine {
    pub fn new(context: Context, defects: Arc<Defects>) -> Self {
        Self { context, defects }
    }

    /// Empty the disk of a machine that is off.
    pub async fn wipe(&self) {
        let partitions = std::mem::take(&mut *self.defects.partitions());
        for partition in partitions {
            // What was made and never written is not there.
            let _ = self.context.remove(&partition, None).await;
        }
    }

    fn ahead(&self) -> i64 {
        self.defects.clock_ahead_ms.load(Ordering::Relaxed)
    }
}

fn shifted(time: SystemTime, by_ms: i64) -> SystemTime {
    let by = Duration::from_millis(by_ms.unsigned_abs());
    // Who waits for ever asks for the end of time.
    let shifted = if by_ms < 0 { time.checked_sub(by) } else { time.checked_add(by) };
    shifted.unwrap_or(time)
}

impl Supervisor for Machine {
    fn name(&self) -> Name {
        self.context.name()
    }
    fn child(&self, label: &'static str) -> Self {
        Self { context: self.context.child(label), defects: self.defects.clone() }
    }
    fn with_attribute(self, key: &'static str, value: impl std::fmt::Display) -> Self {
        Self { context: self.context.with_attribute(key, value), defects: self.defects }
    }
}

impl Spawner for Machine {
    fn shared(self, blocking: bool) -> Self {
        Self { context: self.context.shared(blocking), defects: self.defects }
    }
    fn dedicated(self) -> Self {
        Self { context: self.context.dedicated(), defects: self.defects }
    }
    fn spawn<F, Fut, T>(self, f: F) -> Handle<T>
    where
        F: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let defects = self.defects;
        self.context.spawn(move |context| f(Self { context, defects }))
    }
    async fn stop(self, value: i32, timeout: Option<Duration>) -> Result<(), Error> {
        self.context.stop(value, timeout).await
    }
    fn stopped(&self) -> Signal {
        self.context.stopped()
    }
}

impl Metrics for Machine {
    fn register<N: Into<String>, H: Into<String>, M: Metric>(
        &self,
        name: N,
        help: H,
        metric: M,
    ) -> Registered<M> {
        self.context.register(name, help, metric)
    }
    fn encode(&self) -> String {
        self.context.encode()
    }
}

impl Clock for Machine {
    fn current(&self) -> SystemTime {
        shifted(self.context.current(), self.ahead())
    }
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.context.sleep(duration)
    }
    fn sleep_until(
        &self,
        deadline: SystemTime,
    ) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.context.sleep_until(shifted(deadline, -self.ahead()))
    }
}

impl GovernorClock for Machine {
    type Instant = SystemTime;
    fn now(&self) -> SystemTime {
        self.current()
    }
}
impl ReasonablyRealtime for Machine {}

impl TryRng for Machine {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.context.next_u32())
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.context.next_u64())
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.context.fill_bytes(bytes);
        Ok(())
    }
}
impl TryCryptoRng for Machine {}

impl Network for Machine {
    type Listener = ListenerOf<Context>;
    async fn bind(&self, socket: SocketAddr) -> Result<Self::Listener, Error> {
        self.context.bind(socket).await
    }
    async fn dial(&self, socket: SocketAddr) -> Result<(SinkOf<Self>, StreamOf<Self>), Error> {
        self.context.dial(socket).await
    }
}

impl Storage for Machine {
    type Blob = File;
    async fn open_versioned(
        &self,
        partition: &str,
        name: &[u8],
        versions: RangeInclusive<BlobVersion>,
    ) -> Result<(File, u64, BlobVersion), Error> {
        self.defects.partitions().insert(partition.to_owned());
        let (blob, len, version) = self.context.open_versioned(partition, name, versions).await?;
        let disk =
            Arc::new(Self { context: self.context.child("disk"), defects: self.defects.clone() });
        Ok((File { blob, disk }, len, version))
    }
    async fn remove(&self, partition: &str, name: Option<&[u8]>) -> Result<(), Error> {
        self.context.remove(partition, name).await
    }
    async fn scan(&self, partition: &str) -> Result<Vec<Vec<u8>>, Error> {
        self.context.scan(partition).await
    }
}

/// A file on a machine's disk.
pub struct File {
    blob: <Context as Storage>::Blob,
    disk: Arc<Machine>,
}

impl File {
    async fn wait(&self) {
        let extra = self.disk.defects.disk_ms.load(Ordering::Relaxed);
        if extra > 0 {
            self.disk.defects.disk_waits.fetch_add(1, Ordering::Relaxed);
            self.disk.context.sleep(Duration::from_millis(extra)).await;
        }
    }
}

impl Blob for File {
    async fn read_at_buf(
        &self,
        offset: u64,
        len: usize,
        bufs: impl Into<IoBufsMut> + Send,
        options: ReadOptions,
    ) -> Result<IoBufsMut, Error> {
        self.blob.read_at_buf(offset, len, bufs, options).await
    }
    async fn read_at(
        &self,
        offset: u64,
        len: usize,
        options: ReadOptions,
    ) -> Result<IoBufsMut, Error> {
        self.blob.read_at(offset, len, options).await
    }
    async fn write_at(
        &self,
        offset: u64,
        bufs: impl Into<IoBufs> + Send,
        options: WriteOptions,
    ) -> Result<(), Error> {
        self.wait().await;
        self.blob.write_at(offset, bufs, options).await
    }
    async fn resize(&self, len: u64) -> Result<(), Error> {
        self.blob.resize(len).await
    }
    async fn sync(&self) -> Result<(), Error> {
        self.wait().await;
        self.blob.sync().await
    }
    async fn start_sync(&self) -> Handle<()> {
        self.wait().await;
        self.blob.start_sync().await
    }
}

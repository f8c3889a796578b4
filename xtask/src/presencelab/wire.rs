//! The wire of the lab: packets of all its namespaces come here, wait as long as their way is, and go on.
//!
//! A kernel's own delays (netem) are a module that many machines lack. So each namespace has a TUN device, and this end of all
//! of them is one program:
//!
//! ```text
//!  namespace of EU ──tun──▶ ┌────────────────────────────┐ ──tun──▶ namespace of a prover
//!  namespace of NA ──tun──▶ │ until: now + way + waiting │ ──tun──▶ …
//!                           └────────────────────────────┘
//! ```

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    fs::File,
    io::{Read as _, Write as _},
    net::Ipv4Addr,
    sync::{Arc, Condvar, Mutex, RwLock},
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::world::{self, Place};
use crate::lab::Lab;

/// No device's packets are longer.
const PACKET_MAX: usize = 1_500;
/// Packets under way at once; more are lost, as on any wire.
const QUEUE_MAX: usize = 100_000;
const UDP: u8 = 17;
/// A question of `measure` has 64 bytes and begins with its kind; 2 asks for work.
const QUESTION_BYTES: usize = 64;
const WORK: u8 = 2;

/// An address, the namespace that it is in, and where it stands.
#[derive(Clone, Copy)]
pub struct Stand {
    pub device: usize,
    pub place: Place,
    /// Questions that ask for work pass through this device's namespace first, and only these: the machine is there, and what
    /// answers everything else at the address is a proxy that was given the keys.
    pub work_by: Option<usize>,
}

/// Devices in namespaces, and who is behind them; then [`Wire::run`].
#[derive(Default)]
pub struct Wire {
    devices: Vec<File>,
    /// Where packets come out that a namespace only passes on.
    middles: Vec<Place>,
    stands: BTreeMap<Ipv4Addr, Stand>,
}

impl Wire {
    /// A device in a namespace that has all addresses of the /24 whose `first` one is given, and whose nodes stand around `middle`.
    pub fn device(
        &mut self,
        lab: &Lab,
        namespace: &str,
        first: Ipv4Addr,
        middle: Place,
    ) -> Result<usize> {
        let name = format!("mxw{}", self.devices.len());
        self.devices.push(tun::open(&name)?);
        self.middles.push(middle);
        crate::lab::sh(&["ip", "link", "set", &name, "netns", namespace])?;
        // Who calls without having chosen an address calls from this one.
        let address = format!("{first}/32");
        lab.inside(namespace, &["ip", "address", "add", &address, "dev", &name])?;
        lab.inside(namespace, &["ip", "link", "set", &name, "up"])?;
        lab.inside(namespace, &["ip", "route", "add", "10.77.0.0/16", "dev", &name])?;
        let [a, b, c, _] = first.octets();
        let own = format!("{a}.{b}.{c}.0/24");
        lab.inside(namespace, &["ip", "route", "add", "local", &own, "dev", "lo"])?;
        // What passes through goes on.
        lab.inside(namespace, &["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"])?;
        Ok(self.devices.len() - 1)
    }

    /// An address of a namespace, which has all of its /24.
    pub fn stand(&mut self, at: Ipv4Addr, stand: Stand) {
        self.stands.insert(at, stand);
    }

    /// Carry packets until the process ends.
    pub fn run(self) -> Result<Running> {
        let shared = Arc::new(Shared {
            devices: self.devices,
            middles: self.middles,
            stands: RwLock::new(self.stands),
            queue: Mutex::default(),
            earlier: Condvar::new(),
        });
        for device in 0..shared.devices.len() {
            let shared = shared.clone();
            thread::Builder::new().spawn(move || shared.take(device))?;
        }
        let giving = shared.clone();
        thread::Builder::new().spawn(move || giving.give())?;
        Ok(Running(shared))
    }
}

/// A wire that carries.
pub struct Running(Arc<Shared>);

impl Running {
    /// The machine with this address is carried to another place, and notices it only by the time that everything takes.
    pub fn carry(&self, at: Ipv4Addr, place: Place) {
        let mut stands = self.0.stands.write().expect("nothing panics with it");
        if let Some(stand) = stands.get_mut(&at) {
            stand.place = place;
        }
    }
}

struct Shared {
    devices: Vec<File>,
    middles: Vec<Place>,
    stands: RwLock<BTreeMap<Ipv4Addr, Stand>>,
    queue: Mutex<Queue>,
    earlier: Condvar,
}

/// When it is due, in what order it came, through which device it goes out, and what it is.
type Packet = (Instant, u64, usize, Vec<u8>);

#[derive(Default)]
struct Queue {
    due: BinaryHeap<Reverse<Packet>>,
    came: u64,
    /// No packet overtakes one of the same two ends.
    last: BTreeMap<(Ipv4Addr, Ipv4Addr), Instant>,
}

impl Shared {
    fn take(&self, device: usize) {
        let mut buffer = [0; PACKET_MAX];
        loop {
            // A device that is gone has nothing more to say.
            let Ok(length) = (&self.devices[device]).read(&mut buffer) else { return };
            self.schedule(device, &buffer[..length], Instant::now());
        }
    }

    fn schedule(&self, device: usize, packet: &[u8], now: Instant) {
        let Some((from, to)) = ends(packet) else { return };
        let (source, target) = {
            let stands = self.stands.read().expect("nothing panics with it");
            let (Some(source), Some(target)) = (stands.get(&from), stands.get(&to)) else { return };
            (*source, *target)
        };
        let passed_on = source.device != device;
        let begins = if passed_on { self.middles[device] } else { source.place };
        let by = target.work_by.filter(|by| !passed_on && *by != device && asks_for_work(packet));
        let (end, through) = match by {
            Some(by) => (self.middles[by], by),
            None => (target.place, target.device),
        };
        let mut queue = self.queue.lock().expect("nothing panics with it");
        queue.came += 1;
        let number = queue.came;
        if queue.due.len() >= QUEUE_MAX || (is_udp(packet) && world::is_lost(number)) {
            return;
        }
        let ms = world::rtt_ms(begins, end) / 2.0 + world::wait_ms(number);
        let mut due = now + Duration::from_secs_f64(ms / 1_000.0);
        if !is_udp(packet) {
            let last = queue.last.entry((from, to)).or_insert(due);
            due = due.max(*last);
            *last = due;
        }
        queue.due.push(Reverse((due, number, through, packet.to_vec())));
        self.earlier.notify_one();
    }

    fn give(&self) {
        let mut queue = self.queue.lock().expect("nothing panics with it");
        loop {
            let now = Instant::now();
            let next = queue.due.peek().map(|Reverse((due, ..))| *due);
            let waited = match next {
                Some(due) if due <= now => {
                    let Some(Reverse((_, _, through, packet))) = queue.due.pop() else { continue };
                    drop(queue);
                    // A namespace that is gone hears nothing.
                    drop((&self.devices[through]).write(&packet));
                    self.queue.lock()
                }
                Some(due) => {
                    let waited = self.earlier.wait_timeout(queue, due - now);
                    waited
                        .map(|(queue, _)| queue)
                        .map_err(|poisoned| std::sync::PoisonError::new(poisoned.into_inner().0))
                }
                None => self.earlier.wait(queue),
            };
            queue = waited.expect("nothing panics with it");
        }
    }
}

/// Source and destination of an IPv4 packet.
fn ends(packet: &[u8]) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let address = |at: usize| <[u8; 4]>::try_from(packet.get(at..at + 4)?).ok().map(Ipv4Addr::from);
    if packet.first()? >> 4 != 4 { None } else { address(12).zip(address(16)) }
}

fn is_udp(packet: &[u8]) -> bool {
    packet.get(9) == Some(&UDP)
}

fn asks_for_work(packet: &[u8]) -> bool {
    let payload = packet.first().map_or(0, |first| usize::from(first & 15) * 4) + 8;
    is_udp(packet) && packet.len() == payload + QUESTION_BYTES && packet.get(payload) == Some(&WORK)
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "an ioctl makes the device")]
mod tun {
    use std::{fs::File, os::fd::AsRawFd as _};

    use anyhow::{Context as _, Result, ensure};

    /// `struct ifreq` of linux/if.h, as far as TUNSETIFF reads it.
    #[repr(C)]
    struct Request {
        name: [u8; 16],
        flags: u16,
        rest: [u8; 22],
    }
    /// linux/if_tun.h: packets without a head of their own.
    const TUN_NO_PI: u16 = 0x1001;
    const SET_INTERFACE: u32 = 0x4004_54ca;

    /// A TUN device, which is there as long as the file.
    pub fn open(name: &str) -> Result<File> {
        let file = File::options().read(true).write(true).open("/dev/net/tun");
        let file = file.context("no /dev/net/tun")?;
        let mut request = Request { name: [0; 16], flags: TUN_NO_PI, rest: [0; 22] };
        ensure!(name.len() < request.name.len(), "{name} is too long");
        request.name[..name.len()].copy_from_slice(name.as_bytes());
        // SAFETY: the file is open, and the kernel reads and writes one `ifreq`, 40 bytes, which `Request` has.
        let done = unsafe { libc::ioctl(file.as_raw_fd(), SET_INTERFACE as _, &raw mut request) };
        ensure!(done == 0, "no TUN device: {}", std::io::Error::last_os_error());
        Ok(file)
    }
}

#[cfg(not(target_os = "linux"))]
mod tun {
    pub fn open(_: &str) -> anyhow::Result<std::fs::File> {
        anyhow::bail!("namespaces and their devices are Linux's")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_told_apart() {
        let mut packet = vec![0; 28 + QUESTION_BYTES];
        packet[0] = 0x45;
        packet[9] = UDP;
        packet[12..20].copy_from_slice(&[10, 77, 1, 2, 10, 77, 100, 1]);
        let two = (Ipv4Addr::new(10, 77, 1, 2), Ipv4Addr::new(10, 77, 100, 1));
        assert_eq!(ends(&packet), Some(two));
        packet[28] = 1;
        assert!(!asks_for_work(&packet), "a probe");
        packet[28] = WORK;
        assert!(asks_for_work(&packet));
        packet.push(0);
        assert!(!asks_for_work(&packet), "longer");
        packet[9] = 6;
        assert!(!is_udp(&packet));
        for length in 0..20 {
            assert!(ends(&packet[..length]).is_none() && !asks_for_work(&packet[..length]));
        }
        packet[0] = 0x65;
        assert_eq!(ends(&packet), None, "IPv6");
    }
}

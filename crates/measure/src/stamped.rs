//! A UDP socket that knows when a datagram came, rather than when somebody found the time to read it.
//!
//! Between a datagram's arrival and our reading it the scheduler runs other tasks: microseconds on an idle
//! machine, many milliseconds on a busy one, and each of them is a hundred kilometres. The kernel notes the time in the
//! interrupt (`SO_TIMESTAMPNS`), before any of that. Only Linux is asked for it; elsewhere, and where the kernel says
//! nothing, a datagram came when it was read: a longer time, which refutes less, never a shorter one.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant, SystemTime},
};
use tokio::net::UdpSocket;

/// A datagram that is said to have waited longer than that counts from when it was read: more likely the wall clock, by
/// which the kernel stamps, was set in between. One that is set forward by less, in the microseconds between arriving and
/// reading, makes one sample too short by as much; no stranger can bring that about.
const AGE_MAX: Duration = Duration::from_millis(100);

/// Whose time of arrival it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stamp {
    /// When the kernel had it.
    Kernel,
    /// When this process read it, which is later.
    Reading,
}

/// A datagram that was read into a buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) length: usize,
    pub(crate) from: SocketAddr,
    pub(crate) at: Instant,
    pub(crate) stamp: Stamp,
}

pub(crate) struct Stamped {
    socket: UdpSocket,
    is_ipv6: bool,
}

impl Stamped {
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(address).await?;
        ask_for_stamps(&socket);
        // Until it was seen to be writable once, nothing is sent at once.
        socket.writable().await?;
        let is_ipv6 = socket.local_addr()?.is_ipv6();
        Ok(Self { socket, is_ipv6 })
    }

    pub(crate) fn port(&self) -> io::Result<u16> {
        Ok(self.socket.local_addr()?.port())
    }

    /// Hand a datagram to the kernel now, or not at all: one that waits here would be measured as waiting on its way.
    pub(crate) fn send(&self, datagram: &[u8], to: SocketAddr) -> io::Result<()> {
        self.socket.try_send_to(datagram, as_family(to, self.is_ipv6)).map(drop)
    }

    /// The next datagram; what is longer than the buffer is cut off. Nothing is lost by cancelling.
    pub(crate) async fn receive(&self, buffer: &mut [u8]) -> io::Result<Arrival> {
        loop {
            self.socket.readable().await?;
            match self.try_receive(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
        }
    }

    #[cfg(target_os = "linux")]
    fn try_receive(&self, buffer: &mut [u8]) -> io::Result<Arrival> {
        use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg};
        use std::os::fd::AsRawFd as _;

        self.socket.try_io(tokio::io::Interest::READABLE, || {
            let mut slices = [io::IoSliceMut::new(buffer)];
            let mut space = nix::cmsg_space!(nix::sys::time::TimeSpec);
            let message = recvmsg::<SockaddrStorage>(
                self.socket.as_raw_fd(),
                &mut slices,
                Some(&mut space),
                MsgFlags::MSG_DONTWAIT,
            )?;
            let stamped = message.cmsgs()?.find_map(|control| match control {
                ControlMessageOwned::ScmTimestampns(time) => {
                    Some(SystemTime::UNIX_EPOCH + Duration::from(time))
                }
                _ => None,
            });
            let from =
                message.address.as_ref().and_then(address).ok_or(io::ErrorKind::InvalidData)?;
            let (at, stamp) = arrived(stamped);
            Ok(Arrival { length: message.bytes, from, at, stamp })
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn try_receive(&self, buffer: &mut [u8]) -> io::Result<Arrival> {
        let (length, from) = self.socket.try_recv_from(buffer)?;
        let (at, stamp) = arrived(None);
        Ok(Arrival { length, from, at, stamp })
    }
}

/// The address as a socket wants it: one of IPv6 speaks to IPv4 under mapped addresses alone.
pub(crate) fn as_family(to: SocketAddr, is_ipv6: bool) -> SocketAddr {
    match to {
        SocketAddr::V4(v4) if is_ipv6 => (v4.ip().to_ipv6_mapped(), v4.port()).into(),
        to => to,
    }
}

/// When a datagram came, by the clock that never jumps. The wall clock is read first: time that passes in between makes the
/// time later, not earlier.
fn arrived(stamped: Option<SystemTime>) -> (Instant, Stamp) {
    let age = stamped.and_then(|stamped| SystemTime::now().duration_since(stamped).ok());
    let now = Instant::now();
    match age.filter(|age| *age <= AGE_MAX).and_then(|age| now.checked_sub(age)) {
        Some(at) => (at, Stamp::Kernel),
        None => (now, Stamp::Reading),
    }
}

#[cfg(target_os = "linux")]
fn ask_for_stamps(socket: &UdpSocket) {
    use nix::sys::socket::{setsockopt, sockopt::ReceiveTimestampns};

    if let Err(error) = setsockopt(socket, ReceiveTimestampns, &true) {
        tracing::debug!(%error, "the kernel does not stamp datagrams");
    }
}

#[cfg(not(target_os = "linux"))]
fn ask_for_stamps(_: &UdpSocket) {}

#[cfg(target_os = "linux")]
fn address(storage: &nix::sys::socket::SockaddrStorage) -> Option<SocketAddr> {
    let v4 = storage.as_sockaddr_in().map(|v4| SocketAddr::from((v4.ip(), v4.port())));
    v4.or_else(|| storage.as_sockaddr_in6().map(|v6| SocketAddr::from((v6.ip(), v6.port()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_datagram_came_before_it_was_read() {
        let socket = Stamped::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let to = socket.socket.local_addr().unwrap();
        let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut buffer = [0; 8];
        let mut last = None;
        // The kernel takes its time to begin stamping.
        for _ in 0..20 {
            let before = Instant::now();
            other.send_to(&[7; 12], to).await.unwrap();
            let sent = Instant::now();
            std::thread::sleep(Duration::from_millis(20));
            let arrival = socket.receive(&mut buffer).await.unwrap();
            assert_eq!((arrival.length, arrival.from), (8, other.local_addr().unwrap()));
            assert!(arrival.at >= before, "never before it was sent");
            last = Some(arrival.stamp);
            if arrival.stamp == Stamp::Kernel && arrival.at < sent + Duration::from_millis(10) {
                return;
            }
        }
        assert_eq!((last, cfg!(target_os = "linux")), (Some(Stamp::Reading), false));
    }

    #[test]
    fn a_socket_for_both_families_speaks_to_both() {
        let v4: SocketAddr = "192.0.2.1:7".parse().unwrap();
        let v6: SocketAddr = "[2001:db8::1]:7".parse().unwrap();
        assert_eq!(as_family(v4, false), v4);
        assert_eq!(as_family(v4, true), "[::ffff:192.0.2.1]:7".parse().unwrap());
        assert_eq!(as_family(v6, true), v6);
    }

    #[test]
    fn a_clock_that_was_set_counts_for_nothing() {
        let now = SystemTime::now();
        for stamped in
            [None, Some(now + Duration::from_secs(60)), Some(now - Duration::from_secs(60))]
        {
            let before = Instant::now();
            let (at, stamp) = arrived(stamped);
            assert!(at >= before && stamp == Stamp::Reading, "{stamped:?}");
        }
    }
}

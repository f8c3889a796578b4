//! Witnesses in cities, a prover somewhere, and between them wires as long as the way.

use crypto::{SigningKey, VrfKey, VrfSuite};
use measure::{
    AttendSettings, Attendant, Attended, Draw, NotAttended, NotProved, Plan, ProveSettings, Proved,
    Request, ToProver, ToWitness, attend, committee, prove, seat,
};
use presence::{Direction, Reference, Tables, Witness};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
    net::UdpSocket,
    time::{Instant, sleep_until},
};
use types::{
    Address, ChainId, Hash, Place, PublicKey,
    codec::{DecodeExt as _, Encode as _},
    presence::{Claim, PresenceParams},
};

/// Forty cities of Europe, most within a thousand kilometres of Frankfurt.
pub const EUROPE: [&str; 40] = [
    "50.11,8.68",
    "52.52,13.41",
    "48.14,11.58",
    "53.55,9.99",
    "50.94,6.96",
    "48.78,9.18",
    "51.34,12.37",
    "49.45,11.08",
    "52.37,9.73",
    "53.08,8.80",
    "52.37,4.90",
    "50.85,4.35",
    "49.61,6.13",
    "48.86,2.35",
    "45.76,4.84",
    "48.57,7.75",
    "47.38,8.54",
    "46.20,6.14",
    "45.46,9.19",
    "48.21,16.37",
    "50.08,14.44",
    "52.23,21.01",
    "47.50,19.04",
    "55.68,12.57",
    "51.51,-0.13",
    "53.48,-2.24",
    "53.35,-6.26",
    "59.33,18.06",
    "59.91,10.75",
    "60.17,24.94",
    "40.42,-3.70",
    "41.39,2.17",
    "38.72,-9.14",
    "41.90,12.50",
    "43.30,5.37",
    "45.81,15.98",
    "44.43,26.10",
    "42.70,23.32",
    "54.69,25.28",
    "56.95,24.11",
];

pub const PERIOD: u64 = 7;
/// A window for tests; the product's is 4 s.
pub const PLAN: Plan = Plan { window_us: 300_000, patience_us: 1_000_000, work: None };
pub const ATTEND: AttendSettings = AttendSettings {
    plan: PLAN,
    turn: Duration::from_secs(10),
    transcript: Duration::from_secs(20),
};
/// Long enough for a busy machine; a measurement that goes well does not wait for it.
pub const PROVE: ProveSettings =
    ProveSettings { probing: Duration::from_secs(10), deadline: Duration::from_secs(20) };

/// Microseconds there and back: 20 for each kilometre, and a millisecond.
pub fn way_us(a: &Direction, b: &Direction) -> u32 {
    1_000 + 20 * a.km(b)
}

pub fn place(text: &str) -> Place {
    text.parse().unwrap()
}

pub fn direction(text: &str) -> Direction {
    Direction::of_place(place(text))
}

pub fn key(number: usize) -> SigningKey {
    let mut seed = [0x5a; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    SigningKey::from_seed(&seed)
}

/// All that everybody knows.
pub struct World {
    pub witnesses: Vec<Witness>,
    pub reference: Reference,
    pub params: PresenceParams,
}

impl World {
    pub fn new(places: &[&str]) -> Arc<Self> {
        let witness = |(index, text): (usize, &&str)| {
            let key = PublicKey(key(index).public());
            let network = u32::try_from(index).unwrap();
            Witness { key, place: place(text), operator: Address::of(&key), network }
        };
        let witnesses: Vec<Witness> = places.iter().enumerate().map(witness).collect();
        let directions: Vec<Direction> = places.iter().map(|text| direction(text)).collect();
        let mut pairs = Vec::new();
        for a in 0..directions.len() {
            pairs.extend((0..a).map(|b| (a, b, way_us(&directions[a], &directions[b]))));
        }
        let reference = Reference::new(directions, pairs);
        Arc::new(Self { witnesses, reference, params: PresenceParams::DEFAULT })
    }

    pub fn tables(&self) -> Tables<'_> {
        Tables {
            seed: Hash([9; 32]),
            period: PERIOD,
            witnesses: &self.witnesses,
            reference: &self.reference,
        }
    }
}

/// A node that claims to stand somewhere.
pub struct Claimant {
    pub key: SigningKey,
    pub claim: Claim,
    pub draw: Draw,
}

impl Claimant {
    pub fn new(world: &World, claimed: &str, continent: ChainId) -> Self {
        let key = key(1_000);
        let vrf = VrfKey::beside(&key);
        let claim = Claim {
            prover: PublicKey(key.public()),
            place: place(claimed),
            continent,
            attestation: Hash([4; 32]),
            vrf_key: Hash(vrf.public()),
            period: PERIOD,
        };
        let alpha = presence::alpha(&world.tables().seed, &claim);
        let proof = vrf.prove(VrfSuite::Ell2, &alpha.0).to_bytes();
        Self { key, claim, draw: Draw::new(proof.to_vec()).unwrap() }
    }

    pub fn request(&self, world: &World, reached_at: Option<SocketAddr>) -> Request {
        let indices = committee(&self.claim, &self.draw, &world.params, &world.tables()).unwrap();
        let keyed = |index: u16| (index, world.witnesses[usize::from(index)].key);
        Request {
            claim: self.claim.clone(),
            draw: self.draw.clone(),
            witnesses: indices.into_iter().map(keyed).collect(),
            reached_at,
        }
    }
}

/// Where a witness sends from: each has an address of its own, by which wires know it.
pub fn home(index: u16) -> IpAddr {
    let [high, low] = index.to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(127, 1, high, low + 1))
}

fn index_of(ip: IpAddr) -> u16 {
    let IpAddr::V4(ip) = ip else { panic!("{ip}") };
    let [_, _, high, low] = ip.octets();
    u16::from_be_bytes([high, low - 1])
}

/// Stand in front of `prover`, and hold each datagram back for half of its witness's way.
///
/// Returns the address where witnesses find the prover. Ends with the test's runtime.
pub async fn wires(prover: SocketAddr, way_us: impl Fn(u16) -> u32 + Send + 'static) -> SocketAddr {
    let front = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let address = front.local_addr().unwrap();
    tokio::spawn(async move {
        let mut ends: BTreeMap<SocketAddr, Arc<UdpSocket>> = BTreeMap::new();
        let mut buffer = [0; 128];
        loop {
            let (length, from) = front.recv_from(&mut buffer).await.unwrap();
            let came = Instant::now();
            let one_way = Duration::from_micros(u64::from(way_us(index_of(from.ip()))).div_ceil(2));
            let end = match ends.get(&from) {
                Some(end) => end.clone(),
                None => {
                    let end = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
                    end.connect(prover).await.unwrap();
                    tokio::spawn(back(end.clone(), front.clone(), from, one_way));
                    ends.insert(from, end.clone());
                    end
                }
            };
            let datagram = buffer[..length].to_vec();
            tokio::spawn(async move {
                sleep_until(came + one_way).await;
                let _ = end.send(&datagram).await;
            });
        }
    });
    address
}

async fn back(end: Arc<UdpSocket>, front: Arc<UdpSocket>, to: SocketAddr, one_way: Duration) {
    let mut buffer = [0; 128];
    loop {
        // Nobody listens any more when the prover is done.
        let Ok(length) = end.recv(&mut buffer).await else { continue };
        let came = Instant::now();
        let (front, datagram) = (front.clone(), buffer[..length].to_vec());
        tokio::spawn(async move {
            sleep_until(came + one_way).await;
            let _ = front.send_to(&datagram, to).await;
        });
    }
}

/// What witnesses said, by their places in the list.
pub type Reports = Arc<Mutex<BTreeMap<u16, Result<Attended, NotAttended>>>>;

/// A witness as it should be, at the other end of the channel that is returned.
pub fn honest(
    world: &Arc<World>,
    index: u16,
    peer: PublicKey,
    settings: AttendSettings,
    reports: &Reports,
) -> DuplexStream {
    let (near, far) = tokio::io::duplex(1_024);
    let (world, reports) = (world.clone(), reports.clone());
    tokio::spawn(async move {
        let own = key(usize::from(index));
        let bind = SocketAddr::new(home(index), 0);
        // An opening would go by no wire, and show the witness a way past it.
        let attendant = Attendant { key: &own, bind, reached_at: None };
        let me = PublicKey(own.public());
        let admit =
            |claim: &Claim, draw: &Draw| seat(claim, draw, &me, &world.params, &world.tables());
        let attended = attend(far, &peer, &attendant, admit, &settings).await;
        reports.lock().unwrap().insert(index, attended);
    });
    near
}

/// Have a claim measured by honest witnesses while the claimant's key answers from `stands`.
pub async fn measure_from(
    world: &Arc<World>,
    claimant: &Claimant,
    stands: &str,
) -> (Result<Proved, NotProved>, Reports) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let here = direction(stands);
    let directions = world.reference.directions().to_vec();
    let way = move |index: u16| way_us(&directions[usize::from(index)], &here);
    let reached_at = wires(socket.local_addr().unwrap(), way).await;
    let request = claimant.request(world, Some(reached_at));
    let reports = Reports::default();
    let peer = claimant.claim.prover;
    let connect = |index, _| {
        let near = honest(world, index, peer, ATTEND, &reports);
        async move { Ok(near) }
    };
    let proved = prove(request, &claimant.key, socket, connect, &PROVE).await;
    (proved, reports)
}

/// What a prover by hand says to a witness.
pub async fn say(channel: &mut DuplexStream, message: &ToWitness) {
    let message = message.encode();
    channel.write_u16(u16::try_from(message.len()).unwrap()).await.unwrap();
    channel.write_all(&message).await.unwrap();
}

pub async fn hear(channel: &mut DuplexStream) -> ToProver {
    let length = channel.read_u16().await.unwrap();
    let mut bytes = vec![0; usize::from(length)];
    channel.read_exact(&mut bytes).await.unwrap();
    ToProver::decode(bytes).unwrap()
}

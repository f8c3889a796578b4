//! A key that answers from elsewhere than its machine, and a machine that works elsewhere than its key.

use crate::world::{
    ATTEND, Claimant, PLAN, World, direction, hear, home, key, measure_from, say, way_us,
};
use measure::{
    AttendSettings, Attendant, NotAttended, Prover, Reply, SignedTranscript, ToProver, ToWitness,
    Unsigned, WorkRule, attend, seat,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{io::DuplexStream, net::UdpSocket, time::sleep};
use types::{ChainId, PublicKey, presence::Claim};

const PLACES: [&str; 3] = ["50.11,8.68", "52.52,13.41", "48.14,11.58"];
const FRANKFURT: &str = "50.10,8.60";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_further_away_shows_in_every_minimum() {
    let world = World::new(&PLACES);
    let claimant = Claimant::new(&world, FRANKFURT, ChainId::Europe);
    // Claims Frankfurt, answers from São Paulo.
    let stands = "-23.55,-46.63";
    let (proved, _) = measure_from(&world, &claimant, stands).await;
    let proved = proved.unwrap();
    assert_eq!(proved.certificate.minima.len(), 3);
    for minimum in proved.certificate.minima.iter() {
        let witness = world.reference.directions()[usize::from(minimum.witness)];
        assert!(minimum.rtt_us >= way_us(&witness, &direction(stands)), "{minimum:?}");
        assert!(minimum.rtt_us > way_us(&witness, &direction(FRANKFURT)) + 150_000);
    }
}

/// Work that is done where the key is, and work that goes there and back to be done elsewhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_done_elsewhere_is_late() {
    // The allowance is far above what a busy machine adds, and the proxy far above that.
    let rule = WorkRule { count: 3, rounds: 2_000, allowance_us: 400_000 };
    let attended = measured(rule, Duration::ZERO).await.unwrap();
    assert!(!attended.samples_us.is_empty());
    let proxied = measured(rule, Duration::from_millis(300)).await;
    let Err(NotAttended::Unsigned(Unsigned::Late { took_us, allowed_us })) = proxied else {
        panic!("{proxied:?}")
    };
    assert!(took_us.is_none_or(|us| u64::from(us) > allowed_us && us >= 600_000), "{took_us:?}");
}

/// One witness measures a prover that answers probes itself, and has work done at the end of a way.
async fn measured(rule: WorkRule, one_way: Duration) -> Result<measure::Attended, NotAttended> {
    let world = World::new(&PLACES);
    let claimant = Claimant::new(&world, FRANKFURT, ChainId::Europe);
    let peer = claimant.claim.prover;
    let (near, far) = tokio::io::duplex(1_024);
    let proving = tokio::spawn(split(near, claimant, one_way));
    let own = key(0);
    let witness = PublicKey(own.public());
    let attendant = Attendant { key: &own, bind: SocketAddr::new(home(0), 0), reached_at: None };
    let admit =
        |claim: &Claim, draw: &_| seat(claim, draw, &witness, &world.params, &world.tables());
    let plan = measure::Plan { work: Some(rule), ..PLAN };
    let attended = attend(far, &peer, &attendant, admit, &AttendSettings { plan, ..ATTEND }).await;
    let last = proving.await.unwrap();
    assert_eq!(matches!(last, ToProver::Measured { .. }), attended.is_ok(), "{last:?}");
    attended
}

/// A prover by hand. Returns what the witness said last.
async fn split(mut channel: DuplexStream, claimant: Claimant, one_way: Duration) -> ToProver {
    let (claim, draw) = (claimant.claim.clone(), claimant.draw.clone());
    say(&mut channel, &ToWitness::Ask { claim, draw }).await;
    let ToProver::Session { id, key, .. } = hear(&mut channel).await else { panic!("a session") };
    let mut prover = Prover::default();
    prover.open(0, id, &key).unwrap();
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let udp = Some(socket.local_addr().unwrap().into());
    say(&mut channel, &ToWitness::Ready { udp }).await;
    let mut buffer = [0; 128];
    let probed = {
        let probed = hear(&mut channel);
        tokio::pin!(probed);
        loop {
            tokio::select! {
                probed = &mut probed => break probed,
                received = socket.recv_from(&mut buffer) => {
                    let (length, from) = received.unwrap();
                    match prover.receive(&buffer[..length]) {
                        Some(Reply::Answer(answer)) => drop(socket.send_to(&answer, from).await),
                        Some(Reply::Work(work)) => {
                            let socket = socket.clone();
                            tokio::spawn(async move {
                                sleep(one_way).await;
                                let answer = work.run();
                                sleep(one_way).await;
                                let _ = socket.send_to(&answer, from).await;
                            });
                        }
                        None => {}
                    }
                }
            }
        }
    };
    assert_eq!(probed, ToProver::Probed);
    let transcript = prover.close();
    let signed = SignedTranscript::new(&claimant.claim.id(), transcript.root(), &claimant.key);
    let part = transcript.part(0).unwrap();
    say(&mut channel, &ToWitness::root(signed.root, signed.signature, part)).await;
    hear(&mut channel).await
}

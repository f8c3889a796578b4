//! Provers that keep to no protocol: a witness signs nothing for them, says why, and is done in time.

use crate::world::{Claimant, PLAN, World, hear, home, key, say};
use measure::{
    AttendSettings, Attendant, Attended, Endpoint, NotAttended, Part, Path, Plan, Prover, Reply,
    SignedTranscript, ToProver, ToWitness, Unsigned, attend,
};
use std::{net::SocketAddr, time::Duration};
use tokio::{io::DuplexStream, net::UdpSocket};
use types::{ChainId, Hash, PublicKey, Signature, presence::Claim};

const PLACES: [&str; 3] = ["50.11,8.68", "52.52,13.41", "48.14,11.58"];
const QUICK: AttendSettings = AttendSettings {
    plan: Plan { window_us: 80_000, patience_us: 200_000, ..PLAN },
    turn: Duration::from_millis(400),
    transcript: Duration::from_millis(400),
};

/// A witness of the claimant's on one end, a prover by hand on the other.
async fn against<F, P>(prover: F) -> Result<Attended, NotAttended>
where
    F: FnOnce(DuplexStream, Claimant) -> P,
    P: Future<Output = DuplexStream> + Send + 'static,
{
    let world = World::new(&PLACES);
    let claimant = Claimant::new(&world, "50.10,8.60", ChainId::Europe);
    let peer = claimant.claim.prover;
    let (near, far) = tokio::io::duplex(1_024);
    let proving = tokio::spawn(prover(near, claimant));
    let own = key(0);
    let attendant = Attendant { key: &own, bind: SocketAddr::new(home(0), 0), reached_at: None };
    let admit = |_: &Claim, _: &_| Ok::<u16, String>(0);
    let attended = attend(far, &peer, &attendant, admit, &QUICK).await;
    let mut channel = proving.await.unwrap();
    let failed = attended.as_ref().unwrap_err().to_string();
    loop {
        if let ToProver::Refused { why } = hear(&mut channel).await {
            assert_eq!(why.as_str(), failed);
            return attended;
        }
    }
}

fn ask(claimant: &Claimant) -> ToWitness {
    ToWitness::Ask { claim: claimant.claim.clone(), draw: claimant.draw.clone() }
}

/// Answer probes until the witness has enough, and return what was said.
async fn probed(channel: &mut DuplexStream, claimant: &Claimant) -> measure::Transcript {
    say(channel, &ask(claimant)).await;
    let ToProver::Session { id, key, .. } = hear(channel).await else { panic!("a session") };
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut prover = Prover::default();
    prover.open(0, id, &key).unwrap();
    let udp = Some(socket.local_addr().unwrap().into());
    say(channel, &ToWitness::Ready { udp }).await;
    let mut buffer = [0; 128];
    for _ in 0..8 {
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        let Some(Reply::Answer(answer)) = prover.receive(&buffer[..length]) else {
            panic!("a probe")
        };
        socket.send_to(&answer, from).await.unwrap();
    }
    assert_eq!(hear(channel).await, ToProver::Probed);
    prover.close()
}

#[tokio::test]
async fn who_does_not_go_on_is_not_waited_for() {
    let silent = against(|channel, _| async { channel }).await;
    assert!(matches!(silent, Err(NotAttended::TooLate("ask"))), "{silent:?}");
    let halfway = against(|mut channel, claimant| async move {
        say(&mut channel, &ask(&claimant)).await;
        channel
    });
    let halfway = halfway.await;
    assert!(matches!(halfway, Err(NotAttended::TooLate("get ready"))), "{halfway:?}");
    let hidden = against(|mut channel, claimant| async move {
        say(&mut channel, &ask(&claimant)).await;
        say(&mut channel, &ToWitness::Ready { udp: None }).await;
        channel
    });
    let hidden = hidden.await;
    assert!(matches!(hidden, Err(NotAttended::TooLate("open a way for datagrams"))), "{hidden:?}");
    let unsigned = against(|mut channel, claimant| async move {
        probed(&mut channel, &claimant).await;
        channel
    });
    let unsigned = unsigned.await;
    assert!(matches!(unsigned, Err(NotAttended::TooLate("sign"))), "{unsigned:?}");
}

#[tokio::test]
async fn another_s_claim_is_not_measured() {
    let another = against(|mut channel, mut claimant| async move {
        claimant.claim.prover = PublicKey(key(1).public());
        say(&mut channel, &ask(&claimant)).await;
        channel
    });
    let another = another.await;
    assert!(matches!(another, Err(NotAttended::Another { .. })), "{another:?}");
}

#[tokio::test]
async fn nobody_is_made_to_flood_a_group() {
    let group = against(|mut channel, claimant| async move {
        say(&mut channel, &ask(&claimant)).await;
        let group: SocketAddr = "224.0.0.1:9".parse().unwrap();
        say(&mut channel, &ToWitness::Ready { udp: Some(Endpoint::from(group)) }).await;
        channel
    });
    let group = group.await;
    assert!(matches!(group, Err(NotAttended::Address(_))), "{group:?}");
}

#[tokio::test]
async fn who_answers_nothing_gets_nothing() {
    let deaf = against(|mut channel, claimant| async move {
        say(&mut channel, &ask(&claimant)).await;
        let nobody: SocketAddr = "127.0.0.1:9".parse().unwrap();
        say(&mut channel, &ToWitness::Ready { udp: Some(Endpoint::from(nobody)) }).await;
        channel
    });
    let deaf = deaf.await;
    assert!(matches!(deaf, Err(NotAttended::Unsigned(Unsigned::NoAnswer))), "{deaf:?}");
}

#[tokio::test]
async fn a_transcript_is_signed_and_has_what_was_measured() {
    let by_another = against(|mut channel, claimant| async move {
        let transcript = probed(&mut channel, &claimant).await;
        let signed = SignedTranscript::new(&claimant.claim.id(), transcript.root(), &key(1));
        let part = transcript.part(0).unwrap();
        say(&mut channel, &ToWitness::root(signed.root, signed.signature, part)).await;
        channel
    });
    let by_another = by_another.await;
    assert!(matches!(by_another, Err(NotAttended::Prover)), "{by_another:?}");
    let without = against(|mut channel, claimant| async move {
        probed(&mut channel, &claimant).await;
        let signed = SignedTranscript::new(&claimant.claim.id(), Hash([1; 32]), &claimant.key);
        let part = Part { answered: 0xff, position: 0, path: Path::default() };
        say(&mut channel, &ToWitness::root(signed.root, signed.signature, part)).await;
        channel
    });
    let without = without.await;
    assert!(matches!(without, Err(NotAttended::Unsigned(Unsigned::Transcript))), "{without:?}");
    let early = against(|mut channel, claimant| async move {
        say(&mut channel, &ask(&claimant)).await;
        let part = Part { answered: 0, position: 0, path: Path::default() };
        say(&mut channel, &ToWitness::root(Hash::ZERO, Signature([0; 64]), part)).await;
        channel
    });
    let early = early.await;
    assert!(matches!(early, Err(NotAttended::Channel(_))), "{early:?}");
}

//! Noise IK as commonware's peers use it.

use crate::{identity, peer};
use commonware_codec::DecodeExt as _;
use commonware_cryptography::ed25519::PublicKey;
use commonware_runtime::{Runner as _, Spawner as _, Supervisor as _, deterministic, mocks};
use commonware_stream::{Receiver as _, Sender as _, Upgrader as _};
use network::ik::{Ik, IkError, Suites};

const MESSAGE_MAX: u32 = 200_000;

fn key(seed: u8) -> PublicKey {
    PublicKey::decode(peer(seed).public().to_vec()).unwrap()
}

fn ik(seed: u8) -> Ik {
    Ik::new(identity(seed), Suites::default())
}

#[test]
fn messages_keep_their_bounds_however_they_are_packed() {
    deterministic::Runner::default().start(|context| async move {
        let (to_there, from_here) = mocks::Channel::init_with_buffer_size(4 << 20);
        let (to_here, from_there) = mocks::Channel::init_with_buffer_size(4 << 20);
        let listening = context.child("there").spawn(move |context| async move {
            let (who, mut sender, mut receiver) = ik(2)
                .listen(context, b"ns", MESSAGE_MAX, |_| async { true }, from_here, to_here)
                .await
                .unwrap();
            assert_eq!(who, key(1));
            // Echo until the peer is gone.
            let mut echoed = 0;
            while let Ok(message) = receiver.recv().await {
                sender.send(message).await.unwrap();
                echoed += 1;
            }
            echoed
        });
        let (mut sender, mut receiver) = ik(1)
            .dial(context.child("here"), b"ns", MESSAGE_MAX, key(2), from_there, to_there)
            .await
            .unwrap();
        let messages: Vec<Vec<u8>> = [0, 1, 200, 65_510, 65_519, 65_520, 131_072, 200_000]
            .into_iter()
            .map(|length| (0..length).map(|index| u8::try_from(index % 253).unwrap()).collect())
            .collect();
        sender.send_many(messages.clone()).await.unwrap();
        for message in &messages {
            sender.send(message.clone()).await.unwrap();
        }
        for message in messages.iter().chain(&messages) {
            let got = receiver.recv().await.unwrap().coalesce();
            assert_eq!(got.as_ref(), &message[..]);
        }
        sender.send_many(Vec::<Vec<u8>>::new()).await.unwrap();
        assert!(matches!(
            sender.send(vec![0; 200_001]).await,
            Err(IkError::TooLong(200_001, MESSAGE_MAX))
        ));
        drop((sender, receiver));
        assert_eq!(listening.await.unwrap(), 16);
    });
}

#[test]
fn a_peer_that_is_not_expected_gets_no_answer() {
    deterministic::Runner::default().start(|context| async move {
        let (to_there, from_here) = mocks::Channel::init();
        let (to_here, from_there) = mocks::Channel::init();
        let listening = context.child("there").spawn(move |context| async move {
            let refusing = |who: PublicKey| async move {
                assert_eq!(who, key(1));
                false
            };
            ik(2)
                .listen(context, b"ns", MESSAGE_MAX, refusing, from_here, to_here)
                .await
                .map(|_| ())
        });
        let dialled = ik(1)
            .dial(context.child("here"), b"ns", MESSAGE_MAX, key(2), from_there, to_there)
            .await;
        assert!(matches!(dialled, Err(IkError::Io(_))));
        assert!(matches!(listening.await.unwrap(), Err(IkError::Uninvited(_))));
    });
}

//! Many nodes, one table: everybody finds everybody.

use crate::{config, start, until};
use overlay::{Config, Overlay, PeerAddress, Role, Roles};
use types::ChainId;

async fn crowd(count: u8) -> Vec<(Overlay, PeerAddress)> {
    let first = start(config(1, &[])).await;
    let bootstrap = [first.1.clone()];
    let mut nodes = vec![first];
    for seed in 2..=count {
        nodes.push(start(config(seed, &bootstrap)).await);
    }
    nodes
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_the_list_at_a_meeting_point_is_found() {
    let relaying = |seed: u8, known: &[PeerAddress]| {
        let mut config = config(seed, known);
        config.roles = Roles::default().with(Role::Relay);
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        let place: overlay::Multiaddr = format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap();
        Config { listen: vec![place.clone()], announce: vec![place], ..config }
    };
    let (_point, at) = start(relaying(1, &[])).await;
    let (_there, _) = start(relaying(2, std::slice::from_ref(&at))).await;
    // Each one that comes reads who was there before.
    let mut seed = 2;
    let read = r#"protocol="rendezvous",direction="in""#;
    until("somebody is read from the list", async || {
        seed += 1;
        let (here, _) = start(config(seed, std::slice::from_ref(&at))).await;
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        let metrics = here.metrics().await.unwrap();
        metrics.lines().any(|line| line.contains(read) && !line.ends_with(" 0"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_know_one_address_find_all_others() {
    // `MESHX_CROWD=50 cargo test -p meshx-overlay --test it find_all_others -- --nocapture` is a larger one.
    let count = std::env::var("MESHX_CROWD").ok().and_then(|text| text.parse().ok()).unwrap_or(16);
    let begun = std::time::Instant::now();
    let nodes = crowd(count).await;
    for (node, _) in &nodes {
        until("a table of many", async || node.status().await.unwrap().table >= 12).await;
    }
    println!("{count} nodes have each 12 others in their table after {:?}", begun.elapsed());
    // Every fifth looks for every third: its record is found, and it is reached.
    for (from, _) in nodes.iter().step_by(5) {
        for (to, address) in nodes.iter().step_by(3).filter(|(to, _)| to.id() != from.id()) {
            until("a record", async || from.find(to.id()).await.is_ok()).await;
            let record = from.find(to.id()).await.unwrap();
            assert_eq!(record.addresses, [address.place()]);
            from.reach(to.id()).await.unwrap();
        }
    }
    println!("every fifth has found and reached every third after {:?}", begun.elapsed());
    let nearest = nodes[3].0.closest(nodes[9].0.id().to_bytes()).await.unwrap();
    assert_eq!(nearest[0], nodes[9].0.id());
    let stranger = crypto::SigningKey::from_seed(&[200; 32]).public();
    let stranger = overlay::peer_id(&stranger).unwrap();
    assert!(nodes[3].0.reach(stranger).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_found_by_chain() {
    let (first, at) = start(config(1, &[])).await;
    let bootstrap = [at];
    let with = |seed, role, chain| Config {
        roles: Roles::default().with(role),
        chain,
        ..config(seed, &bootstrap)
    };
    let (validator, _) = start(with(2, Role::Validator, ChainId::Europe)).await;
    let (_other, _) = start(with(3, Role::Validator, ChainId::Asia)).await;
    let (_edge, _) = start(with(4, Role::Edge, ChainId::Europe)).await;
    until("the validator of Europe", async || {
        first.providers(Role::Validator, ChainId::Europe).await.unwrap() == [validator.id()]
    })
    .await;
    assert_eq!(first.providers(Role::Relay, ChainId::Europe).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn those_nearby_are_found_first_and_others_when_they_are_few() {
    let (first, at) = start(config(1, &[])).await;
    let bootstrap = [at];
    let standing = |seed, place: &str| Config {
        roles: Roles::default().with(Role::Aggregator),
        chain: ChainId::Europe,
        cell: Some(place.parse().unwrap()),
        ..config(seed, &bootstrap)
    };
    // Berlin, Prague and Vienna are in one cell or the next; Lisbon and Moscow are not.
    let places = ["52.5,13.4", "50.1,14.4", "48.2,16.4", "38.7,-9.1", "55.8,37.6"];
    let mut nodes = Vec::new();
    for (seed, place) in (2..).zip(places) {
        nodes.push(start(standing(seed, place)).await.0);
    }
    let id = |index: usize| nodes[index].id();
    let found = async |place: &str| {
        let cell = place.parse().unwrap();
        first.providers_near(Role::Aggregator, ChainId::Europe, cell).await.unwrap()
    };
    until("those of the cell, then those around it", async || {
        let found = found("51,12").await;
        let [first, second, third] = found[..] else { return false };
        let berlin_and_prague = [[id(0), id(1)], [id(1), id(0)]].contains(&[first, second]);
        berlin_and_prague && third == id(2)
    })
    .await;
    until("anybody, where few are near", async || {
        let found = found("40,-8").await;
        found.len() == 5 && found[0] == id(3)
    })
    .await;
    assert_eq!(found("-33.9,18.4").await.len(), 5);
    let record = first.find(id(4)).await.unwrap();
    assert_eq!(record.cell, "55,37".parse().ok());
}

/// Every message to `node` that begins with a zero is false.
fn judge(node: Overlay, mut heard: tokio::sync::broadcast::Receiver<overlay::Gossip>) {
    tokio::spawn(async move {
        while let Ok(message) = heard.recv().await {
            let verdict = match message.data.first() {
                Some(0) => overlay::Verdict::False,
                _ => overlay::Verdict::PassOn,
            };
            node.judge(&message, verdict).await.unwrap();
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_false_goes_no_further_and_its_bringer_is_kept_out() {
    let nodes = crowd(3).await;
    let [(honest, _), (liar, _), (witness, _)] = &nodes[..] else { unreachable!() };
    judge(honest.clone(), honest.subscribe("headers").await.unwrap());
    let mut seen = witness.subscribe("headers").await.unwrap();
    drop(liar.subscribe("headers").await.unwrap());
    let (mut round, mut passed_on) = (0_u16, 0);
    until("the liar is kept out", async || {
        round += 1;
        let [high, low] = round.to_be_bytes();
        liar.publish("headers", vec![0, high, low]).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        while let Ok(message) = seen.try_recv() {
            passed_on += u32::from(message.from == honest.id());
        }
        honest.status().await.unwrap().banned == 1
    })
    .await;
    assert_eq!(passed_on, 0, "what is false went further");
    until("the connection ends", async || {
        honest.status().await.unwrap().peers.iter().all(|peer| peer.peer != liar.id())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gossip_reaches_those_who_listen() {
    let nodes = crowd(6).await;
    let mut listening = Vec::new();
    for (node, _) in &nodes {
        listening.push(node.subscribe("headers").await.unwrap());
        judge(node.clone(), node.subscribe("headers").await.unwrap());
    }
    for (node, _) in &nodes {
        until("peers", async || node.status().await.unwrap().peers.len() >= 2).await;
    }
    // Meshes of gossip form after a heartbeat or two: what is said before may reach nobody.
    let (first, rest) = listening.split_first_mut().unwrap();
    let mut round = 0_u8;
    until("everybody has heard the same", async || {
        round = round.wrapping_add(1);
        nodes[0].0.publish("headers", vec![round; 1_000]).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        rest.iter_mut().all(|receiver| {
            std::iter::from_fn(|| receiver.try_recv().ok()).any(|got| got.data == [round; 1_000])
        })
    })
    .await;
    assert!(first.try_recv().is_err(), "nobody hears himself");
}

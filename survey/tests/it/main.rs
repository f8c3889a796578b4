//! The survey on a made-up network, and on measured ones where they are there (`../shared/latency`).

use presence::{Direction, Place, PresenceParams, Tier};
use std::{fmt::Write as _, fs, path::Path};
use survey::{Asked, Attack, Network, Report, evaluate};

fn asked(attack: Attack, liars: &[f64]) -> Asked {
    Asked { liars: liars.to_vec(), attack, seed: 7, rounds: 1, lies: 40 }
}

fn run(network: &Network, attack: Attack, liars: &[f64]) -> Report {
    evaluate(network, asked(attack, liars), PresenceParams::DEFAULT)
}

/// 60 nodes in Europe, 60 in North America; 15 µs for each kilometre and half a millisecond.
fn made_up() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut nodes = "id,name,lat,lon,continent\n".to_owned();
    let mut places = Vec::new();
    for (continent, south, west) in [("EU", 42, -4), ("NA", 32, -110)] {
        for index in 0..60 {
            let (lat, lon) = (south + index % 10, west + 3 * (index / 10));
            writeln!(nodes, "{},\"{continent}, {index}\",{lat},{lon},{continent}", places.len())
                .unwrap();
            places.push(Direction::of_place(Place::new(lat * 10_000, lon * 10_000).unwrap()));
        }
    }
    let mut rtt = "src,dst,rtt_ms\n".to_owned();
    for a in 0..places.len() {
        for b in 0..a {
            let ms = f64::from(places[a].km(&places[b])) * 0.015 + 0.5;
            writeln!(rtt, "{a},{b},{ms}").unwrap();
        }
    }
    fs::write(folder.path().join("nodes.csv"), nodes).unwrap();
    fs::write(folder.path().join("rtt.csv"), rtt).unwrap();
    folder
}

#[test]
fn the_honest_are_accepted_and_lies_are_not() {
    let folder = made_up();
    let network = Network::read(folder.path()).unwrap();
    for attack in Attack::ALL {
        let report = run(&network, attack, &[0.0, 0.33]);
        assert_eq!((report.nodes, report.covered), (120, 120));
        for result in &report.results {
            assert!(result.located.continent.percent > 98.0, "{attack:?} {result:?}");
            let certified = &result.tiers[0];
            assert_eq!(certified.tier, Tier::Certified);
            assert!(certified.accepted_covered.percent > 85.0, "{attack:?} {result:?}");
            assert_eq!(certified.accepted_falsely.of, 40);
            assert!(certified.accepted_falsely.count <= 1, "{attack:?} {result:?}");
        }
    }
    // The test can fail: where everybody lies, lies get through, and nobody honest does.
    let everybody = run(&network, Attack::Mimic, &[1.0]).results.remove(0);
    assert_eq!(everybody.tiers[0].accepted_falsely.count, 40);
    assert_eq!(everybody.tiers[0].accepted_all.count, 0);
}

#[test]
fn the_same_seed_gives_the_same_report() {
    let folder = made_up();
    let network = Network::read(folder.path()).unwrap();
    let said = |seed| {
        let asked = Asked { seed, ..asked(Attack::Mimic, &[0.33]) };
        serde_json::to_string(&evaluate(&network, asked, PresenceParams::DEFAULT).results).unwrap()
    };
    assert_eq!(said(1), said(1));
    assert_ne!(said(1), said(2));
}

#[test]
fn folders_that_are_no_network_are_refused_with_the_line() {
    let folder = made_up();
    let refused = |file: &str, text: &str, wanted: &str| {
        let whole = fs::read_to_string(folder.path().join(file)).unwrap();
        fs::write(folder.path().join(file), text).unwrap();
        let said = Network::read(folder.path()).unwrap_err().to_string();
        assert!(said.contains(wanted), "{said}");
        fs::write(folder.path().join(file), whole).unwrap();
    };
    let head = "id,name,lat,lon,continent\n";
    refused("nodes.csv", &format!("{head}0,x,91,0,EU\n"), "line 2: 91, 0 is no place");
    refused("nodes.csv", &format!("{head}0,x,NaN,0,EU\n"), "line 2");
    refused("nodes.csv", &format!("{head}0,x,1,0,XX\n"), "none of NA EU");
    refused("nodes.csv", &format!("{head}0,x,1,0,EU\n0,y,2,0,EU\n"), "line 3: the id \"0\"");
    refused("nodes.csv", head, "0 nodes");
    refused("nodes.csv", "id,name\n0,x\n", "missing field");
    refused("rtt.csv", "src,dst,rtt_ms\n0,999,1\n", "no id \"999\"");
    refused("rtt.csv", "src,dst,rtt_ms\n0,1,-1\n", "line 2");
    refused("rtt.csv", "src,dst,rtt_ms\n0,1,inf\n", "line 2");
    assert!(
        Network::read(Path::new("/nowhere"))
            .unwrap_err()
            .to_string()
            .contains("/nowhere/nodes.csv")
    );
}

/// Figures of docs/presence.md, with fewer lies: all of them take a minute in release.
#[test]
fn on_measured_cities_the_rule_keeps_what_is_written_of_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/latency/wn2020");
    if !folder.exists() {
        println!("passed over: ../shared/latency/wn2020 is not here");
        return;
    }
    let network = Network::read(&folder).unwrap();
    let asked = Asked { rounds: 2, lies: 300, ..asked(Attack::Mimic, &[0.0, 0.33]) };
    let report = evaluate(&network, asked, PresenceParams::DEFAULT);
    let [none, third] = &report.results[..] else { panic!("two were asked for") };
    assert!(none.located.continent.percent >= 96.0 && none.located.median_km <= 250, "{none:?}");
    assert!(third.located.continent.percent >= 93.5 && third.located.median_km <= 350, "{third:?}");
    let covered =
        |result: &survey::LiarsReport, tier: usize| result.tiers[tier].accepted_covered.percent;
    assert!(covered(none, 1) >= 92.0, "{none:?}");
    assert!(covered(third, 1) >= 87.0 && covered(third, 0) >= 60.0, "{third:?}");
    assert!(third.tiers[0].accepted_falsely.count <= 1, "{third:?}");
}

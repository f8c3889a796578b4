fn main() {
    let a: Vec<String> = std::env::args().collect();
    let n = survey::Network::read(std::path::Path::new(&a[1])).unwrap();
    let attack = survey::Attack::ALL.into_iter().find(|x| x.name() == a[2]).unwrap();
    let liars = a[3].split(',').map(|x| x.parse().unwrap()).collect();
    let mut p = presence::PresenceParams::DEFAULT;
    if a.len() > 6 { p.pool = a[6].parse().unwrap(); p.refuted_bps = a[7].parse().unwrap(); }
    let t = std::time::Instant::now();
    let r = survey::evaluate(&n, survey::Asked { liars, attack, seed: 1, rounds: a[4].parse().unwrap(), lies: a[5].parse().unwrap() }, p);
    println!("{} {} nodes {} covered, {:?}", a[1], attack.name(), r.covered, t.elapsed());
    for x in r.results { println!("  {:.2} {:?}", x.liars, x.located); for t in x.tiers { println!("  {:.2} {:?} all {:.1} covered {:.1} false {}/{} = {:.3} %", x.liars, t.tier, t.accepted_all.percent, t.accepted_covered.percent, t.accepted_falsely.count, t.accepted_falsely.of, t.accepted_falsely.percent); } }
}

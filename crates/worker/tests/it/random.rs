//! Random runs with losses, failures, ends and restarts: nothing is done twice, and in the end all is done.

use crate::world::{Dice, Luck, World};
use worker::Asks;

const SEEDS: u64 = 400;
const STEPS: usize = 600;

#[test]
fn nothing_is_said_twice_at_once_and_every_open_duty_is_fulfilled_in_the_end() {
    for seed in 1..=SEEDS {
        let mut dice = Dice::new(seed);
        let mut world = World::new(1 + u16::try_from(dice.below(4)).unwrap());
        for _ in 0..STEPS {
            step(&mut world, Luck::BAD, &mut dice);
        }
        // From here on all goes well, and no new jobs come.
        world.calm_down(&mut dice);
        for _ in 0..400 {
            world.pass(250);
            while !world.under_way.is_empty() {
                world.carry_out(Luck::GOOD, &mut dice);
            }
            let jobs: Vec<_> = world.chain.keys().copied().collect();
            for job in jobs {
                world.advance(job, Luck::GOOD, &mut dice);
            }
        }
        for (job, on) in &world.chain {
            assert_eq!(on.asks, Asks::Over, "seed {seed}: {job} was forgotten: {on:?}");
        }
        assert_eq!(world.shift.held().count(), 0, "seed {seed}: jobs that are over are held");
    }
}

fn step(world: &mut World, luck: Luck, dice: &mut Dice) {
    match dice.below(100) {
        0 => world.restart(),
        1..15 => {
            let hopeless = dice.percent(10);
            world.open(hopeless, luck, dice);
        }
        15..40 => {
            let jobs: Vec<_> = world.chain.keys().copied().collect();
            if !jobs.is_empty() {
                world.advance(jobs[dice.below(jobs.len())], luck, dice);
            }
        }
        40..44 => world.notice_gap(),
        44..46 => world.lie(dice),
        46..50 => world.arrive(luck, dice),
        50..55 => world.catch_up(dice),
        55..65 => world.pass(dice.below(3_000) as u64),
        _ => world.carry_out(luck, dice),
    }
}

//! Single facts of a shift.

use crate::world::{job, outcome};
use types::{Height, Millis, Obstacle, Outcome, state::WorkerRecord};
use worker::{Asks, Duty, Order, PAUSE, PAUSE_MAX, Shift, Told};

const RUN: Asks = Asks::Duty(Duty::Run);

fn at(ms: u64) -> Millis {
    Millis::new(ms)
}

fn run(number: usize) -> Order {
    Order::Run { job: job(number), duty: Duty::Run }
}

#[test]
fn the_first_feed_is_taken_up_at_once_and_a_broken_one_after_a_pause() {
    let mut shift = Shift::new(1);
    let look = || vec![Order::LookUp { held: vec![] }];
    assert_eq!(shift.told(at(0), Told::Lagged), look());
    assert_eq!(shift.told(at(10), Told::Lagged), []);
    assert_eq!(shift.told(at(999), Told::Tick), []);
    assert_eq!(shift.told(at(1_000), Told::Tick), look());
    assert_eq!(shift.told(at(1_010), Told::Lagged), []);
    assert_eq!(shift.told(at(2_999), Told::Tick), [], "the second pause is twice as long");
    assert_eq!(shift.told(at(3_000), Told::Tick), look());
    assert_eq!(shift.told(at(60_000), Told::Lagged), look(), "it stood for a while");
}

#[test]
fn a_job_runs_once_for_both_of_its_duties() {
    let mut shift = Shift::new(1);
    let (job, outcome) = (job(1), outcome());
    let told = Told::Job { job, asks: RUN };
    assert_eq!(shift.told(at(0), told.clone()), [run(1)]);
    assert_eq!(shift.told(at(0), told), []);
    let reveal = Told::Job { job, asks: Asks::Duty(Duty::Reveal) };
    assert_eq!(shift.told(at(0), reveal.clone()), [], "the run is under way");
    let both = [Order::Commit { job, outcome }, Order::Reveal { job, outcome }];
    assert_eq!(shift.told(at(1), Told::Ran { job, outcome }), both);
    assert_eq!(shift.told(at(2), reveal), []);
}

#[test]
fn the_outcome_is_kept_for_the_reveal() {
    let mut shift = Shift::new(1);
    let (job, outcome) = (job(1), outcome());
    shift.told(at(0), Told::Job { job, asks: RUN });
    shift.told(at(1), Told::Ran { job, outcome });
    shift.told(at(2), Told::Said { job, duty: Duty::Run });
    let reveal = Told::Job { job, asks: Asks::Duty(Duty::Reveal) };
    assert_eq!(shift.told(at(3), reveal.clone()), [Order::Reveal { job, outcome }]);
    // Who does not have it any more runs the job again.
    let again = Order::Run { job, duty: Duty::Reveal };
    assert_eq!(Shift::new(1).told(at(3), reveal), [again]);
}

#[test]
fn a_duty_that_fails_is_tried_again_ever_more_seldom_but_never_given_up() {
    let mut shift = Shift::new(1);
    let mut orders = shift.told(at(0), Told::Job { job: job(1), asks: RUN });
    let (mut failed_at, mut pauses) = (0, vec![]);
    for now in (0..100_000).step_by(100) {
        orders.extend(shift.told(at(now), Told::Tick));
        if orders == [run(1)] {
            pauses.push(now - failed_at);
            failed_at = now;
            let failed =
                Told::Failed { job: job(1), duty: Duty::Run, lasting: false, obstacle: None };
            orders = shift.told(at(now), failed);
        }
        assert_eq!(orders, []);
    }
    assert_eq!(pauses[..6], [0, PAUSE.get(), 2_000, 4_000, 8_000, PAUSE_MAX.get()]);
    assert!(pauses[6..].iter().all(|pause| *pause == PAUSE_MAX.get()), "{pauses:?}");
}

#[test]
fn what_is_refused_for_good_is_not_tried_again() {
    let mut shift = Shift::new(1);
    shift.told(at(0), Told::Job { job: job(1), asks: RUN });
    shift.told(at(0), Told::Failed { job: job(1), duty: Duty::Run, lasting: true, obstacle: None });
    assert_eq!(shift.told(at(1_000_000), Told::Tick), []);
    assert_eq!(shift.told(at(1_000_000), Told::Job { job: job(1), asks: RUN }), []);
}

#[test]
fn a_job_that_cannot_be_run_is_said_to_be_so() {
    let failed = |obstacle, lasting| Told::Failed {
        job: job(1),
        duty: Duty::Run,
        lasting,
        obstacle: Some(obstacle),
    };
    let says = |obstacle| Order::Commit { job: job(1), outcome: Outcome::hindered(obstacle) };
    let mut shift = Shift::new(1);
    shift.told(at(0), Told::Job { job: job(1), asks: RUN });
    let orders = shift.told(at(0), failed(Obstacle::Module, true));
    assert_eq!(orders, [says(Obstacle::Module)]);
    // What cannot be had now may be there in a moment, so it is asked for three times.
    let mut shift = Shift::new(1);
    shift.told(at(0), Told::Job { job: job(1), asks: RUN });
    for now in [0, 10_000] {
        assert_eq!(shift.told(at(now), failed(Obstacle::MissingInput, false)), []);
        assert_eq!(shift.told(at(now + 9_000), Told::Tick), [run(1)]);
    }
    let orders = shift.told(at(20_000), failed(Obstacle::MissingInput, false));
    assert_eq!(orders, [says(Obstacle::MissingInput)]);
}

#[test]
fn a_job_that_is_over_leaves_when_its_run_has_ended() {
    let mut shift = Shift::new(1);
    let (job, outcome) = (job(1), outcome());
    shift.told(at(0), Told::Job { job, asks: RUN });
    shift.told(at(0), Told::Job { job, asks: Asks::Over });
    assert_eq!(shift.held().count(), 1, "it still runs, so it still takes room");
    assert_eq!(shift.told(at(1), Told::Ran { job, outcome }), []);
    assert_eq!(shift.held().count(), 0);
}

#[test]
fn whoever_invents_duties_is_not_followed() {
    let mut shift = Shift::new(2);
    shift.told(at(0), Told::Lagged);
    let asked = |number| Told::Job { job: job(number), asks: RUN };
    let orders: Vec<Order> = (0..1_000).flat_map(|n| shift.told(at(1), asked(n))).collect();
    assert_eq!(orders, [run(0), run(1), run(2), run(3)]);
    assert_eq!((shift.held().count(), shift.held_max()), (4, 4));
    // There may be duties among them: what is open is looked up when a pause has passed.
    let look = shift.told(at(1_000), Told::Tick);
    assert!(matches!(&look[..], [Order::LookUp { held }] if held.len() == 4), "{look:?}");
}

#[test]
fn one_heartbeat_at_a_time_twice_in_the_time_there_is() {
    let mut shift = Shift::new(1);
    let record = WorkerRecord { capacity: 8, seen: Height::new(100), ..WorkerRecord::default() };
    let own = |height, shift: &mut Shift| {
        let (record, height) = (record.clone(), Height::new(height));
        shift.told(at(0), Told::Own { record, height, heartbeat_blocks: 240 })
    };
    assert_eq!(own(219, &mut shift), []);
    assert_eq!(own(220, &mut shift), [Order::Heartbeat]);
    assert_eq!(own(240, &mut shift), [], "one is under way");
    shift.told(at(0), Told::Beat);
    assert_eq!(own(260, &mut shift), [Order::Heartbeat], "it did not arrive");
    assert_eq!(shift.held_max(), 16, "the offer is what the chain knows of it");
}

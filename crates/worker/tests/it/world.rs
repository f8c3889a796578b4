//! A chain with one worker's jobs, a feed that loses and delays events and invents some, and a shell that carries out
//! orders when it is let.

use std::collections::BTreeMap;
use types::{Fuel, Hash, JobId, Millis, Outcome, OutputRef, Status};
use worker::{Asks, Duty, Order, Shift, Told};

/// xorshift64*, so that a seed is the same sequence everywhere.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(bits).unwrap() % bound
    }
    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }
}

pub fn job(number: usize) -> JobId {
    Hash::of_content(&number.to_be_bytes())
}

pub fn outcome() -> Outcome {
    let nothing = OutputRef { hash: Hash::of_content(b""), len: 0 };
    let fuel = Fuel::new(1);
    Outcome { status: Status::Exited(0), stdout: nothing, stderr: nothing, fuel, memory_bytes: 0 }
}

/// One job as the chain has it.
#[derive(Clone, Copy, Debug)]
pub struct OnChain {
    pub asks: Asks,
    pub revealed: bool,
    /// No run of it ever succeeds.
    pub hopeless: bool,
}

/// How often things go wrong, in percent.
#[derive(Clone, Copy)]
pub struct Luck {
    pub event_lost: usize,
    pub event_late: usize,
    pub try_fails: usize,
    pub job_expires: usize,
}

impl Luck {
    pub const GOOD: Self = Self { event_lost: 0, event_late: 0, try_fails: 0, job_expires: 0 };
    pub const BAD: Self = Self { event_lost: 20, event_late: 30, try_fails: 40, job_expires: 10 };
}

pub struct World {
    pub shift: Shift,
    pub chain: BTreeMap<JobId, OnChain>,
    pub now: u64,
    /// Orders given and not yet answered.
    pub under_way: Vec<Order>,
    /// Told late, in any order.
    late: Vec<Told>,
    /// Statements of a worker that has restarted since: they may still arrive.
    sent_before: Vec<(JobId, Duty)>,
    /// An event was lost, and the shift does not know yet.
    gap: bool,
    capacity: u16,
    opened: usize,
}

impl World {
    pub fn new(capacity: u16) -> Self {
        let mut world = Self {
            shift: Shift::new(capacity),
            chain: BTreeMap::new(),
            now: 0,
            under_way: vec![],
            late: vec![],
            sent_before: vec![],
            gap: false,
            capacity,
            opened: 0,
        };
        world.tell(Told::Lagged);
        world
    }

    /// The worker's process ends and starts anew: it knows nothing, and nothing is under way but what it has sent.
    pub fn restart(&mut self) {
        self.shift = Shift::new(self.capacity);
        self.late.clear();
        for order in std::mem::take(&mut self.under_way) {
            match order {
                Order::Commit { job, .. } => self.sent_before.push((job, Duty::Run)),
                Order::Reveal { job, .. } => self.sent_before.push((job, Duty::Reveal)),
                _ => {}
            }
        }
        self.tell(Told::Lagged);
    }

    /// What was sent before a restart arrives now.
    pub fn arrive(&mut self, luck: Luck, dice: &mut Dice) {
        if let Some((job, duty)) = self.sent_before.pop() {
            self.take(job, duty, luck, dice);
        }
    }

    /// Somebody tells of a job that is none.
    pub fn lie(&mut self, dice: &mut Dice) {
        let duty = if dice.percent(50) { Duty::Run } else { Duty::Reveal };
        self.tell(Told::Job { job: job(1_000_000 + dice.below(1_000)), asks: Asks::Duty(duty) });
    }

    /// What was late is told now.
    pub fn catch_up(&mut self, dice: &mut Dice) {
        if !self.late.is_empty() {
            let told = self.late.remove(dice.below(self.late.len()));
            self.tell(told);
        }
    }

    /// No event is lost or late any more.
    pub fn calm_down(&mut self, dice: &mut Dice) {
        while !self.late.is_empty() {
            self.catch_up(dice);
        }
        self.notice_gap();
    }

    fn asks(&self, job: JobId) -> Asks {
        self.chain.get(&job).map_or(Asks::Over, |on| on.asks)
    }

    /// Tell the shift something, and check what it orders.
    pub fn tell(&mut self, told: Told) {
        for order in self.shift.told(Millis::new(self.now), told) {
            let twin = self.under_way.iter().find(|other| is_same(other, &order));
            assert!(twin.is_none(), "{order:?} is ordered while {twin:?} is under way");
            self.under_way.push(order);
        }
        let (held, most) = (self.shift.held().count(), self.shift.held_max());
        assert!(held <= most, "{held} jobs are held, {most} at most");
    }

    pub fn pass(&mut self, ms: u64) {
        self.now += ms;
        self.tell(Told::Tick);
    }

    /// Assign the worker to one more job, if it has room.
    pub fn open(&mut self, hopeless: bool, luck: Luck, dice: &mut Dice) {
        let open = self.chain.values().filter(|on| on.asks != Asks::Over).count();
        if open >= usize::from(self.capacity) {
            return;
        }
        self.opened += 1;
        let asks = Asks::Duty(Duty::Run);
        self.change(job(self.opened), OnChain { asks, revealed: false, hopeless }, luck, dice);
    }

    /// Time runs out for `job`'s phase, or all others have spoken.
    pub fn advance(&mut self, job: JobId, luck: Luck, dice: &mut Dice) {
        let on = self.chain[&job];
        let asks = match on.asks {
            Asks::Nothing if on.revealed => Asks::Over,
            Asks::Nothing => Asks::Duty(Duty::Reveal),
            Asks::Duty(_) if on.hopeless || dice.percent(luck.job_expires) => Asks::Over,
            unchanged => unchanged,
        };
        if asks != on.asks {
            self.change(job, OnChain { asks, ..on }, luck, dice);
        }
    }

    fn change(&mut self, job: JobId, on: OnChain, luck: Luck, dice: &mut Dice) {
        self.chain.insert(job, on);
        self.gap |= dice.percent(luck.event_lost);
        let told = Told::Job { job, asks: on.asks };
        match (self.gap, dice.percent(luck.event_late)) {
            (true, _) => {}
            (false, true) => self.late.push(told),
            (false, false) => self.tell(told),
        }
    }

    /// The shell sees that its feed has a gap.
    pub fn notice_gap(&mut self) {
        if std::mem::take(&mut self.gap) {
            self.tell(Told::Lagged);
        }
    }

    /// Carry out one of the orders under way.
    pub fn carry_out(&mut self, luck: Luck, dice: &mut Dice) {
        if self.under_way.is_empty() {
            return;
        }
        let order = self.under_way.remove(dice.below(self.under_way.len()));
        let fails = dice.percent(luck.try_fails);
        match order {
            Order::LookUp { .. } if fails => self.tell(Told::Lagged),
            Order::LookUp { held } => {
                let open = self.chain.iter().filter(|(_, on)| on.asks != Asks::Over);
                let open: Vec<JobId> = open.map(|(job, _)| *job).collect();
                for job in held.into_iter().chain(open) {
                    self.tell(Told::Job { job, asks: self.asks(job) });
                }
            }
            Order::Heartbeat => self.tell(Told::Beat),
            Order::Run { job, duty } => {
                let hopeless = self.chain.get(&job).is_some_and(|on| on.hopeless);
                if self.asks(job) != Asks::Duty(duty) {
                    self.tell(Told::Job { job, asks: self.asks(job) });
                    self.tell(Told::Failed { job, duty, lasting: true, obstacle: None });
                } else if hopeless || fails {
                    self.tell(Told::Failed { job, duty, lasting: hopeless, obstacle: None });
                } else {
                    self.tell(Told::Ran { job, outcome: outcome() });
                }
            }
            Order::Commit { job, .. } => self.say(job, Duty::Run, fails, luck, dice),
            Order::Reveal { job, .. } => self.say(job, Duty::Reveal, fails, luck, dice),
        }
    }

    fn say(&mut self, job: JobId, duty: Duty, fails: bool, luck: Luck, dice: &mut Dice) {
        if fails {
            self.tell(Told::Failed { job, duty, lasting: false, obstacle: None });
        } else if self.take(job, duty, luck, dice) {
            self.tell(Told::Said { job, duty });
        } else {
            self.tell(Told::Failed { job, duty, lasting: true, obstacle: None });
        }
    }

    /// The chain takes a statement, if the job is in its phase.
    fn take(&mut self, job: JobId, duty: Duty, luck: Luck, dice: &mut Dice) -> bool {
        let fits = self.asks(job) == Asks::Duty(duty);
        if fits {
            let on =
                OnChain { asks: Asks::Nothing, revealed: duty == Duty::Reveal, ..self.chain[&job] };
            self.change(job, on, luck, dice);
        }
        fits
    }
}

fn is_same(one: &Order, other: &Order) -> bool {
    match (one, other) {
        (Order::Run { job, .. }, Order::Run { job: other, .. })
        | (Order::Commit { job, .. }, Order::Commit { job: other, .. })
        | (Order::Reveal { job, .. }, Order::Reveal { job: other, .. }) => job == other,
        (Order::Heartbeat, Order::Heartbeat) => true,
        _ => false,
    }
}

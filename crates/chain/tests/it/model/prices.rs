//! What jobs and transactions cost, a second time: the paper's rates as fractions of a nano, in plain `u128`.

use super::rules::{Job, Model};
use types::{JobSpec, Outcome, Status, Submission, state::Terms};

impl Model {
    /// End a block that took in `bytes` of transactions and used `gas`: what the next one charges. Each moves by at most an
    /// eighth, in proportion to the way from its target, by at least one. The fee follows bytes or gas, of which 150 million
    /// are the target, whichever is scarcer.
    pub fn finish_block(&mut self, bytes: u64, gas: u64) {
        let step = |now: u128, gap: u128, span: u128| (now * gap.min(span) / span / 8).max(1);
        let (fee, target) = (self.params.base_fee, u128::from(self.params.base_fee.target));
        let bytes = u128::from(bytes).max(u128::from(gas) * target / 150_000_000);
        if bytes > target {
            self.base_fee += step(self.base_fee, bytes - target, target);
        } else if bytes < target {
            self.base_fee -= step(self.base_fee, target - bytes, target).min(self.base_fee);
        }
        self.base_fee = self.base_fee.clamp(fee.min.get().into(), fee.max.get().into());

        let capacity: u128 = self.workers.values().map(|w| u128::from(w.capacity)).sum();
        let running: u128 = self.workers.values().map(|w| u128::from(w.running)).sum();
        let used = (running * 10_000).checked_div(capacity).unwrap_or(0).min(10_000);
        if used > 6_000 {
            self.demand += step(self.demand, used - 6_000, 4_000);
        } else if used < 6_000 {
            self.demand -= step(self.demand, 6_000 - used, 6_000).min(self.demand);
        }
        self.demand = self.demand.clamp(100_000, 100_000_000);
    }

    /// What an offer must cover now: all replicas to their limits, on workers of the best reputation. `None`: no
    /// number says it.
    pub fn needed(&self, asked: &Submission) -> Option<u128> {
        let limits = &asked.spec.limits;
        let bytes = self.read(&asked.spec) + 2 * u128::from(limits.output_bytes);
        let (fuel, memory) = (limits.fuel.get(), limits.memory_bytes);
        let each = self.price(&asked.spec, fuel, memory, bytes, self.demand, 10_000)?;
        let all = each * u128::from(asked.agreement.replicas);
        u64::try_from(all).ok().map(u128::from)
    }

    fn run(&self, fuel: u64) -> u128 {
        u128::from(fuel).div_ceil(self.params.fuel_per_core_us.into())
    }

    /// Microseconds of a core: the run, and one for each byte that is compiled.
    pub(super) fn core(&self, spec: &JobSpec, fuel: u64) -> u128 {
        self.run(fuel) + u128::from(spec.module_len)
    }

    fn read(&self, spec: &JobSpec) -> u128 {
        let files: u128 = spec.files.iter().map(|file| u128::from(file.len)).sum();
        u128::from(spec.module_len) + u128::from(spec.input_len) + files
    }

    /// One replica's price at the paper's rates: a nano for a µs of a core; 1/10^7 for a kB·µs of memory; 1/360,000
    /// for a kB·s of storage, of which an hour is paid; 1/10^4 for a byte moved. All of that times demand, and
    /// 0.80 to 1.20 by reputation. Rounded up, at least one nano.
    fn price(
        &self,
        spec: &JobSpec,
        fuel: u64,
        memory: u64,
        bytes: u128,
        demand: u128,
        reputation: u16,
    ) -> Option<u128> {
        let core = self.core(spec, fuel);
        let ram = u64::try_from(u128::from(memory).div_ceil(1_000) * self.run(fuel)).ok()?;
        let storage = bytes.div_ceil(1_000) * 3_600;
        let sum = core * 90_000_000 + u128::from(ram) * 9 + storage * 250 + bytes * 9_000;
        let of = 90_000_000 * 1_000_000 * 25_000;
        let price = (sum * demand * (20_000 + u128::from(reputation))).div_ceil(of).max(1);
        u64::try_from(price).ok().map(u128::from)
    }

    /// What an assignment is paid: its price, its floor if that is more, its part of the offer at most.
    pub(super) fn worth(&self, job: &Job, outcome: &Outcome, terms: Terms) -> u64 {
        let (spec, of) = (&job.submission.spec, job.submission.agreement.replicas);
        let cap = job.submission.price_max.get() / u64::from(of);
        let fuel = outcome.fuel.min(spec.limits.fuel).get();
        let memory = outcome.memory_bytes.min(spec.limits.memory_bytes);
        let most = spec.limits.output_bytes;
        // What is left in files shares the limit of stdout.
        let left = match outcome.status {
            Status::ExitedWithFiles { files, .. } => [files.bytes, files.list.len],
            _ => [0, 0],
        };
        let printed: u128 = left.into_iter().chain([outcome.stdout.len]).map(u128::from).sum();
        let written = printed.min(most.into()) + u128::from(outcome.stderr.len).min(most.into());
        let bytes = self.read(spec) + written;
        let Some(price) = self.price(spec, fuel, memory, bytes, job.demand, terms.reputation)
        else {
            return cap;
        };
        let floor = (self.core(spec, fuel) * u128::from(terms.floor.get())).div_ceil(1_000_000);
        u64::try_from(price.max(floor).min(cap.into())).expect("at most the cap")
    }
}

//! What simulated jobs give: nothing is executed, and the true outcome follows from a job's number.

use types::{Fuel, JobId, Outcome, OutputRef, Status};

/// What a true run uses, of at most a million.
const FUEL_USED: Fuel = Fuel::new(400_000);

/// What running `job` gives.
pub fn truth(job: &JobId) -> Outcome {
    let output = OutputRef { hash: *job, len: 1 };
    let (status, fuel) = (Status::Exited(0), FUEL_USED);
    Outcome { status, stdout: output, stderr: output, fuel, memory_bytes: 1 }
}

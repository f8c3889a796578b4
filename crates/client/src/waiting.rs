//! What a job waits for, in one line: the rule that holds it, and the workers that are silent while others have answered.

use crate::units::short_address;
use api::Why;

/// So many workers are named; of more there is only the number.
const NAMED_MAX: usize = 4;

/// The verdict, and the workers that are missing.
#[must_use]
pub fn waiting(why: &Why) -> String {
    let with = |rule: &str| {
        let found = why.reasons.iter().filter(|reason| reason.rule == rule);
        found.filter_map(|reason| reason.worker.as_ref()).collect::<Vec<_>>()
    };
    // A worker commits to its result first, and shows it when all have.
    let (silent, others) = match with("revealed") {
        revealed if revealed.is_empty() => (with("no_commitment"), with("no_reveal")),
        revealed => (with("no_reveal"), revealed),
    };
    if silent.is_empty() || others.is_empty() {
        return why.verdict.clone();
    }
    let named: Vec<String> =
        silent.iter().take(NAMED_MAX).map(|worker| short_address(worker)).collect();
    let more = match silent.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}; no answer yet from worker {}{more}", why.verdict, named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::Reason;
    use types::{Address, PublicKey};

    fn check(rules: &[&str], expected: &str) {
        let reason = |(n, rule): (usize, &&str)| Reason {
            worker: Some(Address::of(&PublicKey([u8::try_from(n).unwrap(); 32]))),
            rule: (*rule).to_owned(),
            detail: String::new(),
        };
        let reasons = rules.iter().enumerate().map(reason).collect();
        let said = waiting(&Why { verdict: "running".into(), reasons });
        assert!(said.starts_with("running") && said.contains(expected), "{said}");
        assert_eq!(said.contains("no answer"), !expected.is_empty(), "{said}");
    }

    #[test]
    fn the_worker_that_others_wait_for_is_named() {
        let first = short_address(&Address::of(&PublicKey([0; 32])));
        check(&["no_commitment", "no_reveal", "no_reveal"], &format!("worker {first}"));
        check(&["no_reveal", "revealed", "revealed"], &format!("worker {first}"));
        check(&["no_commitment"; 4], "");
        check(&["busy", "resting"], "");
        check(&["no_commitment", "no_commitment", "no_reveal"], ", meshx1");
    }
}

//! What is left on disk of terms that are over.

use commonware_consensus::types::Epoch as EngineTerm;
use commonware_storage::Context as StorageContext;

/// How many terms back are looked at each time. A validator that was away for some of them has no journals of those.
const LOOKED_BACK: u64 = 1_000;

/// The journals that votes were written to, one for each term.
pub(crate) struct OldTerms<E> {
    context: E,
    partition: String,
}

/// What the library begins the name of each term's journal with.
pub(crate) fn journals(partition: &str) -> String {
    format!("{partition}-simplex")
}

impl<E: StorageContext> OldTerms<E> {
    pub(crate) fn new(context: E, partition: &str) -> Self {
        Self { context, partition: partition.to_owned() }
    }

    /// Remove the journals of the terms before `min`, but for the last of them, whose engine may still be stopping. Nobody
    /// votes in those terms again, because a block of a later one is final.
    pub(crate) async fn remove_before(&self, min: EngineTerm) {
        let end = min.get().saturating_sub(1);
        for term in end.saturating_sub(LOOKED_BACK)..end {
            let name = format!("{}_consensus_{term}", journals(&self.partition));
            // Mostly it is not there any more. What cannot be removed is tried again with the next term.
            let _ = self.context.remove(&name, None).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use commonware_runtime::{Runner as _, Storage as _, Supervisor as _, deterministic};

    #[test]
    fn journals_go_also_behind_a_term_that_has_none() {
        deterministic::Runner::default().start(|context| async move {
            let journal = |term: u64| format!("a-simplex_consensus_{term}");
            for term in [0, 1, 3, 4, 5] {
                context.open(&journal(term), b"0").await.expect("it can be made");
            }
            OldTerms::new(context.child("old"), "a").remove_before(EngineTerm::new(5)).await;
            for (term, kept) in [(0, false), (1, false), (3, false), (4, true), (5, true)] {
                assert_eq!(context.scan(&journal(term)).await.is_ok(), kept, "term {term}");
            }
        });
    }
}

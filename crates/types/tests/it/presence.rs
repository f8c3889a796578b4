//! Which of a node's measurements count.

use types::{
    List, PublicKey,
    presence::{Measured, MeasuredRecord, MeasuredRow},
};

/// What is measured in a period counts from the next one on, however often it is measured anew.
#[test]
fn a_row_counts_from_the_period_after_it() {
    let row = |period, rtt_us| MeasuredRow {
        period,
        times: List::new(vec![Measured { witness: PublicKey([1; 32]), rtt_us }]).unwrap(),
    };
    let first = MeasuredRecord::with(None, row(3, 10));
    assert_eq!((first.frozen(3), first.frozen(4)), (None, Some(&row(3, 10))));
    let again = MeasuredRecord::with(Some(first), row(3, 11));
    assert_eq!((again.frozen(3), again.frozen(4)), (None, Some(&row(3, 11))));
    let next = MeasuredRecord::with(Some(again), row(4, 12));
    let next = MeasuredRecord::with(Some(next), row(4, 13));
    assert_eq!((next.frozen(4), next.frozen(5)), (Some(&row(3, 11)), Some(&row(4, 13))));
}

//! The form of a blob's file: its content, then its tree.
//!
//! ```text
//!  0                content_len            content_len + 8            end
//!  ├──── content ────┼── length, LE 64 bit ──┼── 64 bytes per parent ──┤     parents = chunks - 1
//!                    └──────────── bao's outboard encoding ────────────┘
//! ```
//! One file, so that one rename puts a blob in place. How long the content is follows from how long
//! the file is.

use crate::BLOB_BYTES_MAX;

/// The whole file's length for a content of `content_len` bytes, at most [`BLOB_BYTES_MAX`].
pub(crate) fn file_len(content_len: u64) -> u64 {
    assert!(content_len <= BLOB_BYTES_MAX);
    content_len + tree_len(content_len)
}

/// The tree's length, its 8 bytes of length included.
pub(crate) fn tree_len(content_len: u64) -> u64 {
    u64::try_from(bao::encode::outboard_size(content_len))
        .expect("a blob's tree is a sixteenth of it")
}

/// The content's length for a file of `len` bytes; `None` if no blob makes such a file.
pub(crate) fn content_len(len: u64) -> Option<u64> {
    // `file_len` rises strictly, so there is at most one answer.
    let (mut low, mut high) = (0, BLOB_BYTES_MAX);
    while low < high {
        let middle = low + (high - low) / 2;
        if file_len(middle) < len { low = middle + 1 } else { high = middle }
    }
    (file_len(low) == len).then_some(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_length_follows_from_file_length() {
        let edges =
            [0, 1, 2, 1023, 1024, 1025, 2048, 2049, 4097, BLOB_BYTES_MAX - 1, BLOB_BYTES_MAX];
        for len in edges {
            assert_eq!(content_len(file_len(len)), Some(len));
        }
        for impossible in
            [0, 7, 8 + 1024 + 1, 8 + 1024 + 64, file_len(BLOB_BYTES_MAX) + 1, u64::MAX]
        {
            assert_eq!(content_len(impossible), None, "{impossible}");
        }
        assert_eq!(file_len(0), 8);
        assert_eq!(file_len(1025), 1025 + 8 + 64);
    }
}

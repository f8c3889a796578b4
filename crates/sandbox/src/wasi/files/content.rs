//! What a file of the run holds: pages of memory, counted as they are taken.

use crate::limits::Bounds;

const PAGE: usize = 4096;

/// The bytes of a file.
#[derive(Default)]
pub(super) struct Content {
    pages: Vec<Box<[u8; PAGE]>>,
    len: u64,
}

impl Content {
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Bytes of memory it takes.
    pub(super) fn held(&self) -> u64 {
        (self.pages.len() * PAGE) as u64
    }

    /// Make it `len` bytes long; new bytes are zero. Gives the bytes of memory newly taken, or
    /// nothing if the job may not have them.
    pub(super) fn set_len(&mut self, len: u64, bounds: &mut Bounds) -> Option<u64> {
        let pages = usize::try_from(len.div_ceil(PAGE as u64)).ok()?;
        let mut taken = 0;
        if pages > self.pages.len() {
            taken = ((pages - self.pages.len()) as u64).checked_mul(PAGE as u64)?;
            if !bounds.take(taken) {
                return None;
            }
        } else {
            bounds.give_back(((self.pages.len() - pages) * PAGE) as u64);
        }
        self.pages.resize_with(pages, || Box::new([0; PAGE]));
        if len < self.len
            && let Some(last) = self.pages.last_mut()
            && !len.is_multiple_of(PAGE as u64)
        {
            last[(len % PAGE as u64) as usize..].fill(0);
        }
        self.len = len;
        Some(taken)
    }

    /// Copy as much as there is from `from` into `into`, and say how much.
    pub(super) fn read(&self, from: u64, into: &mut [u8]) -> usize {
        let rest = self.len.saturating_sub(from);
        let len = into.len().min(usize::try_from(rest).unwrap_or(usize::MAX));
        self.each_page(from, len, |page, within, range| {
            into[range].copy_from_slice(&self.pages[page][within]);
        });
        len
    }

    pub(super) fn to_vec(&self) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(self.len).expect("it is in memory")];
        self.read(0, &mut bytes);
        bytes
    }

    /// Overwrite from `at` on; the bytes are there already.
    pub(super) fn write(&mut self, at: u64, bytes: &[u8]) {
        assert!(at + bytes.len() as u64 <= self.len);
        let mut pages = std::mem::take(&mut self.pages);
        self.each_page(at, bytes.len(), |page, within, range| {
            pages[page][within].copy_from_slice(&bytes[range]);
        });
        self.pages = pages;
    }

    /// Cut `from .. from + len` into pieces of one page each.
    fn each_page(
        &self,
        from: u64,
        len: usize,
        mut piece: impl FnMut(usize, std::ops::Range<usize>, std::ops::Range<usize>),
    ) {
        let mut done = 0;
        while done < len {
            let place = from + done as u64;
            let (page, start) = ((place / PAGE as u64) as usize, (place % PAGE as u64) as usize);
            let end = PAGE.min(start + len - done);
            piece(page, start..end, done..done + end - start);
            done += end - start;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_over_the_edges_of_pages() {
        let (mut content, mut bounds) = (Content::default(), Bounds::new(1 << 20));
        assert_eq!(content.set_len(10_000, &mut bounds), Some(12_288));
        let bytes: Vec<u8> = (0..9_000u32).map(|n| n as u8).collect();
        content.write(1_000, &bytes);
        let mut back = vec![7; 20_000];
        assert_eq!(content.read(0, &mut back), 10_000);
        assert!(back[..1_000].iter().all(|byte| *byte == 0) && back[1_000..10_000] == bytes);
        assert_eq!(content.read(10_001, &mut back), 0);
    }

    #[test]
    fn what_was_cut_off_comes_back_as_zero() {
        let (mut content, mut bounds) = (Content::default(), Bounds::new(8_192));
        content.set_len(6_000, &mut bounds).unwrap();
        content.write(0, &[9; 6_000]);
        assert_eq!(content.set_len(10, &mut bounds), Some(0));
        assert_eq!(content.set_len(5_000, &mut bounds), Some(4_096));
        let mut back = [1; 12];
        content.read(0, &mut back);
        assert_eq!(back, [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 0, 0]);
        assert_eq!(content.set_len(8_193, &mut bounds), None, "the job may hold two pages");
        assert_eq!(content.len(), 5_000);
        content.set_len(0, &mut bounds).unwrap();
        assert_eq!((bounds.memory_bytes_most(), content.held()), (8_192, 0), "the most it held");
    }
}
